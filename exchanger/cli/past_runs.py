"""Verbs about one run of the past: finding it, and carrying out what is asked for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exchanger.cli.execution import carry_out, show_outcomes
from exchanger.cli.options import LogLevel, wait_seconds
from exchanger.cli.wiring import connections_of, job_of, open_world, prepare
from exchanger.config.models import Config, ImportJob
from exchanger.errors import RunAmbiguous, RunMissing, RunUnsuitable
from exchanger.jobs.history import show_run

if TYPE_CHECKING:
    from exchanger.jobs.report import RunReport
    from exchanger.jobs.world import World

Act = Callable[["World", str, ImportJob, int, float], "RunReport"]
"""What is done: in a world, for a job of that name, to the run of that number, with a wait."""


def found_run(config: Config, connections: list[str], run: str) -> tuple[dict[str, Any], str]:
    """
    Find a run, and the connection that it belongs to.

    Raises:
        RunMissing: No connection has such a run.
        RunAmbiguous: Several have one: each counts its runs from 1.
    """
    found = []
    for connection in connections:
        with open_world(config, connection) as world, suppress(RunMissing):
            found.append((show_run(world, run), connection))
    if not found:
        raise RunMissing(run)
    if len(found) > 1:
        raise RunAmbiguous(run, [connection for _, connection in found])
    return found[0]


def act_on_run(  # noqa: PLR0913 - what every verb about a run is told
    verb: str,
    run: str,
    act: Act,
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
        RunUnsuitable: It never planned anything, or is the run of an export.
        typer.BadParameter: Its job is not configured any more.
    """
    loaded = prepare(config, log_level, as_json=as_json)
    seconds = wait_seconds(wait)
    found, _ = found_run(loaded, connections_of(loaded, connection), run)
    name, seq = found["job"], found.get("seq")
    job = job_of(loaded, name)
    if seq is None or not isinstance(job, ImportJob):
        raise RunUnsuitable(run, verb, "it is no import that planned anything")
    outcome = carry_out(
        loaded,
        name,
        lambda world: act(world, name, job, seq, seconds),
        stopping=stopping,
        as_json=as_json,
    )
    return show_outcomes([outcome], as_json=as_json, as_list=False)
