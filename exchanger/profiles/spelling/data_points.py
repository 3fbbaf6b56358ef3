"""
What an object costs: Braze bills each field that is sent, whether or not it changes.

Facts of braze-api.md 13. Where Braze contradicts itself or is silent, the dearer reading is taken.
"""

from __future__ import annotations

import polars as pl

from exchanger.braze.attributes import NOT_BILLED
from exchanger.braze.cohorts import is_billed
from exchanger.profiles.frames.columns import COHORT, EMAIL_STATE, GROUP, MEMBER

_OPENING = r":\[?\{"
"""Behind a key: an object, or an array of objects. Their leaves are billed, and the key is not."""
_ORDERED = r'"\$(?:identifier_key|new_object)":'
"""
In an order to update or remove items of an array: what is there beside the new leaves, and beside
the value of a criterion, which counts as one.
"""
_STRING = r'"(?:[^"\\]|\\.)*"'


def field_points(name: str, sent: pl.Expr) -> pl.Expr:
    """
    Count the data points of one field.

    Args:
        name: The Braze attribute.
        sent: Its fragment; null where it is not sent.

    Returns:
        UInt32: 0 where nothing is sent, 1 for a scalar, ``null`` or an array of scalars, and one
        for every leaf of an object or of the objects in an array, also of those that ``$update``
        brings, and for every criterion of ``$remove``.
    """
    if is_free(name):
        return pl.lit(0, pl.UInt32)
    if name.startswith(COHORT):  # Who leaves costs nothing.
        return (sent == "true").fill_null(value=False).cast(pl.UInt32)
    return sent.map_batches(_points, return_dtype=pl.UInt32, is_elementwise=True)


def points_of(name: str, values: pl.Series, *, is_json: bool) -> int:
    """
    Count the data points of many values of one field.

    Args:
        name: The Braze attribute.
        values: Typed values, or of JSON its text; null where there is none.
        is_json: Whether it is JSON.
    """
    if name.startswith(COHORT):
        return 0 if is_free(name) else int((values.cast(pl.String) == "true").sum())
    if not is_json:
        return 0 if is_free(name) else values.count()
    sent = values.to_frame("sent").select(field_points(name, pl.col("sent")).cast(pl.Int64).sum())
    return int(sent.item())


def is_free(name: str) -> bool:
    """Return whether Braze bills nothing for a field."""
    if name.startswith(COHORT):
        return not is_billed(name.removeprefix(COHORT))
    return name in NOT_BILLED or name == EMAIL_STATE or name.startswith((GROUP, MEMBER))


def _points(sent: pl.Series) -> pl.Series:
    single = sent.is_not_null().cast(pl.UInt32)
    braced = sent.str.starts_with("{") | sent.str.starts_with("[{")
    # Taking objects apart is dear, and most fields are none.
    if not braced.any():
        return single
    return single.zip_with(~braced.fill_null(value=False), _leaves(sent))


def _leaves(sent: pl.Series) -> pl.Series:
    # Outside of strings, a colon stands behind a key and nowhere else. A time has an object of its
    # own, so that its key is left out and the sign of time counts as the leaf.
    bare = sent.str.replace_all(_STRING, "")
    keys = bare.str.count_matches(":", literal=True)
    billed = keys - bare.str.count_matches(_OPENING)
    ordered = sent.str.starts_with('{"$')
    if ordered.any():
        billed -= sent.str.count_matches(_ORDERED).zip_with(ordered, keys * 0)
    return billed.clip(1).cast(pl.UInt32)
