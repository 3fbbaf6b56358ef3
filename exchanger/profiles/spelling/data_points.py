"""
What an object costs: Braze bills each field that is sent, whether or not it changes.

Facts of braze-api.md 13. Where Braze contradicts itself or is silent, the dearer reading is taken.
"""

from __future__ import annotations

import polars as pl

from exchanger.braze.attributes import NOT_BILLED

_TIME = '{"$time":'
"""Begins an object that is a mere time for Braze, and no object."""
_STRING = r'"(?:[^"\\]|\\.)*"'


def field_points(name: str, sent: pl.Expr) -> pl.Expr:
    """
    Count the data points of one field.

    Args:
        name: The Braze attribute.
        sent: Its fragment; null where it is not sent.

    Returns:
        UInt32: 0 where nothing is sent, 1 for a scalar, ``null`` or a whole array, and one for
        every key of an object, inner ones too.
    """
    if name in NOT_BILLED:
        return pl.lit(0, pl.UInt32)
    return sent.map_batches(_points, return_dtype=pl.UInt32, is_elementwise=True)


def _points(sent: pl.Series) -> pl.Series:
    single = sent.is_not_null().cast(pl.UInt32)
    braced = sent.str.starts_with("{")
    # Taking objects apart is dear, and most fields are none.
    if not braced.any():
        return single
    return single.zip_with(~braced.fill_null(value=False), _keys(sent))


def _keys(sent: pl.Series) -> pl.Series:
    # Outside of strings, a colon stands behind a key and nowhere else.
    colons = sent.str.replace_all(_STRING, "").str.count_matches(":", literal=True)
    times = sent.str.count_matches(_TIME, literal=True)
    return (colons - times).clip(1).cast(pl.UInt32)
