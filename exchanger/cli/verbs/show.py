"""``exchanger show``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from exchanger.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, ConnectionName, Level

if TYPE_CHECKING:
    from exchanger.config.models import Config


def show(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The id or number of a run.")],
    *,
    config: ConfigPath = DEFAULT_CONFIG,
    connection: ConnectionName = None,
    as_json: AsJson = False,
    log_level: Level = None,
) -> None:
    """
    Show one run in full.

    Example: exchanger show 12
    """
    from exchanger.cli.ending import print_json
    from exchanger.cli.reports import describe_report
    from exchanger.cli.wiring import connections_of, prepare

    loaded = prepare(config, log_level, as_json=as_json)
    found, home = _found(loaded, connections_of(loaded, connection), run)
    if as_json:
        print_json(found)
        return
    for line in describe_report(found, loaded.connections[home].s3.bucket):
        typer.echo(line)


def _found(config: Config, connections: list[str], run: str) -> tuple[dict[str, Any], str]:
    """Find a run, and the connection that it belongs to."""
    from exchanger.cli.wiring import open_world
    from exchanger.errors import RunMissing
    from exchanger.jobs.history import show_run

    for connection in connections:
        with open_world(config, connection) as world:
            try:
                return show_run(world, run), connection
            except RunMissing:
                continue  # Numbers and ids belong to one connection; the next may have it.
    raise RunMissing(run)
