"""
Who may use the sandbox: programs on this machine, and no page of a browser.

A page that somebody else wrote can send requests to this machine, and by changing what its own
name resolves to (DNS rebinding) even read the answers. Both show: the browser names the page in
``Origin``, and the name that it believes in in ``Host``.
"""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import Response

from exchanger.sandbox.json_text import render

HEADER = "X-Sandbox"
"""Demanded, with any value, of what changes the sandbox: no page can send it unasked."""


def stranger(host: str | None, origin: str | None) -> str | None:
    """
    Return why a request is refused, ``None`` if it comes from a program on this machine.

    Args:
        host: The header ``Host``.
        origin: The header ``Origin``; programs send none.
    """
    if not _is_here(f"//{host or ''}"):
        return "the sandbox answers to 127.0.0.1 and localhost only"
    if origin is not None and not _is_here(origin):
        return "the sandbox does not answer to pages of other sites"
    return None


def _is_here(address: str) -> bool:
    try:
        name = urlsplit(address).hostname or ""
    except ValueError:
        return False
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class LocalOnly:
    """ASGI in front of an application: strangers are answered 403."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on, or refuse it."""
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        problem = stranger(headers.get("host"), headers.get("origin"))
        app = (
            self._app
            if problem is None
            else Response(render({"message": problem}), 403, media_type="application/json")
        )
        await app(scope, receive, send)
