"""
What the cells at fault cost: their row, or no more than the value itself.

Who a row is about, where it stands in an order, and what an object cannot do without are never left
out. A value that is left out says nothing: it clears no field, and adds nothing to a sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from exchanger.config.models import ImportJob
from exchanger.profiles.casting.result import CastResult
from exchanger.profiles.frames import columns
from exchanger.profiles.frames.raw_columns import RawColumns
from exchanger.profiles.reading.cells import CastColumn
from exchanger.profiles.validation.messages import REJECTED, Place, no_rejections, rejections_of
from exchanger.profiles.validation.nested import DROPPED_WHOLE
from exchanger.profiles.validation.standard import TAKES

IGNORED = TAKES | DROPPED_WHOLE
"""Reasons of values that Braze would accept, bill and ignore (braze-api.md 2.5 and 2.13)."""
DROPPED: dict[str, pl.DataType] = REJECTED | {"profile": pl.String()}
"""The frame of values that are left out: an entry for each, with whom its row is about."""


def without_dropped(column: CastColumn, job: ImportJob) -> CastColumn:
    """Return a column without the faults that cost no more than the value."""
    faults = column.result.faults
    if faults.null_count() == len(faults):
        return column
    dropped = faults.is_not_null()
    if job.on_invalid is None and job.object == "attributes":
        dropped &= faults.is_in([*IGNORED])
    elif job.on_invalid != "drop_value" or not job.does_without(column.name):
        return column
    nothing = pl.Series([None], dtype=pl.String).new_from_index(0, len(faults))
    left = CastResult(column.result.values, faults.zip_with(~dropped, nothing))
    return replace(column, result=replace(left, dropped=column.result.dropped))


def fine_rows(cast: Sequence[CastColumn], height: int) -> pl.Series | None:
    """Find the rows without any fault; None if that is all of them."""
    fine = None
    for column in cast:
        faults = column.result.faults
        if faults.null_count() != height:
            fine = faults.is_null() if fine is None else fine & faults.is_null()
    return fine


def found_faults(raw: RawColumns, cast: Sequence[CastColumn], job: ImportJob) -> pl.DataFrame:
    """Put every fault into words, in the order of files, of rows and then of fields."""
    found = []
    for column in cast:
        faults = column.result.faults
        if faults.null_count() == len(faults):
            continue
        zone = job.source.timezone
        place = Place(column.field, column.column, column.scale, zone, column.beside, column.key)
        values = raw.frame[column.column].rename("value")
        cells = raw.places.with_columns(values, faults.rename("reason"))
        found.append(rejections_of(cells.filter(pl.col("reason").is_not_null()), place))
    if not found:
        return no_rejections()
    place_of_row = [columns.FILE, columns.ROW]
    every = pl.concat(found).sort(place_of_row, maintain_order=True)
    # A column that orders the rows and feeds a field is named once.
    return every.unique([*place_of_row, "field"], keep="first", maintain_order=True)


def parted(
    found: pl.DataFrame, places: pl.DataFrame, fine: pl.Series | None, keys: pl.Series
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """
    Part what was found: rows that are rejected, with all that is wrong with them, and values alone.

    Args:
        found: As *found_faults* tells it.
        places: ``@file`` and ``@row`` of all rows.
        fine: Which of them are not rejected; None if that is all of them.
        keys: Whom they are about.

    Returns:
        ``messages.REJECTED`` and ``DROPPED``.
    """
    if found.is_empty():
        return found, pl.DataFrame(schema=DROPPED)
    kept = pl.lit(value=True) if fine is None else fine
    rows = places.with_columns(kept.alias("@fine"), keys.alias("profile"))
    told = found.join(rows, on=places.columns, how="left", maintain_order="left")
    left_out = pl.col("@fine")
    return told.filter(~left_out).select(*REJECTED), told.filter(left_out).select(*DROPPED)


def still_given(dropped: pl.DataFrame, given: pl.DataFrame) -> pl.DataFrame:
    """Return what was left out of rows that are given all the same."""
    if dropped.is_empty():
        return dropped
    return dropped.join(given, on=[columns.FILE, columns.ROW], how="semi", maintain_order="left")
