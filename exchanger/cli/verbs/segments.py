"""``exchanger segments``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from exchanger.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, ConnectionName, Level

if TYPE_CHECKING:
    from exchanger.jobs.world import World


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

    from exchanger.cli.ending import print_json
    from exchanger.cli.wiring import connections_of, open_world, prepare

    loaded = prepare(config, log_level, as_json=as_json)
    found: list[dict[str, Any]] = []
    for name in connections_of(loaded, connection):
        with open_world(loaded, name) as world:
            found += asyncio.run(_segments(world))
    if as_json:
        print_json(found)
        return
    for segment in found:
        tags = f"  [{', '.join(segment['tags'])}]" if segment["tags"] else ""
        typer.echo(f"{segment['id']}  {segment['name']}{tags}")
    if not found:
        typer.echo("Braze has no segments.")


async def _segments(world: World) -> list[dict[str, Any]]:
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
