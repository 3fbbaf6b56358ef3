"""Windows of a delivery overlap, and each is acknowledged for what was answered in it."""

import asyncio
import gc
import json
import threading
from contextlib import nullcontext
from functools import partial

import orjson
import polars as pl
import pytest
from support.contexts import job_context
from support.machine.bucket_double import BucketDouble, Store
from support.machine.parts import Undisturbed
from support.machine.processes import ProcessClock, Time

from exchanger.errors import BrazeUnreachable, LeaseLost
from exchanger.files.scratch.frame_file import FrameWriter
from exchanger.jobs.delivery import sender as delivery
from exchanger.jobs.runtime.cancellation import until_stopped
from exchanger.outside.braze.answers import TrackAnswer
from exchanger.state.names import StateNames
from exchanger.state.runs.acknowledgements import Acknowledgements

PATIENCE = 20
"""Seconds after which a request that waits for another one waits in vain."""


class Braze:
    """
    Takes requests of two objects; a test says what happens in one of them.

    Args:
        happens: Called with the number of the first object of each request; awaited.
    """

    def __init__(self, happens):
        self.happens = happens
        self.permit = None
        self.arrived = {n: asyncio.Event() for n in range(0, 100, 2)}
        self.answered = []

    @property
    def requests(self):
        return sum(event.is_set() for event in self.arrived.values())

    async def __aenter__(self):
        return self

    async def __aexit__(self, kind, error, trace):
        return None

    def expect(self, requests):
        """Nothing is paced here."""

    def in_flight(self, endpoint):
        return 48

    async def track(self, body, endpoint, group=""):
        items = [int(one["external_id"]) for one in json.loads(body)["attributes"]]
        self.arrived[items[0]].set()
        await self.happens(self, items[0])
        self.answered += items
        return TrackAnswer(accepted=True, refused={})


class Watched(Store):
    """A bucket that remembers in which order acknowledgements and marks were first written."""

    def __init__(self, time, folder):
        super().__init__(time, folder)
        self.order = []

    def put(self, key, body, if_match=None, *, if_none_match=False):
        kind = "begun" if "begun/" in key else "acks"
        self.order += [] if key in self.objects else [kind]
        return super().put(key, body, if_match, if_none_match=if_none_match)


class Delivery:
    """The delivery of some objects, in windows of four."""

    def __init__(self, folder, objects, happens):
        time = Time()
        self.store = Watched(time, folder)
        process = Undisturbed(time)
        bucket = BucketDouble(self.store, process)
        self.braze = Braze(happens)
        self.context = job_context(
            bucket,
            lambda: self.braze,
            folder,
            state_prefix="_state/",
            clock=ProcessClock(process),
            batch_size=2,
            keep=lambda lease, every: nullcontext(),
        )
        writer = FrameWriter(folder / "outbox")
        texts = [f'{{"external_id":"{n}"}}' for n in range(objects)]
        items = pl.int_range(objects, dtype=pl.UInt32, eager=True)
        writer.append(
            pl.DataFrame(
                {
                    "@item": items,
                    "@endpoint": ["attributes"] * objects,
                    "@object": texts,
                    "@points": [2] * objects,
                }
            )
        )
        self.outbox = writer.close()
        self.acks = Acknowledgements(bucket, StateNames("_state/"), 1)

    async def run(self, confirm=lambda: None):
        async with asyncio.timeout(PATIENCE):
            return await delivery.deliver(self.context, self.outbox, self.acks, confirm)

    def acknowledged(self):
        return self.acks.read(self.acks.parts()).items.sort().to_list()

    def marks(self):
        """Give the marks of windows by their first item."""
        found = [orjson.loads(o.body) for k, o in self.store.objects.items() if "begun/" in k]
        return {mark["first"]: mark.get("in_doubt", "all") for mark in found}


@pytest.fixture(autouse=True)
def small_windows(monkeypatch):
    monkeypatch.setattr(delivery, "WINDOW", 4)


async def test_a_slow_request_does_not_hold_up_the_next_window(tmp_path):
    """The first answer comes only after a request of the second window; all is acknowledged."""

    async def happens(braze, item):
        if item == 0:
            await braze.arrived[4].wait()

    one = Delivery(tmp_path, 12, happens)
    assert (await one.run()).complete
    assert list(range(12)) == one.acknowledged()


