"""Time as an argument, so that tests step it and never wait."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the program asks of time."""

    def now(self) -> datetime:
        """Return the time of day, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that only go forward, for measuring and pacing."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait; returns at once for zero or less."""
        ...

    async def wait(self, seconds: float) -> None:
        """Wait without blocking other tasks; returns at once for zero or less."""
        ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """Return the time of day, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that only go forward, also while the machine is suspended."""
        if hasattr(time, "CLOCK_BOOTTIME"):
            return time.clock_gettime(time.CLOCK_BOOTTIME)
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Block for that long."""
        if seconds > 0:
            time.sleep(seconds)

    async def wait(self, seconds: float) -> None:
        """Let other tasks run for that long."""
        await asyncio.sleep(max(seconds, 0))
