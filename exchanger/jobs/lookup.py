"""Asks Braze for what is not known of some profiles, before a strategy needs it (law 10)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import structlog

from exchanger.profiles.columns import PROFILE
from exchanger.profiles.observations import fields_to_export, observed

if TYPE_CHECKING:
    from exchanger.jobs.world import World
    from exchanger.outside.braze import Braze
    from exchanger.state.connection import ConnectionState

log = structlog.get_logger()

PER_REQUEST = 50
"""Identifiers in one request to ``/users/export/ids`` (braze-api.md 5)."""
GRACE = timedelta(minutes=5)
"""After an acknowledgement, how long Braze may still answer with the value before it."""
WORTH_SAYING = 180.0
"""Seconds of look-ups from which a run says so before it starts."""
_AT_ONCE = 8


@dataclass(frozen=True)
class LookupCost:
    """What look-ups of so many profiles take at the documented rate."""

    profiles: int
    seconds: float


def lookup_cost(profiles: int, requests: int, per: timedelta) -> LookupCost:
    """Tell how long looking up so many profiles takes at a limit of *requests* in *per*."""
    needed = -(-profiles // PER_REQUEST)
    return LookupCost(profiles, max(needed - requests, 0) / requests * per.total_seconds())


def look_up(world: World, needed: pl.DataFrame) -> pl.DataFrame:
    """
    Ask Braze for fields of profiles.

    Args:
        world: The outside.
        needed: ``@profile`` and ``field``, one row per unknown field.

    Returns:
        ``@profile``, ``@exists`` and one canonical String column for each field named anywhere in
        *needed*; a profile that Braze does not know has every field known empty.

    Raises:
        BrazeError: Braze gave no usable answer.
    """
    profiles = needed[PROFILE].unique().sort()
    fields = needed["field"].unique().sort().to_list()
    world.progress.step("looking up profiles in Braze", profiles.len())
    return asyncio.run(_ask(world, profiles, fields))


async def _ask(world: World, profiles: pl.Series, fields: list[str]) -> pl.DataFrame:
    gate = asyncio.Semaphore(_AT_ONCE)
    async with world.braze() as braze:
        chunks = [profiles.slice(at, PER_REQUEST) for at in range(0, profiles.len(), PER_REQUEST)]
        frames = await asyncio.gather(
            *(_ask_chunk(world, braze, gate, chunk.to_list(), fields) for chunk in chunks)
        )
    log.info("lookup.finished", profiles=profiles.len(), fields=len(fields))
    return pl.concat(frames)


async def _ask_chunk(
    world: World, braze: Braze, gate: asyncio.Semaphore, asked: list[str], fields: list[str]
) -> pl.DataFrame:
    async with gate:
        answer = await braze.export_ids(asked, fields_to_export(fields))
    world.progress.advance(len(asked))
    return observed(answer.users, asked, fields)


def record_observations(
    state: ConnectionState, seen: pl.DataFrame, asked_at: datetime
) -> None:
    """
    Keep what was looked up, with the stamp it deserves.

    The stamp is the last settled run, unless its last acknowledgement is so recent that Braze may
    not show it yet: then it is the run before.
    """
    newest = state.runs.newest()
    stamp = 0
    if newest is not None:
        acked = newest.document.acked_at
        fresh = acked and asked_at - datetime.fromisoformat(acked) < GRACE
        stamp = newest.document.seq - (1 if fresh else 0)
    state.held.observe(seen, stamp=stamp, at=asked_at)


def overlay(held: pl.DataFrame, seen: pl.DataFrame) -> pl.DataFrame:
    """
    Fill what is unknown in *held* with what was seen; what is known stays.

    Both have ``@profile``, ``@exists`` and canonical columns; *seen* may have fewer fields.
    """
    fields = [name for name in seen.columns if name != PROFILE]
    joined = held.join(seen, on=PROFILE, how="full", coalesce=True, suffix="@seen")
    known = [
        pl.when(pl.col(name).cast(pl.String) == "?").then(None).otherwise(pl.col(name))
        for name in fields
    ]
    return joined.with_columns(
        pl.coalesce(value, pl.col(f"{name}@seen")).alias(name)
        for name, value in zip(fields, known, strict=True)
    ).select(held.columns)
