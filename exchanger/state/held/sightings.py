"""How each held value of one profile came to be known: delivered by us, or seen in Braze."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from exchanger.state.held.rows import held_column, in_order, newest_time, sent_alone

if TYPE_CHECKING:
    from collections.abc import Sequence

SIGHTED = pl.Schema(
    {
        "field": pl.String(),
        "value": pl.String(),
        "seen": pl.Boolean(),
        "at": pl.Datetime("us", "UTC"),
        "stamp": pl.Int64(),
    }
)
"""
One row for each field of which anything is held: what, and whether it was ``seen`` in Braze rather
than delivered by us, when, and the newest run that is known to be in it.
"""


def sightings(rows: pl.DataFrame, fields: Sequence[str]) -> pl.DataFrame:
    """
    Find of one profile where each held value comes from.

    Args:
        rows: All rows of the table that the profile has.
        fields: Attributes.

    Returns:
        ``SIGHTED``. What was seen and is what we delivered last counts as seen where that can
        still be told apart: folding keeps the value alone.
    """
    ordered = in_order(rows.lazy()).collect()
    present = [name for name in fields if held_column(name) in ordered.columns]
    told = [_sighting(ordered, name) for name in present]
    return pl.concat([pl.DataFrame(schema=SIGHTED), *told])


def _sighting(ordered: pl.DataFrame, name: str) -> pl.DataFrame:
    column = held_column(name)
    known = ordered.filter(pl.col(column).is_not_null()).tail(1)
    sent = sent_alone(column, ordered.columns)
    return known.select(
        pl.lit(name).alias("field"),
        pl.col(column).alias("value"),
        (sent != pl.col(column)).fill_null(value=True).alias("seen"),
        newest_time(column, ordered.columns).alias("at"),
        pl.col("stamp"),
    )
