"""``exchanger segments``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from exchanger.app.defaults import DEFAULT_CONFIG
from exchanger.cli.options import AsJson, ConfigPath, ConnectionName, Level

if TYPE_CHECKING:
    from exchanger.jobs.runtime.context import JobContext


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
    import asyncio

    from exchanger.app.wiring import prepare
    from exchanger.cli.asking import ask_each, end_with
    from exchanger.cli.choosing import connections_of

    loaded = prepare(config, log_level, as_json=as_json)
    listed, faults = ask_each(
        loaded, connections_of(loaded, connection), lambda world: asyncio.run(_segments(world))
    )
    found = [segment for segments in listed.values() for segment in segments]

    def show() -> None:
        for segment in found:
            tags = f"  [{', '.join(segment['tags'])}]" if segment["tags"] else ""
            typer.echo(f"{segment['id']}  {segment['name']}{tags}")
        if not found and not faults:
            typer.echo("Braze has no segments.")

    raise typer.Exit(end_with("segments", found, faults, as_json=as_json, show=show))


async def _segments(world: JobContext) -> list[dict[str, Any]]:
    async with world.braze() as braze:
        listed = await braze.segments()
    return [
        {
            "connection": world.connection,
            "id": segment.id,
            "name": segment.name,
            "tags": list(segment.tags),
        }
        for segment in listed
    ]
