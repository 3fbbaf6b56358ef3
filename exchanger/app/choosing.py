"""Finds jobs and connections of a configuration by their names."""

from __future__ import annotations

from exchanger.config.models import Config, ImportJob, Job
from exchanger.errors import NotAnImport, NotConfigured, WhichConnection


def job_of(config: Config, name: str) -> Job:
    """
    Find a job.

    Raises:
        NotConfigured: There is no such job.
    """
    if name not in config.jobs:
        raise NotConfigured("job", name, sorted(config.jobs))
    return config.jobs[name]


def import_job_of(config: Config, name: str) -> ImportJob:
    """
    Find an import job.

    Raises:
        NotConfigured: There is no such job.
        NotAnImport: It is an export.
    """
    job = job_of(config, name)
    if not isinstance(job, ImportJob):
        raise NotAnImport(name)
    return job


def connections_of(config: Config, name: str | None) -> list[str]:
    """
    Choose one connection, or all of them.

    Raises:
        NotConfigured: There is no connection of that name.
    """
    if name is None:
        return list(config.connections)
    if name not in config.connections:
        raise NotConfigured("connection", name, sorted(config.connections))
    return [name]


def only_connection(config: Config, name: str | None) -> str:
    """
    Choose one connection.

    Raises:
        NotConfigured: There is no connection of that name.
        WhichConnection: There are several, and none is named.
    """
    chosen = connections_of(config, name)
    if len(chosen) > 1:
        raise WhichConnection(sorted(chosen))
    return chosen[0]
