"""How stories that write profiles take turns, and commit plans one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from exchanger.errors import JobBusy, StorageChanged
from exchanger.jobs.ending import drain
from exchanger.jobs.holding import holding

if TYPE_CHECKING:
    from exchanger.jobs.call import ImportCall
    from exchanger.jobs.world import World
    from exchanger.state.connection import ConnectionState

T = TypeVar("T")

_RACES = 3
"""How often planning starts again because another process took the next number."""


def in_turn(
    world: World, state: ConnectionState, job: str, wait: float, act: Callable[[World], T]
) -> T:
    """
    Act while the lease is ours.

    Raises:
        JobBusy: Another process writes to this connection, and did not end while we waited.
        LeaseLost: This process can no longer prove that it is the only writer.
        Stopped: The process was asked to stop while it waited.
    """
    try:
        with holding(world, state, job, wait) as held:
            return act(held)
    except StorageChanged as error:
        raise JobBusy(job, f"a process that writes {error.key}") from error


def committed(call: ImportCall, plan: Callable[[], T]) -> T:
    """
    Plan and commit, again if another process took the number first: its run comes before ours.

    Raises:
        StorageChanged: That happened several times.
    """
    for _ in range(_RACES - 1):
        try:
            return plan()
        except StorageChanged:
            drain(call.world, call.state)
    return plan()
