"""What several connections list: their runs, and Braze's segments."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from exchanger.app.asking import Fault, ask_each
from exchanger.jobs.history.runs import list_runs

if TYPE_CHECKING:
    from exchanger.config.models import Config
    from exchanger.jobs.runtime.context import JobContext

Entries = list[dict[str, Any]]


def runs_of(
    config: Config, connections: list[str], job: str | None, *, latest: bool
) -> tuple[dict[str, Entries], list[Fault]]:
    """
    List what happened on each connection, newest first.

    Args:
        config: The configuration.
        connections: Whom to ask.
        job: Only runs of this job.
        latest: Only the last run of each job.

    Returns:
        Reports by connection, which each of them names if there are several connections; and the
        connections that did not answer.
    """
    listed, faults = ask_each(config, connections, lambda it: list_runs(it, job, latest=latest))
    # Each connection counts its runs from 1.
    several = len(config.connections) > 1
    return {
        name: [{**run, **({"connection": name} if several else {})} for run in reports]
        for name, reports in listed.items()
    }, faults


def newest_first(listed: dict[str, Entries]) -> Entries:
    """Join the runs of all connections."""
    found = [run for reports in listed.values() for run in reports]
    return sorted(found, key=lambda run: str(run.get("started_at") or ""), reverse=True)


def segments_of(config: Config, connections: list[str]) -> tuple[Entries, list[Fault]]:
    """List Braze's segments, and the connections that did not answer."""
    listed, faults = ask_each(config, connections, lambda world: asyncio.run(_segments(world)))
    return [segment for segments in listed.values() for segment in segments], faults


async def _segments(world: JobContext) -> Entries:
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
