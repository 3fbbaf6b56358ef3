"""What the daemon lets others know of itself and its jobs, beside the events of its runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from exchanger.config.models import Config
from exchanger.errors import Problem
from exchanger.service.child_process import ChildProcess
from exchanger.service.scheduling.schedules import connections_with_jobs, scheduled
from exchanger.service.telling.attention import Attention, Told
from exchanger.service.telling.heartbeat import Facts, Heartbeats
from exchanger.service.telling.outcome import failure_of, took_something

log = structlog.get_logger()


class Telling:
    """
    The heartbeats of the daemon, and what its log says about jobs that need a person.

    Args:
        path: The path of the configuration.
        next_times: Tells when each job is due next.
        last_look: Tells when a folder was looked into last.
    """

    def __init__(
        self,
        path: Path,
        next_times: Callable[[], dict[str, datetime]],
        last_look: Callable[[], datetime | None],
    ) -> None:
        self._next_times = next_times
        self._last_look = last_look
        self._attention = Attention()
        self._failing: dict[str, dict[str, Any]] = {}
        self._homes: dict[str, str] = {}
        self._refused: dict[str, str] | None = None
        self.heartbeats = Heartbeats(path, self._facts)

    def configure(self, config: Config) -> None:
        """Speak of the jobs of a configuration."""
        self._homes = {job: config.connection_of(job) for job in scheduled(config)}
        self._attention.configure(config, time.monotonic())
        names = connections_with_jobs(config)
        self.heartbeats.configure({name: config.connections[name] for name in names})

    def config_refused(self, problems: Sequence[Problem]) -> None:
        """Show why the configuration cannot be used as it is by now; none if it can."""
        since = (self._refused or {"since": datetime.now(UTC).isoformat()})["since"]
        first = next((str(problem) for problem in problems), None)
        self._refused = {"since": since, "problem": first} if first is not None else None

    def to_ask(self) -> list[str]:
        """Name the connections to ask now how they stand; they count as asked."""
        return self._attention.to_ask(time.monotonic(), datetime.now(UTC))

    def answered(self, connection: str, jobs: list[dict[str, Any]] | None) -> list[Told]:
        """Log and return what a person has to know of an answer; None if there is none."""
        now = time.monotonic()
        if jobs is None:
            self._attention.unanswered(connection, now)
            return []
        new = self._attention.answered(connection, jobs, now)
        for told in new:
            log.warning(told.event, **told.facts)
        return new

    def run_ended(self, job: str, child: ChildProcess) -> None:
        """Remember what a run took, and whether it failed."""
        now = datetime.now(UTC)
        if took_something(child.output):
            self._attention.took(job, now)
        error = failure_of(child.exit_code, child.output)
        self._failing.pop(job, None)
        if error is not None:
            code = child.exit_code
            self._failing[job] = {"exit_code": code, "at": now.isoformat(), "error": error}

    def _facts(self, connection: str) -> Facts:
        times = self._next_times()
        ours = [job for job, home in self._homes.items() if home == connection]
        last_look = self._last_look()
        return Facts(
            next={job: times[job].isoformat() if job in times else None for job in ours},
            expecting=self._attention.expecting(connection),
            last_look=last_look.isoformat() if last_look else None,
            failing={job: self._failing[job] for job in ours if job in self._failing},
            refused=self._refused,
        )
