"""``exchanger segments``."""

from __future__ import annotations

from collections.abc import Iterator

import typer

from exchanger.app.defaults import DEFAULT_CONFIG
from exchanger.cli.options import AsJson, ConfigPath, ConnectionName, Level


def segments(
    *,
    config: ConfigPath = DEFAULT_CONFIG,
    connection: ConnectionName = None,
    as_json: AsJson = False,
    log_level: Level = None,
) -> None:
    """
    List Braze's segments, with the names and ids that an export can use.

    Example: exchanger segments
    """
    from exchanger.app.listings import segments_of
    from exchanger.app.wiring import prepare
    from exchanger.cli.choosing import connections_of
    from exchanger.cli.exit import end_with

    loaded = prepare(config, log_level, as_json=as_json)
    found, faults = segments_of(loaded, connections_of(loaded, connection))

    def lines() -> Iterator[str]:
        for segment in found:
            tags = f"  [{', '.join(segment['tags'])}]" if segment["tags"] else ""
            yield f"{segment['id']}  {segment['name']}{tags}"
        if not found and not faults:
            yield "Braze has no segments."

    raise typer.Exit(end_with("segments", found, faults, as_json=as_json, describe=lines))
