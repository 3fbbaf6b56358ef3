"""
What a person is told once: runs that wait for a decision, and jobs that are overdue.

Pure bookkeeping: no processes, no requests, no clock. The daemon knows what its own runs took; for
all else it asks ``exchanger status``, once a day, and before it calls a job overdue.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from exchanger.config.models import Config
from exchanger.service.telling.outcome import decisions

DAILY = 86_400.0
"""Seconds between two reminders of one job, and between two questions about a connection."""

FIRST = 30.0
"""Seconds until the first question, as a daemon that has just begun has other things to do."""

_ASK_AGAIN = 900.0
"""Seconds between two questions of which the first one had no answer, or told nothing new."""

_NAMED = 10
"""Files of a run, and runs of a job, that one event names."""


@dataclass(frozen=True)
class Told:
    """An event that is to be logged."""

    event: str
    facts: dict[str, Any]


class Attention:
    """Remembers what was told, and when to ask again."""

    def __init__(self) -> None:
        self._several = False
        self._connections: dict[str, str] = {}
        self._expect: dict[str, timedelta] = {}
        self._ask_at: dict[str, float] = {}
        self._asked_at: dict[str, float] = {}
        self._since: dict[str, datetime] = {}
        self._reminded: dict[str, float] = {}
        self._overdue: set[str] = set()

    def configure(self, config: Config, monotonic: float) -> None:
        """Look after the jobs of a configuration, from now on."""
        self._several = len(config.connections) > 1
        connections = {name: it for name, it in config.connections.items() if it.enabled}
        homes = {job: config.connection_of(job) for job in config.jobs}
        self._connections = {job: home for job, home in homes.items() if home in connections}
        self._expect = {
            name: job.expect.every
            for name, job in config.jobs.items()
            if job.expect and job.enabled and name in self._connections
        }
        first = monotonic + FIRST
        self._ask_at = {name: self._ask_at.get(name, first) for name in self._connections.values()}
        self._since = {job: at for job, at in self._since.items() if job in self._expect}
        self._overdue &= self._expect.keys()

    def expecting(self, connection: str) -> list[str]:
        """Name the jobs of a connection that something is expected of."""
        return [job for job in self._expect if self._connections[job] == connection]

    def to_ask(self, monotonic: float, now: datetime) -> list[str]:
        """Name the connections to ask now how they stand; they count as asked."""
        asking = [name for name, at in self._ask_at.items() if at <= monotonic]
        for job, every in self._expect.items():
            home = self._connections[job]
            late = job in self._since and self._since[job] + every < now
            asked_at = self._asked_at.get(home)
            lately = asked_at is not None and monotonic - asked_at < _ASK_AGAIN
            if late and not lately and job not in self._overdue and home not in asking:
                asking.append(home)
        for name in asking:
            self._ask_at[name] = monotonic + DAILY
            self._asked_at[name] = monotonic
        return asking

    def took(self, job: str, now: datetime) -> None:
        """Remember that a run of a job has just taken a file, or published a dataset."""
        if job in self._expect:
            self._since[job] = now
            self._overdue.discard(job)

    def answered(self, connection: str, jobs: list[dict[str, Any]], monotonic: float) -> list[Told]:
        """
        Return what is new in an answer.

        Args:
            connection: Who was asked.
            jobs: How its jobs stand.
            monotonic: The time of the answer.
        """
        told: list[Told] = []
        for entry in jobs:
            job = str(entry.get("job"))
            if self._connections.get(job) == connection:
                told += self._held(job, entry.get("held_back") or [], monotonic)
                told += self._late(job, entry)
        return told

    def unanswered(self, connection: str, monotonic: float) -> None:
        """Ask a connection again soon that did not answer."""
        if connection in self._ask_at:
            self._ask_at[connection] = monotonic + _ASK_AGAIN

    def _held(self, job: str, runs: list[dict[str, Any]], monotonic: float) -> list[Told]:
        if not runs:
            self._reminded.pop(job, None)
            return []
        # A little less than a day, as the questions are a day apart.
        if monotonic - self._reminded.get(job, -DAILY) < 0.9 * DAILY:
            return []
        self._reminded[job] = monotonic
        home = self._connections[job]
        of = f" --connection {home}" if self._several else ""
        first = runs[:_NAMED]
        facts = {
            "job": job,
            "connection": home,
            "runs": [_waiting(run) for run in first],
            "more_runs": len(runs) - len(first),
            "next": decisions([run["run"] for run in first], of),
        }
        return [Told("job.waiting_for_person", facts)]

    def _late(self, job: str, entry: dict[str, Any]) -> list[Told]:
        if job not in self._expect:
            return []
        known = [text for text in (entry.get("taken_at"), entry.get("expected_since")) if text]
        if known:
            since = datetime.fromisoformat(known[0])
            self._since[job] = max(since, self._since.get(job, since))
        if not entry.get("overdue_since"):
            self._overdue.discard(job)
            return []
        # What came and waits is told as that: nobody has to ask where the files are.
        if job in self._overdue or entry.get("came_in_time"):
            return []
        self._overdue.add(job)
        facts = {
            "job": job,
            "connection": self._connections[job],
            "every": entry.get("expect"),
            "taken_at": entry.get("taken_at"),
            "overdue_since": entry["overdue_since"],
            "next": [f"exchanger runs {job}", "exchanger jobs --waiting"],
        }
        return [Told("job.overdue", facts)]


def _waiting(run: dict[str, Any]) -> dict[str, Any]:
    files = list(run.get("files") or [])
    notes = run.get("notes") or {}
    told = [{"key": key, "note": str(notes.get(key, ""))[:500]} for key in files[:_NAMED]]
    return {"run": run["run"], "files": told, "more_files": len(files) - len(told)}


def read_standing(output: str) -> list[dict[str, Any]]:
    """
    Read what ``status --json`` printed: how the jobs stand.

    Raises:
        ValueError: The text is something else, or tells that the connection did not answer.
    """
    content = json.loads(output)
    if isinstance(content, dict) and isinstance(content.get("error"), dict):
        raise ValueError(str(content["error"].get("message")))  # noqa: TRY004 - it is data
    jobs = content.get("jobs") if isinstance(content, dict) else None
    if not isinstance(jobs, list) or not all(isinstance(job, dict) for job in jobs):
        raise ValueError("the answer does not say how the jobs stand")
    return jobs
