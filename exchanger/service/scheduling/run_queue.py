"""Who may run now. Pure bookkeeping: no processes, no time."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Literal

Answer = Literal[
    "start",  # the run may start, and counts as running from now on
    "wait",  # its lane is taken, or all places are; it starts when its turn comes
    "coalesced",  # the job runs, or waits, already: it runs once more at most
]

URGENT_IN_A_ROW = 4
"""Turns that go ahead of less urgent jobs before one of these gets a turn."""


@dataclass(frozen=True)
class Place:
    """
    Where a job queues.

    Args:
        lane: The lane in which one run goes on at a time, such as a connection that may be written
            to by one process only; None for jobs that need none.
        rank: How urgent it is; 0 is the most urgent.
    """

    lane: str | None = None
    rank: int = 1


@dataclass(frozen=True)
class _Waiting:
    """A job that waits, where, and since when (a number that grows with every one that comes)."""

    job: str
    place: Place
    since: int


class RunQueue:
    """
    Gives out turns: one run at a time in each lane, and never two of one job.

    The most urgent job goes first; among equals, the one whose last turn is the longest ago. So
    whoever has much to do takes turns with all others, and has its next one when they had theirs.
    After a few turns in a row that went ahead of less urgent jobs, the one of these that has waited
    longest is next: nobody waits for ever. Lanes take turns where places are short.

    A job that is due while it runs is remembered once and runs again; being due a second and a
    third time meanwhile adds nothing, since one run takes all that is waiting.

    Args:
        places: How many runs there may be at a time in all lanes together; and as many again of
            jobs without a lane, so that neither kind keeps the other waiting.
    """

    def __init__(self, places: int) -> None:
        self._places = places
        self._count = 0
        self._running: dict[str, Place] = {}
        self._waiting: dict[str, _Waiting] = {}
        self._served: dict[str, int] = {}
        self._lane_served: dict[str | None, int] = {}
        self._in_a_row: dict[str | None, int] = {}
        self._paused = False

    def ask(self, jobs: Mapping[str, Place]) -> dict[str, Answer]:
        """Ask for a run of each of some jobs that are due together."""
        answers: dict[str, Answer] = {}
        for job, place in jobs.items():
            again = job in self._running or job in self._waiting
            answers[job] = "coalesced" if again else "wait"
            if job not in self._waiting:
                self._count += 1
                self._waiting[job] = _Waiting(job, place, self._count)
        # Nobody who waited before could have started, so that these overtake no one.
        answers |= dict.fromkeys(self._start_all(), "start")
        return answers

    def end(self, job: str) -> list[str]:
        """Free a place; name the jobs that start now, in the order of their turns."""
        self._running.pop(job, None)
        return self._start_all()

    def put_back(self, job: str) -> None:
        """Take a turn back that could not be used: the job waits again, and nobody gets a turn."""
        place = self._running.pop(job)
        self._waiting.setdefault(job, _Waiting(job, place, self._served[job]))
        self._paused = True

    def resume(self) -> list[str]:
        """Start turns again after *put_back*; name the jobs that start now."""
        self._paused = False
        return self._start_all()

    def keep_only(self, jobs: Container[str]) -> None:
        """Forget what waits of all other jobs. Runs that have started are not affected."""
        self._waiting = {job: one for job, one in self._waiting.items() if job in jobs}

    def _start_all(self) -> list[str]:
        starting: list[str] = []
        if self._paused:
            return starting
        while candidates := [one for one in self._waiting.values() if self._may_start(one)]:
            chosen = self._choose(candidates)
            del self._waiting[chosen.job]
            self._running[chosen.job] = chosen.place
            self._count += 1
            self._served[chosen.job] = self._lane_served[chosen.place.lane] = self._count
            starting.append(chosen.job)
        return starting

    def _may_start(self, one: _Waiting) -> bool:
        if one.job in self._running:
            return False
        lane = one.place.lane
        of_its_kind = [
            place.lane for place in self._running.values() if (place.lane is None) == (lane is None)
        ]
        return len(of_its_kind) < self._places and (lane is None or lane not in of_its_kind)

    def _choose(self, candidates: list[_Waiting]) -> _Waiting:
        lane = min(candidates, key=self._order_of_lanes).place.lane
        here = [one for one in candidates if one.place.lane == lane]
        first = min(here, key=self._order)
        behind = [one for one in here if one.place.rank > first.place.rank]
        if behind and self._in_a_row.get(lane, 0) >= URGENT_IN_A_ROW:
            first, behind = min(behind, key=lambda one: one.since), []
        self._in_a_row[lane] = self._in_a_row.get(lane, 0) + 1 if behind else 0
        return first

    def _order_of_lanes(self, one: _Waiting) -> tuple[int, int, int]:
        return self._lane_served.get(one.place.lane, 0), one.place.rank, one.since

    def _order(self, one: _Waiting) -> tuple[int, int, int]:
        return one.place.rank, self._served.get(one.job, 0), one.since
