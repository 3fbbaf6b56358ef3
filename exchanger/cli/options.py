"""Options that several verbs share."""

from __future__ import annotations

import shlex
from enum import StrEnum
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
ProfileName = Annotated[
    str, typer.Argument(metavar="PROFILE", help="The identifier, as in your files.")
]
Label = Annotated[
    str, typer.Option("--label", help="The label of an alias, whose name PROFILE is.")
]


TIME_FORMS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d %H:%M:%S"]
"""How a time may be written."""


class Kind(StrEnum):
    """What can name a person."""

    external_id = "external_id"
    braze_id = "braze_id"
    alias = "alias"
    email = "email"
    phone = "phone"


def key_of(profile: str, by: Kind, label: str) -> str:
    """
    Return the key of a profile that somebody names.

    Raises:
        typer.BadParameter: It is no such identifier.
    """
    from exchanger.profiles.reading.resolve import canonical_key

    wanted = profile.strip()
    if not wanted:
        raise typer.BadParameter("name the identifier of a profile", param_hint="PROFILE")
    if label and by is not Kind.alias:
        raise typer.BadParameter("only an alias has one: add --by alias", param_hint="--label")
    if (key := canonical_key(by.value, wanted, label.strip())) is None:
        needs = "an alias needs its --label" if by is Kind.alias else f"this is no {by.value}"
        raise typer.BadParameter(needs, param_hint="PROFILE")
    return key


def typed(verb: str, *words: str, connection: str | None = None) -> str:
    """Return a command as a person types it, for the connection that was asked for."""
    of = ["--connection", connection] if connection else []
    return shlex.join(["exchanger", verb, *words, *of])


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
