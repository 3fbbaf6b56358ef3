"""Requests through a limiter to servers that count them, in a time that only waiting moves."""

from __future__ import annotations

import asyncio
import heapq
import selectors
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import inf, nextafter
from typing import Any

from exchanger.jobs.delivery.in_flight import InFlight
from exchanger.outside.braze.rate_limit import MOST_IN_FLIGHT, RateLimiter


class _Leaping(selectors.DefaultSelector):
    """A selector that has waited as soon as it is told to wait."""

    now = 0.0

    def select(self, timeout=None):
        # A hair more, as a timer is only due once its time has passed.
        self.now = nextafter(self.now + (timeout or 0.0), inf)
        return super().select(0)


class SimulatedClock:
    """The time of an event loop in which nothing takes time but waiting."""

    def __init__(self, selector: _Leaping) -> None:
        self._selector = selector

    def now(self) -> datetime:
        return datetime(2026, 9, 15, tzinfo=UTC) + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return self._selector.now

    def sleep(self, seconds: float) -> None:
        self._selector.now += max(seconds, 0)

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(max(seconds, 0))


def simulate(work: Callable[[SimulatedClock], Coroutine[Any, Any, None]]) -> float:
    """Run work to its end; returns the seconds that it took there."""
    selector = _Leaping()
    loop = asyncio.SelectorEventLoop(selector)
    loop.time = lambda: selector.now
    loop._clock_resolution = 0.0
    try:
        loop.run_until_complete(work(SimulatedClock(selector)))
    finally:
        loop.close()
    return selector.now


@dataclass
class FixedWindows:
    """A server that counts in windows of its own, which begin at some offset."""

    requests: int
    seconds: float
    offset: float = 0.0
    arrivals: list[float] = field(default_factory=list)

    def overrun(self) -> int:
        counts: dict[int, int] = {}
        for at in self.arrivals:
            window = int((at + self.offset) // self.seconds)
            counts[window] = counts.get(window, 0) + 1
        return max(0, *(count - self.requests for count in counts.values()))


@dataclass
class SlidingWindow(FixedWindows):
    """A server that looks back from every request."""

    def overrun(self) -> int:
        recent: deque[float] = deque()
        most = 0
        for at in sorted(self.arrivals):
            while recent and recent[0] <= at - self.seconds + 1e-6:
                recent.popleft()
            recent.append(at)
            most = max(most, len(recent) - self.requests)
        return most


@dataclass
class TokenBucket(FixedWindows):
    """A server that takes a token for every request, from a bucket that is filled steadily."""

    def overrun(self) -> int:
        tokens, before, most = float(self.requests), 0.0, 0.0
        for at in sorted(self.arrivals):
            filled = (at - before) * self.requests / self.seconds
            tokens, before = min(self.requests, tokens + filled) - 1, at
            most = max(most, -tokens)
        return int(most + 1e-6)


SERVERS = (FixedWindows, SlidingWindow, TokenBucket)


@dataclass
class Network:
    """
    Sends requests with some at once, each with a way there and back of its own length.

    Args:
        clock: Time.
        limiter: What is tested; it says how many should be under way.
        ways: Seconds there and back of each request.
    """

    clock: SimulatedClock
    limiter: RateLimiter
    ways: list[tuple[float, float]]
    arrivals: list[float] = field(default_factory=list)
    departures: list[float] = field(default_factory=list)
    under_way: list[float] = field(default_factory=list)
    most: int = 0

    async def send_all(self) -> None:
        todo = iter(self.ways)
        in_flight = InFlight(lambda: self.limiter.in_flight)
        await asyncio.gather(*(self._work(in_flight, todo) for _ in range(MOST_IN_FLIGHT)))

    async def _work(self, in_flight: InFlight, todo: Iterator[tuple[float, float]]) -> None:
        await in_flight.enter()
        for way in todo:
            taken_at = await self.limiter.take()
            now = self.clock.monotonic()
            self.departures.append(now)
            self.arrivals.append(now + way[0])
            heapq.heappush(self.under_way, now + sum(way))
            while self.under_way and self.under_way[0] <= now:
                heapq.heappop(self.under_way)
            self.most = max(self.most, len(self.under_way))
            await self.clock.wait(sum(way))
            self.limiter.end(taken_at)
            in_flight.leave()
            await in_flight.enter()
        in_flight.leave()
