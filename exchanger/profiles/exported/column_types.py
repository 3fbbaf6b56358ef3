"""
Which type each column of an export has, once all of its values were seen.

Values are held as cells until then. ``settle`` tells which type holds all kinds of them without
losing a digit, ``typed_cells`` brings them to it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from exchanger.config.models import FieldType
from exchanger.notes import Note, noted
from exchanger.profiles.exported.casts import CASTS, to_decimal
from exchanger.profiles.exported.cells import json_texts, needs_escape
from exchanger.profiles.exported.kinds import Kind, Kinds, kinds_of
from exchanger.profiles.exported.selection import ExportColumn

_SHOWN = 80
_FLOAT_EXACT = 2**53
# A decimal of so few digits is always its float's own value.
_SHORT_NUMBER = r"^-?[0-9.]{1,15}$"


@dataclass(frozen=True)
class ColumnType:
    """
    The settled type of a column.

    Args:
        type: Its type; ``json`` is held as JSON text.
        items: What a list holds.
        scale: Decimal places of a ``decimal``.
    """

    type: FieldType
    items: FieldType | None = None
    scale: int = 0

    @property
    def dtype(self) -> pl.DataType:
        """The polars dtype that holds it."""
        if self.type == "list":
            return pl.List(ColumnType(self.items or "string").dtype)
        if self.type == "decimal":
            return pl.Decimal(38, self.scale)
        return _DTYPES[self.type]

    @property
    def label(self) -> str:
        """Its name in a manifest: ``integer``, ``decimal(2)``, ``list[string]``."""
        if self.type == "list":
            return f"list[{self.items}]"
        return f"decimal({self.scale})" if self.type == "decimal" else self.type


_DTYPES: dict[FieldType, pl.DataType] = {
    "string": pl.String(),
    "json": pl.String(),
    "integer": pl.Int64(),
    "float": pl.Float64(),
    "boolean": pl.Boolean(),
    "date": pl.Date(),
    "datetime": pl.Datetime("ms", "UTC"),
}
_JSON = ColumnType("json")
# The first row that holds every kind seen names the type.
_SETTLED: tuple[tuple[set[Kind], ColumnType], ...] = (
    (set(), ColumnType("string")),
    ({"time"}, ColumnType("datetime")),
    ({"time", "string"}, ColumnType("string")),
    ({"boolean"}, ColumnType("boolean")),
    ({"integer", "long"}, ColumnType("integer")),
    ({"integer", "float"}, ColumnType("float")),
    ({"empty", "strings"}, ColumnType("list", "string")),
    ({"empty", "integers", "longs"}, ColumnType("list", "integer")),
    ({"empty", "integers", "floats"}, ColumnType("list", "float")),
    ({"empty", "booleans"}, ColumnType("list", "boolean")),
    ({"empty", "list"}, ColumnType("json")),
    ({"object"}, ColumnType("json")),
)


def settle(kinds: Kinds) -> ColumnType | None:
    """Find the type that holds all these kinds exactly; None: no single type does."""
    return next((type_ for held, type_ in _SETTLED if kinds <= held), None)


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
    note: Note | None = None


def observe(kept: pl.Series, column: ExportColumn | None, before: Observed) -> Observed:
    """
    Add the values of one frame to what was seen of a column.

    Args:
        kept: Cells.
        column: The named column; None for a remaining one.
        before: What the frames before showed.
    """
    own = _own_type(column)
    before = replace(before, filled=before.filled + kept.count())
    if own == _JSON:
        return before
    if own is None:
        return replace(before, kinds=before.kinds | kinds_of(kept))
    if before.misfit is not None:
        return before
    fits = typed_cells(kept, own)
    if fits.null_count() == kept.null_count():
        return before
    misfits = kept.filter(kept.is_not_null() & fits.is_null())
    return replace(before, misfit=json_texts(misfits.head(1)).item())


def settled(name: str, column: ExportColumn | None, seen: Observed) -> SettledColumn:
    """
    Settle the type of a column; one that no single type holds becomes ``json`` with a note.

    Args:
        name: The column.
        column: The named column; None for a remaining one.
        seen: All of its values.
    """
    own = _own_type(column)
    if own is not None:
        if seen.misfit is None:
            return SettledColumn(name, own)
        misfit = noted("column_misfit", column=name, value=_short(seen.misfit), type=own.label)
        return SettledColumn(name, _JSON, misfit)
    found = settle(seen.kinds)
    if found is None:
        return SettledColumn(
            name, _JSON, noted("column_mixed", column=name, kinds=sorted(seen.kinds))
        )
    if column is not None and column.type == "list" and found.type != "list":
        if not seen.kinds:
            return SettledColumn(name, ColumnType("list", "string"))
        return SettledColumn(name, _JSON, noted("column_no_list", column=name))
    return SettledColumn(name, found)


def typed(text: pl.Expr, type_: ColumnType) -> pl.Expr:
    """Read JSON texts as a type; null where a text does not fit it exactly."""
    if type_.type == "list":
        return text.str.json_decode(type_.dtype)
    if type_.type == "decimal":
        return to_decimal(text, type_.scale)
    return CASTS[type_.type](text)


def typed_cells(kept: pl.Series, type_: ColumnType) -> pl.Series:
    """Bring cells to a type; null where a value does not fit it exactly."""
    direct = _typed_directly(kept, type_)
    if direct is not None:
        return direct
    texts = json_texts(kept)
    return texts.to_frame().select(typed(pl.col(texts.name), type_)).to_series()


def _typed_directly(kept: pl.Series, type_: ColumnType) -> pl.Series | None:
    """Do what ``typed`` would, where no text is needed for it; None: one is."""
    if kept.dtype == pl.Null:
        return kept.cast(type_.dtype)
    if type_.type in ("string", "integer", "float", "boolean") and kept.dtype == type_.dtype:
        return kept
    if type_.type == "float" and kept.dtype == pl.Int64:
        exact = kept.is_between(-_FLOAT_EXACT, _FLOAT_EXACT).all()
        return kept.cast(pl.Float64) if exact else None
    if type_.type == "float" and kept.dtype == pl.Binary:
        texts = json_texts(kept)
        return texts.cast(pl.Float64) if texts.str.contains(_SHORT_NUMBER).all() else None
    if type_.type in ("date", "datetime") and kept.dtype == pl.String and not needs_escape(kept):
        return kept.to_frame().select(CASTS[type_.type](pl.col(kept.name))).to_series()
    return None


def _own_type(column: ExportColumn | None) -> ColumnType | None:
    """The type that values must fit; None where it follows from the values."""
    if column is None or column.type in (None, "list"):
        return None
    return ColumnType(column.type, scale=column.scale)


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
