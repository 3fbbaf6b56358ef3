"""Which jobs the daemon runs under a configuration, and what a new configuration changes."""

from __future__ import annotations

from dataclasses import dataclass

from exchanger.config.models import Config, Schedule


@dataclass(frozen=True)
class Difference:
    """Names of jobs: newly scheduled, no longer scheduled, and configured otherwise."""

    added: list[str]
    removed: list[str]
    changed: list[str]


def scheduled(config: Config) -> dict[str, Schedule]:
    """Name the jobs that have a schedule and are enabled, as is their connection."""
    return {
        name: job.schedule
        for name, job in config.jobs.items()
        if job.schedule and job.enabled and config.connections[config.connection_of(name)].enabled
    }


def compare(old: Config, new: Config) -> Difference:
    """Tell what differs between two configurations for the jobs that are scheduled."""
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
