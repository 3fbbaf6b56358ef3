"""Rows of which it is not clear whom they mean: told, or rejected before anything is planned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from exchanger.jobs.observing.who_is_there import who_is_there
from exchanger.jobs.planning.people import known_people
from exchanger.jobs.runtime.partitioned_rows import PartitionedRows
from exchanger.profiles.frames.columns import BESIDE, FAULTY, FILE, PROFILE, ROW
from exchanger.profiles.people.ambiguous import ambiguous_rows
from exchanger.profiles.people.others import PERSON, different_people, other_people, whose_beside

if TYPE_CHECKING:
    from exchanger.jobs.intake.batch import InputBatch
    from exchanger.jobs.planning.people import People
    from exchanger.jobs.runtime.import_context import ImportContext


def tell_other_people(call: ImportContext, batch: InputBatch, people: People | None = None) -> None:
    """
    List the rows that name two people, as far as that is known; the first identifier counts.

    Nothing is looked up for it.

    Args:
        call: The job; what is held tells whose an identifier is.
        batch: The identifiers beside are forgotten, and those that are somebody else's listed.
        people: What the run has learnt of who is meant.
    """
    nobody = pl.DataFrame(schema={**batch.beside.schema, PERSON: pl.String})
    known = PartitionedRows(batch.scratch, len(batch.beside), nobody)
    for number in range(len(batch.beside)):
        rows = batch.beside.part(number)
        if rows.height:
            links = known_people(call, people, rows[BESIDE].unique().alias(PROFILE))
            known.add(whose_beside(rows, links))
        batch.beside.clear(number)
    for number in range(len(known)):
        rows = known.part(number)
        if rows.height:
            links = known_people(call, people, rows[PROFILE].unique())
            told = other_people(rows, links)
            if told.height:
                batch.dropped.add(told)


def reject_ambiguous(call: ImportContext, batch: InputBatch, people: People | None) -> None:
    """
    Reject the rows of addresses and numbers that several profiles have.

    Args:
        call: The job.
        batch: Its rows; what goes with rejected lines of an order is rejected with them later.
        people: What *resolve_people* has learnt.
    """
    several = pl.concat([pl.Series([], dtype=pl.String), *(people.ambiguous if people else [])])
    if several.is_empty():
        return
    for frame in batch.given.frames():
        batch.rejected.add(_unrecorded(ambiguous_rows(frame, several)))
    meant = pl.col(PROFILE).is_in(several.implode())
    if call.job.order is None:
        batch.given.change(lambda frame: frame.filter(~meant))
    else:
        batch.given.change(lambda frame: _faulty(frame, meant))


def reject_two_people(call: ImportContext, batch: InputBatch) -> None:
    """
    Reject rows that name two people where what they do cannot be taken back.

    Args:
        call: The job; both identifiers of such rows are looked up.
        batch: Its rows.

    Raises:
        BrazeError: A look-up failed.
        Stopped: The process was asked to stop.
    """
    rows = batch.beside.whole()
    if rows.is_empty():
        return
    seen = who_is_there(call.context, pl.concat([rows[PROFILE], rows[BESIDE].alias(PROFILE)]))
    found = different_people(rows, seen)
    batch.rejected.add(_unrecorded(found))
    batch.given.change(lambda frame: frame.join(found, on=[FILE, ROW], how="anti"))


def _unrecorded(rejected: pl.DataFrame) -> pl.DataFrame:
    """Shape rejected rows whose cells are not at hand any more."""
    return rejected.with_columns(pl.lit(None, pl.String).alias("record"))


def _faulty(rows: pl.DataFrame, which: pl.Expr) -> pl.DataFrame:
    """Mark rejected lines."""
    before = pl.col(FAULTY).fill_null(value=False) if FAULTY in rows.columns else False
    return rows.with_columns((which | before).alias(FAULTY))
