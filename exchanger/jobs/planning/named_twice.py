"""Tells which rows name two people: by one identifier somebody, and by another somebody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from exchanger.jobs.observing.who_is_there import who_is_there
from exchanger.jobs.planning.people import known_people
from exchanger.jobs.runtime.partitioned_rows import PartitionedRows
from exchanger.profiles.frames.columns import BESIDE, FILE, PROFILE, ROW
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
    batch.rejected.add(found.with_columns(pl.lit(None, pl.String).alias("record")))
    batch.given.change(lambda frame: frame.join(found, on=[FILE, ROW], how="anti"))
