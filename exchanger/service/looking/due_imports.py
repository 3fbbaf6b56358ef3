"""
Which due import jobs need a run. Pure bookkeeping: no processes, no requests, no clock.

Most runs of a job that looks for files often would find none. A look into its folder is a thousand
times cheaper than a process, so a job gets its turn only when something is new there, when its last
run did not end well, or when nobody can tell; and every so often all the same, by a question to a
process that knows what was applied.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, field

from exchanger.service.looking.folder_scanner import ScanResult

LOOKS_APART = 5.0
"""Seconds between two looks, so that jobs which are due one by one share a listing."""

GATHERED = 0.5
"""Seconds in which jobs that are due at the same time come together, the urgent among them."""

TRUSTED = 900.0
"""Seconds for which a job counts as having nothing to do while nothing new is seen."""

FEW = 2
"""So few jobs are answered by their runs, which cost as much as a question."""


@dataclass(frozen=True)
class Verdict:
    """
    What is to be done about jobs that were due.

    Args:
        turns: They need a run, each with why it was due.
        doubtful: A process is to be asked which of these have something to do.
        idle: They have nothing to do.
    """

    turns: dict[str, str] = field(default_factory=dict)
    doubtful: list[str] = field(default_factory=list)
    idle: list[str] = field(default_factory=list)


class DueImports:
    """
    The import jobs of one connection: which are due, and what is known of their files.

    A look or a question is under way at most once at a time; jobs that fall due meanwhile wait for
    the next one, since they must see what is there after they were due.
    """

    def __init__(self) -> None:
        self._due: dict[str, str] = {}
        self._asked: dict[str, str] = {}
        self._under_way = False
        self._next_look = 0.0
        self._running: set[str] = set()
        self._changed: set[str] = set()
        self._nothing_at: dict[str, float] = {}

    def due(self, job: str, why: str, now: float) -> None:
        """Remember that a job is due."""
        if not self._due:
            self._next_look = max(self._next_look, now + GATHERED)
        self._due.setdefault(job, why)

    def seconds_to_look(self, now: float) -> float | None:
        """Return how long until a look is to begin; None while there is no reason for one."""
        if not self._due or self._under_way:
            return None
        return max(self._next_look - now, 0.0)

    def begin_look(self, now: float) -> None:
        """Begin to look for all that is due. What falls due from here on waits for another look."""
        self._under_way = True
        self._next_look = now + LOOKS_APART
        self._asked, self._due = self._due, {}

    @property
    def looked_for(self) -> list[str]:
        """The jobs to look for, once a look has begun."""
        return list(self._asked)

    def looked(self, seen: ScanResult | None, now: float) -> Verdict:
        """
        Decide by what a look showed; None if it failed.

        If there are doubtful jobs, *answered* must follow.
        """
        self._under_way = False
        asked, self._asked = self._asked, {}
        if seen is None:
            self.forget()
            return Verdict(turns=asked)
        self._remember(seen)
        verdict = Verdict()
        for job, why in asked.items():
            if job in self._changed:
                verdict.turns[job] = why
            elif job in self._running or self._is_trusted(job, now):
                verdict.idle.append(job)
            else:
                self._asked[job] = why
        if len(self._asked) <= FEW:
            verdict.turns.update(self._asked)
            self._asked = {}
        self._under_way = bool(self._asked)
        verdict.doubtful.extend(self._asked)
        return verdict

    def answered(self, with_work: Iterable[str] | None, now: float) -> Verdict:
        """Return, by an answer, which jobs have something to do; None if it failed."""
        self._under_way = False
        asked, self._asked = self._asked, {}
        verdict = Verdict()
        working = None if with_work is None else set(with_work)
        for job, why in asked.items():
            if working is None or job in working or job in self._changed:
                verdict.turns[job] = why
            else:
                verdict.idle.append(job)
                self._nothing_at[job] = now
        return verdict

    def started(self, job: str) -> None:
        """A run of a job starts, which will see all that any look before it saw."""
        self._running.add(job)
        self._changed.discard(job)
        self._nothing_at.pop(job, None)

    def ended(self, job: str, *, nothing_left: bool, now: float) -> None:
        """A run of a job has ended, and left nothing to do behind, or may have."""
        self._running.discard(job)
        if nothing_left:
            self._nothing_at[job] = now
        else:
            self._changed.add(job)

    def forget(self) -> None:
        """Trust nothing that was known: every job needs a run, or a question, when it is due."""
        self._nothing_at.clear()
        self._changed |= self._running

    def heir(self, jobs: Container[str]) -> DueImports:
        """Begin anew under another configuration: what is due or runs stays so, if it is there."""
        heir = DueImports()
        due = self._asked | self._due
        heir._due = {job: why for job, why in due.items() if job in jobs}
        heir._running = {job for job in self._running if job in jobs}
        heir._changed = {job for job in self._changed if job in jobs}
        heir._next_look = self._next_look
        return heir

    def _remember(self, seen: ScanResult) -> None:
        self._changed |= seen.new
        for job in seen.first:
            # Until now nobody looked: what came before this look may be unknown to the last run.
            if job in self._running or self._nothing_at.pop(job, None) is not None:
                self._changed.add(job)

    def _is_trusted(self, job: str, now: float) -> bool:
        since = self._nothing_at.get(job)
        return since is not None and now - since < TRUSTED
