"""Makes a plan count: its frames are written, then the run document is created (law 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from exchanger.errors import StorageChanged
from exchanger.jobs.runtime.artifacts import leave_here, store_unless_empty
from exchanger.state.runs.log import RunDocument, VersionedRun

if TYPE_CHECKING:
    from exchanger.jobs.intake.batch import InputBatch
    from exchanger.jobs.planning.plan import Plan
    from exchanger.jobs.runtime.call import ImportContext
    from exchanger.jobs.runtime.report import RunReport
    from exchanger.profiles.frames.rules import Rule

log = structlog.get_logger()


def commit(
    call: ImportContext, report: RunReport, reading: InputBatch, plan: Plan, *, origin: int = 0
) -> VersionedRun:
    """
    Make a plan count: write its frames, then create the run document (law 3).

    Args:
        call: The job.
        report: With its number and counts.
        reading: The types of its columns.
        plan: What is to be sent.
        origin: The run that this one takes up, if it does.

    Raises:
        StorageChanged: Another process created a run of this number first; nothing happened but
            litter.
    """
    world, state = call.world, call.state
    seq = report.seq or 1
    nonce = plan.nonce
    names = state.names
    checksum = plan.sending.finish(plan.outbox.path).sha256
    gifts = store_unless_empty(world, names.gifts(seq, nonce), plan.gifts)
    rejected = store_unless_empty(world, names.rejected(seq, nonce), plan.rejected)
    orders = ""
    if plan.orders is not None:
        orders = store_unless_empty(world, names.planned_orders(seq, nonce), plan.orders)
    document = RunDocument(
        seq=seq,
        run_id=report.run_id,
        job=report.job,
        state="planned",
        nonce=nonce,
        counter=1,
        created_at=world.clock.now().isoformat(),
        files=plan.files,
        outbox=names.outbox(seq, nonce),
        outbox_sha256=checksum,
        gifts=gifts,
        rejected=rejected,
        objects=plan.outbox.rows,
        fields={rule.name: _merged_as(rule) for rule in plan.rules},
        orders=orders,
        order_by=call.job.source.order_by or "",
        origin=origin,
        types=dict(reading.types_to_keep),
        words={name: list(found) for name, found in reading.words.items()},
        report=report.to_dict(),
    )
    try:
        stored = state.runs.create(document)
    except StorageChanged:
        plan.remove()
        raise
    leave_here(world, document, plan.frames)
    log.info("run.planned", seq=seq, files=len(plan.files), objects=plan.outbox.rows)
    return stored


def _merged_as(rule: Rule) -> dict[str, Any]:
    told: dict[str, Any] = {"merge": rule.merge, "type": rule.type, "scale": rule.scale}
    if rule.config.on_drift != "overwrite":
        told["on_drift"] = rule.config.on_drift
    if rule.config.ordered:
        told["ordered"] = True
    return told
