"""Carries out a job before somebody who watches, and shows what became of it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import typer

from exchanger.app.messages.reports import describe_report
from exchanger.app.outcome import worst
from exchanger.app.runner import run_job
from exchanger.cli.exit import print_json, say
from exchanger.cli.progress import shown_progress

if TYPE_CHECKING:
    from exchanger.app.outcome import Outcome
    from exchanger.app.runner import Story
    from exchanger.config.models import Config


def carry_out(  # noqa: PLR0913 - as of run_job
    config: Config,
    name: str,
    story: Story,
    *,
    stopping: threading.Event,
    as_json: bool,
    begins: bool = True,
    connection: str | None = None,
) -> Outcome:
    """
    Carry out one job, show how far it is, and say on standard error what goes wrong.

    Args:
        config: The configuration.
        name: The job.
        story: What to do in the job's context.
        stopping: Set when the process is asked to stop.
        as_json: Whether a program reads the result, so that no progress is shown.
        begins: Whether its end may begin troubles that people are told of.
        connection: Where, of a job that may be configured no more.
    """
    if name in config.jobs:
        _notice(config, name)
    with shown_progress(as_json=as_json) as progress:
        return run_job(
            config,
            name,
            story,
            stopping=stopping,
            progress=progress,
            tell=say,
            begins=begins,
            connection=connection,
        )


def show_outcomes(outcomes: list[Outcome], *, as_json: bool, as_list: bool) -> int:
    """
    Print what became of the jobs: one document, or a few lines for each.

    Args:
        outcomes: One for each job that was begun.
        as_json: Whether to print JSON.
        as_list: Whether that is a list, as more than one job was asked for.

    Returns:
        The exit code of the process.
    """
    reports = [outcome.report for outcome in outcomes]
    if as_json:
        print_json(reports if as_list else reports[0])
    for outcome in [] if as_json else outcomes:
        shown = outcome.report | {"error": None} if outcome.error else outcome.report
        for line in describe_report(shown, outcome.bucket):
            typer.echo(line)
    return worst(outcome.exit_code for outcome in outcomes)


def _notice(config: Config, name: str) -> None:
    connection = config.connection_of(name)
    if not config.jobs[name].enabled:
        typer.echo(f"{name} is disabled; it runs now because you ask for it.", err=True)
    if not config.connections[connection].enabled:
        typer.echo(
            f"The connection {connection} is disabled; {name} runs now because you ask for it.",
            err=True,
        )
