"""
Asks Braze which requests it has taken, of those whose answers were lost (``on_unknown: ask``).

Each of them carries a ``group_id`` of its own, which is told before it is sent, so that another
process can ask as well. That Braze knows of a request proves that it was taken. That it does not
proves nothing: it may be under way, so it is asked again for as long as the grace.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import polars as pl
import structlog

from exchanger.braze.endpoints import endpoint_named
from exchanger.errors import BrazeError, BrazeForbidden, BrazeRefused
from exchanger.jobs.history.shown import ASKED_EVERY
from exchanger.notes import Note, noted
from exchanger.profiles.frames.columns import ENDPOINT, ITEM
from exchanger.state.runs.acknowledgements import IN_DOUBT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchanger.files.scratch.frame_file import FrameFile
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.state.runs.acknowledgements import Acknowledgements

log = structlog.get_logger()

_AT_ONCE = 20
"""Questions that are under way together."""
_Request = tuple[str, int, int]


def ask_for_doubtful(context: JobContext, outbox: FrameFile, acks: Acknowledgements) -> list[Note]:
    """
    Keep what Braze has taken as accepted, of objects in doubt whose job lets it be asked.

    Args:
        context: The outside.
        outbox: The run's outbox.
        acks: Its acknowledgements, which are complete but for this.

    Returns:
        A note if Braze does not tell.

    Raises:
        Stopped: The process was asked to stop; the next one goes on asking.
    """
    doubtful = _doubtful(acks)
    if doubtful.is_empty() or not _is_asked(outbox):
        return []
    waiting = [one for one in acks.requests() if _items_of(one, doubtful).len()]
    until = context.clock.monotonic() + context.grace
    while waiting:
        try:
            taken = asyncio.run(_taken(context, waiting))
        except (BrazeForbidden, BrazeRefused):
            break
        for one in taken:
            acks.write(_items_of(one, doubtful), [])
        waiting = [one for one in waiting if one not in taken]
        left = until - context.clock.monotonic()
        log.info("delivery.asked", taken=len(taken), waiting=len(waiting))
        if not waiting or left <= 0:
            return []
        context.pause(min(ASKED_EVERY, left))
    return [noted("doubt_not_told")]


def _doubtful(acks: Acknowledgements) -> pl.Series:
    others = acks.read(acks.parts()).others
    return others.filter(pl.col("reason") == IN_DOUBT)[ITEM]


def _is_asked(outbox: FrameFile) -> bool:
    first = next(outbox.frames([ENDPOINT], rows=1))
    return endpoint_named(first[ENDPOINT][0]).asked


def _items_of(request: _Request, items: pl.Series) -> pl.Series:
    _, first, last = request
    return items.filter((items >= first) & (items <= last))


async def _taken(context: JobContext, requests: Sequence[_Request]) -> list[_Request]:
    """
    Ask for each of some requests, and return those that Braze has taken.

    Raises:
        BrazeForbidden: It does not tell.
        BrazeRefused: It does not take the question.
    """
    async with context.braze() as braze:
        few = asyncio.Semaphore(_AT_ONCE)

        async def ask(request: _Request) -> bool:
            async with few:
                try:
                    return await braze.received(request[0]) > 0
                except (BrazeForbidden, BrazeRefused):
                    raise
                except BrazeError as error:
                    log.info("delivery.not_told", error=str(error))
                    return False

        answers = await asyncio.gather(*map(ask, requests))
    return [request for request, taken in zip(requests, answers, strict=True) if taken]
