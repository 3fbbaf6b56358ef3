"""How a connection stands: is a daemon alive, how its jobs fare, and what waits for a person."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from exchanger.config.models import ExportJob
from exchanger.errors import StorageMissing
from exchanger.files.heartbeat import Heartbeat
from exchanger.jobs.history.held_runs import HeldRun, held_runs
from exchanger.jobs.history.runs import list_runs
from exchanger.state.names import StateNames
from exchanger.state.store import open_state

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

    from exchanger.config.models import Job
    from exchanger.jobs.runtime.context import JobContext

Report = dict[str, Any]

SILENT = 180.0
"""Seconds after which a daemon that writes every minute counts as dead."""

_READ = 50
"""Documents of daemons that are read at most, those written last."""


@dataclass(frozen=True)
class Daemon:
    """
    A daemon that schedules jobs of the connection, or did.

    Args:
        heartbeat: What it wrote last.
        silent_for: Seconds since then, by the clock of S3.
    """

    heartbeat: Heartbeat
    silent_for: float

    @property
    def alive(self) -> bool:
        """Whether it was heard of just now, and was not stopped."""
        return self.heartbeat.stopped_at is None and self.silent_for <= SILENT


@dataclass(frozen=True)
class JobStanding:
    """
    How a job fares.

    Args:
        last: The report of its last run; None if it never ran, or nothing is kept of it.
        failure: Why that failed, in words; empty if it did not.
        taken_at: When it last took a file or published a dataset.
        expected_since: Since when a daemon knows that something is expected of it.
        overdue_since: When it should have done so again, if that is past.
        held: Its runs that wait for a person.
        came_in_time: Whether one of them has what was expected, so that no file is missing.
        verified: The report of its last run that was read back; None if none was.
    """

    last: Report | None
    failure: str
    taken_at: datetime | None
    expected_since: datetime | None
    overdue_since: datetime | None
    held: list[HeldRun]
    came_in_time: bool = False
    verified: Report | None = None


@dataclass(frozen=True)
class Standing:
    """
    The daemons of a connection, those heard of last first, and its jobs.

    Args:
        daemons: The daemons.
        jobs: How each job fares.
        without_job: Runs that wait for a person, by the name of a job that is there no more.
    """

    daemons: list[Daemon]
    jobs: dict[str, JobStanding]
    without_job: dict[str, list[HeldRun]] = field(default_factory=dict)


def standing(context: JobContext, jobs: Mapping[str, Job]) -> Standing:
    """
    Find out how a connection stands. Writes nothing.

    Raises:
        StorageError: S3 refused or did not answer.
    """
    state = open_state(context.bucket, context.state_prefix)
    daemons = list(_daemons(context))
    latest = {report["job"]: report for report in list_runs(context, latest=True)}
    recent = list_runs(context)
    applied = state.file_ledger.snapshot()
    now = context.clock.now()
    found = {}
    for name, job in jobs.items():
        last = latest.get(name)
        held = held_runs(state, applied, name) if last and last["held_back"] else []
        own = [report for report in recent if report["job"] == name]
        taken_at = _taken_at(own)
        if taken_at is None and job.expect is not None:
            taken_at = _taken_at(list_runs(context, name))
        expected_since = _expected_since(name, job, daemons)
        due = _due(job, taken_at or expected_since)
        found[name] = JobStanding(
            last=last,
            failure=_failure(name, last, daemons),
            taken_at=taken_at,
            expected_since=expected_since,
            overdue_since=due if due is not None and due < now else None,
            held=held,
            came_in_time=came_in_time(job, {run.seq for run in held}, own, now),
            verified=next((report for report in own if report.get("verified")), None),
        )
    without_job = {
        name: held_runs(state, applied, name)
        for name, last in latest.items()
        if name not in jobs and last.get("held_back")
    }
    return Standing(daemons, found, without_job)


def took_something(report: Report) -> bool:
    """Return whether a run applied a file, or published a dataset."""
    if report.get("manifest"):
        return True
    return any(file["outcome"] == "applied" for file in report.get("files", []))


def came_in_time(job: Job, held: Container[int], reports: Iterable[Report], now: datetime) -> bool:
    """
    Return whether files came as expected, and wait for a person.

    Args:
        job: The job.
        held: Its runs that wait.
        reports: Its runs, newest first.
        now: The time.
    """
    came = next((report["started_at"] for report in reports if report.get("seq") in held), None)
    return (
        job.expect is not None
        and came is not None
        and datetime.fromisoformat(came) + job.expect.every >= now
    )


def _taken_at(reports: Iterable[Report]) -> datetime | None:
    """Return when something was taken last; *reports* are the runs of a job, newest first."""
    taken = next((report for report in reports if took_something(report)), None)
    if taken is None:
        return None
    return datetime.fromisoformat(taken.get("finished_at") or taken["started_at"])


def _expected_since(name: str, job: Job, daemons: list[Daemon]) -> datetime | None:
    if job.expect is None:
        return None
    known = [daemon.heartbeat.expecting.get(name) for daemon in daemons]
    return min((datetime.fromisoformat(text) for text in known if text), default=None)


def _due(job: Job, since: datetime | None) -> datetime | None:
    """Return when a job has to have taken something; None if nothing is expected of it yet."""
    if job.expect is None or not job.enabled or since is None:
        return None
    return since + job.expect.every


def _failure(name: str, last: Report | None, daemons: list[Daemon]) -> str:
    """Return why the last run of a job failed; a daemon also knows of those without a trace."""
    began = str((last or {}).get("started_at") or "")
    for daemon in daemons:
        failing = daemon.heartbeat.failing.get(name)
        if failing and datetime.fromisoformat(failing["at"]) > _moment(began):
            return str(failing["error"])
    if last is None or last.get("stopped"):
        return ""
    failed = last["state"] == "failed" or last.get("error")
    return str(last.get("error") or "it failed") if failed else ""


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text or "0001-01-01T00:00:00+00:00")


def _daemons(context: JobContext) -> Iterator[Daemon]:
    # Daemons write where the configuration says, also if the memory itself is elsewhere.
    listed = list(context.bucket.list(StateNames(context.state_prefix).heartbeats))
    listed.sort(key=lambda item: item.last_modified, reverse=True)
    for item in listed[:_READ]:
        try:
            heartbeat = Heartbeat.from_bytes(context.bucket.read(item.key)[0])
        except (StorageMissing, ValueError):  # It was swept meanwhile, or is none of ours.
            continue
        yield Daemon(heartbeat, item.age.total_seconds() if item.age else 0.0)


def brings(job: Job) -> str:
    """Name what a job brings: of an export a dataset, of an import a file."""
    return "dataset" if isinstance(job, ExportJob) else "file"
