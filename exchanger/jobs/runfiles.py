"""Writes a plan to the bucket, and reads it back: what a run needs to be ended by any process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import structlog

from exchanger.errors import StateDamaged, StorageMissing
from exchanger.state.runs import RunDocument, Stored, new_nonce

if TYPE_CHECKING:
    from exchanger.jobs.call import ImportCall
    from exchanger.jobs.planning import Plan
    from exchanger.jobs.reading import Reading
    from exchanger.jobs.report import RunReport
    from exchanger.jobs.world import World
    from exchanger.profiles.rules import Rule
    from exchanger.state.connection import ConnectionState

log = structlog.get_logger()


def commit(
    call: ImportCall, report: RunReport, reading: Reading, plan: Plan, *, origin: int = 0
) -> Stored:
    """
    Make a plan count: write its frames, then create the run document (law 3).

    Args:
        call: The job.
        report: With its number and counts.
        reading: The files that it claims.
        plan: What is to be sent.
        origin: The run that this one takes up, if it does.

    Raises:
        StorageChanged: Another process created a run of this number first; nothing happened but
            litter.
    """
    world, state = call.world, call.state
    seq = report.seq or 1
    nonce = new_nonce()
    names = state.names
    outbox = names.outbox(seq, nonce)
    checksum = _store(world, outbox, plan.outbox)
    gifts = store_unless_empty(world, names.gifts(seq, nonce), plan.gifts)
    rejected = store_unless_empty(world, names.rejected(seq, nonce), plan.rejected)
    orders = store_unless_empty(world, names.planned_orders(seq, nonce), plan.orders)
    document = RunDocument(
        seq=seq,
        run_id=report.run_id,
        job=report.job,
        state="planned",
        nonce=nonce,
        counter=1,
        created_at=world.clock.now().isoformat(),
        files=tuple(reading.files),
        outbox=outbox,
        outbox_sha256=checksum,
        gifts=gifts,
        rejected=rejected,
        objects=plan.outbox.height,
        fields={rule.name: _merged_as(rule) for rule in plan.rules},
        orders=orders,
        order_by=call.job.source.order_by or "",
        origin=origin,
        types=reading.types,
        report=report.to_json(),
    )
    stored = state.runs.create(document)
    log.info("run.planned", seq=seq, files=len(reading.files), objects=plan.outbox.height)
    return stored


def _merged_as(rule: Rule) -> dict[str, Any]:
    told: dict[str, Any] = {"merge": rule.merge, "type": rule.type, "scale": rule.scale}
    if rule.config.on_drift != "overwrite":
        told["on_drift"] = rule.config.on_drift
    if rule.config.ordered:
        told["ordered"] = True
    return told


def replace_outbox(
    world: World,
    state: ConnectionState,
    stored: Stored,
    outbox: pl.DataFrame,
    report: dict[str, Any],
) -> Stored:
    """
    Let a run that is under way send less than was planned.

    Args:
        world: The outside.
        state: Where the run is.
        stored: The run.
        outbox: The same rows, without some fields of objects that nobody tried to send.
        report: As it is now.

    Raises:
        StorageChanged: Another process is ending the same run.
    """
    key = state.names.outbox(stored.document.seq, new_nonce())
    checksum = _store(world, key, outbox)
    return state.runs.change(stored, outbox=key, outbox_sha256=checksum, report=report)


def load(world: World, key: str, checksum: str = "") -> pl.DataFrame:
    """
    Read a frame that *commit* wrote.

    Raises:
        StateDamaged: It is missing, or not what was written.
    """
    path = world.workdir / "state.parquet"
    try:
        found = world.bucket.download(key, world.bucket.head(key).etag, path)
    except StorageMissing as error:
        raise StateDamaged(key, "it is gone, and its run cannot end without it") from error
    if checksum and found != checksum:
        raise StateDamaged(key, f"SHA-256 {found} instead of {checksum}")
    return pl.read_parquet(path, memory_map=False)


def _store(world: World, key: str, frame: pl.DataFrame) -> str:
    path = world.workdir / "state.parquet"
    # It is read once or twice and then never again, so quickly written beats small.
    frame.write_parquet(path, compression="lz4", statistics=False)
    return world.bucket.upload(key, path).sha256


def store_unless_empty(world: World, key: str, frame: pl.DataFrame) -> str:
    """Write a frame and name its key; an empty frame is not written, and has none."""
    if frame.is_empty():
        return ""
    _store(world, key, frame)
    return key
