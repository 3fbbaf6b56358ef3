"""Keeping to a rate limit, and to what Braze says about it."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Protocol

from exchanger.config.models import RateLimit
from exchanger.outside.clock import Clock

HOUR = 3600
"""Seconds."""


class RateLimiter:
    """
    Lets at most ``limit.requests`` through in any window of ``limit.per``.

    The time of every passage in the last window is kept, so that the promise holds for any
    window, not only for those that begin on a tick. Those who wait are let through in the order
    they came.

    Args:
        limit: The rate to keep to.
        clock: Time.
    """

    def __init__(self, limit: RateLimit, clock: Clock) -> None:
        self._window = limit.per.total_seconds()
        self._clock = clock
        self._passed: deque[float] = deque(maxlen=limit.requests)
        self._closed_until = float("-inf")
        self._turn = asyncio.Lock()
        self._in_line = 0

    async def take(self) -> None:
        """Wait until one more request may be sent, and count it as sent."""
        if self._in_line or not self._passes():
            await self._stand_in_line()

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
                    await self._clock.wait(self._opens_at() - self._clock.monotonic())
        finally:
            self._in_line -= 1

    def _passes(self) -> bool:
        """Count one more passage, if there may be one now."""
        now = self._clock.monotonic()
        if now < self._opens_at():
            return False
        self._passed.append(now)
        return True

    def _opens_at(self) -> float:
        if len(self._passed) < (self._passed.maxlen or 0):
            return self._closed_until
        return max(self._closed_until, self._passed[0] + self._window)


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
