"""Which jobs the daemon runs under a configuration, and what a new configuration changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from exchanger.config.models import Config, ImportJob, Priority, Schedule
from exchanger.service.scheduling.run_queue import Place

_RANKS: tuple[Priority, ...] = get_args(Priority)


@dataclass(frozen=True)
class Difference:
    """Names of jobs: newly scheduled, no longer scheduled, and configured otherwise."""

    added: list[str]
    removed: list[str]
    changed: list[str]


def scheduled(config: Config) -> dict[str, Schedule]:
    """Name the jobs that have a schedule and are enabled, as is their connection."""
    return {
        name: schedule
        for name, job in config.jobs.items()
        if (schedule := config.schedule_of(name))
        and job.enabled
        and config.connections[config.connection_of(name)].enabled
    }


def connections_with_jobs(config: Config) -> list[str]:
    """Name the connections that have a job which is scheduled."""
    return list(dict.fromkeys(config.connection_of(job) for job in scheduled(config)))


def scheduled_imports(config: Config) -> dict[str, dict[str, ImportJob]]:
    """Group the scheduled import jobs by connection; a connection without any is left out."""
    found: dict[str, dict[str, ImportJob]] = {}
    for name in scheduled(config):
        job = config.jobs[name]
        if isinstance(job, ImportJob):
            found.setdefault(config.connection_of(name), {})[name] = job
    return found


def settles_after(config: Config, job: str) -> float | None:
    """Return after how many seconds a file of a job is settled; None if that says nothing of it."""
    entry = config.jobs.get(job)
    rule = entry.source.complete_when if isinstance(entry, ImportJob) else None
    return None if rule is None or rule.settled is None else rule.settled.total_seconds()


def place_of(config: Config, job: str) -> Place:
    """Return where a job queues: imports write to their connection, one by one; exports do not."""
    entry = config.jobs[job]
    lane = config.connection_of(job) if isinstance(entry, ImportJob) else None
    return Place(lane, _RANKS.index(entry.priority))


def compare(old: Config, new: Config) -> Difference:
    """Return what differs between two configurations for the jobs that are scheduled."""
    before, after = scheduled(old), scheduled(new)
    return Difference(
        added=sorted(after.keys() - before.keys()),
        removed=sorted(before.keys() - after.keys()),
        changed=sorted(
            name for name in before.keys() & after.keys() if _part(old, name) != _part(new, name)
        ),
    )


def _part(config: Config, job: str) -> tuple[object, ...]:
    connection = config.connection_of(job)
    return config.jobs[job], connection, config.connections[connection]
