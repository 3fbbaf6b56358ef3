"""Carries out one job in a world built for it, and turns whatever happens into a report."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog
import typer

from exchanger.cli.ending import exit_code, print_json, say, worst
from exchanger.cli.progress import shown_progress
from exchanger.cli.reports import describe_report
from exchanger.cli.wiring import open_world
from exchanger.errors import Stopped
from exchanger.jobs.report import RunReport, new_run_id
from exchanger.outside.clock import SystemClock

if TYPE_CHECKING:
    from exchanger.config.models import Config
    from exchanger.jobs.world import World

Story = Callable[["World"], RunReport]


@dataclass(frozen=True)
class Outcome:
    """
    What became of one job.

    Args:
        report: As ``RunReport.to_json`` renders it.
        bucket: The bucket that its keys are in.
        exit_code: What the process would end with, were this its only job.
        said: Its error was said on standard error when it happened.
    """

    report: dict[str, Any]
    bucket: str
    exit_code: int
    said: bool = False


def carry_out(
    config: Config, name: str, story: Story, *, stopping: threading.Event, as_json: bool
) -> Outcome:
    """
    Tell one job's story, and say on standard error what goes wrong.

    Args:
        config: The configuration.
        name: The job.
        story: What to do in the job's world.
        stopping: Set when the process is asked to stop.
        as_json: Whether a program reads the result, so that no progress is shown.
    """
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(job=name)
    from exchanger.jobs.failures import remember_failure
    from exchanger.outside.scratch import demanding_room

    _notice(config, name)
    connection = config.connection_of(name)
    bucket = config.connections[connection].s3.bucket
    started_at = SystemClock().now()
    try:
        with (
            shown_progress(as_json=as_json) as progress,
            open_world(config, connection, progress=progress, stopping=stopping) as world,
        ):
            try:
                with demanding_room(world.workdir):
                    report = story(world)
            except Exception as error:  # noqa: BLE001 - the other jobs still run
                report = _failed(name, started_at, error)
                remember_failure(world, report, error)
                return Outcome(report.to_json(), bucket, exit_code(error), said=True)
    except Exception as error:  # noqa: BLE001 - as above
        report = _failed(name, started_at, error)
        return Outcome(report.to_json(), bucket, exit_code(error), said=True)
    return Outcome(report.to_json(), bucket, report.exit_code)


def _failed(name: str, started_at: datetime, error: Exception) -> RunReport:
    """Say what went wrong, and put the same words into a report."""
    run_id = structlog.contextvars.get_contextvars().get("run_id")
    return RunReport(
        run_id=run_id or new_run_id(name, started_at),
        job=name,
        state="failed",
        started_at=started_at,
        finished_at=SystemClock().now(),
        error=str(say(error)),
        stopped=True if isinstance(error, Stopped) else None,
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
        shown = outcome.report | {"error": None} if outcome.said else outcome.report
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
