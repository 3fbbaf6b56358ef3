"""Jobs that left files behind which were too fresh: when to look for them again."""

from __future__ import annotations

import time
from collections.abc import Callable, Container

MARGIN = 1.0
"""Seconds beyond the time that a file settles for, as S3 tells times to the second."""


class Settling:
    """
    When each of some jobs is due because files have settled.

    Args:
        clock: Returns the seconds of a clock that never goes back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._due: dict[str, float] = {}

    def later(self, job: str, seconds: float) -> None:
        """Let a job be due once what it left has settled: after so many seconds at the latest."""
        self._due[job] = self._clock() + seconds + MARGIN

    def due(self) -> list[str]:
        """Name the jobs that are due, once each."""
        now = self._clock()
        found = [job for job, at in self._due.items() if at <= now]
        for job in found:
            del self._due[job]
        return found

    def keep_only(self, jobs: Container[str]) -> None:
        """Forget all other jobs."""
        self._due = {job: at for job, at in self._due.items() if job in jobs}
