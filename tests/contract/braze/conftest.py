"""A stepped clock, and a server that answers from a script and remembers what it was asked."""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from pydantic import SecretStr

from exchanger.config.models import BrazeConfig
from exchanger.outside.braze.client import Braze

KEY = "dummy-key/with+odd=chars"


class SteppedClock:
    """Waiting moves it forward at once."""

    def __init__(self, start=datetime(2026, 9, 15, 10, 0, tzinfo=UTC)):
        self.start = start
        self.waits = []

    def now(self):
        return self.start + timedelta(seconds=self.monotonic())

    def monotonic(self):
        return sum(self.waits)

    def sleep(self, seconds):
        if seconds > 0:
            self.waits.append(seconds)

    async def wait(self, seconds):
        self.sleep(seconds)
        await asyncio.sleep(0)


@dataclass(frozen=True)
class Says:
    """One answer: a body as text, bytes or JSON; or a connection cut short."""

    status: int = 201
    body: object = field(default_factory=lambda: {"message": "success"})
    headers: dict = field(default_factory=dict)
    cut: bool = False

    def as_bytes(self):
        if isinstance(self.body, bytes):
            return self.body
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return text.encode()


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    raw_query: str
    query: dict
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


class StandIn:
    """Gives its answers in order; the last one again and again."""

    def __init__(self, *script):
        self.script = list(script)
        self.asked = []
        self.url = ""

    async def handle(self, request):
        self.asked.append(
            Asked(
                request.method,
                request.path,
                request.raw_path.partition("?")[2],
                dict(request.query),
                dict(request.headers),
                await request.read(),
            )
        )
        says = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        body = says.as_bytes()
        headers = {"Content-Type": "application/json", **says.headers}
        if not says.cut:
            return web.Response(status=says.status, body=body, headers=headers)
        response = web.StreamResponse(status=says.status, headers=headers)
        response.content_length = len(body) + 100
        await response.prepare(request)
        await response.write(body)
        request.transport.close()
        return response

    @asynccontextmanager
    async def serving(self):
        app = web.Application(client_max_size=0)
        app.router.add_route("*", "/{tail:.*}", self.handle)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        try:
            yield self
        finally:
            await runner.cleanup()


@dataclass
class Workspace:
    """What a test sees: the client, the server it talks to, and the time."""

    braze: Braze
    stand_in: StandIn
    clock: SteppedClock

    @property
    def asked(self):
        return self.stand_in.asked

    @property
    def waited(self):
        return self.clock.monotonic()


@pytest.fixture
def workspace():
    """Open a workspace that gives these answers, each ``Says`` arguments as a dict."""

    @asynccontextmanager
    async def open_workspace(*script, **settings):
        clock = SteppedClock()
        async with StandIn(*(Says(**says) for says in script)).serving() as stand_in:
            config = BrazeConfig(endpoint=stand_in.url, api_key=SecretStr(KEY), **settings)
            async with Braze(config, clock=clock, random=random.Random(1)) as braze:
                yield Workspace(braze, stand_in, clock)

    return open_workspace


@pytest.fixture
def key():
    """The dummy key that the client was given."""
    return KEY


@pytest.fixture
def stepped_clock():
    """A clock that moves only when something waits."""
    return SteppedClock()
