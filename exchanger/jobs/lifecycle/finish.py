"""Brings a run that counts to its end, whichever process began it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from exchanger.jobs.answers.put_away import put_away
from exchanger.jobs.answers.write import answer_run
from exchanger.jobs.delivery.asking import ask_for_doubtful
from exchanger.jobs.delivery.canary import deliver_in_turn
from exchanger.jobs.delivery.effects import check_effects
from exchanger.jobs.delivery.request_group import new_group
from exchanger.jobs.delivery.sender import Delivery
from exchanger.jobs.delivery.stale_plan import refresh_stale_plan
from exchanger.jobs.delivery.takeover import in_doubt_items, resolve_in_doubt
from exchanger.jobs.history.origins import take_up_parent
from exchanger.jobs.lifecycle.abandon import abandon
from exchanger.jobs.lifecycle.hold import wait_for_a_person
from exchanger.jobs.lifecycle.maintenance import maintain
from exchanger.jobs.runtime.artifacts import fetched, unless_ended_by_others
from exchanger.jobs.runtime.report import RunReport, note_sent_again
from exchanger.jobs.settlement.early import staging_held_rows
from exchanger.jobs.settlement.settle import settle
from exchanger.notes import noted, with_notes
from exchanger.objects.people.calls import EachCall
from exchanger.profiles.frames.columns import POINTS
from exchanger.profiles.merging.consent import guarded_fields
from exchanger.state.runs.acknowledgements import Acknowledgements, SendCounts
from exchanger.state.runs.log import ENDED

if TYPE_CHECKING:
    import polars as pl

    from exchanger.files.scratch.frame_file import FrameFile
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.state.runs.log import RunDocument, VersionedRun
    from exchanger.state.store import ConnectionState

log = structlog.get_logger()


def drain(context: JobContext, state: ConnectionState) -> list[RunReport]:
    """
    Finish the run that an earlier process left unfinished on this connection (law 2).

    Returns:
        Its report; nothing if there was no such run.
    """
    newest = state.runs.newest()
    if newest is None or newest.document.state in ENDED:
        return []
    run = newest.document
    log.info("run.resumed", seq=run.seq, job=run.job, state=run.state)
    if run.state == "delivering":
        took_over = context.lease is not None and context.lease.took_over
        newest = state.runs.change(
            newest, resumed=True, taken_over=run.taken_over or took_over, fence=_fence(context)
        )
    return [finish(context, state, newest)]


def _fence(context: JobContext) -> int:
    return context.lease.fence if context.lease else 0


def finish(context: JobContext, state: ConnectionState, stored: VersionedRun) -> RunReport:
    """
    Deliver and settle a run from wherever it stands.

    Returns:
        Its report. If the process was asked to stop, the run stays unfinished and its report says
        so; the next start goes on with it.

    Raises:
        BrazeError: Braze refused the key, or did not answer; the outbox is kept.
        StorageChanged: Another process is ending the same run.
        LeaseLost: Another process may be sending.
        Stopped: The process was asked to stop while it waited.
    """
    with unless_ended_by_others(context, state, stored.document.seq):
        return _brought_to_its_end(context, state, stored)


def _brought_to_its_end(
    context: JobContext, state: ConnectionState, stored: VersionedRun
) -> RunReport:
    run = stored.document
    if run.hold:
        waits = wait_for_a_person(context, state, stored)
        return _answered(context, state, run.seq, waits)
    dropped = run.state == "planned" and not take_up_parent(state, run)
    if dropped or (run.discarded and run.state != "settling"):
        return _answered(context, state, run.seq, abandon(context, state, stored))
    with fetched(context, run.outbox, run.outbox_sha256) as outbox:
        report = _finish(context, state, stored, outbox)
    if report.finished_at is not None:
        report = _answered(context, state, run.seq, report)
        maintain(context, state, run)
    return report


def _answered(
    context: JobContext, state: ConnectionState, seq: int, report: RunReport
) -> RunReport:
    """Answer whoever dropped the files of a run that has just ended, and put these away."""
    for act in (answer_run, put_away):
        newest = state.runs.newest()
        if newest is not None and newest.document.seq == seq:
            report.facts += act(context, state, newest)
    return report


def _finish(
    context: JobContext, state: ConnectionState, stored: VersionedRun, outbox: FrameFile
) -> RunReport:
    run = stored.document
    if run.state == "planned":
        stored = state.runs.change(stored, state="delivering", fence=_fence(context))
    # Whoever takes the run on from us writes so before anything else, and we find out by that.
    fresh = run.state == "planned"
    acks = Acknowledgements(context.bucket, state.names, run.seq, fresh=fresh)
    if stored.document.state == "delivering":
        if stored.document.kind.looked_up:
            stored, outbox = refresh_stale_plan(context, state, stored, outbox, acks)
        return _send(context, state, stored, outbox, acks)
    return settle(context, state, stored, outbox, acks)


def _send(
    context: JobContext,
    state: ConnectionState,
    stored: VersionedRun,
    outbox: FrameFile,
    acks: Acknowledgements,
) -> RunReport:
    run = stored.document
    again = run.resumed and run.kind.holds_values
    in_doubt = in_doubt_items(outbox, acks) if again else outbox.empty()
    with staging_held_rows(context, state, run, outbox, acks) as ahead:
        stored, delivery = _deliver(context, state, stored, outbox, acks)
        sent = delivery.sent.and_also(acks.sent_earlier() if run.resumed else SendCounts())
        if not delivery.complete:
            return _stopped(stored, sent, acks.read(acks.parts()).items.len())
        besides = SendCounts()
        if run.taken_over:
            guarded, shown = guarded_fields(run.fields), run.kind.looked_up
            besides = SendCounts(resolve_in_doubt(context, in_doubt, guarded, shown=shown))
        if isinstance(run.kind.making, EachCall) and outbox.rows:
            looked = check_effects(context, run.kind.making, outbox, acks)
            besides = besides.and_also(SendCounts(looked))
        report = _counted(stored.document, sent.and_also(besides), in_doubt)
        if run.kind.counts_rows and outbox.rows:
            report = with_notes(report, ask_for_doubtful(context, outbox, acks))
        facts: dict[str, Any] = {"report": report}
        if (
            not stored.document.resumed
        ):  # Else another process may have sent some, which no count has.
            facts |= {"group": delivery.group, "taken": delivery.taken}
        stored = _freeze(context, state, stored, acks, facts)
        return settle(context, state, stored, outbox, acks, ahead=ahead)


def _counted(run: RunDocument, sent: SendCounts, in_doubt: pl.DataFrame) -> dict[str, Any]:
    """Put into the report what was sent, and what may have been sent besides."""
    notes = note_sent_again(sent)
    if in_doubt.height:
        points = int(in_doubt[POINTS].sum())
        notes.append(noted("maybe_sent_again", profiles=in_doubt.height, data_points=points))
    requests = run.report["requests"] + sent.requests
    return with_notes(run.report, notes) | {"requests": requests}


def _deliver(
    context: JobContext,
    state: ConnectionState,
    stored: VersionedRun,
    outbox: FrameFile,
    acks: Acknowledgements,
) -> tuple[VersionedRun, Delivery]:
    if not outbox.rows:
        return stored, Delivery(SendCounts(), complete=True)
    run = stored.document
    _wait_until_quiet(context, state, run.seq)

    def confirm() -> None:
        context.may_send()
        state.runs.demand(run.seq, run.fence)

    group = new_group(context, state, run.seq)
    return deliver_in_turn(context, state, stored, outbox, acks, confirm, group)


def _wait_until_quiet(context: JobContext, state: ConnectionState, seq: int) -> None:
    """Braze may apply two updates of one user out of order, even seconds apart."""
    if seq > 1 and context.spacing:
        # S3 tells times in whole seconds.
        context.pause(context.spacing + 1 - state.runs.age(seq - 1))


def _freeze(
    context: JobContext,
    state: ConnectionState,
    stored: VersionedRun,
    acks: Acknowledgements,
    facts: dict[str, Any],
) -> VersionedRun:
    """Fix what settling will read: from here any process ends the run identically."""
    now = context.clock.now()
    return state.runs.change(
        stored,
        state="settling",
        ack_parts=tuple(acks.parts()),
        acked_at=context.bucket.now().isoformat(),
        **facts | {"report": facts["report"] | {"finished_at": now.isoformat()}},
    )


def _stopped(stored: VersionedRun, sent: SendCounts, acknowledged: int) -> RunReport:
    run = stored.document
    report = RunReport.from_dict(run.report)
    report.state, report.stopped = "partial", True
    report.requests += sent.requests
    report.facts += note_sent_again(sent)
    report.facts.append(noted("stopped_while_sending", answered=acknowledged, profiles=run.objects))
    return report
