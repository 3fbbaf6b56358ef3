"""
Exported values as they are kept until the type of their column is settled.

The values of a batch stay typed for as long as they are of one kind, and are JSON text where kinds
differ, and where values are lists or objects. The dtype tells which: String is text, Int64, Float64
and Boolean are what they say, Null is a column without a value, and Binary is JSON text (no white
space, sorted keys).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import polars as pl

_NEEDS_ESCAPE = r'["\\\x00-\x1f]'
_NONE = type(None)
_SCALARS: dict[type, pl.DataType] = {
    str: pl.String(),
    int: pl.Int64(),
    float: pl.Float64(),
    bool: pl.Boolean(),
}


def cells(values: Sequence[Any]) -> pl.Series:
    """Keep parsed values, typed if they are of one kind; None is null."""
    dtype = _dtype_of(values)
    if dtype is not None:
        try:
            return pl.Series(values, dtype=dtype)
        except (TypeError, OverflowError, pl.exceptions.PolarsError):
            pass  # Integers beyond 64 bit have no series.
    # As text, each takes the room that it needs; orjson's bytes come from a kilobyte each.
    texts = [
        None if value is None else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
        for value in values
    ]
    return pl.Series(texts, dtype=pl.String).cast(pl.Binary)


def no_cells(count: int) -> pl.Series:
    """Return the cells of a column in which none of so many users has a value."""
    return pl.Series([None], dtype=pl.Null).new_from_index(0, count)


def json_texts(kept: pl.Series) -> pl.Series:
    """Write cells as a String series of JSON texts; null stays null."""
    if kept.dtype == pl.String:
        return _quoted(kept)
    return kept.cast(pl.String)


def needs_escape(texts: pl.Series) -> bool:
    """Return whether any of the texts is written otherwise in JSON than it is."""
    return bool(texts.str.contains(_NEEDS_ESCAPE).any())


def _dtype_of(values: Sequence[Any]) -> pl.DataType | None:
    """Name the dtype that holds all values as they are; None: there is none."""
    kinds = set(map(type, values))
    kinds.discard(_NONE)
    if not kinds:
        return pl.Null()
    return _SCALARS.get(kinds.pop()) if len(kinds) == 1 else None


def _quoted(texts: pl.Series) -> pl.Series:
    text = pl.col(texts.name)
    quoted = pl.concat_str(pl.lit('"'), text, pl.lit('"'))
    if needs_escape(texts):
        # polars encodes structs only, so the text is put into one and cut out again.
        inside = pl.struct(text.alias("text")).struct.json_encode()
        encoded = inside.str.slice(len('{"text":')).str.head(-1)
        quoted = pl.when(text.is_not_null()).then(encoded)
    return texts.to_frame().select(quoted.alias(texts.name)).to_series()
