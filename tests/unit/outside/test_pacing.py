"""A pace never lets more through than its limit, in any window, and spreads what it lets go."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchanger.config.models import RateLimit
from exchanger.outside.braze.rate_limit import LEAST_IN_FLIGHT, MOST_IN_FLIGHT, RateLimiter


def limiter(requests, seconds, clock, **more):
    return RateLimiter(RateLimit(requests=requests, per=timedelta(seconds=seconds)), clock, **more)


async def once(pace, clock, latency=0.0):
    """One request, answered after some time; gives when it was sent."""
    taken_at = await pace.take()
    clock.sleep(latency)
    pace.end(taken_at)
    return taken_at


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    requests=st.integers(1, 5),
    per=st.sampled_from([1, 3, 60]),
    idle=st.lists(st.sampled_from([0.0, 0.1, 0.9, 2.9, 3.0, 70.0]), min_size=1, max_size=40),
    latency=st.sampled_from([0.0, 0.5]),
    spread=st.booleans(),
    closings=st.dictionaries(st.integers(0, 39), st.sampled_from([0.5, 5.0])),
)
def test_no_window_holds_more_than_the_limit(  # noqa: PLR0917 - drawn
    clock, requests, per, idle, latency, spread, closings
):
    """Whenever requests come, the n-th after one is at least a window later than its answer."""
    pace = limiter(requests, per, clock, spread=spread)
    passed = []

    async def run():
        for turn, pause in enumerate(idle):
            clock.sleep(pause)
            if turn in closings:
                pace.close(closings[turn])
            passed.append(await once(pace, clock, latency))

    asyncio.run(run())
    gaps = [later - one for one, later in zip(passed, passed[requests:], strict=False)]
    assert [] == [gap for gap in gaps if gap < per + latency - 1e-6]


async def test_as_many_as_allowed_go_at_once(clock):
    """Up to the limit nobody waits; the next one waits for exactly one window after an answer."""
    pace = limiter(3, 10, clock)
    sent = [await once(pace, clock, 1.0) for _ in range(4)]
    assert [1000, 1001, 1002, 1011] == sent


@pytest.mark.parametrize(
    ("expected", "sent"),
    [
        (0, [0.0, 2.5, 5.0, 7.5, 10.0]),
        (4, [0.0, 0.0, 0.0, 0.0, 10.0]),
        (5, [0.0, 2.5, 5.0, 7.5, 10.0]),
    ],
)
async def test_what_fits_goes_at_once_and_the_rest_is_spread(clock, expected, sent):
    """A run that an unused window has room for goes at once; a longer one evenly from the start."""
    pace = limiter(4, 10, clock, spread=True)
    pace.expect(expected)
    times = [await once(pace, clock) - 1000 for _ in sent]
    # What comes late may catch up by a little.
    assert pytest.approx(sent, abs=0.6) == times


async def test_a_window_that_was_used_is_not_taken_at_once(clock):
    """Where something of the window is used, also a run that would fit is spread."""
    pace = limiter(4, 10, clock, spread=True)
    await once(pace, clock)
    pace.expect(3)
    times = [await once(pace, clock) - 1000 for _ in range(3)]
    assert times[-1] >= 6
    clock.sleep(20)
    pace.expect(4)
    begun = clock.monotonic()
    assert [begun] * 4 == [await once(pace, clock) for _ in range(4)]


@pytest.mark.parametrize(("remaining", "is_spread"), [(3.0, False), (1.0, True)])
async def test_what_others_use_is_not_taken_at_once(clock, remaining, is_spread):
    """Where Braze says that fewer remain than are to go at once, they are spread."""
    pace = limiter(4, 10, clock, spread=True)
    pace.expect(4)
    await once(pace, clock)
    pace.heed(remaining)
    times = [await once(pace, clock) for _ in range(3)]
    assert is_spread == (times[-1] >= 1004)


@pytest.mark.parametrize(
    ("sent", "seconds", "explained"),
    [(100, 3.0, True), (100, 4.0, True), (100, 5.0, False), (50, 3.0, False), (0, 1.0, False)],
)
async def test_a_window_of_our_own_is_kept_without_being_told(clock, sent, seconds, explained):
    """None remaining is explained by what was sent, if that is the limit and it is our window."""
    pace = limiter(100, 3, clock)
    for _ in range(sent):
        await once(pace, clock)
    assert explained == pace.explains(seconds)


@pytest.mark.parametrize(
    ("latency", "in_flight"),
    [
        (0.0, LEAST_IN_FLIGHT),
        (0.02, LEAST_IN_FLIGHT),
        (0.1, 125),
        (0.2, 250),
        (1.0, MOST_IN_FLIGHT),
    ],
)
async def test_in_flight_is_limit_times_latency(clock, latency, in_flight):
    """As many are under way as answers take, with a quarter more, between two bounds."""
    pace = limiter(3_000, 3, clock)
    for _ in range(400):
        await once(pace, clock, latency)
    assert pytest.approx(in_flight, abs=2) == pace.in_flight


async def test_one_long_answer_changes_little(clock):
    """An answer that takes a minute is no measure of the others."""
    pace = limiter(3_000, 3, clock)
    for _ in range(400):
        await once(pace, clock, 0.1)
    before = pace.in_flight
    await once(pace, clock, 60.0)
    assert before <= pace.in_flight <= before * 1.1


async def test_a_request_without_an_answer_keeps_one_place(clock):
    """A request that hangs holds back no more than itself."""
    pace = limiter(3, 10, clock)
    await pace.take()
    sent = [await once(pace, clock) - 1000 for _ in range(6)]
    assert [0, 0, 10, 10, 20, 20] == sent


async def test_with_all_places_under_way_an_answer_is_waited_for(clock):
    """Nobody knows when a place becomes free before there is an answer."""
    pace = limiter(1, 10, clock)
    taken_at = await pace.take()
    waiting = asyncio.ensure_future(pace.take())
    for _ in range(5):
        await asyncio.sleep(0)
    assert not waiting.done()
    clock.sleep(4)
    pace.end(taken_at)
    assert 1014 == await waiting


async def test_those_who_wait_go_in_order(clock):
    """First come, first served."""
    pace = limiter(1, 1, clock)
    order = []

    async def one(name):
        await once(pace, clock)
        order.append(name)

    await asyncio.gather(*(one(n) for n in range(5)))
    assert [0, 1, 2, 3, 4] == order


async def test_closing_holds_those_who_already_wait(clock):
    """A limit closed while somebody waits is closed for that one too."""
    pace = limiter(1, 5, clock)
    await once(pace, clock)
    waiting = asyncio.ensure_future(pace.take())
    await asyncio.sleep(0)
    pace.close(20)
    closed_at = clock.monotonic()
    await waiting
    assert closed_at + 20 <= clock.monotonic()


async def test_a_shorter_closing_does_not_open(clock):
    """The longest closing counts."""
    pace = limiter(10, 1, clock)
    pace.close(30)
    pace.close(1)
    await pace.take()
    assert pytest.approx(1030) == clock.monotonic()


async def test_who_gives_up_waiting_takes_no_place(clock):
    """A cancelled waiter neither blocks nor counts."""
    pace = limiter(1, 5, clock)
    await once(pace, clock)
    waiting = asyncio.ensure_future(pace.take())
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await pace.take()
    assert 1005 == clock.monotonic()
