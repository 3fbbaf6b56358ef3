"""
Makes held values of a run while it is being sent; they count when it is settled.

Sending waits for Braze most of the time, and making rows of held values is most of what settling
does. So a thread makes them as acknowledgements come and writes them where nobody reads them.
Settling commits them only if they were made from exactly what the frozen acknowledgements say
(law 4); else, or if anything went wrong, it makes the rows itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl
import structlog

from exchanger.files.scratch.spill import Scratch
from exchanger.jobs.settlement.held_rows import held_of, sent_parts
from exchanger.jobs.settlement.outcomes import OutcomeTally
from exchanger.profiles.frames.columns import ITEM
from exchanger.state.runs.acknowledgements import SCHEMA, Answers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exchanger.files.scratch.frame_file import FrameFile
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.state.runs.acknowledgements import Acknowledgements
    from exchanger.state.runs.log import RunDocument
    from exchanger.state.store import ConnectionState

log = structlog.get_logger()

_NO_ITEM = 2**32 - 1
"""Beyond all items of any run."""


@contextmanager
def staging_held_rows(
    context: JobContext,
    state: ConnectionState,
    run: RunDocument,
    outbox: FrameFile,
    acks: Acknowledgements,
) -> Iterator[EarlyHeldRows | None]:
    """
    Build held values as long as the context is open; what is not recorded by then is dropped.

    Args:
        context: The outside.
        state: Where they are to be held.
        run: The run, of which nothing was sent so far.
        outbox: Its outbox.
        acks: Those that this process is going to write.

    Yields:
        None if that is not worth a thread, or if somebody else has begun to send the run.
    """
    small = outbox.rows < context.ahead_from
    if run.resumed or not run.kind.holds_values or small or len(run.catalogs) > 1:
        yield None
        return
    ahead = EarlyHeldRows(context, state, run, outbox)
    acks.kept = ahead.take
    try:
        yield ahead
    finally:
        ahead.end()


class EarlyHeldRows:
    """
    Held values in the making, in a thread of their own.

    Args:
        context: The outside.
        state: Where they are to be held.
        run: The run.
        outbox: Its outbox.
    """

    def __init__(
        self, context: JobContext, state: ConnectionState, run: RunDocument, outbox: FrameFile
    ) -> None:
        self._held = state.items(run.catalogs[0]) if run.catalogs else state.held
        self._run = run
        self._outbox = outbox
        self._scratch = Scratch(context.workdir, context.bounds)
        self._rows = self._held.prepare(self._scratch.path, seq=run.seq)
        self._heard = _AckFeed(context.bucket.now)
        self.count: OutcomeTally | None = None
        """What became of the objects, if none was refused; once *agrees* has said so."""
        self._pool = ThreadPoolExecutor(1, "held-ahead")
        self._made = self._pool.submit(copy_context().run, self._work)

    def take(self, ok: pl.Series, others: pl.DataFrame) -> None:
        """Take acknowledgements that the bucket has, from any thread."""
        self._heard.take(ok, others)

    def agrees(self, answers: Answers) -> bool:
        """
        Return whether all was made, and from what the frozen acknowledgements say.

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
        agreed = whole and alike and accepted == answers.ok.len()
        if not agreed:
            log.info("held.made_again", seq=self._run.seq)
        return agreed

    def deliver(self) -> bool:
        """Record what was made to be held, which must agree; False if it could not be."""
        try:
            self._held.deliver_prepared(self._rows)
        except Exception as error:  # noqa: BLE001 - settling goes the other way, and tells of it
            log.warning("held.not_made_ahead", seq=self._run.seq, error=str(error))
            return False
        return True

    def end(self) -> None:
        """Stop, wherever it stands, and drop what was not recorded; never fails."""
        self._heard.stop()
        self._pool.shutdown()
        try:
            self._rows.drop()
        except Exception as error:  # noqa: BLE001 - it is swept one day
            log.warning("held.not_dropped", seq=self._run.seq, error=str(error))

    def _work(self) -> tuple[int, pl.DataFrame]:
        try:
            return self._make()
        finally:
            # Whatever comes from now on is of no use.
            self._heard.stop()

    def _make(self) -> tuple[int, pl.DataFrame]:
        """Build rows as long as answers come; tells how many were ``ok``, and all others."""
        accepted, others = 0, [pl.DataFrame(schema=SCHEMA)]
        count: OutcomeTally | None = OutcomeTally(self._run, self._outbox, self._scratch)
        needed = OutcomeTally.needed(self._outbox)
        for part in sent_parts(self._outbox, self._scratch.bounds, needed):
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


@dataclass(frozen=True)
class _Told:
    """Acknowledgements, and when the bucket had them."""

    at: datetime
    ok: pl.Series
    others: pl.DataFrame

    def __len__(self) -> int:
        return self.ok.len() + self.others.height

    def within(self, first: int, last: int) -> _Told:
        """Choose those of some items that follow one another."""
        ok = self.ok.filter(self.ok.is_between(first, last))
        return _Told(self.at, ok, self.others.filter(pl.col(ITEM).is_between(first, last)))


class _AckFeed:
    """
    Acknowledgements on their way from the threads that keep them to the one that uses them.

    Args:
        now: Tells the time by the clock of the bucket.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._news = threading.Condition()
        self._waiting: list[_Told] = []
        self._ended = self._stopped = False

    def take(self, ok: pl.Series, others: pl.DataFrame) -> None:
        """Add some."""
        with self._news:
            if not self._stopped:
                self._waiting.append(_Told(self._now(), ok, others))
                self._news.notify_all()

    def end(self) -> None:
        """Announce that no more will come."""
        with self._news:
            self._ended = True
            self._news.notify_all()

    def stop(self) -> None:
        """Announce that nobody wants any more."""
        with self._news:
            self._stopped = True
            self._waiting.clear()
            self._news.notify_all()

    def of(self, items: pl.Series) -> tuple[Answers, datetime] | None:
        """
        Wait for the answers to some items, which are forgotten then.

        Args:
            items: In order; those asked for later come after them.

        Returns:
            The answers, and when the last of them came; None if some never will, or need not.
        """
        first, last = items[0], items[-1]
        with self._news:
            while not self._stopped:
                here = [part for told in self._waiting if len(part := told.within(first, last))]
                if sum(map(len, here)) >= items.len():
                    later = (told.within(last + 1, _NO_ITEM) for told in self._waiting)
                    self._waiting = [told for told in later if len(told)]
                    ok = pl.concat(told.ok for told in here)
                    others = pl.concat(told.others for told in here)
                    return Answers(ok, others), max(told.at for told in here)
                if self._ended:
                    break
                self._news.wait()
        return None
