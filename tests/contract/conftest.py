"""One local Braze for the tests of a file, empty and as it is by default for each of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from exchanger.sandbox import Sandbox, SandboxSettings


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def braze(server: Sandbox) -> Iterator[Sandbox]:
    server.reset()
    yield server
    server.change(**SandboxSettings().shown())
