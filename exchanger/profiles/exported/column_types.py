"""Which type each column of an export has, once all of its values were seen."""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from exchanger.profiles.exported.casts import CASTS, to_decimal
from exchanger.profiles.exported.observed_types import ColumnType, Kinds, kinds_of, settle
from exchanger.profiles.exported.selection import ExportColumn

_SHOWN = 80
_JSON = ColumnType("json")


@dataclass(frozen=True)
class Observed:
    """
    What was seen of a column so far.

    Args:
        kinds: Kinds of its values; of a column that has no type of its own.
        misfit: The first JSON text that does not fit the type it has; None: all fit.
        filled: How many users have a value.
    """

    kinds: Kinds = frozenset()
    misfit: str | None = None
    filled: int = 0


@dataclass(frozen=True)
class SettledColumn:
    """A column with its type, and a sentence for a person if it is not the type expected."""

    name: str
    type: ColumnType
    warning: str = ""


def observe(texts: pl.Series, column: ExportColumn | None, before: Observed) -> Observed:
    """
    Add the values of one frame to what was seen of a column.

    Args:
        texts: JSON texts, String.
        column: The named column; None for a remaining one.
        before: What the frames before showed.
    """
    own = _own_type(column)
    before = replace(before, filled=before.filled + texts.count())
    if own == _JSON:
        return before
    if own is None:
        return replace(before, kinds=before.kinds | kinds_of(texts))
    if before.misfit is not None:
        return before
    frame = texts.to_frame("text")
    misfits = frame.filter(pl.col("text").is_not_null() & typed(pl.col("text"), own).is_null())
    return replace(before, misfit=misfits.item(0, 0) if len(misfits) else None)


def settled(name: str, column: ExportColumn | None, seen: Observed) -> SettledColumn:
    """
    Settle the type of a column; one that no single type holds becomes ``json`` with a warning.

    Args:
        name: The column.
        column: The named column; None for a remaining one.
        seen: All of its values.
    """
    own = _own_type(column)
    if own is not None:
        if seen.misfit is None:
            return SettledColumn(name, own)
        return SettledColumn(
            name, _JSON, _warning(name, f"{_short(seen.misfit)} is no {own.label}")
        )
    found = settle(seen.kinds)
    if found is None:
        kinds = ", ".join(sorted(seen.kinds))
        return SettledColumn(
            name, _JSON, _warning(name, f"its values are of several types: {kinds}")
        )
    if column is not None and column.type == "list" and found.type != "list":
        if not seen.kinds:
            return SettledColumn(name, ColumnType("list", "string"))
        return SettledColumn(name, _JSON, _warning(name, "some values are no list of one type"))
    return SettledColumn(name, found)


def typed(text: pl.Expr, type_: ColumnType) -> pl.Expr:
    """Read JSON texts as a type; null where a text does not fit it exactly."""
    if type_.type == "list":
        return text.str.json_decode(type_.dtype)
    if type_.type == "decimal":
        return to_decimal(text, type_.scale)
    return CASTS[type_.type](text)


def _own_type(column: ExportColumn | None) -> ColumnType | None:
    """The type that values must fit; None where it follows from the values."""
    if column is None or column.type in (None, "list"):
        return None
    return ColumnType(column.type, scale=column.scale)


def _warning(name: str, why: str) -> str:
    return f"column {name!r} is written as JSON text: {why}"


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
