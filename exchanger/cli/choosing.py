"""Finds what the command line names; a name that means nothing is a wrong use of the verb."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from exchanger.app import choosing
from exchanger.app.messages.errors import words_for
from exchanger.config.models import Config, ImportJob, Job
from exchanger.errors import NotAnImport, NotConfigured, WhichConnection


def job_of(config: Config, name: str) -> Job:
    """
    Find a job.

    Raises:
        typer.BadParameter: There is no such job.
    """
    with _usage("JOB"):
        return choosing.job_of(config, name)


def import_job_of(config: Config, name: str) -> ImportJob:
    """
    Find an import job.

    Raises:
        typer.BadParameter: There is no such job, or it is an export.
    """
    with _usage("JOB"):
        return choosing.import_job_of(config, name)


def connections_of(config: Config, name: str | None) -> list[str]:
    """
    Choose one connection, or all of them.

    Raises:
        typer.BadParameter: There is no connection of that name.
    """
    with _usage("--connection"):
        return choosing.connections_of(config, name)


def only_connection(config: Config, name: str | None) -> str:
    """
    Choose one connection.

    Raises:
        typer.BadParameter: There is no connection of that name, or several and none is named.
    """
    with _usage("--connection"):
        return choosing.only_connection(config, name)


@contextmanager
def _usage(option: str) -> Iterator[None]:
    try:
        yield
    except (NotConfigured, NotAnImport, WhichConnection) as error:
        what = words_for(error).what
        raise typer.BadParameter(what[0].lower() + what[1:], param_hint=option) from error
