"""
Which type each column of an export has, once all of its values were seen.

Every value is held as its JSON text until then. ``kinds_of`` tells what kinds of text there are,
``settle`` which type holds them all without losing a digit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

import polars as pl

from exchanger.config.models import FieldType
from exchanger.profiles.exported.casts import CASTS, to_decimal, to_instant
from exchanger.profiles.exported.selection import ExportColumn

Kind = Literal[
    "string",
    "time",  # a string that is an ISO 8601 time with a zone
    "integer",
    "long",  # an integer that a float does not hold exactly
    "huge",  # an integer beyond 64 bit
    "float",
    "precise",  # a number with more digits than a float holds
    "boolean",
    "empty",  # the empty list
    "strings",
    "integers",
    "longs",  # a list with an integer that a float does not hold exactly
    "floats",
    "booleans",
    "list",  # any other list
    "object",
]
Kinds = frozenset[Kind]

_TIME = (
    r'^"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,3})?'
    r'(?:Z|[+-][0-9]{2}:?[0-9]{2})"$'
)
_LISTS: dict[Kind, str] = {
    "empty": r"^\[\]$",
    "strings": r'^\["(?:[^"\\]|\\.)*"(?:,"(?:[^"\\]|\\.)*")*\]$',
    "booleans": r"^\[(?:true|false)(?:,(?:true|false))*\]$",
}
_NUMBERS = r"^\[[-+.0-9eE,]+\]$"
# Every decimal of so few characters is its float's own spelling.
_SURELY_EXACT = 16
_SHOWN = 80


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


def kinds_of(texts: pl.Series) -> Kinds:
    """
    Tell the kinds of the JSON texts of a String series; nulls are of no kind.

    The texts must be without white space between their parts.
    """
    present = texts.drop_nulls()
    lead = present.str.head(1)
    leads = set(lead.unique())
    found: set[Kind] = set()
    if leads & {"t", "f"}:
        found.add("boolean")
    if "{" in leads:
        found.add("object")
    if '"' in leads:
        found |= _string_kinds(present.filter(lead == '"'))
    if "[" in leads:
        found |= _list_kinds(present.filter(lead == "["))
    if leads - set('tf{["'):
        found |= _number_kinds(present.filter(lead.str.contains(r"[-0-9]")))
    return frozenset(found)


def _string_kinds(texts: pl.Series) -> set[Kind]:
    timely = texts.str.contains(_TIME)
    if not timely.any():
        return {"string"}
    inner = texts.filter(timely).str.slice(1).str.head(-1)
    parsed = pl.select(to_instant(pl.lit(inner))).to_series()
    return {"time"} if timely.all() and parsed.null_count() == 0 else {"time", "string"}


def _list_kinds(texts: pl.Series) -> set[Kind]:
    kinds: set[Kind] = set()
    rest = texts
    for kind, pattern in _LISTS.items():
        fits = rest.str.contains(pattern)
        if fits.any():
            kinds.add(kind)
            rest = rest.filter(~fits)
    numeric = rest.str.contains(_NUMBERS)
    if numeric.any():
        kinds |= _numeric_list_kinds(rest.filter(numeric))
    return kinds if numeric.all() else kinds | {"list"}


def _numeric_list_kinds(texts: pl.Series) -> set[Kind]:
    numbers = _number_kinds(texts.str.strip_chars("[]").str.split(",").explode())
    if numbers & {"huge", "precise"} or numbers >= {"long", "float"}:
        return {"list"}
    if "float" in numbers:
        return {"floats"}
    return {"integers", "longs"} if "long" in numbers else {"integers"}


def _number_kinds(texts: pl.Series) -> set[Kind]:
    fractional = texts.str.contains(r"[.eE]")
    whole = texts.filter(~fractional)
    kinds: set[Kind] = set()
    if len(whole):
        numbers = whole.cast(pl.Int64, strict=False)
        fits = numbers.is_between(-(2**53), 2**53)
        kinds.update(_if(numbers.null_count() > 0, "huge"))
        kinds.update(_if(bool(fits.any()), "integer"))
        kinds.update(_if(not fits.all(), "long"))
    if fractional.any():
        kinds.add("float")
        kinds.update(_if(_any_precise(texts.filter(fractional)), "precise"))
    return kinds


def _if(seen: bool, kind: Kind) -> set[Kind]:  # noqa: FBT001
    return {kind} if seen else set()


def _any_precise(texts: pl.Series) -> bool:
    # Few numbers are so long, and polars cannot compare beyond a float: each distinct one is
    # compared in decimal.
    doubtful = (texts.str.len_bytes() > _SURELY_EXACT) | texts.str.contains("[eE]")
    return any(Decimal(t) != Decimal(repr(float(t))) for t in texts.filter(doubtful).unique())


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
