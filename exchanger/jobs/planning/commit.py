"""Makes a plan count: its frames are written, then the run document is created (law 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from exchanger.errors import StorageChanged
from exchanger.jobs.answers.terms import answer_terms
from exchanger.jobs.runtime.artifacts import leave_here, store_unless_empty
from exchanger.state.runs.log import RunDocument, VersionedRun

if TYPE_CHECKING:
    from exchanger.jobs.intake.batch import InputBatch
    from exchanger.jobs.planning.plan import Plan
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.jobs.runtime.report import RunReport
    from exchanger.profiles.frames.rules import Rule

log = structlog.get_logger()


def commit(
    call: ImportContext, report: RunReport, batch: InputBatch, plan: Plan, *, parent: int = 0
) -> VersionedRun:
    """
    Commit a plan: write its frames, then create the run document (law 3).

    Args:
        call: The job.
        report: With its number and counts.
        batch: The types of its columns.
        plan: What is to be sent.
        parent: The run that this one takes up, if it does.

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
    event_order = ""
    if plan.event_order is not None:
        event_order = store_unless_empty(
            context, names.planned_event_order(seq, nonce), plan.event_order
        )
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
        objects=plan.outbox.rows,
        fields={rule.name: _merged_as(rule) for rule in plan.rules},
        event_order=event_order,
        order_by=call.job.source.order_by or "",
        parent=parent,
        types=dict(batch.types_to_keep),
        words={name: list(found) for name, found in batch.words.items()},
        layout=dict(batch.layout_to_keep),
        report=report.to_dict(),
        object=call.kind.name,
        row_ids=bool(call.job.row_name),
        catalog=call.job.catalog or "",
        removes=call.job.mode == "delete",
        answers=answer_terms(call),
    )
    try:
        stored = state.runs.create(document)
    except StorageChanged:
        plan.remove()
        raise
    leave_here(context, document, plan.frames)
    log.info("run.planned", seq=seq, files=len(plan.files), objects=plan.outbox.rows)
    return stored


def _merged_as(rule: Rule) -> dict[str, Any]:
    told: dict[str, Any] = {"merge": rule.merge, "type": rule.type, "scale": rule.scale}
    if rule.config.on_drift != "overwrite":
        told["on_drift"] = rule.config.on_drift
    if rule.config.ordered:
        told["ordered"] = True
    if rule.merge == "rows":
        told |= {"key": rule.config.key, "complete": rule.config.complete}
    if rule.guarded:
        told["guarded"] = True
    return told
