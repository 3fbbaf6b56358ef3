"""
Sends the outbox of one run, and keeps what Braze said of each object.

Attributes carry absolute values (law 1), so whatever has no acknowledgement is simply sent again. A
run has one object per profile, so no two objects of a profile are ever in flight. Of endpoints that
are not idempotent, what an earlier process has begun and nobody answered is in doubt instead.
"""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl
import structlog
from propcache.api import cached_property

from exchanger.braze.endpoints import ATTRIBUTES, endpoint_named
from exchanger.errors import BrazeError
from exchanger.files.scratch.budget import MemoryBudget
from exchanger.jobs.delivery.bisection import Bisection
from exchanger.jobs.delivery.in_flight import InFlight
from exchanger.jobs.runtime.cancellation import until_stopped
from exchanger.outside.braze.rate_limit import LEAST_IN_FLIGHT, MOST_IN_FLIGHT
from exchanger.profiles.frames.columns import ENDPOINT, ITEM, OBJECT, POINTS
from exchanger.profiles.planning.payloads import Batch, Packed, bodies
from exchanger.state.runs.acknowledgements import IN_DOUBT, SendCounts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from exchanger.braze.endpoints import Endpoint
    from exchanger.files.scratch.frame_file import FrameFile
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.outside.braze.client import Braze
    from exchanger.state.runs.acknowledgements import Acknowledgements, Refusal

log = structlog.get_logger()

WINDOW = 15_000
"""Objects between a mark that they are begun and a write of their acknowledgements."""
WINDOW_SIZE = 32 << 20
"""Bytes of their rows: of long objects fewer are taken, as three windows are in memory, each more
than once."""
OPEN = 2
"""Windows under way at once, so that sending does not wait for S3: these are what a crash sends
again at most."""
_TURN = "@turn"
TOGETHER = 4
"""
Requests of which Braze is asked together, where it is asked for what is in doubt. They are sent one
after the other, so that their number tells which were taken; more would leave the rate unused.
"""
TOO_LARGE = "The object is larger than a request to Braze may be (4 MB)."


@dataclass(frozen=True)
class Delivery:
    """
    How far a delivery came.

    Args:
        sent: What this process sent.
        complete: Every object is acknowledged; otherwise the process was asked to stop.
        group: The ``group_id`` of all its requests; empty if Braze does not track them all.
        taken: How many requests Braze may count as received, at most.
    """

    sent: SendCounts
    complete: bool
    group: str = ""
    taken: int = 0

    @property
    def requests(self) -> int:
        """How many requests this process sent, every attempt counted."""
        return self.sent.requests


