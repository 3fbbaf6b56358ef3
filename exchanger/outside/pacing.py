"""Keeping to a rate limit, and to what Braze says about it."""

from __future__ import annotations

import asyncio
from collections import deque

from exchanger.config.models import RateLimit
from exchanger.outside.clock import Clock

_HOUR = 3600


class Pace:
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


class HourlyPace:
    """
    Lets at most so many through in each clock hour (braze-api.md 1.5).

    What other processes sent in this hour is not known here; answers tell of it.

    Args:
        requests: The limit; None for none.
        clock: Time.
    """

    def __init__(self, requests: int | None, clock: Clock) -> None:
        self._requests = requests
        self._clock = clock
        self._hour = -1
        self._passed = 0
        self._turn = asyncio.Lock()

    async def take(self) -> None:
        """Wait until one more request may be sent, and count it as sent."""
        if self._requests is None:
            return
        async with self._turn:
            while self._passed_in_this_hour() >= self._requests:
                await self._clock.wait(_HOUR - self._clock.now().timestamp() % _HOUR)
            self._passed += 1

    def _passed_in_this_hour(self) -> int:
        hour = int(self._clock.now().timestamp() // _HOUR)
        if hour != self._hour:
            self._hour, self._passed = hour, 0
        return self._passed
