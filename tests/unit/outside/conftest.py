from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest


class SteppedClock:
    """Waiting moves it forward at once; others run meanwhile."""

    def __init__(self):
        self.seconds = 1000.0

    def now(self):
        return datetime(2026, 9, 15, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self):
        return self.seconds

    def sleep(self, seconds):
        self.seconds += max(seconds, 0)

    async def wait(self, seconds):
        self.sleep(seconds)
        await asyncio.sleep(0)


@pytest.fixture
def clock():
    return SteppedClock()
