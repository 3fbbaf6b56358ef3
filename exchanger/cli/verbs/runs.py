"""``exchanger runs``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from exchanger.app.defaults import DEFAULT_CONFIG
from exchanger.cli.options import AsJson, ConfigPath, ConnectionName, Level

_SHOWN = 20


def runs(  # noqa: PLR0913 - one for each option
    job: Annotated[str | None, typer.Argument(metavar="JOB", help="Only this job.")] = None,
    *,
    config: ConfigPath = DEFAULT_CONFIG,
    connection: ConnectionName = None,
    latest: Annotated[
        bool,
        typer.Option(
            "--latest",
            help="Only the last run of each job, and which of its runs wait for a person.",
        ),
    ] = False,
    as_json: AsJson = False,
    log_level: Level = None,
) -> None:
    """
    List what happened, newest first.

    Example: exchanger runs crm_profiles
    """
    from exchanger.cli.lean import load_arrow

    load_arrow()
    from exchanger.app.listings import newest_first, runs_of
    from exchanger.app.wiring import prepare
    from exchanger.cli.choosing import connections_of, job_of
    from exchanger.cli.exit import end_with

    loaded = prepare(config, log_level, as_json=as_json)
    if job is not None:
        job_of(loaded, job)
    home = loaded.connection_of(job) if job and connection is None else connection
    connections = connections_of(loaded, home)
    listed, faults = runs_of(loaded, connections, job, latest=latest)
    found = newest_first(listed)

    def lines() -> list[str]:
        longest = max(map(len, listed.values()), default=0)
        return _lines(found, longest) if found or not faults else []

    raise typer.Exit(end_with("runs", found, faults, as_json=as_json, describe=lines))


def _lines(found: list[dict[str, Any]], longest: int) -> list[str]:
    from exchanger.app.messages.reports import describe_listing, describe_rest
    from exchanger.jobs.history.runs import LISTED

    limit = LISTED if longest >= LISTED else None
    rest = [describe_rest(len(found) - _SHOWN, limit)] if len(found) > _SHOWN else []
    return [*describe_listing(found[:_SHOWN]), *rest]
