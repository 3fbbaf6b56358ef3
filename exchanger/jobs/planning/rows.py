"""Plans the rows of a run that are objects of their own, part by part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from exchanger.objects.rows import RowOptions, RowsInput
from exchanger.profiles.frames.columns import ROW_ID

if TYPE_CHECKING:
    from collections.abc import Generator

    from exchanger.jobs.intake.batch import InputBatch
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.objects.kinds import RowKind


def row_options(call: ImportContext, batch: InputBatch, kind: RowKind) -> RowOptions:
    """Return what holds for all rows of a run."""
    job = call.job
    return RowOptions(
        kind=kind,
        rules=[*batch.rules.values()],
        endpoint=kind.endpoints[job.on_unknown].name,
        create_missing=job.create_missing,
    )


def row_parts(call: ImportContext, batch: InputBatch) -> Generator[RowsInput]:
    """
    Yield the rows of a run, part by part, with what is known of them; each is forgotten then.

    What is given again comes with the first part. Of it, only what is surely taken up by now is
    left out: its rows may be in the ledger as in doubt, which is why they are given again.
    """
    ledger = call.state.rows(call.name) if call.job.row_id else None
    nothing = pl.Series(ROW_ID, [], pl.String)
    for number in range(len(batch.given)):
        given = batch.given.part(number)
        taken = nothing if ledger is None else ledger.taken(given[ROW_ID])
        ready, repeated = None, 0
        if number == 0 and batch.ready.rows:
            ready = pl.concat([*batch.ready.frames()], how="diagonal")
            if ledger is not None and ROW_ID in ready.columns:
                done = ledger.taken(ready[ROW_ID], surely=True)
                repeated = ready.height
                ready = ready.filter(~pl.col(ROW_ID).is_in(done.implode()))
                repeated -= ready.height
        yield RowsInput(given, taken, ready, repeated)
        batch.given.clear(number)
