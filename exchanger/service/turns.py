"""Who may run now. Pure bookkeeping: no processes, no time."""

from __future__ import annotations

from collections.abc import Container
from typing import Literal

Answer = Literal[
    "start",  # the run may start, and counts as running from now on
    "wait",  # all places are taken; it starts when one is free
    "coalesced",  # the job runs, or waits, already: it runs once more at most
]


class Turns:
    """
    Gives out places: a bounded number of runs, and never two of one job.

    A job that is due while it runs is remembered once and runs again right after; being due a
    second and a third time meanwhile adds nothing, since one run takes all that is waiting.

    Args:
        places: How many runs there may be at a time.
    """

    def __init__(self, places: int) -> None:
        self._places = places
        self._running: set[str] = set()
        self._waiting: list[str] = []

    def ask(self, job: str) -> Answer:
        """Ask for a run of a job that is due."""
        if job in self._waiting:
            return "coalesced"
        if job in self._running:
            self._waiting.append(job)
            return "coalesced"
        if len(self._running) >= self._places:
            self._waiting.append(job)
            return "wait"
        self._running.add(job)
        return "start"

    def end(self, job: str) -> list[str]:
        """Give a place back; name the jobs that start now, first come first served."""
        self._running.discard(job)
        starting: list[str] = []
        for waiting in list(self._waiting):
            if len(self._running) < self._places and waiting not in self._running:
                self._waiting.remove(waiting)
                self._running.add(waiting)
                starting.append(waiting)
        return starting

    def keep_only(self, jobs: Container[str]) -> None:
        """Forget what waits of all other jobs. Runs that have started are not affected."""
        self._waiting = [job for job in self._waiting if job in jobs]
