"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from exchanger.app.defaults import LogLevel

ConfigPath = Annotated[
    Path,
    typer.Option("--config", envvar="EXCHANGER_CONFIG", help="The configuration file."),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON document; logs go to standard error.")
]
Level = Annotated[
    LogLevel | None,
    typer.Option(
        "--log-level",
        envvar="EXCHANGER_LOG_LEVEL",
        help="Log at least this; if left out, warnings; info with --json and by the daemon.",
    ),
]
JobName = Annotated[str, typer.Argument(metavar="JOB", help="The name of a job.")]
RunName = Annotated[str, typer.Argument(metavar="RUN", help="The id or number of a run.")]
Wait = Annotated[
    str, typer.Option(help="How long to wait for another process that writes, like 10m.")
]
ConnectionName = Annotated[
    str | None, typer.Option("--connection", help="Only this connection; all if left out.")
]


def wait_seconds(text: str) -> float:
    """
    Read ``--wait``.

    Raises:
        typer.BadParameter: It is no length of time.
    """
    from exchanger.config.durations import parse_duration

    try:
        return parse_duration(text).total_seconds()
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--wait") from error
