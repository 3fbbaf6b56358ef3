"""``exchanger show``."""

from __future__ import annotations

import typer

from exchanger.app.defaults import DEFAULT_CONFIG
from exchanger.cli.options import AsJson, ConfigPath, ConnectionName, Level, RunName


def show(
    run: RunName,
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
    from exchanger.app.find_run import found_run
    from exchanger.app.messages.reports import describe_report
    from exchanger.app.wiring import prepare
    from exchanger.cli.choosing import connections_of
    from exchanger.cli.exit import end_with

    loaded = prepare(config, log_level, as_json=as_json)
    found = found_run(loaded, connections_of(loaded, connection), run)

    def lines() -> list[str]:
        if found.report is None:
            return []
        return describe_report(found.report, loaded.connections[found.connection].s3.bucket)

    code = end_with("run", found.report, found.faults, as_json=as_json, describe=lines)
    raise typer.Exit(code)
