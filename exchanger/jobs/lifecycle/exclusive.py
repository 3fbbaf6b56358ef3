"""How stories that write profiles take turns under the lease (law 5), and commit plans in order."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import structlog

from exchanger.errors import JobBusy, Stopped, StorageChanged
from exchanger.jobs.answers.put_away import put_away_newest
from exchanger.jobs.answers.write import answer_newest
from exchanger.jobs.lifecycle.finish import drain
from exchanger.jobs.runtime.import_context import ImportContext
from exchanger.jobs.runtime.memories import values_elsewhere
from exchanger.jobs.runtime.one_moment import demand_values_of_now
from exchanger.jobs.runtime.options import ImportOptions
from exchanger.jobs.runtime.recognition import establish
from exchanger.state.lease import Lease
from exchanger.state.runs.log import ENDED
from exchanger.state.store import open_state

if TYPE_CHECKING:
    from exchanger.config.models import ImportJob
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.state.store import ConnectionState

log = structlog.get_logger()

T = TypeVar("T")

_RENEWALS = 6
"""Renewals in the time that a lease lasts."""
_LOOK = 1.0
_RACES = 3
"""How often planning starts again because another process took the next number."""


def with_lease(
    context: JobContext,
    state: ConnectionState,
    job: str,
    wait: float,
    act: Callable[[JobContext], T],
) -> T:
    """
    Act while the lease is ours.

    Raises:
        JobBusy: Another process writes to this connection, and did not end while we waited.
        LeaseLost: This process can no longer prove that it is the only writer.
        Stopped: The process was asked to stop while it waited.
    """
    try:
        with _hold_lease(context, state, job, wait) as held:
            return act(held)
    except StorageChanged as error:
        raise JobBusy(job, f"a process that writes {error.key}") from error


def with_lease_on_run(
    context: JobContext, job: str, config: ImportJob, wait: float, act: Callable[[ImportContext], T]
) -> T:
    """
    Act on a past run of a job while the lease is ours; raises as ``with_lease`` does.

    Args:
        context: The outside.
        job: The job.
        config: As it is configured now.
        wait: Seconds to wait for another process that writes to the same connection.
        act: Given the job, in the context of the lease.
    """
    state = open_state(context.bucket, context.state_prefix)
    call = ImportContext(context, state, job, config, ImportOptions(wait=wait))

    def acted(held: JobContext) -> T:
        establish(held, state)
        demand_values_of_now(state)
        return act(replace(call, context=held, memories=values_elsewhere(held, state)))

    return with_lease(context, state, job, wait, acted)


def end_others(call: ImportContext) -> int:
    """
    Finish what earlier processes began (law 2); their reports are kept in the call.

    Returns:
        The number of the last run, which has ended; 0 if there is none.

    Raises:
        Stopped: The process was asked to stop.
    """
    while True:
        newest = call.state.runs.newest()
        if newest is None or newest.document.state in ENDED:
            answer_newest(call.context, call.state)
            put_away_newest(call.context, call.state)
            return newest.document.seq if newest else 0
        call.ended.extend(drain(call.context, call.state))
        if call.context.stopping.is_set():
            raise Stopped


def plan_and_commit(call: ImportContext, plan: Callable[[int], T]) -> T:
    """
    Plan and commit, anew if another process took the number meanwhile: its run comes before ours.

    The number is taken before anything is looked at. Whatever another process ends from then on has
    taken that number, so a plan that does not know of it never counts.

    Args:
        call: The job.
        plan: Given the number, plans and creates the run.

    Raises:
        StorageChanged: That happened several times.
        Stopped: The process was asked to stop.
    """
    for _ in range(_RACES - 1):
        try:
            return plan(end_others(call) + 1)
        except StorageChanged:
            log.info("run.number_taken")
            call.state.tenure.forget()
    return plan(end_others(call) + 1)


@contextmanager
def _hold_lease(
    context: JobContext, state: ConnectionState, job: str, wait: float
) -> Iterator[JobContext]:
    """
    Hold the lease while the context is open; raises as ``with_lease`` does.

    Yields:
        The context with the lease in it, which ``deliver`` asks before every request.
    """
    holder = f"{job}, process {os.getpid()} on {socket.gethostname()}"
    lease = Lease(
        context.bucket,
        state.names.lease,
        clock=context.clock,
        holder=holder,
        seconds=context.lease_seconds,
    )
    _take(context, lease, job, wait)
    with context.keep(lease, context.lease_seconds / _RENEWALS), state.tenure.begun():
        yield replace(context, lease=lease)


def _take(context: JobContext, lease: Lease, job: str, wait: float) -> None:
    until = context.clock.monotonic() + wait
    said = False
    while (busy := lease.take()) is not None:
        left = until - context.clock.monotonic()
        if left <= 0:
            raise JobBusy(job, f"{busy.holder}; for up to {busy.seconds:,.0f} s more")
        if not said:
            log.info("lease.waiting", holder=busy.holder, seconds=round(busy.seconds))
            said = True
        context.pause(min(_LOOK, left))