async def test_two_windows_are_open_at_most(tmp_path):
    """However long one request takes, a crash sends no more than two windows again."""

    async def happens(braze, item):
        if item == 0:
            await braze.arrived[24].wait()

    one = Delivery(tmp_path, 40, happens)
    assert (await one.run()).complete
    open_windows = [
        one.store.order[:end].count("begun") - one.store.order[:end].count("acks")
        for end in range(len(one.store.order) + 1)
    ]
    assert 2 == max(open_windows)
    assert 0 == open_windows[-1]


async def test_windows_that_overlap_are_each_kept_when_a_request_fails(tmp_path):
    """What was answered is acknowledged, only what failed is in doubt, and nothing new is sent."""

    async def happens(braze, item):
        if item == 2:
            await braze.arrived[4].wait()
            raise BrazeUnreachable("/users/track", 503, "down", uncertain=True)
        if item in (4, 6):
            await asyncio.sleep(0)

    one = Delivery(tmp_path, 40, happens)
    with pytest.raises(BrazeUnreachable):
        await one.run()
    assert sorted(one.braze.answered) == one.acknowledged()
    assert not {2, 3} & set(one.acknowledged())
    assert [2, 3] == one.marks()[0]
    sent = {n for n, event in one.braze.arrived.items() if event.is_set()}
    assert sent == {2, *one.braze.answered[::2]}


async def test_a_window_that_may_not_begin_ends_the_ones_before_it(tmp_path):
    """A lost lease is raised once all that is in flight has been answered and acknowledged."""
    allowed = iter([True, False])

    async def happens(braze, item):
        pass

    def confirm():
        if not next(allowed):
            raise LeaseLost("another")

    one = Delivery(tmp_path, 12, happens)
    with pytest.raises(LeaseLost):
        await one.run(confirm)
    assert sorted(one.braze.answered) == one.acknowledged()
    assert {0} == set(one.marks())


async def test_a_request_that_never_ends_is_cut_off_as_in_doubt(tmp_path, monkeypatch):
    """Asked to stop, a process waits, then keeps what was answered and says what was not."""
    monkeypatch.setattr(delivery, "until_stopped", partial(until_stopped, patience=0.0))

    async def happens(braze, item):
        if item == 0:
            await braze.arrived[6].wait()
            one.context.stopping.set()
            await asyncio.Event().wait()

    one = Delivery(tmp_path, 12, happens)
    assert not (await one.run()).complete
    assert sorted(one.braze.answered) == one.acknowledged()
    assert [0, 1] == one.marks()[0]


async def test_what_was_not_begun_when_the_process_was_stopped_is_left(tmp_path, monkeypatch):
    """Cut off while S3 does not answer, a delivery is not whole, though all sent was answered."""
    monkeypatch.setattr(delivery, "until_stopped", partial(until_stopped, patience=0.0))
    calls = []
    kept, gate = threading.Event(), threading.Event()

    async def happens(braze, item):
        pass

    def confirm():
        calls.append("")
        if len(calls) == 2:
            kept.wait(PATIENCE)
            one.context.stopping.set()
            gate.wait(PATIENCE)

    one = Delivery(tmp_path, 12, happens)
    one.acks.kept = lambda *_: kept.set()
    try:
        assert not (await one.run(confirm)).complete
    finally:
        gate.set()
    assert sorted(one.braze.answered) == one.acknowledged() == [0, 1, 2, 3]


async def test_windows_are_smaller_where_objects_are_long(tmp_path, monkeypatch):
    """Windows are bounded by bytes too: here by those of two objects, rather than of four."""

    async def happens(braze, item):
        pass

    one = Delivery(tmp_path, 12, happens)
    monkeypatch.setattr(delivery, "WINDOW_SIZE", 2 * one.outbox.row_size)
    assert (await one.run()).complete
    assert [*range(0, 12, 2)] == sorted(one.marks())
    assert [*range(12)] == one.acknowledged()


async def test_work_that_is_cut_off_leaves_no_error_behind():
    """What was gathered ends with an exception when it is cut off, and somebody takes it."""
    told = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    stopping = threading.Event()
    stopping.set()
    hanging = asyncio.gather(*(asyncio.Event().wait() for _ in range(2)))
    assert not await until_stopped(hanging, stopping, patience=0.0)
    del hanging
    gc.collect()
    assert [] == told
