"""Workspaces of the sandbox with a client each, in stepped time."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import polars as pl
from pydantic import SecretStr

from exchanger.config.models import BrazeConfig
from exchanger.outside.braze.client import Braze
from exchanger.profiles.planning.payloads import bodies
from exchanger.sandbox import Sandbox, SandboxSettings

GOOD = '{"external_id":"a","points":1.5,"tags":["x"]}'


BAD = '{"external_id":"b","email":"no address"}'


class SteppedClock:
    """Time that passes only when somebody waits, for the workspace as for the client."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.begun = datetime.now(UTC)
        self.passed = 0.0

    def now(self):
        return self.begun + timedelta(seconds=self.passed)

    def monotonic(self):
        return self.passed

    def sleep(self, seconds):
        self.passed += max(seconds, 0)
        self.sandbox.advance(max(seconds, 0))

    async def wait(self, seconds):
        self.sleep(seconds)
        await asyncio.sleep(0)


@asynccontextmanager
async def workspace(key="sandbox-key", **settings):
    """Open a workspace of some settings, and a client for it in stepped time."""
    with Sandbox(SandboxSettings(**settings)) as sandbox:
        config = BrazeConfig(endpoint=sandbox.url, api_key=SecretStr(key))
        clock = SteppedClock(sandbox)
        async with Braze(config, clock=clock, random=random.Random(1)) as braze:
            yield braze, sandbox


def body(*objects):
    return bodies(pl.Series(objects, dtype=pl.String), 75).batches[0].body
