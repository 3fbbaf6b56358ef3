"""
Brings a run from its frozen acknowledgements to its end (law 4).

Every step may be done again: tables take a run's rows once, and the other objects have fixed keys
and the same content whoever writes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import polars as pl
import structlog

from exchanger.files.scratch.spill import Scratch
from exchanger.jobs.history.origins import close_parents
from exchanger.jobs.inventory.left_over import note_retry
from exchanger.jobs.observing.first_delivery_check import keep_sample
from exchanger.jobs.quarantine.write import write_dropped, write_quarantine
from exchanger.jobs.runtime.report import RunReport, RunState
from exchanger.jobs.settlement.held_rows import held_of, sent_parts
from exchanger.jobs.settlement.moved import moved_rows
from exchanger.jobs.settlement.outcomes import (
    accepted_event_order,
    count_results,
    keep_contributions,
    taken_up,
)
from exchanger.objects.people.calls import EachCall
from exchanger.outside.delta.table import NO_TABLE
from exchanger.profiles.frames.columns import EXISTS, ITEM, LINES, MEMBER, PROFILE, ROW_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exchanger.files.scratch.frame_file import FrameFile
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.jobs.settlement.early import EarlyHeldRows
    from exchanger.jobs.settlement.outcomes import Outcomes
    from exchanger.objects.kinds import Settled
    from exchanger.state.runs.acknowledgements import Acknowledgements, Answers
    from exchanger.state.runs.log import RunDocument, RunLogState, VersionedRun
    from exchanger.state.store import ConnectionState

log = structlog.get_logger()


class Settling(NamedTuple):
    """
    What a step of settling works on.

    Args:
        context: The outside.
        state: Where it is committed.
        run: The run, ``settling``.
        outbox: Its outbox; it is read in parts.
        answers: Its frozen acknowledgements.
        made: Held values that were made of exactly these, if any were.
    """

    context: JobContext
    state: ConnectionState
    run: RunDocument
    outbox: FrameFile
    answers: Answers
    made: EarlyHeldRows | None


def settle(  # noqa: PLR0913 - the run, and what this process has made for it
    context: JobContext,
    state: ConnectionState,
    stored: VersionedRun,
    outbox: FrameFile,
    acks: Acknowledgements,
    *,
    ahead: EarlyHeldRows | None = None,
) -> RunReport:
    """
    Commit what a run's acknowledgements say, and end it.

    Args:
        context: The outside.
        state: Where it is committed: held values, orders, applied files, kept types, in
            this order.
        stored: The run document, ``settling``.
        outbox: The run's outbox; it is read in parts.
        acks: Its acknowledgements, of which those count that are frozen.
        ahead: Held values that this process made while it sent the run, if it did.
    """
    run = stored.document
    answers = acks.read(run.ack_parts)
    made = ahead if ahead is not None and ahead.agrees(answers) else None
    report = RunReport.from_dict(run.report)
    count = made.count if made is not None else None
    if count is None:
        count = count_results(run, outbox, answers, Scratch(context.workdir, context.bounds))
    outcomes = count.into(report)
    settled, refused_rows = keep_contributions(context, state, run, outcomes)

    settling = Settling(context, state, run, outbox, answers, made)
    for step in run.kind.settles:
        STEPS[step](settling)
    ordered = bool(run.event_order) and _record_order(context, state, run, outcomes)
    files = outcomes.refused_of(run.files)
    state.file_ledger.record(run.job, files, seq=run.seq, parent=run.parent, releases=run.releases)
    if run.kind.looked_up:
        keep_sample(state, run, outcomes.first)
    # Of a run that a person dropped, nothing is to be learnt.
    dropped = run.discarded and not run.shadow
    if (run.types or run.layout or run.columns) and not dropped:
        state.types.keep(
            run.job,
            run.types,
            seq=run.seq,
            words=run.words,
            layout=run.layout,
            columns=run.columns,
        )

    write_quarantine(context, state, run, report, outcomes.refused)
    write_dropped(context, state, run, report, outcomes.refused.scratch)
    report.state = "discarded" if dropped else final_state(report)
    if outcomes.refused.rows and report.state == "succeeded":
        report.state = "partial"  # Of a row that became several objects, one that has no count.
    if any(file.outcome != "corrected" for file in files):
        report.facts += note_retry(report, run)
    report.check()
    state.run_index.record(report.to_dict())
    close_parents(state, run)
    held = state.held.table.version() if _has_delivered(run, report) else NO_TABLE
    ended: RunLogState = "discarded" if run.discarded else "settled"
    state.runs.change(
        stored,
        state=ended,
        files=tuple(files),
        report=report.to_dict(),
        settled_contributions=settled,
        ordered=ordered,
        held_version=held.number,
        held_table=held.table,
        refused_rows=refused_rows,
    )
    log.info("run.settled", seq=run.seq, state=report.state, refused=outcomes.refused.rows)
    return report


def _record_order(
    context: JobContext, state: ConnectionState, run: RunDocument, outcomes: Outcomes
) -> bool:
    """Record how far a run came in the order of its job; returns whether it came anywhere."""
    orders = accepted_event_order(context, run, outcomes)
    state.high_water_marks.by(run.job, run.order_by).record(orders, seq=run.seq)
    return orders.height > 0


def _has_delivered(run: RunDocument, report: RunReport) -> bool:
    """Return whether anything is held of profiles since a run."""
    holds = run.kind.looked_up and not run.catalogs and not run.shadow
    return holds and report.profiles_new + report.profiles_updated > 0


def _hold_values(settling: Settling) -> None:
    """Hold what Braze accepted, as it was made while the run was sent, if it was."""
    if settling.made is not None and settling.made.deliver():
        return
    run = settling.run

    def made() -> Iterator[pl.DataFrame]:
        for part in sent_parts(settling.outbox, settling.context.bounds):
            yield held_of(run, settling.answers.beside(part))

    at = datetime.fromisoformat(run.acked_at)
    settling.state.held_of(run.catalogs).deliver_all(made, seq=run.seq, at=at)


def _take_up_rows(settling: Settling) -> None:
    """Record which rows were taken up, so that none of them is sent again."""
    run, outbox = settling.run, settling.outbox
    lines = [LINES] if LINES in outbox.columns else []

    def made() -> Iterator[pl.DataFrame]:
        for part in outbox.frames([ITEM, ROW_ID, *lines]):
            yield taken_up(settling.answers.beside(part))

    if run.row_ids and ROW_ID in outbox.columns:
        settling.state.rows(run.job).record(made, seq=run.seq)


def _remember_members(settling: Settling) -> None:
    """
    Remember who belongs to an audience, as files said it.

    Whatever became of an event: one that was refused, or is in doubt, is given again as it was.
    """
    run, outbox = settling.run, settling.outbox
    names = [name for name in outbox.columns if name.startswith(MEMBER)]

    def made() -> Iterator[pl.DataFrame]:
        for part in outbox.frames([ITEM, PROFILE, *names]):
            told = settling.answers.beside(part).drop_nulls(["outcome", *names])
            nobody = pl.lit(None, pl.Boolean).alias(EXISTS)
            held = (pl.col(name).cast(pl.String) for name in names)
            yield told.select(PROFILE, nobody, *held)

    if names:
        at = datetime.fromisoformat(run.acked_at)
        settling.state.held.deliver_all(made, seq=run.seq, at=at)


def _move_people(settling: Settling) -> None:
    """Let what is held follow the people that calls were about."""
    run, making = settling.run, settling.run.kind.making
    parts = [settling.answers.beside(part) for part in settling.outbox.frames()]
    calls = pl.concat([settling.answers.beside(settling.outbox.empty()), *parts])
    sure = pl.col("outcome") == "ok"
    may_be = sure | pl.col("uncertain")
    calls = calls.filter(may_be.fill_null(value=False)).with_columns(sure.alias("sure"))
    gone = isinstance(making, EachCall) and making.gone
    held = settling.state.held
    if calls.height:
        at = datetime.fromisoformat(run.acked_at)
        held.deliver(moved_rows(calls, held, gone=gone), seq=run.seq, at=at)


STEPS: Mapping[Settled, Callable[[Settling], None]] = {
    "held_values": _hold_values,
    "row_ledger": _take_up_rows,
    "people": _move_people,
    "members": _remember_members,
}
"""What each thing that accepted objects become takes; may be done again."""


def final_state(report: RunReport) -> RunState:
    """
    Describe in one word how a run ended.

    Rejected and unreadable files and rejected or refused rows make it ``partial``.
    """
    rejected = any(file.outcome in ("rejected", "unreadable") for file in report.files)
    if rejected or report.rows_rejected or report.rows_refused or report.rows_in_doubt:
        return "partial"
    return "succeeded"
