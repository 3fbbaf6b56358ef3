"""
Makes the held values of a run while it is being sent; they count when the run is settled.

Sending waits for Braze most of the time, and making rows of held values is most of what settling
does. So a thread makes them as acknowledgements come and writes them where nobody reads them.
Settling commits them only if they were made from exactly what the frozen acknowledgements say
(law 4); else, or if anything went wrong, it makes the rows itself.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from typing import TYPE_CHECKING

import polars as pl
import structlog

from exchanger.files.spill import Shelf
from exchanger.jobs.acknowledgements import SCHEMA, Answers
from exchanger.jobs.held_parts import held_of, sent_parts
from exchanger.jobs.results import Count
from exchanger.profiles.columns import ITEM

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from exchanger.files.frame_file import FrameFile
    from exchanger.jobs.acknowledgements import Acknowledgements
    from exchanger.jobs.world import World
    from exchanger.outside.clock import Clock
    from exchanger.state.connection import ConnectionState
    from exchanger.state.runs import RunDocument

log = structlog.get_logger()


@contextmanager
def made_ahead(
    world: World,
    state: ConnectionState,
    run: RunDocument,
    outbox: FrameFile,
    acks: Acknowledgements,
) -> Iterator[Ahead | None]:
    """
    Make held values as long as the context is open; what is not recorded by then is dropped.

    Args:
        world: The outside.
        state: Where they are to be held.
        run: The run, of which nothing was sent so far.
        outbox: Its outbox.
        acks: Those that this process is going to write.

    Yields:
        None if that is not worth a thread, or if somebody else has begun to send the run.
    """
    if run.resumed or outbox.rows < world.ahead_from:
        yield None
        return
    ahead = Ahead(world, state, run, outbox)
    acks.kept = ahead.take
    try:
        yield ahead
    finally:
        acks.kept = lambda _: None
        ahead.end()


class Ahead:
    """
    Held values in the making, in a thread of their own.

    Args:
        world: The outside.
        state: Where they are to be held.
        run: The run.
        outbox: Its outbox.
    """

    def __init__(
        self, world: World, state: ConnectionState, run: RunDocument, outbox: FrameFile
    ) -> None:
        self._held = state.held
        self._run = run
        self._outbox = outbox
        self._shelf = Shelf(world.workdir, world.bounds)
        self._rows = state.held.prepare(self._shelf.path, seq=run.seq)
        self._heard = _Heard(world.clock)
        self.count: Count | None = None
        """What became of the objects, if none was refused; once *agrees* has said so."""
        self._pool = ThreadPoolExecutor(1, "ahead")
        self._made = self._pool.submit(copy_context().run, self._make)

    def take(self, acks: pl.DataFrame) -> None:
        """Take acknowledgements that the bucket has, from any thread; ``SCHEMA``."""
        self._heard.take(acks)

    def agrees(self, answers: Answers) -> bool:
        """
        Tell whether all was made, and from what the frozen acknowledgements say.

        Answers name no item twice, and only items that were sent. So where as many items were
        accepted, all others are alike, and no object is without an answer, the same were accepted.
        """
        self._heard.end()
        try:
            accepted, others = self._made.result()
        except Exception as error:  # noqa: BLE001 - whatever failed is done at settling then
            log.warning("held.not_made_ahead", seq=self._run.seq, error=str(error))
            return False
        whole = answers.ok.len() + answers.others.height == self._outbox.rows
        alike = others.sort(ITEM).equals(answers.others.sort(ITEM))
        return whole and alike and accepted == answers.ok.len()

    def deliver(self) -> bool:
        """Record what was made, which must agree; False if it could not be."""
        try:
            self._held.deliver_prepared(self._rows)
        except Exception as error:  # noqa: BLE001 - settling goes the other way, and tells of it
            log.warning("held.not_made_ahead", seq=self._run.seq, error=str(error))
            return False
        return True

    def end(self) -> None:
        """Stop, wherever it stands, and drop what was not recorded; never fails."""
        self._heard.end()
        self._pool.shutdown()
        try:
            self._rows.drop()
        except Exception as error:  # noqa: BLE001 - it is swept one day
            log.warning("held.not_dropped", seq=self._run.seq, error=str(error))

    def _make(self) -> tuple[int, pl.DataFrame]:
        """Make rows as long as answers come; tells how many were ``ok``, and all others."""
        accepted, others = 0, [pl.DataFrame(schema=SCHEMA)]
        count: Count | None = Count(self._run, self._outbox, self._shelf)
        for part in sent_parts(self._outbox, self._shelf.bounds, Count.needed(self._outbox)):
            heard = self._heard.of(part[ITEM])
            if heard is None:
                break
            answers, at = heard
            answered = answers.beside(part)
            # Of what was refused all columns would be needed.
            count = None if answers.others.height else count
            if count is not None:
                count.add(answered)
            self._rows.add(held_of(self._run, answered), at=at)
            accepted += answers.ok.len()
            others.append(answers.others)
        self.count = count
        return accepted, pl.concat(others)


class _Heard:
    """
    Acknowledgements on their way from the threads that keep them to the one that uses them.

    Args:
        clock: Time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._news = threading.Condition()
        self._waiting: list[tuple[datetime, pl.DataFrame]] = []
        self._ended = False

    def take(self, acks: pl.DataFrame) -> None:
        """Add some."""
        with self._news:
            self._waiting.append((self._clock.now(), acks))
            self._news.notify_all()

    def end(self) -> None:
        """Say that no more will come."""
        with self._news:
            self._ended = True
            self._news.notify_all()

    def of(self, items: pl.Series) -> tuple[Answers, datetime] | None:
        """
        Wait for the answers to some items, which are forgotten then.

        Args:
            items: In order; those asked for later come after them.

        Returns:
            The answers, and when the last of them came; None if some never will.
        """
        first, last = items[0], items[-1]
        asked = pl.col(ITEM).is_between(first, last)
        with self._news:
            while True:
                here = [(at, acks.filter(asked)) for at, acks in self._waiting]
                here = [(at, acks) for at, acks in here if acks.height]
                if sum(acks.height for _, acks in here) >= items.len():
                    break
                if self._ended:
                    return None
                self._news.wait()
            later = [(at, acks.filter(pl.col(ITEM) > last)) for at, acks in self._waiting]
            self._waiting = [(at, acks) for at, acks in later if acks.height]
        acks = pl.concat(acks for _, acks in here)
        accepted = acks["outcome"] == "ok"
        answers = Answers(acks[ITEM].filter(accepted), acks.filter(~accepted))
        return answers, max(at for at, _ in here)
