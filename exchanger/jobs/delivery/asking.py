"""
Asks Braze which requests it has taken, of those whose answers were lost (``on_unknown: ask``).

A few requests that are sent one after the other are a group, which is told before they are sent, so
that another process can ask as well. The group ends with the first request that was not accepted as
it is, so as many as Braze has received of it, from the first one on, were taken. That it has not
received one proves nothing: it may be under way, so it is asked again for as long as the grace.
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
    from exchanger.outside.braze.client import Braze
    from exchanger.state.runs.acknowledgements import Acknowledgements, Request

log = structlog.get_logger()

_AT_ONCE = 20
"""Questions that are under way together."""


def ask_for_doubtful(context: JobContext, outbox: FrameFile, acks: Acknowledgements) -> list[Note]:
    """
    Keep what Braze has taken as accepted, of objects in doubt whose job lets it be asked.

    Args:
        context: The outside.
        outbox: The run's outbox.
        acks: Its acknowledgements, which are complete but for this.

    Returns:
        A note of what counts as accepted on its word, and one if Braze does not tell.

    Raises:
        Stopped: The process was asked to stop; the next one goes on asking.
    """
    doubtful = _doubtful(acks)
    if doubtful.is_empty() or not _is_asked(outbox):
        return []
    asked = _Questions(context, acks.requests(doubtful), doubtful)
    until = context.clock.monotonic() + context.grace
    objects = 0
    while asked.open:
        taken = asyncio.run(asked.taken())
        acks.write(taken, [])
        objects += taken.len()
        left = until - context.clock.monotonic()
        log.info("delivery.asked", taken=taken.len(), waiting=len(asked.open))
        if not asked.open or left <= 0:
            break
        context.pause(min(ASKED_EVERY, left))
    told = [noted("doubt_told", objects=objects)] if objects else []
    return [*told, *([noted("doubt_not_told")] if asked.refused else [])]


def _doubtful(acks: Acknowledgements) -> pl.Series:
    others = acks.read(acks.parts()).others
    return others.filter(pl.col("reason") == IN_DOUBT)[ITEM]


def _is_asked(outbox: FrameFile) -> bool:
    first = next(outbox.frames([ENDPOINT], rows=1))
    return endpoint_named(first[ENDPOINT][0]).asked


class _Questions:
    """
    What Braze is asked, and what it has said so far.

    Args:
        context: The outside.
        rows: Requests that were sent one after the other.
        doubtful: Items of which it is asked.
    """

    def __init__(
        self, context: JobContext, rows: Sequence[Sequence[Request]], doubtful: pl.Series
    ) -> None:
        self._context = context
        self._doubtful = doubtful
        self._told = True
        self.open = [row for row in rows if self._is_open(row)]
        """Rows of requests of which more may be told."""
        self.refused = not self.open
        """Whether Braze takes no question, or did not take some; what it said to others counts."""

    async def taken(self) -> pl.Series:
        """Ask once for all that is open, and return the items in doubt that Braze has taken."""
        few = asyncio.Semaphore(_AT_ONCE)
        async with self._context.braze() as braze:
            answers = await asyncio.gather(*(self._ask_row(braze, few, row) for row in self.open))
        found = [self._items_of(request) for taken, _ in answers for request in taken]
        taken = pl.concat([self._doubtful.clear(), *found])
        self._doubtful = self._doubtful.filter(~self._doubtful.is_in(taken.implode()))
        self.open = [
            row
            for row, (_, told) in zip(self.open, answers, strict=True)
            if told and self._told and self._is_open(row)
        ]
        return taken

    async def _ask_row(
        self, braze: Braze, few: asyncio.Semaphore, row: Sequence[Request]
    ) -> tuple[list[Request], bool]:
        """Return which requests of a row were taken, and whether Braze takes the questions."""
        taken: list[Request] = []
        at = 0
        while self._is_open(row[at:]):
            async with few:
                received = await self._ask(braze, row[at][0])
            if received is None:
                return taken, False
            taken += row[at : at + received]
            # The one after these was not accepted as it is, and ends their group; or it begins one.
            at += max(received, 1)
        return taken, True

    async def _ask(self, braze: Braze, group: str) -> int | None:
        """Ask how many requests of a group were taken; None if Braze does not take the question."""
        if not self._told:
            return None
        try:
            return await braze.received(group)
        except (BrazeForbidden, BrazeRefused) as error:
            self.refused = True
            self._told &= not isinstance(error, BrazeForbidden)
            return None
        except BrazeError as error:
            log.info("delivery.not_told", error=str(error))
            return 0

    def _is_open(self, requests: Sequence[Request]) -> bool:
        return any(self._items_of(request).len() for request in requests)

    def _items_of(self, request: Request) -> pl.Series:
        _, first, last = request
        return self._doubtful.filter(self._doubtful.is_between(first, last))
