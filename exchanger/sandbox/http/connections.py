"""HTTP connections that can be cut on purpose."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from uvicorn.protocols.http.h11_impl import H11Protocol

_OPEN: dict[tuple[Any, ...], asyncio.Transport] = {}


class CuttableProtocol(H11Protocol):
    """HTTP/1.1 that remembers its transport by the addresses of both ends."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Remember the transport."""
        super().connection_made(transport)
        _OPEN[_ends(self.server, self.client)] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        _OPEN.pop(_ends(self.server, self.client), None)
        super().connection_lost(exc)


def _ends(server: Any, client: Any) -> tuple[Any, ...]:
    return tuple(server or ()), tuple(client or ())


async def drop_connection(request: Request) -> None:
    """Close the connection of a request without a word."""
    scope = request.scope
    _OPEN[_ends(scope.get("server"), scope.get("client"))].abort()
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def send_truncated(request: Request, response: Response, send: Any) -> None:
    """Announce the whole body, send half of it, and close the connection."""
    await send(
        {
            "type": "http.response.start",
            "status": response.status_code,
            "headers": response.raw_headers,
        }
    )
    half = bytes(response.body)[: len(response.body) // 2]
    await send({"type": "http.response.body", "body": half, "more_body": True})
    await drop_connection(request)
