"""Brings a run that counts to its end, whichever process began it."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from exchanger.jobs.acknowledgements import Acknowledgements
from exchanger.jobs.deliver import Delivery, deliver
from exchanger.jobs.quarantine import no_rows
from exchanger.jobs.report import RunReport
from exchanger.jobs.runfiles import load
from exchanger.jobs.settle import settle
from exchanger.state.runs import ENDED

if TYPE_CHECKING:
    import polars as pl

    from exchanger.jobs.world import World
    from exchanger.state.connection import ConnectionState
    from exchanger.state.runs import Stored

log = structlog.get_logger()


def drain(world: World, state: ConnectionState) -> list[RunReport]:
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
    if run.state == "delivering" and not run.resumed:
        newest = state.runs.change(newest, resumed=True)
    return [finish(world, state, newest)]


def finish(world: World, state: ConnectionState, stored: Stored) -> RunReport:
    """
    Deliver and settle a run from wherever it stands.

    Returns:
        Its report. If the process was asked to stop, the run stays unfinished and its report says
        so; the next start goes on with it.

    Raises:
        BrazeError: Braze refused the key, or did not answer; the outbox is kept.
        StorageChanged: Another process is ending the same run.
    """
    run = stored.document
    outbox = load(world, run.outbox, run.outbox_sha256)
    rejected = load(world, run.rejected) if run.rejected else no_rows()
    if run.state == "planned":
        stored = state.runs.change(stored, state="delivering")
    if stored.document.state == "delivering":
        acks = Acknowledgements(world.bucket, state.names, run.seq)
        delivery = _deliver(world, state, stored, outbox, acks)
        if not delivery.complete:
            return _stopped(stored, delivery, acks.read(acks.parts()).height)
        stored = _freeze(world, state, stored, delivery, acks)
    return settle(world, state, stored, outbox, rejected)


def _deliver(
    world: World,
    state: ConnectionState,
    stored: Stored,
    outbox: pl.DataFrame,
    acks: Acknowledgements,
) -> Delivery:
    if outbox.is_empty():
        return Delivery(0, complete=True)
    _wait_until_quiet(world, state, stored.document.seq)
    return asyncio.run(deliver(world, outbox, acks))


def _wait_until_quiet(world: World, state: ConnectionState, seq: int) -> None:
    """Braze may apply two updates of one user out of order, even seconds apart."""
    if seq <= 1:
        return
    quiet_until = state.runs.read(seq - 1).document.quiet_until
    if quiet_until:
        left = datetime.fromisoformat(quiet_until) - world.clock.now()
        world.clock.sleep(left.total_seconds())


def _freeze(
    world: World,
    state: ConnectionState,
    stored: Stored,
    delivery: Delivery,
    acks: Acknowledgements,
) -> Stored:
    """Fix what settling will read: from here any process ends the run identically."""
    now = world.clock.now()
    report = stored.document.report | {
        "requests": stored.document.report["requests"] + delivery.requests,
        "finished_at": now.isoformat(),
    }
    return state.runs.change(
        stored,
        state="settling",
        ack_parts=tuple(acks.parts()),
        acked_at=now.isoformat(),
        quiet_until=(now + timedelta(seconds=world.spacing)).isoformat(),
        report=report,
    )


def _stopped(stored: Stored, delivery: Delivery, acknowledged: int) -> RunReport:
    run = stored.document
    report = RunReport.from_json(run.report)
    report.state = "partial"
    report.requests += delivery.requests
    report.notes.append(
        f"Stopped as asked: {acknowledged:,} of {run.objects:,} profiles were sent. "
        "The next run goes on from there."
    )
    return report
