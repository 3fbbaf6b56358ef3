"""Makes a plan count: its frames are written, then the run document is created (law 3)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog

from exchanger.braze.endpoints import endpoint_named
from exchanger.errors import StorageChanged
from exchanger.jobs.answers.terms import after_terms, answer_terms
from exchanger.jobs.runtime.artifacts import leave_here, store_unless_empty
from exchanger.jobs.snapshots.removal import removal_of
from exchanger.profiles.frames.columns import ENDPOINT
from exchanger.state.runs.log import RunDocument, VersionedRun

if TYPE_CHECKING:
    from exchanger.files.scratch.frame_file import FrameFile
    from exchanger.jobs.intake.batch import InputBatch
    from exchanger.jobs.planning.plan import Plan
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.jobs.runtime.report import RunReport
    from exchanger.profiles.frames.rules import Rule

log = structlog.get_logger()


def commit(  # noqa: PLR0913 - a plan, and what it is about
    call: ImportContext,
    report: RunReport,
    batch: InputBatch,
    plan: Plan,
    *,
    parent: int = 0,
    takes_back: int = 0,
    releases: int = 0,
) -> VersionedRun:
    """
    Commit a plan: write its frames, then create the run document (law 3).

    Args:
        call: The job.
        report: With its number and counts.
        batch: The types of its columns.
        plan: What is to be sent.
        parent: The run that this one takes up, if it does.
        takes_back: The run whose changes it takes back, if it does; the order of rows is none then.
        releases: The run in which its corrected rows waited, if they did.

    Raises:
        StorageChanged: Another process created a run of this number first; nothing happened but
            litter.
    """
    context, state = call.context, call.state
    seq = report.seq or 1
    nonce = plan.nonce
    names = state.names
    checksum = plan.sending.finish(plan.outbox.path).sha256
    contributions = store_unless_empty(context, names.contributions(seq, nonce), plan.contributions)
    rejected = store_unless_empty(context, names.rejected(seq, nonce), plan.rejected)
    dropped = store_unless_empty(context, names.planned_dropped(seq, nonce), plan.dropped)
    event_order = ""
    if plan.event_order is not None:
        event_order = store_unless_empty(
            context, names.planned_event_order(seq, nonce), plan.event_order
        )
    members, left = _store_members(call, plan, seq)
    # Later runs begin with what it shows of files; where no row was taken, it may all be junk.
    shown = batch if batch.took_rows else replace(batch, types={}, layout={}, columns=())
    document = RunDocument(
        seq=seq,
        run_id=report.run_id,
        job=report.job,
        state="planned",
        nonce=nonce,
        counter=1,
        created_at=context.clock.now().isoformat(),
        files=plan.files,
        outbox=names.outbox(seq, nonce),
        outbox_sha256=checksum,
        contributions=contributions,
        rejected=rejected,
        dropped=dropped,
        objects=plan.outbox.rows,
        fields={rule.name: _merged_as(rule) for rule in plan.rules},
        event_order=event_order,
        order_by="" if takes_back else call.job.source.order_by or "",
        parent=parent,
        takes_back=takes_back,
        releases=releases,
        types=dict(shown.types),
        words={name: list(found) for name, found in batch.words.items()},
        layout=dict(shown.layout),
        columns=list(shown.columns) if call.job.source.schema_.new else [],
        shadow=call.job.delivery.shadow,
        discarded=call.job.delivery.shadow,
        verify=verify.sample if (verify := call.job.delivery.verify) is not None else 0.0,
        report=report.to_dict(),
        object=call.kind.name,
        row_ids=bool(call.job.row_name),
        catalog=call.job.one_catalog,
        named_catalogs=_named_catalogs(call, plan.outbox),
        removes=call.job.mode == "delete",
        answers={} if _is_test(batch) else answer_terms(call, batch.layout),
        after=after_terms(call.job),
        members=members,
        member_count=plan.members.members.rows if members and plan.members else 0,
        left=left,
        on_removed=removal_of(call.job) if left else "",
        leavers_of=batch.leavers_of,
        removal=batch.removal,
        filled={name: round(share, 4) for name, share in batch.filled.items()},
        canary=0 if takes_back else canary_of(call, batch, plan.outbox.rows),
    )
    try:
        stored = state.runs.create(document)
    except StorageChanged:
        plan.remove()
        raise
    leave_here(context, document, plan.frames)
    if plan.members is not None:
        plan.members.remove()
    log.info("run.planned", seq=seq, files=len(plan.files), objects=plan.outbox.rows)
    return stored


def canary_of(call: ImportContext, batch: InputBatch, objects: int) -> int:
    """Return how many of a plan's objects are sent first and read back; 0 for all at once."""
    first = call.job.delivery.canary or 0
    # Whoever gives rows again has seen what became of the others.
    again = any(file.outcome == "retried" for file in batch.files)
    unfit = again or call.job.delivery.shadow or call.kind.name != "attributes"
    return 0 if unfit or objects <= first else first


def _named_catalogs(call: ImportContext, outbox: FrameFile) -> tuple[str, ...]:
    """Name the catalogs of whose items anything is sent, where a column of the rows names them."""
    if call.job.catalog_column is None:
        return ()
    parts = (part[ENDPOINT].unique() for part in outbox.frames([ENDPOINT]))
    return tuple(sorted({endpoint_named(name).of for part in parts for name in part}))


def _store_members(call: ImportContext, plan: Plan, seq: int) -> tuple[str, str]:
    """Write whom the job will have, and who left; empty where there is nothing to say."""
    planned, names = plan.members, call.state.names
    if planned is None or not (planned.whole or planned.members.rows):
        return "", ""
    name = names.members if planned.whole else names.more_members
    key = name(call.name, seq, plan.nonce)
    call.context.bucket.upload(key, planned.members.path)
    if planned.left is None:
        return key, ""
    left = names.leavers(call.name, seq, plan.nonce)
    return key, store_unless_empty(call.context, left, planned.left)


def _is_test(batch: InputBatch) -> bool:
    """Return whether one row is tried, which is no answer about a file."""
    return any(file.outcome == "tested" for file in batch.files)


def _merged_as(rule: Rule) -> dict[str, Any]:
    told: dict[str, Any] = {"merge": rule.merge, "type": rule.type, "scale": rule.scale}
    if rule.config.on_drift != "overwrite":
        told["on_drift"] = rule.config.on_drift
    if rule.config.ordered:
        told["ordered"] = True
    if rule.merge == "rows":
        told |= {"key": rule.config.key, "complete": rule.config.complete}
    if rule.of_entry:
        # Whoever takes it back deals with it as with other lists: members came, or went.
        told |= {"merge": "add", "entry": True}
    if rule.guarded:
        told["guarded"] = True
    return told
