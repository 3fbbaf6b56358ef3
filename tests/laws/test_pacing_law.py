"""No window of any kind of server is overrun, and nearly all that is allowed is used."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.simulated_network import SERVERS, Network, simulate

from exchanger.config.models import RateLimit
from exchanger.outside.braze.rate_limit import MOST_IN_FLIGHT, RateLimiter

MOST_OVER = 0.01
"""Part of a limit by which a window may be overrun."""


def sent(requests, seconds, ways, *, expected=0, spread=True):
    """Send requests with these ways through a limiter; gives the network and the time it took."""
    there = []

    async def work(clock):
        limit = RateLimit(requests=requests, per=timedelta(seconds=seconds))
        limiter = RateLimiter(limit, clock, spread=spread)
        there.append(Network(clock, limiter, ways))
        limiter.expect(expected)
        await there[0].send_all()

    took = simulate(work)
    return there[0], took


def overruns(network, requests, seconds, offset):
    """The most by which each kind of server was overrun in any of its windows."""
    servers = [kind(requests, seconds, offset, network.arrivals) for kind in SERVERS]
    return {type(server).__name__: server.overrun() for server in servers}


def drawn_ways(seed, count, latency, spread):
    """Ways there and back, seconds; some answers take ten times as long."""
    chance = random.Random(seed)
    ways = []
    for _ in range(count):
        whole = latency * chance.uniform(1 - spread, 1 + spread)
        whole *= 10 if chance.random() < 0.01 else 1
        there = whole * chance.random()
        ways.append((there, whole - there))
    return ways


@dataclass(frozen=True)
class Run:
    """A run of requests at a limit."""

    requests: int
    seconds: float
    latency: float
    spread: float
    windows: float
    is_expected: bool
    is_even: bool
    offset: float
    seed: int


RUNS = st.builds(
    Run,
    requests=st.sampled_from([1, 2, 7, 50, 250, 1_000, 3_000]),
    seconds=st.sampled_from([1.0, 3.0, 60.0]),
    latency=st.sampled_from([0.0, 0.001, 0.02, 0.1, 0.4, 2.0]),
    spread=st.sampled_from([0.0, 0.3, 1.0]),
    windows=st.sampled_from([0.9, 1.0, 2.5, 4.0]),
    is_expected=st.booleans(),
    is_even=st.booleans(),
    offset=st.floats(0, 1),
    seed=st.integers(0, 1_000),
)


@settings(max_examples=40, deadline=None)
@given(run=RUNS)
def test_no_window_is_overrun(run):
    """Whatever a server counts, and however long requests take, it never counts too many."""
    count = max(1, round(run.requests * run.windows))
    ways = drawn_ways(run.seed, count, run.latency, run.spread)
    expected = count if run.is_expected else 0
    network, _ = sent(run.requests, run.seconds, ways, expected=expected, spread=run.is_even)
    assert count == len(network.arrivals)
    over = overruns(network, run.requests, run.seconds, run.offset * run.seconds)
    assert {} == {kind: by for kind, by in over.items() if by > MOST_OVER * run.requests}


@pytest.mark.parametrize(("latency", "share"), [(0.0, 0.98), (0.02, 0.95), (0.1, 0.9), (0.2, 0.9)])
def test_nearly_all_that_is_allowed_is_used(latency, share):
    """At Braze's default limit, a long run has most of the rate, whatever the latency."""
    network, _ = sent(3_000, 3.0, drawn_ways(1, 15_000, latency, 0.3))
    assert share <= 15_000 / 1_000 / max(network.departures)
    assert network.most <= MOST_IN_FLIGHT


@pytest.mark.parametrize("latency", [0.0, 0.02, 0.1])
def test_a_long_run_is_spread_over_the_window(latency):
    """No tenth of a second holds much more than its part."""
    network, _ = sent(3_000, 3.0, drawn_ways(1, 12_000, latency, 0.3))
    tenths = Counter(int(at * 10) for at in network.departures)
    assert max(tenths.values()) <= 140


def test_a_run_that_fits_goes_at_once():
    """A run that an unused window has room for does not wait for a rate."""
    network, took = sent(3_000, 3.0, drawn_ways(1, 3_000, 0.02, 0.0), expected=3_000)
    assert took < 1.0
    assert MOST_IN_FLIGHT == network.most


def test_in_flight_follows_latency():
    """As many are under way as the limit and the latency ask for, between two bounds."""
    most = {
        latency: sent(3_000, 3.0, drawn_ways(1, 6_000, latency, 0.0))[0].most
        for latency in (0.001, 0.1, 1.0)
    }
    assert most[0.001] <= 64
    assert 100 <= most[0.1] <= 140
    assert MOST_IN_FLIGHT == most[1.0]
