"""Which kinds of values a column of an export has, as far as they tell what type holds them all."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, cast

import polars as pl

from exchanger.profiles.exported.casts import to_instant
from exchanger.profiles.exported.cells import json_texts

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
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,3})?"
    r"(?:Z|[+-][0-9]{2}:?[0-9]{2})$"
)
_LISTS: dict[Kind, str] = {
    "empty": r"^\[\]$",
    "strings": r'^\["(?:[^"\\]|\\.)*"(?:,"(?:[^"\\]|\\.)*")*\]$',
    "booleans": r"^\[(?:true|false)(?:,(?:true|false))*\]$",
}
_NUMBERS = r"^\[[-+.0-9eE,]+\]$"
# Every decimal of so few characters is its float's own spelling.
_SURELY_EXACT = 16
# The shortest and the longest time.
_TIME_LENGTHS = (20, 29)
_FLOAT_EXACT = 2**53


def kinds_of(kept: pl.Series) -> Kinds:
    """Return the kinds of a column's cells; nulls are of no kind."""
    present = kept.drop_nulls() if kept.null_count() else kept
    if present.is_empty():
        return frozenset()
    if kept.dtype == pl.Binary:
        return frozenset(_text_kinds(json_texts(present)))
    if kept.dtype == pl.Int64:
        return frozenset(_integer_kinds(present))
    if kept.dtype == pl.String:
        return frozenset(_string_kinds(present))
    # A float in its shortest spelling has no digit that it does not hold.
    return frozenset({"boolean" if kept.dtype == pl.Boolean else "float"})


def _text_kinds(texts: pl.Series) -> set[Kind]:
    lead = texts.str.head(1)
    leads = set(lead.unique())
    found: set[Kind] = set()
    if leads & {"t", "f"}:
        found.add("boolean")
    if "{" in leads:
        found.add("object")
    if '"' in leads:
        found |= _string_kinds(texts.filter(lead == '"').str.slice(1).str.head(-1))
    if "[" in leads:
        found |= _list_kinds(texts.filter(lead == "["))
    if leads - set('tf{["'):
        found |= _number_kinds(texts.filter(lead.str.contains(r"[-0-9]")))
    return found


def _string_kinds(texts: pl.Series) -> set[Kind]:
    lengths = texts.str.len_bytes()
    # Looking at the longest is enough for most columns.
    if cast("int", lengths.max()) < _TIME_LENGTHS[0]:
        return {"string"}
    near = texts.filter(lengths.is_between(*_TIME_LENGTHS))
    timely = near.str.contains(_TIME)
    if not timely.any():
        return {"string"}
    parsed = pl.select(to_instant(pl.lit(near.filter(timely)))).to_series()
    every = len(near) == len(texts) and timely.all() and parsed.null_count() == 0
    return {"time"} if every else {"time", "string"}


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
        kinds.update(_if(numbers.null_count() > 0, "huge"))
        kinds |= _integer_kinds(numbers)
    if fractional.any():
        kinds.add("float")
        kinds.update(_if(_any_precise(texts.filter(fractional)), "precise"))
    return kinds


def _integer_kinds(numbers: pl.Series) -> set[Kind]:
    fits = numbers.is_between(-_FLOAT_EXACT, _FLOAT_EXACT)
    return _if(bool(fits.any()), "integer") | _if(not fits.all(), "long")


def _if(seen: bool, kind: Kind) -> set[Kind]:  # noqa: FBT001
    return {kind} if seen else set()


def _any_precise(texts: pl.Series) -> bool:
    # Few numbers are so long, and polars cannot compare beyond a float: each distinct one is
    # compared in decimal.
    doubtful = (texts.str.len_bytes() > _SURELY_EXACT) | texts.str.contains("[eE]")
    return any(Decimal(t) != Decimal(repr(float(t))) for t in texts.filter(doubtful).unique())
