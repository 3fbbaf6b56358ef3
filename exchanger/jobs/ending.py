"""Brings a run that counts to its end, whichever process began it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from exchanger.jobs.acknowledgements import Acknowledgements
from exchanger.jobs.deliver import Delivery, deliver
from exchanger.jobs.dropping import drop_unfinished
from exchanger.jobs.held_back import wait_for_a_person
from exchanger.jobs.old_plans import look_again
from exchanger.jobs.quarantine import no_rows
from exchanger.jobs.report import RunReport
from exchanger.jobs.runfiles import load
from exchanger.jobs.settle import settle, take_up_origin
from exchanger.jobs.takeover import make_certain, suspects_of
from exchanger.jobs.tidying import tidy
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
    if run.state == "delivering":
        took_over = world.lease is not None and world.lease.took_over
        newest = state.runs.change(
            newest, resumed=True, taken_over=run.taken_over or took_over, fence=_fence(world)
        )
    return [finish(world, state, newest)]


def _fence(world: World) -> int:
    return world.lease.fence if world.lease else 0


def finish(world: World, state: ConnectionState, stored: Stored) -> RunReport:
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
    run = stored.document
    if run.hold:
        return wait_for_a_person(state, stored, world.clock.now().isoformat())
    dropped = run.state == "planned" and not take_up_origin(state, run)
    if dropped or (run.discarded and run.state != "settling"):
        return drop_unfinished(world, state, stored)
    outbox = load(world, run.outbox, run.outbox_sha256)
    rejected = load(world, run.rejected) if run.rejected else no_rows()
    if run.state == "planned":
        stored = state.runs.change(stored, state="delivering", fence=_fence(world))
    if stored.document.state == "delivering":
        acks = Acknowledgements(world.bucket, state.names, run.seq)
        stored, outbox = look_again(world, state, stored, outbox, acks)
        suspects = suspects_of(outbox, acks) if run.taken_over else outbox.clear()
        delivery = _deliver(world, state, stored, outbox, acks)
        if not delivery.complete:
            return _stopped(stored, delivery, acks.read(acks.parts()).height)
        make_certain(world, suspects)
        stored = _freeze(world, state, stored, delivery, acks)
    report = settle(world, state, stored, outbox, rejected)
    tidy(world, state, run)
    return report


def _deliver(
    world: World,
    state: ConnectionState,
    stored: Stored,
    outbox: pl.DataFrame,
    acks: Acknowledgements,
) -> Delivery:
    if outbox.is_empty():
        return Delivery(0, complete=True)
    run = stored.document
    _wait_until_quiet(world, state, run.seq)

    def confirm() -> None:
        world.may_send()
        state.runs.demand(run.seq, run.fence)

    return asyncio.run(deliver(world, outbox, acks, confirm))


def _wait_until_quiet(world: World, state: ConnectionState, seq: int) -> None:
    """Braze may apply two updates of one user out of order, even seconds apart."""
    if seq > 1 and world.spacing:
        # S3 tells times in whole seconds.
        world.pause(world.spacing + 1 - state.runs.age(seq - 1))


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
