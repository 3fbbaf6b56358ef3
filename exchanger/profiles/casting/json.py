"""JSON values, from text and from the file's own nested types."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from exchanger.profiles.casting.result import RAW, VALUE, CastResult, flag_faults
from exchanger.profiles.casting.text import cast_strings
from exchanger.profiles.spelling.json_values import canonical_json, json_string

EMPTY_JSON = ["null", '""', "[]", "{}"]
"""Canonical texts of what says nothing."""
BLANK_JSON = r'^"\s+"$'
"""Canonical text of a string of white space alone."""


def cast_json(raw: pl.Series, timezone: str) -> CastResult:
    """
    Read JSON values, to String: their canonical texts.

    From text: any JSON. From nested types: their JSON. From other types: the JSON of the value.
    Null members of objects are left out, and counted.

    Faults: ``invalid_json`` (NaN and infinities are no JSON), and those of times.
    """
    texts = as_json(raw, timezone)
    frame = pl.DataFrame({"raw": texts.values, "value": canonical_json(texts.values)})
    empty = VALUE.is_in(EMPTY_JSON) | VALUE.str.contains(BLANK_JSON)
    frame = frame.with_columns(
        pl.when(~empty).then(VALUE).alias("value"),
        invalid=RAW.is_not_null() & VALUE.is_null(),
    )
    judged = flag_faults(frame, [("invalid_json", pl.col("invalid"))], _count_nulls(texts.values))
    return judged.over(texts.faults)


def as_json(raw: pl.Series, timezone: str) -> CastResult:
    """
    Write a column of any type as JSON texts; text is taken to be JSON already.

    Faults: those of text and times.
    """
    if raw.dtype == pl.String:
        return flag_faults(pl.DataFrame({"raw": raw, "value": raw}), [])
    if raw.dtype.is_nested():
        wrapped = raw.to_frame("x").select(pl.struct("x").struct.json_encode()).to_series()
        texts = wrapped.str.strip_prefix('{"x":').str.head(-1)
        return flag_faults(pl.DataFrame({"raw": raw, "value": texts}), [])
    printed = cast_strings(raw, timezone, trim=False, cut=False)
    if raw.dtype == pl.Boolean or raw.dtype.is_numeric():
        return printed
    quoted = printed.values.to_frame("value").select(json_string(VALUE)).to_series()
    return CastResult(quoted, printed.faults)


def _count_nulls(texts: pl.Series) -> pl.Series | None:
    """Count the null members of the objects of each text; None if there are none at all."""
    suspects = texts.filter(texts.str.contains(r":\s*null\b"))
    if suspects.is_empty():
        return None
    # Each distinct text is parsed once: JSON has no vectorised walk.
    distinct = suspects.unique()
    counts = [_nulls_in_text(text) for text in distinct]
    return texts.replace_strict(distinct, counts, default=0, return_dtype=pl.UInt32)


def _nulls_in_text(text: str) -> int:
    try:
        return _nulls_in(json.loads(text))
    except ValueError:
        return 0


def _nulls_in(value: Any) -> int:
    if isinstance(value, dict):
        return sum(1 if member is None else _nulls_in(member) for member in value.values())
    if isinstance(value, list):
        return sum(_nulls_in(member) for member in value)
    return 0
