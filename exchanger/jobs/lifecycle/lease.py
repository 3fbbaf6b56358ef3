"""Takes the connection's lease for as long as a job writes profiles (law 5)."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from exchanger.errors import JobBusy
from exchanger.state.lease import Lease

if TYPE_CHECKING:
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.state.store import ConnectionState

log = structlog.get_logger()

RENEWALS = 6
"""Renewals in the time that a lease lasts."""
_LOOK = 1.0


@contextmanager
def hold_lease(
    world: JobContext, state: ConnectionState, job: str, wait: float
) -> Iterator[JobContext]:
    """
    Hold the lease while the context is open.

    Args:
        world: The outside.
        state: Where the lease is.
        job: For whom.
        wait: Seconds to wait for another holder.

    Yields:
        The world with the lease in it, which ``deliver`` asks before every request.

    Raises:
        JobBusy: Another process still holds it.
        Stopped: The process was asked to stop while it waited.
    """
    holder = f"{job}, process {os.getpid()} on {socket.gethostname()}"
    lease = Lease(
        world.bucket,
        state.names.lease,
        clock=world.clock,
        holder=holder,
        seconds=world.lease_seconds,
    )
    _take(world, lease, job, wait)
    with world.keep(lease, world.lease_seconds / RENEWALS):
        yield replace(world, lease=lease)


def _take(world: JobContext, lease: Lease, job: str, wait: float) -> None:
    until = world.clock.monotonic() + wait
    said = False
    while (busy := lease.take()) is not None:
        left = until - world.clock.monotonic()
        if left <= 0:
            raise JobBusy(job, f"{busy.holder}; for up to {busy.seconds:,.0f} s more")
        if not said:
            log.info("lease.waiting", holder=busy.holder, seconds=round(busy.seconds))
            said = True
        world.pause(min(_LOOK, left))
