"""Ends a run that a person dropped while it was under way."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from exchanger.jobs.delivery.takeover import in_doubt_items
from exchanger.jobs.history.origins import take_up_leavers
from exchanger.jobs.runtime.artifacts import fetched
from exchanger.jobs.runtime.report import note_sent_again
from exchanger.jobs.settlement.settle import settle
from exchanger.notes import with_notes
from exchanger.profiles.frames.columns import ITEM
from exchanger.state.inputs.file_ledger import PARTS
from exchanger.state.runs.acknowledgements import IN_DOUBT, Acknowledgements
from exchanger.state.runs.log import LEFT_OUT

if TYPE_CHECKING:
    from exchanger.files.scratch.frame_file import FrameFile
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.jobs.runtime.report import RunReport
    from exchanger.state.runs.log import ClaimedFile, FileOutcome, VersionedRun
    from exchanger.state.store import ConnectionState

log = structlog.get_logger()

NOBODY_KNOWS = "It was sent, and the run was discarded before Braze answered."


def abandon(context: JobContext, state: ConnectionState, stored: VersionedRun) -> RunReport:
    """
    Settle what Braze acknowledged. The rest is dropped, or uncertain if it was attempted.

    From the first step on, any process that finds the run goes on with dropping it.

    Raises:
        StorageChanged: Another process is ending the same run.
        Stopped: The process was asked to stop.
    """
    fence = context.lease.fence if context.lease else 0
    took_over = context.lease is not None and context.lease.took_over
    stored = state.runs.change(
        stored,
        discarded=True,
        state="delivering",
        fence=fence,
        taken_over=stored.document.taken_over or took_over,
    )
    run = stored.document
    take_up_leavers(state, run)
    if run.taken_over:
        # A holder before may still be alive, and its last requests under way.
        context.pause(context.grace)
    with fetched(context, run.outbox, run.outbox_sha256) as outbox:
        return _settle_dropped(context, state, stored, outbox)


def _settle_dropped(
    context: JobContext, state: ConnectionState, stored: VersionedRun, outbox: FrameFile
) -> RunReport:
    run = stored.document
    acks = Acknowledgements(context.bucket, state.names, run.seq)
    attempted = in_doubt_items(outbox, acks)[ITEM]
    if run.kind.holds_values:
        acks.mark_in_doubt(attempted, NOBODY_KNOWS)
    else:  # Listed, as what would count twice if it were sent again.
        left = attempted.filter(~attempted.is_in(acks.read(acks.parts()).items.implode()))
        acks.write(left, [(int(item), IN_DOUBT, True) for item in left])
    parts = acks.parts()
    answered = acks.read(parts).items.len()
    sent = acks.sent_earlier()
    now = context.clock.now().isoformat()
    stored = state.runs.change(
        stored,
        state="settling",
        ack_parts=tuple(parts),
        acked_at=context.bucket.now().isoformat(),
        files=tuple(
            _dropped(file, answered=answered, became="shadowed" if run.shadow else "discarded")
            for file in run.files
        ),
        report=with_notes(run.report, note_sent_again(sent))
        | {"finished_at": now, "requests": run.report["requests"] + sent.requests},
    )
    log.info("run.dropped", seq=run.seq, answered=answered, attempted=attempted.len())
    return settle(context, state, stored, outbox, acks)


def _dropped(file: ClaimedFile, *, answered: int, became: FileOutcome) -> ClaimedFile:
    """
    A file of which nothing was sent has fed no sum.

    Rows that were given again, or alone, still belong to the version that was read first.
    """
    if file.outcome in ("rejected", *LEFT_OUT):
        return file
    outcome = file.outcome if file.outcome in (*PARTS, "corrected") else became
    row = file.row if answered else 0
    return replace(file, outcome=outcome, sums=file.sums if answered else (), row=row)
