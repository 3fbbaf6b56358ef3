"""
Which types the values of an exported column have, seen over an entire export.

Every value is held as its JSON text until all of them were seen. ``kinds_of`` tells what kinds
of text there are, ``settle`` which type holds them all without losing a digit.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import polars as pl

from exchanger.config.models import FieldType
from exchanger.profiles.exported.casts import to_instant

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
