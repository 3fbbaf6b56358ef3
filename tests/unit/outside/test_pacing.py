"""A pace never lets more through than its limit, in any window."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchanger.config.models import RateLimit
from exchanger.outside.braze.rate_limit import RateLimiter


def limit(requests, seconds):
    return RateLimit(requests=requests, per=timedelta(seconds=seconds))


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    requests=st.integers(1, 5),
    per=st.sampled_from([1, 3, 60]),
    idle=st.lists(st.sampled_from([0.0, 0.1, 0.9, 2.9, 3.0, 70.0]), min_size=1, max_size=40),
    closings=st.dictionaries(st.integers(0, 39), st.sampled_from([0.5, 5.0])),
)
def test_no_window_holds_more_than_the_limit(clock, requests, per, idle, closings):
    """Whenever requests come, the n-th after one is at least a window later."""
    pace = RateLimiter(limit(requests, per), clock)
    passed = []

    async def run():
        for turn, pause in enumerate(idle):
            clock.sleep(pause)
            if turn in closings:
                pace.close(closings[turn])
            await pace.take()
            passed.append(clock.monotonic())

    asyncio.run(run())
    gaps = [later - one for one, later in zip(passed, passed[requests:], strict=False)]
    assert [] == [gap for gap in gaps if gap < per - 1e-6]


async def test_as_many_as_allowed_go_at_once(clock):
    """Up to the limit nobody waits; the next one waits for exactly one window."""
    pace = RateLimiter(limit(3, 10), clock)
    for _ in range(3):
        await pace.take()
    assert 1000 == clock.monotonic()
    await pace.take()
    assert 1010 == clock.monotonic()


async def test_those_who_wait_go_in_order(clock):
    """First come, first served."""
    pace = RateLimiter(limit(1, 1), clock)
    order = []

    async def one(name):
        await pace.take()
        order.append(name)

    await asyncio.gather(*(one(n) for n in range(5)))
    assert [0, 1, 2, 3, 4] == order


async def test_closing_holds_those_who_already_wait(clock):
    """A limit closed while somebody waits is closed for that one too."""
    pace = RateLimiter(limit(1, 5), clock)
    await pace.take()
    waiting = asyncio.ensure_future(pace.take())
    await asyncio.sleep(0)
    pace.close(20)
    closed_at = clock.monotonic()
    await waiting
    assert closed_at + 20 <= clock.monotonic()


async def test_a_shorter_closing_does_not_open(clock):
    """The longest closing counts."""
    pace = RateLimiter(limit(10, 1), clock)
    pace.close(30)
    pace.close(1)
    await pace.take()
    assert pytest.approx(1030) == clock.monotonic()


async def test_who_gives_up_waiting_takes_no_place(clock):
    """A cancelled waiter neither blocks nor counts."""
    pace = RateLimiter(limit(1, 5), clock)
    await pace.take()
    waiting = asyncio.ensure_future(pace.take())
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await pace.take()
    assert 1005 == clock.monotonic()