async def deliver(  # noqa: PLR0913 - what is sent, and as what
    context: JobContext,
    outbox: FrameFile,
    acks: Acknowledgements,
    confirm: Callable[[], None],
    group: str = "",
    *,
    first: int | None = None,
) -> Delivery:
    """
    Send what is not yet acknowledged.

    Args:
        context: The outside.
        outbox: ``@item``, ``@endpoint``, ``@object`` and ``@points`` at least.
        acks: Where outcomes are kept, a part for every window.
        confirm: Called before every window; raises if the run is no longer ours to deliver.
        group: The ``group_id`` of its requests, if they are to have one.
        first: So many of the first objects alone; all if None.

    Raises:
        BrazeError: Braze refused the key, or gave no usable answer after all retries. What was
            acknowledged until then is kept.
        LeaseLost: Another process may be sending.
    """
    done = acks.known_before()
    earlier = acks.sent()
    context.progress.step("sending to Braze", outbox.rows)
    context.progress.advance(done.len())
    async with context.braze() as braze:
        sending = _Sending(context, braze, acks)
        acks.sent = lambda: earlier.and_also(sending.again._replace(requests=braze.requests))
        braze.permit = context.may_send
        sending.asks = bool(group)
        # Where each request is asked for by itself, none is counted in another group.
        asked = any(endpoint_named(name).asked for name in _endpoints(outbox))
        braze.group = "" if asked else group
        requests = -(-(outbox.rows - done.len()) // context.batch_size)
        braze.expect(requests)
        complete = await sending.send(_not_in(done, outbox, first), confirm, requests)
        tracked = braze.group  # Nothing any more if Braze had trouble with it.
        return Delivery(acks.sent(), complete, tracked, braze.taken_at_most if tracked else 0)


async def send_again(context: JobContext, rows: pl.DataFrame) -> int:
    """
    Send objects whose acknowledgements are kept already, where that is safe.

    Returns:
        How many requests that took.

    Raises:
        BrazeError: As for *deliver*.
        LeaseLost: As for *deliver*.
    """
    async with context.braze() as braze:
        braze.permit = context.may_send
        for name, some in rows.group_by(ENDPOINT, maintain_order=True):
            endpoint = endpoint_named(str(name[0]))
            if not endpoint.idempotent:
                continue
            sending = Bisection(braze, some[OBJECT], endpoint)
            for batch in bodies(some[OBJECT], context.batch_size, endpoint).batches:
                await sending.send(batch.positions, batch.body)
        return braze.requests


def _endpoints(outbox: FrameFile) -> list[str]:
    """Name where the first objects go; all of an outbox are dealt with alike."""
    first = next(outbox.frames([ENDPOINT], rows=1), None)
    return [] if first is None else first[ENDPOINT].unique().to_list()


def _not_in(done: pl.Series, outbox: FrameFile, first: int | None) -> Iterator[pl.DataFrame]:
    """Read the outbox, or so much of its beginning, in windows without the items that are done."""
    most = MemoryBudget(rows=WINDOW, size=WINDOW_SIZE).rows_of(1, outbox.row_size)
    for rows in outbox.frames([ITEM, ENDPOINT, OBJECT, POINTS], rows=most):
        left = rows if done.is_empty() else rows.filter(~rows[ITEM].is_in(done.implode()))
        left = left if first is None else left.filter(pl.col(ITEM) < first)
        if left.height:
            # A request goes to one endpoint, and items of a window follow one another.
            turns = left.with_columns(pl.col(ENDPOINT).rle_id().alias(_TURN))
            yield from turns.partition_by(_TURN, maintain_order=True, include_key=False)


class _Sending:
    """
    One delivery under way.

    Windows are begun one after the other and their requests wait in a queue. As many workers take
    them from it as requests should be in flight at the moment, so what is in flight is always part
    of a window that was marked as begun. Once something failed, or the process was asked
    to stop, what waits is taken without being sent, so that every window comes to its end.
    """

    def __init__(self, context: JobContext, braze: Braze, acks: Acknowledgements) -> None:
        self._context = context
        self._braze = braze
        self._acks = acks
        self._waiting: asyncio.Queue[tuple[_Window, Sequence[Batch]] | None] = asyncio.Queue()
        self._room = asyncio.Semaphore(OPEN)
        self._workers = LEAST_IN_FLIGHT
        self._newest = ATTRIBUTES
        """Where the requests of the window go that was begun last."""
        self._in_flight = InFlight(lambda: braze.in_flight(self._newest))
        self._open: list[_Window] = []
        self._failures: list[Exception] = []
        self._acknowledged = 0
        self._complete = True
        self.asks = False
        """Whether Braze can be asked which requests it has taken."""
        self._alone = asyncio.Lock()
        """Held by whoever sends to where one request is sent at a time."""
        self.again = SendCounts()
        """What was sent again because answers were lost; its requests are not counted here."""

    async def send(
        self, windows: Iterator[pl.DataFrame], confirm: Callable[[], None], requests: int
    ) -> bool:
        """
        Send every window; their acknowledgements are kept even when some request failed.

        Args:
            windows: Rows of the outbox.
            confirm: As for *deliver*.
            requests: About how many there are.

        Returns:
            Whether all was sent and answered.
        """
        self._workers = max(LEAST_IN_FLIGHT, min(requests, MOST_IN_FLIGHT))
        workers = (self._work() for _ in range(self._workers))
        sending = asyncio.gather(self._begin(windows, confirm), *workers)
        ended = await until_stopped(sending, self._context.stopping)
        for cut_off in list(self._open):
            await self._end(cut_off)
        if self._failures:
            first = self._failures[0]
            log.warning("delivery.interrupted", acknowledged=self._acknowledged, error=str(first))
            raise first
        return ended and self._complete

    async def _begin(self, windows: Iterator[pl.DataFrame], confirm: Callable[[], None]) -> None:
        try:
            while (rows := await asyncio.to_thread(next, windows, None)) is not None:
                await self._room.acquire()
                if self._is_ending():
                    self._complete = False
                    break
                await self._add(await asyncio.to_thread(self._begun, rows, confirm))
        except Exception as error:  # noqa: BLE001 - raised once all that is in flight has ended
            self._failures.append(error)
        for _ in range(self._workers):
            self._waiting.put_nowait(None)

    def _begun(self, rows: pl.DataFrame, confirm: Callable[[], None]) -> _Window:
        confirm()
        endpoint = endpoint_named(rows[ENDPOINT][0])
        if not endpoint.idempotent:
            rows = self._without_doubtful(rows)
        packed = bodies(rows[OBJECT], self._context.batch_size, endpoint)
        items, asked = rows[ITEM], self.asks and endpoint.asked
        # Those of one turn are sent one after the other.
        batches, together = packed.batches, TOGETHER if asked else 1
        turns = [batches[at : at + together] for at in range(0, len(batches), together)]
        groups = [[_range_of(items, batch) for batch in turn] for turn in turns if asked]
        number = self._acks.mark_in_flight(items[0], items[-1], groups) if rows.height else 0
        return _Window(number, rows, packed, endpoint, turns)

    @cached_property
    def _begun_before(self) -> pl.Series:
        """The items that earlier processes may have sent; nobody else writes marks by now."""
        return pl.concat([pl.Series(ITEM, [], pl.UInt32), *self._acks.begun().values()])

    def _without_doubtful(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Leave out what an earlier process has begun and nobody answered, and keep it as such."""
        doubtful = rows[ITEM].filter(rows[ITEM].is_in(self._begun_before.implode()))
        self._acks.write(doubtful, [(int(item), IN_DOUBT, True) for item in doubtful])
        return rows.filter(~rows[ITEM].is_in(doubtful.implode()))

    async def _add(self, window: _Window) -> None:
        self._open.append(window)
        self._newest = window.endpoint if window.batches else self._newest
        for turn in window.turns:
            self._waiting.put_nowait((window, turn))
        if not window.batches:
            await self._end(window)

    async def _work(self) -> None:
        await self._in_flight.enter()
        while taken := await self._waiting.get():
            window, batches = taken
            async with self._alone if window.endpoint.alone else nullcontext():
                await self._send_in_turn(window, batches)
            window.left -= 1
            self._in_flight.leave()
            if not window.left:
                await self._end(window)
            await self._in_flight.enter()
        self._in_flight.leave()

    async def _send_in_turn(self, window: _Window, batches: Sequence[Batch]) -> None:
        """
        Send requests one after the other, for as long as nothing failed.

        Where Braze is asked for them, they are one group until one was not accepted as it is: so
        the first ones of a group are those that were taken, as many as Braze has received.
        """
        asked, group = self.asks and window.endpoint.asked, ""
        for batch in batches:
            if self._is_ending():
                return
            try:
                if window.endpoint.alone:
                    await self._braze.name_cohort(window.endpoint)
                if asked and not group:
                    group = self._acks.group(_range_of(window.items, batch)[0])
                as_it_is = await window.send(self._braze, batch, self._sent_again, group)
                group = group if as_it_is else ""
                self._context.progress.advance(batch.count)
            except Exception as error:  # noqa: BLE001 - raised once all others have ended
                self._failures.append(error)

    async def _end(self, window: _Window) -> None:
        self._open.remove(window)
        try:
            acknowledged = await asyncio.to_thread(window.keep, self._acks)
            self._acknowledged += acknowledged
            self._complete &= acknowledged == window.items.len()
        except Exception as error:  # noqa: BLE001 - raised once all that is in flight has ended
            self._failures.append(error)
        self._room.release()

    def _sent_again(self, profiles: int, points: int) -> None:
        self.again = self.again.and_also(SendCounts(0, profiles, points))

    def _is_ending(self) -> bool:
        return bool(self._failures) or self._context.stopping.is_set()


def _range_of(items: pl.Series, batch: Batch) -> tuple[int, int]:
    """Return the first and last item of a request."""
    return int(items[batch.first_item]), int(items[batch.first_item + batch.count - 1])


class _Window:
    """
    Objects between a mark that they are begun and their acknowledgements.

    Args:
        number: Of the mark.
        rows: ``@item``, ``@object`` and ``@points``.
        packed: Requests of all of them.
        endpoint: Where they are sent.
        turns: The requests, those together that are sent one after the other.
    """

    def __init__(
        self,
        number: int,
        rows: pl.DataFrame,
        packed: Packed,
        endpoint: Endpoint,
        turns: Sequence[Sequence[Batch]],
    ) -> None:
        self.endpoint = endpoint
        self.items = rows[ITEM]
        self.batches = packed.batches
        self.turns = turns
        self.left = len(turns)
        """Turns of which not all was sent or dropped yet."""
        self._number = number
        self._objects = rows[OBJECT]
        self._points = rows[POINTS]
        self._too_large = packed.too_large
        self._answered: list[Batch] = []
        self._in_doubt: dict[int, Batch] = {}
        self._refused: list[Refusal] = [(i, TOO_LARGE, False) for i in packed.too_large]

    async def send(
        self, braze: Braze, batch: Batch, told: Callable[[int, int], None], group: str = ""
    ) -> bool:
        """
        Send one request; if that fails its objects are in doubt, unless the error says not so.

        Args:
            braze: The workspace.
            batch: The request.
            told: Called with profiles and data points that were sent again, as answers were lost.
            group: By which Braze can be asked for this request, if it can.

        Returns:
            Whether each of its objects was accepted.
        """

        def again(chosen: range | list[int], times: int) -> None:
            if times > 0:
                told(len(chosen), times * int(self._points.gather(list(chosen)).sum()))

        self._in_doubt[batch.first_item] = batch
        try:
            sending = Bisection(braze, self._objects, self.endpoint, again)
            refused = await sending.send(batch.positions, batch.body, group)
        except BrazeError as error:
            if not error.uncertain:
                del self._in_doubt[batch.first_item]
            raise
        del self._in_doubt[batch.first_item]
        self._answered.append(batch)
        self._refused += refused
        return not refused

    def keep(self, acks: Acknowledgements) -> int:
        """
        Write what was answered; and of which objects nobody knows the outcome, if it is not all.

        Returns:
            How many objects were answered.
        """
        items = self.items
        whole = len(self._answered) == len(self.batches)
        if not whole:
            items = pl.concat([items.gather(self._too_large), *map(self._items_of, self._answered)])
        named = [(int(self.items[i]), reason, doubtful) for i, reason, doubtful in self._refused]
        acks.write(items, named)
        if not whole:
            in_doubt = pl.concat(
                [self.items.clear(), *map(self._items_of, self._in_doubt.values())]
            )
            acks.narrow(self._number, self.items[0], self.items[-1], in_doubt.to_list())
        return items.len()

    def _items_of(self, batch: Batch) -> pl.Series:
        return self.items.slice(batch.first_item, batch.count)
