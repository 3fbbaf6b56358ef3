"""Asks Braze who has an identifier, and what else names them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import polars as pl

from exchanger.errors import Stopped
from exchanger.jobs.observing.left_out import LookUp
from exchanger.jobs.observing.lookup import AT_ONCE, requests_for
from exchanger.jobs.runtime.cancellation import together, until_stopped
from exchanger.objects.people.calls import SEEN
from exchanger.profiles.spelling.profile_key import keys_of_user, other_keys_of_user

if TYPE_CHECKING:
    from exchanger.jobs.runtime.context import JobContext

_ASKED = ("braze_id", "user_aliases", "email", "phone")


def who_is_there(context: JobContext, keys: pl.Series) -> pl.DataFrame:
    """
    Ask who has identifiers.

    Args:
        context: The outside.
        keys: Of profiles; nulls are left out.

    Returns:
        As ``SEEN``: a row for each key, of which the lists are empty where nobody has it.

    Raises:
        BrazeError: Braze gave no usable answer.
        Stopped: The process was asked to stop.
    """
    named = keys.drop_nulls().unique().sort()
    if named.is_empty():
        return pl.DataFrame(schema=SEEN)
    context.progress.step("looking up profiles in Braze", named.len())
    return asyncio.run(_ask(context, named))


async def _ask(context: JobContext, keys: pl.Series) -> pl.DataFrame:
    gate = asyncio.Semaphore(AT_ONCE)
    async with context.braze() as braze:
        asking = LookUp(braze, [], exported=_ASKED)

        async def ask(asked: list[str]) -> list[dict[str, Any]]:
            async with gate:
                users = await asking.users(asked)
            context.progress.advance(len(asked))
            return [_row(key, users.get(key, [])) for key in asked]

        everything = together(map(ask, requests_for(keys)))
        if not await until_stopped(everything, context.stopping):
            raise Stopped
        rows = [row for some in everything.result() for row in some]
    return pl.DataFrame(rows, schema=SEEN)


def _row(key: str, users: list[dict[str, Any]]) -> dict[str, Any]:
    by_id = sorted(users, key=lambda user: str(user.get("braze_id")))
    named = [(str(user.get("braze_id")), user.get("external_id"), user) for user in by_id]
    aliases = {key for _, own, user in named for key in keys_of_user(user) if key != own}
    return {
        "key": key,
        "ids": [braze_id for braze_id, _, _ in named],
        "whos": [external_id for _, external_id, _ in named],
        "aliases": sorted(aliases),
        "names": sorted(aliases.union(*map(other_keys_of_user, by_id))),
    }
