"""Finds jobs and connections by the names given on the command line."""

from __future__ import annotations

import typer

from exchanger.config.findings import closest, listed
from exchanger.config.models import Config, ImportJob, Job


def job_of(config: Config, name: str) -> Job:
    """
    Find a job by the name given on the command line.

    Raises:
        typer.BadParameter: There is no such job.
    """
    if name not in config.jobs:
        guess = closest(name, config.jobs)
        known = (
            f"there are {listed(sorted(config.jobs), 'and')}" if config.jobs else "there are none"
        )
        hint = f"did you mean {guess}?" if guess else known
        raise typer.BadParameter(f"there is no job '{name}'; {hint}", param_hint="JOB")
    return config.jobs[name]


def import_job_of(config: Config, name: str) -> ImportJob:
    """
    Find an import job by the name given on the command line.

    Raises:
        typer.BadParameter: There is no such job, or it is an export.
    """
    job = job_of(config, name)
    if not isinstance(job, ImportJob):
        raise typer.BadParameter(f"{name} is an export, which sends nothing", param_hint="JOB")
    return job


def connections_of(config: Config, name: str | None) -> list[str]:
    """
    Choose one connection, or all of them.

    Raises:
        typer.BadParameter: There is no connection of that name.
    """
    if name is None:
        return list(config.connections)
    if name not in config.connections:
        known = listed(sorted(config.connections), "and")
        message = f"there is no connection '{name}'; there are {known}"
        raise typer.BadParameter(message, param_hint="--connection")
    return [name]


def only_connection(config: Config, name: str | None) -> str:
    """
    Choose one connection.

    Raises:
        typer.BadParameter: There is no connection of that name, or several and none is named.
    """
    chosen = connections_of(config, name)
    if len(chosen) > 1:
        message = f"say which of {listed(sorted(chosen), 'and')} is meant"
        raise typer.BadParameter(message, param_hint="--connection")
    return chosen[0]
