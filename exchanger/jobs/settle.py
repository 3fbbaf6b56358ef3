"""
Brings a run from its frozen acknowledgements to its end (law 4).

Every step may be done again: tables take a run's rows once, and the other objects have fixed keys
and the same content whoever writes them.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl
import structlog

from exchanger.files.bounds import Bounds
from exchanger.files.spill import Shelf
from exchanger.jobs.acknowledgements import Acknowledgements
from exchanger.jobs.origins import close_origin
from exchanger.jobs.quarantine_file import write_quarantine
from exchanger.jobs.read_back import keep_sample
from exchanger.jobs.report import RunReport, RunState
from exchanger.jobs.results import (
    NOT_TAKEN,
    accepted_orders,
    count_results,
    is_doubtful,
    keep_gifts,
)
from exchanger.profiles.columns import EXISTS, ITEM, PROFILE, SURE, WANTED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exchanger.files.frame_file import FrameFile
    from exchanger.jobs.acknowledgements import Answers
    from exchanger.jobs.world import World
    from exchanger.state.connection import ConnectionState
    from exchanger.state.runs import RunDocument, RunLogState, Stored

log = structlog.get_logger()

_AT_ONCE = Bounds(rows=65_536, size=32 << 20)
"""Objects that become rows of held values at once; several such frames are in memory."""


def settle(world: World, state: ConnectionState, stored: Stored, outbox: FrameFile) -> RunReport:
    """
    Commit what a run's acknowledgements say, and end it.

    Args:
        world: The outside.
        state: Where it is committed: held values, orders, applied files, kept types, in this order.
        stored: The run document, ``settling``.
        outbox: The run's outbox; it is read in parts.
    """
    run = stored.document
    answers = Acknowledgements(world.bucket, state.names, run.seq).read(run.ack_parts)
    report = RunReport.from_json(run.report)
    shelf = Shelf(world.workdir, world.bounds)
    results = count_results(run, report, outbox, answers, shelf)
    gave, owed = keep_gifts(world, state, run, results)

    acked_at = datetime.fromisoformat(run.acked_at)
    state.held.deliver_all(lambda: _held_parts(run, outbox, answers), seq=run.seq, at=acked_at)
    if run.orders:
        orders = state.orders.by(run.job, run.order_by)
        orders.record(accepted_orders(world, run, results), seq=run.seq)
    state.applied.record(run.job, run.files, seq=run.seq, origin=run.origin)
    keep_sample(state, run, results.first)
    if run.types:
        state.types.keep(run.job, run.types, seq=run.seq)

    write_quarantine(world, state, run, report, results.refused)
    report.state = "discarded" if run.discarded else final_state(report)
    report.check()
    state.finished.record(report.to_json())
    if run.origin:
        close_origin(state, run)
    ended: RunLogState = "discarded" if run.discarded else "settled"
    state.runs.change(stored, state=ended, report=report.to_json(), gave=gave, owed=owed)
    log.info("run.settled", seq=run.seq, state=report.state, refused=results.refused.rows)
    return report


def _held_parts(run: RunDocument, outbox: FrameFile, answers: Answers) -> Iterator[pl.DataFrame]:
    """Turn the outbox into rows of held values, part by part."""
    needed = [name for name in outbox.columns if name.startswith(WANTED)]
    most = _AT_ONCE.rows_of(len(needed), outbox.row_size)
    for part in outbox.frames([ITEM, PROFILE, SURE, *needed], rows=most):
        answered = answers.beside(part)
        refused = answered.filter(pl.col("outcome").is_in(NOT_TAKEN))
        unknown = answered.filter(pl.col("outcome") == "unknown")
        doubtful = refused.filter(is_doubtful(run))
        accepted = answered.filter(pl.col("outcome") == "ok")
        yield pl.concat([_held_rows(accepted), _uncertain_rows(pl.concat([doubtful, unknown]))])


def final_state(report: RunReport) -> RunState:
    """
    Say in one word how a run ended.

    Rejected files and rejected or refused rows make it ``partial``.
    """
    rejected = any(file.outcome == "rejected" for file in report.files)
    if rejected or report.rows_rejected or report.rows_refused:
        return "partial"
    return "succeeded"


def _held_rows(accepted: pl.DataFrame) -> pl.DataFrame:
    """
    Turn accepted objects into rows of held values.

    Of a profile that Braze may have skipped (update-only, never seen to exist) nothing is known.
    """
    fields = [name.removeprefix(WANTED) for name in accepted.columns if name.startswith(WANTED)]
    return accepted.filter(SURE).select(
        PROFILE,
        pl.lit(value=True).alias(EXISTS),
        *(pl.col(WANTED + name).alias(name) for name in fields),
    )


def _uncertain_rows(refused: pl.DataFrame) -> pl.DataFrame:
    """
    Mark what was refused after another attempt whose outcome nobody knows.

    That attempt may have been applied, so neither the value before nor the wanted one is certain.
    """
    return _held_rows(refused.with_columns(pl.lit(value=True).alias(SURE))).select(
        PROFILE,
        pl.lit(None, pl.Boolean).alias(EXISTS),
        pl.when(pl.exclude(PROFILE, EXISTS).is_not_null()).then(pl.lit("?")).name.keep(),
    )
