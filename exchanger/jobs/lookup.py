"""Asks Braze for what is not known of some profiles, before a strategy needs it (law 10)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl
import structlog

from exchanger.errors import Stopped
from exchanger.jobs.stopping import together, until_stopped
from exchanger.profiles.columns import PROFILE
from exchanger.profiles.observations import fields_to_export, held_form

if TYPE_CHECKING:
    from exchanger.config.models import RateLimit
    from exchanger.jobs.call import ImportCall
    from exchanger.jobs.world import World
    from exchanger.outside.braze import Braze

log = structlog.get_logger()

PER_REQUEST = 50
"""Identifiers in one request to ``/users/export/ids`` (braze-api.md 5)."""
PART = 5_000
"""Profiles whose answers are kept together."""
Keep = Callable[[pl.DataFrame, datetime], None]
WORTH_SAYING = 180.0
"""Seconds of look-ups from which a run says so before it starts."""
_AT_ONCE = 8


def lookup_seconds(profiles: int, limit: RateLimit) -> float:
    """Tell how long looking up so many profiles takes at a limit, whose first window is free."""
    requests = -(-profiles // PER_REQUEST)
    waiting = max(requests - limit.requests, 0)
    return waiting / limit.requests * limit.per.total_seconds()


def say_if_slow(profiles: int, limit: RateLimit) -> list[str]:
    """Warn, before they start, of look-ups that take more than a few minutes."""
    seconds = lookup_seconds(profiles, limit)
    if seconds < WORTH_SAYING:
        return []
    log.warning("lookup.slow", profiles=profiles, minutes=round(seconds / 60))
    said = (
        f"{profiles:,} profiles had to be looked up in Braze first, which takes about "
        f"{seconds / 60:,.0f} minutes at its limit. 'baseline: {{segment: NAME, complete: true}}' "
        "learns them from one export of a segment of everybody instead; if none of them has "
        "values in Braze yet, 'baseline: assume_empty' saves that."
    )
    return [said]


def look_up_and_keep(call: ImportCall, needed: pl.DataFrame) -> pl.DataFrame:
    """
    Ask Braze for fields of profiles, and keep the answer as an observation.

    It is dated by the last run whose values Braze shows at the time of asking.

    Args:
        call: The job; nothing is kept if it may not write.
        needed: As for *look_up*, which also tells what is returned and raised.
    """
    stamp = call.state.runs.settled(call.world.grace)

    def keep(part: pl.DataFrame, asked_at: datetime) -> None:
        call.state.held.observe(part, stamp=stamp, at=asked_at)

    return look_up(call.world, needed, keep if call.record else None)


def wait_until_shown(call: ImportCall, seq: int) -> None:
    """
    Wait until Braze shows what a run has sent; run 0 has sent nothing.

    Raises:
        Stopped: The process was asked to stop.
    """
    if seq:
        # S3 tells times in whole seconds.
        call.world.pause(call.world.grace + 1 - call.state.runs.age(seq))


def look_up(world: World, needed: pl.DataFrame, keep: Keep | None = None) -> pl.DataFrame:
    """
    Ask Braze for fields of profiles.

    Args:
        world: The outside.
        needed: ``@profile`` and ``field``, one row per unknown field.
        keep: Given each part of the answer, and when it was asked for, as soon as it is there: at
            Braze's rate a large look-up takes hours, and a stop should not lose them.

    Returns:
        ``@profile``, ``@exists`` and one canonical String column for each field named anywhere in
        *needed*; a profile that Braze does not know has every field known empty.

    Raises:
        BrazeError: Braze gave no usable answer.
        Stopped: The process was asked to stop.
    """
    frames: list[pl.DataFrame] = []

    def pass_on(part: pl.DataFrame, asked_at: datetime) -> None:
        frames.append(part)
        if keep is not None:
            keep(part, asked_at)

    profiles = needed[PROFILE].unique().sort()
    look_up_parts(world, profiles, needed["field"].unique().sort().to_list(), pass_on)
    return pl.concat(frames)


def look_up_parts(world: World, profiles: pl.Series, fields: list[str], keep: Keep) -> None:
    """
    Ask Braze for fields of any number of profiles; the answers are not gathered.

    Args:
        world: The outside.
        profiles: Identifiers, each once.
        fields: Attributes.
        keep: As for *look_up*.

    Raises:
        BrazeError: As for *look_up*.
        Stopped: As for *look_up*.
    """
    world.progress.step("looking up profiles in Braze", profiles.len())
    asyncio.run(_ask(world, profiles, fields, keep))


async def _ask(world: World, profiles: pl.Series, fields: list[str], keep: Keep) -> None:
    async with world.braze() as braze:
        for at in range(0, profiles.len(), PART):
            asked_at = world.clock.now()
            part = await _ask_part(world, braze, profiles.slice(at, PART), fields)
            await asyncio.to_thread(keep, part, asked_at)
    log.info("lookup.finished", profiles=profiles.len(), fields=len(fields))


async def _ask_part(
    world: World, braze: Braze, profiles: pl.Series, fields: list[str]
) -> pl.DataFrame:
    gate = asyncio.Semaphore(_AT_ONCE)
    chunks = [profiles.slice(at, PER_REQUEST) for at in range(0, profiles.len(), PER_REQUEST)]
    asking = together(_ask_chunk(world, braze, gate, chunk.to_list(), fields) for chunk in chunks)
    if not await until_stopped(asking, world.stopping):
        raise Stopped
    return pl.concat(asking.result())


async def _ask_chunk(
    world: World, braze: Braze, gate: asyncio.Semaphore, asked: list[str], fields: list[str]
) -> pl.DataFrame:
    wanted = fields_to_export(fields)
    async with gate:
        answer = await braze.export_ids(asked, wanted)
        users = {user.get("external_id"): user for user in answer.users}
        strangers = users.keys() - set(asked)
        silent = [profile for profile in asked if profile not in users]
        if strangers:
            # A renamed profile answers to its old identifier with its new one (braze-api.md 9.6):
            # asked for alone, there is no doubt who it is.
            for profile in silent:
                alone = (await braze.export_ids([profile], wanted)).users
                if alone:
                    users[profile] = alone[0] | {"external_id": profile}
    world.progress.advance(len(asked))
    # Whom a readable answer does not mention has no profile: Braze need not list unknown ids.
    found = [users[profile] for profile in asked if profile in users]
    absent = [profile for profile in asked if profile not in users]
    return held_form(found, absent, fields)


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
