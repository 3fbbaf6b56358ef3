"""Verbs about one run of the past: finding it, and carrying out what is asked for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from exchanger.app.defaults import LogLevel
from exchanger.app.find_run import NO_IMPORT, FoundRun, found_run
from exchanger.app.wiring import from_connection, prepare
from exchanger.cli.choosing import connections_of
from exchanger.cli.execution import carry_out, show_outcomes
from exchanger.cli.exit import end_with
from exchanger.cli.options import wait_seconds
from exchanger.config.models import ImportJob
from exchanger.errors import RunUnsuitable

if TYPE_CHECKING:
    from exchanger.config.models import Config
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.jobs.runtime.report import RunReport

Act = Callable[["JobContext", str, ImportJob, int, float], "RunReport"]
"""What is done: in a context, for a job of that name, to the run of that number, with a wait."""


@dataclass(frozen=True)
class WithoutJob:
    """What is done likewise, but whether or not the job is configured any more."""

    act: Callable[[JobContext, str, int, float], RunReport]


def act_on_run(  # noqa: PLR0913 - what every verb about a run is told
    verb: str,
    run: str,
    act: Act | WithoutJob,
    *,
    config: Path,
    connection: str | None,
    wait: str,
    as_json: bool,
    log_level: LogLevel | None,
    stopping: threading.Event,
) -> int:
    """
    Do something to an import run of the past, and show what became of it.

    Returns:
        The exit code.

    Raises:
        RunMissing: There is no such run.
        RunAmbiguous: There are several, of different connections.
        RunUnsuitable: It never planned anything, or is the run of an export, or what is done needs
            its job, which is not configured any more.
    """
    loaded = prepare(config, log_level, as_json=as_json)
    seconds = wait_seconds(wait)
    found = _found(loaded, run, connection, as_json=as_json)
    if isinstance(found, int):
        return found
    with from_connection(loaded, found.connection):
        name, seq = found.numbered(verb, run)
        done = act.act if isinstance(act, WithoutJob) else _with_job(act, loaded, verb, run, name)
    outcome = carry_out(
        loaded,
        name,
        lambda context: done(context, name, seq, seconds),
        stopping=stopping,
        as_json=as_json,
        # Who decides sees what becomes of it.
        begins=False,
        connection=found.connection,
    )
    return show_outcomes([outcome], as_json=as_json, as_list=False)


def import_of_run(
    loaded: Config, verb: str, run: str, connection: str | None, *, as_json: bool
) -> tuple[str, ImportJob, int] | int:
    """
    Find the job of an import run of the past, and its number.

    Returns:
        An exit code if connections that may have it did not answer, which has been told.

    Raises:
        RunMissing, RunAmbiguous, RunUnsuitable: As for *act_on_run*.
    """
    found = _found(loaded, run, connection, as_json=as_json)
    if isinstance(found, int):
        return found
    with from_connection(loaded, found.connection):
        name, seq = found.numbered(verb, run)
        return name, _import_of(loaded, verb, run, name), seq


def _found(loaded: Config, run: str, connection: str | None, *, as_json: bool) -> FoundRun | int:
    found = found_run(loaded, connections_of(loaded, connection), run)
    # An id is nobody else's; a number may also be that of a run where nobody answered.
    if found.report is None or (found.faults and run.isdecimal()):
        return end_with("run", found.report, found.faults, as_json=as_json, describe=tuple)
    return found


def _with_job(
    act: Act, loaded: Config, verb: str, run: str, name: str
) -> Callable[[JobContext, str, int, float], RunReport]:
    job = _import_of(loaded, verb, run, name)
    return lambda context, name, seq, wait: act(context, name, job, seq, wait)


def _import_of(loaded: Config, verb: str, run: str, name: str) -> ImportJob:
    job = loaded.jobs.get(name)
    if job is None:
        gone = f"the configuration has no job '{name}' any more; put it back under that name"
        raise RunUnsuitable(run, verb, gone)
    if not isinstance(job, ImportJob):
        raise RunUnsuitable(run, verb, NO_IMPORT)
    return job
