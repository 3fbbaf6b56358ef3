"""``exchanger runs``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from exchanger.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, Level

_SHOWN = 20


def runs(
    job: Annotated[str | None, typer.Argument(metavar="[JOB]", help="Only this job.")] = None,
    *,
    config: ConfigPath = DEFAULT_CONFIG,
    latest: Annotated[
        bool, typer.Option("--latest", help="Only the last run of each job.")
    ] = False,
    as_json: AsJson = False,
    log_level: Level = None,
) -> None:
    """
    List what happened, newest first.

    Example: exchanger runs crm_profiles
    """
    from exchanger.cli.ending import print_json
    from exchanger.cli.reports import describe_listing, describe_rest
    from exchanger.cli.wiring import job_of, open_world, prepare

    loaded = prepare(config, log_level, as_json=as_json)
    if job is not None:
        job_of(loaded, job)
    from exchanger.jobs.history import LISTED, list_runs

    connections = [loaded.connection_of(job)] if job else list(loaded.connections)
    found: list[dict[str, Any]] = []
    longest = 0
    for connection in connections:
        with open_world(loaded, connection) as world:
            listed = list_runs(world, job, latest=latest)
        longest = max(longest, len(listed))
        # Each connection counts its runs from 1.
        of = {"connection": connection} if len(loaded.connections) > 1 else {}
        found += [{**run, **of} for run in listed]
    found.sort(key=lambda run: str(run.get("started_at") or ""), reverse=True)
    if as_json:
        print_json(found)
        return
    for line in describe_listing(found[:_SHOWN]):
        typer.echo(line)
    if len(found) > _SHOWN:
        limit = LISTED if longest >= LISTED else None
        typer.echo(describe_rest(len(found) - _SHOWN, limit))
