"""Carries out one job in a context built for it, and turns whatever happens into a report."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from exchanger.app.messages.notes.words import worded
from exchanger.app.outcome import Outcome, exit_code
from exchanger.app.wiring import from_connection, open_context
from exchanger.config.models import ImportJob
from exchanger.errors import NotAnExport, NotAnImport, Stopped
from exchanger.jobs.runtime.report import RunReport, new_run_id
from exchanger.outside.clock import SystemClock

if TYPE_CHECKING:
    from exchanger.app.messages.words import Message
    from exchanger.config.models import Config, Job
    from exchanger.jobs.runtime.context import JobContext, Progress
    from exchanger.jobs.runtime.options import ImportOptions


Story = Callable[["JobContext"], RunReport]


def run_job(  # noqa: PLR0913 - one for each thing that differs between ways in
    config: Config,
    name: str,
    story: Story,
    *,
    stopping: threading.Event,
    progress: Progress,
    tell: Callable[[Exception], Message],
    begins: bool = True,
    connection: str | None = None,
) -> Outcome:
    """
    Carry out one job's story; whatever goes wrong becomes its report, and people are told.

    Args:
        config: The configuration.
        name: The job.
        story: What to do in the job's context.
        stopping: Set when the process is asked to stop.
        progress: Told how far it is.
        tell: Tells of an error, and returns its words.
        begins: Whether its end may begin troubles that people are told of (``notifications``).
        connection: Where, of a job that may be configured no more.
    """
    connection = connection or config.connection_of(name)
    outcome = _carried_out(config, connection, name, story, stopping, progress, tell)
    if name not in config.jobs or not config.told_of(name):
        return outcome
    from exchanger.app.alerts.tell import tell_of_run

    waiting = tell_of_run(config, outcome, begins=begins)
    if waiting is None:
        return outcome
    return replace(outcome, report=outcome.report | {"alerts_waiting": waiting})


def _carried_out(  # noqa: PLR0913, PLR0917 - as above
    config: Config,
    connection: str,
    name: str,
    story: Story,
    stopping: threading.Event,
    progress: Progress,
    tell: Callable[[Exception], Message],
) -> Outcome:
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(job=name)
    from exchanger.jobs.history.failures import remember_failure
    from exchanger.outside.scratch import demanding_room

    bucket, of = config.connections[connection].s3.bucket, config.option_of(connection)
    started_at = SystemClock().now()
    try:
        with open_context(config, connection, progress=progress, stopping=stopping) as context:
            try:
                with demanding_room(context.workdir), from_connection(config, connection):
                    report = story(context)
            except Exception as error:  # noqa: BLE001 - the other jobs still run
                report = _failed(name, started_at, error, tell)
                remember_failure(context, report, error)
                return Outcome(worded(report.to_dict(), of), bucket, exit_code(error), error)
    except Exception as error:  # noqa: BLE001 - as above
        report = _failed(name, started_at, error, tell)
        return Outcome(worded(report.to_dict(), of), bucket, exit_code(error), error)
    return Outcome(worded(report.to_dict(), of), bucket, report.exit_code)


def _failed(
    name: str, started_at: datetime, error: Exception, tell: Callable[[Exception], Message]
) -> RunReport:
    """Report what went wrong, and put the same words into a report."""
    run_id = structlog.contextvars.get_contextvars().get("run_id")
    return RunReport(
        run_id=run_id or new_run_id(name, started_at),
        job=name,
        state="failed",
        started_at=started_at,
        finished_at=SystemClock().now(),
        error=str(tell(error)),
        stopped=True if isinstance(error, Stopped) else None,
    )


def story_of(name: str, job: Job, options: ImportOptions, *, fresh: bool = False) -> Story:
    """
    Choose the story of a run.

    Args:
        name: The job.
        job: The job.
        options: Which files an import takes, and how.
        fresh: Ask Braze for a new export even while one is waited for.

    Raises:
        NotAnExport: An import is to be fresh.
        NotAnImport: An export is to be forced, or to end after one run.
    """
    if isinstance(job, ImportJob):
        if fresh:
            raise NotAnExport(name)
        from exchanger.jobs.imports import run_import, run_once

        story = run_once if options.one_run else run_import
        return lambda context: story(context, name, job, options)
    if options.force or options.one_run:
        raise NotAnImport(name)
    from exchanger.jobs.exports import run_export

    return lambda context: run_export(context, name, job, fresh=fresh)
