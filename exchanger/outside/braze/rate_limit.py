"""Keeping to a rate limit, and to what Braze says about it."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from math import ceil, inf
from typing import Protocol

from exchanger.config.models import RateLimit
from exchanger.outside.clock import Clock

HOUR = 3600
"""Seconds."""

LEAST_IN_FLIGHT = 32
MOST_IN_FLIGHT = 256
"""Requests under way at once, at least and at most, whatever their latency."""
_HEADROOM = 1.25
"""More requests in flight than the mean latency needs, as some answers take longer."""
_FIRST_GUESS = 0.05
"""Seconds that an answer takes, before any has come."""
_WEIGHT = 0.05
"""Of one more answer in the mean latency."""
_LATER = 0.2
"""Part of a window by which requests that come late may follow each other without a gap: a busy
machine or a slow store makes them late, and there are places for them."""
_FIRST = 0.01
"""The same for the first ones, so that a few requests never wait."""
_SPARE = 1.01
"""Times the gap that uses every place: with a few to spare, what was sent in a burst evens out."""
_FULL = 0.95
"""Part of a limit that, once it is used, explains that none remain."""
_ROUNDING = 1.0
"""Seconds: a reset is told in whole ones."""


class RateLimiter:
    """
    Lets requests through so that no window of ``limit.per`` holds more than ``limit.requests``.

    A request holds a place from the moment it is let through until a window after its answer. Braze
    counted it at some moment before the answer, so no window of Braze's holds more than there are
    places: wherever windows begin, whether they slide, and however unequal latencies are. Those who
    wait are let through in the order they came.

    Args:
        limit: The rate to keep to.
        clock: Time.
        spread: Let requests through evenly over the window, rather than as soon as there is a
            place; but for a run that fits into a window of which nothing is used, see *expect*.
    """

    def __init__(self, limit: RateLimit, clock: Clock, *, spread: bool = False) -> None:
        self._limit = limit.requests
        self._window = limit.per.total_seconds()
        self._clock = clock
        self._spread = spread
        self._out = 0
        self._until: deque[float] = deque()
        """When the places of requests that are answered become free."""
        self._latency = _FIRST_GUESS
        self._at_once = 0
        self._next = -inf
        """When the next request is due, if they are spread."""
        self._closed_until = -inf
        self._turn = asyncio.Lock()
        self._in_line = 0
        self._answered = asyncio.Event()

    @property
    def in_flight(self) -> int:
        """How many requests should be under way at once: limit times latency, within bounds."""
        if self._at_once:
            return MOST_IN_FLIGHT
        needed = _HEADROOM * self._latency * self._limit / self._window
        return max(LEAST_IN_FLIGHT, min(MOST_IN_FLIGHT, ceil(needed)))

    def expect(self, requests: int) -> None:
        """Let so many requests go at once, if they fit into a window of which nothing is used."""
        self._free_places(self._clock.monotonic())
        fits = requests <= self._limit and not self._out and not self._until
        self._at_once = requests if fits else 0

    def heed(self, remaining: float) -> None:
        """Spread what was to go at once, where Braze tells that fewer requests remain."""
        if remaining < self._at_once:
            self._at_once = 0

    def explains(self, seconds: float) -> bool:
        """
        Check whether our own requests are why none remain for that long.

        They have used the window, and it is kept without being told: a reset is rounded up.
        """
        self._free_places(self._clock.monotonic())
        is_full = self._out + len(self._until) >= _FULL * self._limit
        return is_full and seconds <= self._window + _ROUNDING

    async def take(self) -> float:
        """
        Wait until one more request may be sent, and count it as under way.

        Returns:
            The time, for *end*.
        """
        if self._in_line or not self._passes():
            await self._stand_in_line()
        return self._clock.monotonic()

    def end(self, taken_at: float) -> None:
        """Count a request as answered, or as given up."""
        now = self._clock.monotonic()
        self._out -= 1
        self._until.append(now + self._window)
        # One answer that takes very long is no reason to send others more slowly.
        took = min(now - taken_at, 2 * self._latency + 0.01)
        self._latency += (took - self._latency) * _WEIGHT
        self._answered.set()

    def close(self, seconds: float) -> None:
        """Let nothing through for that long; never shortens an earlier closing."""
        self._closed_until = max(self._closed_until, self._clock.monotonic() + seconds)

    async def _stand_in_line(self) -> None:
        self._in_line += 1
        try:
            async with self._turn:
                # Asked again after every wait: the limit may have been closed for longer
                # meanwhile, and a timer may fire a moment early.
                while not self._passes():
                    await self._wait()
        finally:
            self._in_line -= 1

    async def _wait(self) -> None:
        now = self._clock.monotonic()
        opens_at = self._opens_at(now)
        if opens_at < inf:
            await self._clock.wait(opens_at - now)
        else:  # Every place is taken by a request that is under way.
            self._answered.clear()
            await self._answered.wait()

    def _passes(self) -> bool:
        """Count one more request, if there may be one now."""
        now = self._clock.monotonic()
        if now < self._opens_at(now):
            return False
        self._out += 1
        if self._at_once:
            self._at_once -= 1
        elif self._spread:
            gap = _SPARE * (self._window + self._latency) / self._limit
            late = _LATER if self._next > -inf else _FIRST
            self._next = max(self._next, now - late * self._window) + gap
        return True

    def _opens_at(self, now: float) -> float:
        """Find when the next request may go; never, before there is another answer."""
        self._free_places(now)
        due = self._closed_until if self._at_once else max(self._closed_until, self._next)
        if self._out + len(self._until) < self._limit:
            return due
        return max(due, self._until[0]) if self._until else inf

    def _free_places(self, now: float) -> None:
        while self._until and self._until[0] <= now:
            self._until.popleft()


@dataclass(frozen=True)
class Quota:
    """
    Requests that may be sent in this clock hour.

    Args:
        requests: How many; 0 if this hour has no more.
        seconds: How long they may be sent; if there are none, how long to wait for the next hour.
    """

    requests: int
    seconds: float


class Quotas(Protocol):
    """Where the requests of a clock hour are counted."""

    def reserve(self) -> Quota:
        """Take some requests out of what is left of this hour."""
        ...

    def give_back(self, requests: int) -> None:
        """Return requests of the newest reservation that were not sent."""
        ...


class OwnQuotas:
    """
    Counts what this process sends, by its own clock.

    Args:
        limit: Requests in a clock hour.
        clock: Time.
    """

    def __init__(self, limit: int, clock: Clock) -> None:
        self._limit = limit
        self._clock = clock
        self._hour = -1

    def reserve(self) -> Quota:
        """Take all requests of the hour at once."""
        now = self._clock.now().timestamp()
        requests = self._limit if int(now // HOUR) != self._hour else 0
        self._hour = int(now // HOUR)
        return Quota(requests, HOUR - now % HOUR)

    def give_back(self, requests: int) -> None:
        """Do nothing: nobody else could send them."""


class HourlyQuota:
    """
    Lets through what is reserved of a clock hour, and waits for the next one (braze-api.md 1.5).

    Args:
        quotas: Where the hour is counted; None for no limit.
        clock: Time.
    """

    def __init__(self, quotas: Quotas | None, clock: Clock) -> None:
        self._quotas = quotas
        self._clock = clock
        self._left = 0
        self._until = float("-inf")
        self._turn = asyncio.Lock()

    async def take(self) -> None:
        """Wait until one more request may be sent, and count it as sent."""
        if self._quotas is None:
            return
        async with self._turn:
            while not self._left or self._clock.monotonic() >= self._until:
                before = self._clock.monotonic()
                quota = await asyncio.to_thread(self._quotas.reserve)
                self._left, self._until = quota.requests, before + quota.seconds
                if not quota.requests:
                    await self._clock.wait(quota.seconds)
            self._left -= 1

    async def close(self) -> None:
        """Return what was reserved and not sent."""
        left, self._left = self._left, 0
        if self._quotas is not None and left:
            await asyncio.to_thread(self._quotas.give_back, left)
