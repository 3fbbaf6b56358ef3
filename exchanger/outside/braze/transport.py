"""One HTTP exchange with Braze, without a second try. The only place that imports aiohttp."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from pydantic import SecretStr
from yarl import URL

from exchanger.braze.endpoints import PERMISSIONS
from exchanger.config.endpoints import is_loopback
from exchanger.outside.braze.answers import Answer, Fault
from exchanger.outside.braze.rate_limit import MOST_IN_FLIGHT

_CONNECTIONS = MOST_IN_FLIGHT + 16
"""Beside requests with objects there are a few others."""
_OTHER_FILES = 96
"""Files and sockets that the process has open besides, where it may only have a few."""
_CHUNK = 1 << 20
_CONNECT_SECONDS = 10
REQUEST_SECONDS = 60.0
"""Seconds after which a request without an answer counts as lost, unless told otherwise."""
_DOWNLOAD_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=60)


@dataclass(frozen=True)
class Call:
    """
    One request.

    Args:
        endpoint: What it is called in counts and errors: the path.
        method: The HTTP method.
        url: The whole address.
        body: JSON to send, if any.
        params: The query.
        key: Sent as the bearer token; left out for addresses that are not Braze's API.
        save_to: Write the body of a 2xx to this file instead of keeping it in memory.
        writes: It changes something in Braze, and so needs leave and counts by the hour.
        idempotent: Sending it again changes nothing more; otherwise it is not sent again once it
            may have been taken.
        counts_again: Sending it again is wanted all the same, and counts once more.
    """

    endpoint: str
    method: str
    url: str
    body: bytes | None = None
    params: Mapping[str, str] | tuple[tuple[str, str], ...] = field(default_factory=dict)
    key: SecretStr | None = None
    save_to: Path | None = None
    writes: bool = False
    idempotent: bool = True
    counts_again: bool = False

    @property
    def needs(self) -> str:
        """Who takes it, as permissions are told apart: the endpoint, mostly by itself."""
        by_method = f"{self.method} {self.endpoint}"
        return by_method if by_method in PERMISSIONS else self.endpoint


class Transport:
    """Connections that are kept open. Opened and closed by its owner, within one event loop."""

    def __init__(self, timeout: float = REQUEST_SECONDS) -> None:
        self._timeout = aiohttp.ClientTimeout(
            total=timeout, sock_connect=min(timeout, _CONNECT_SECONDS)
        )
        self._session: aiohttp.ClientSession | None = None
        self._proxies: dict[str, str | None] = {}

    async def open(self) -> None:
        """Prepare. Nothing is sent yet."""
        self._proxies.clear()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=_most_connections(), ttl_dns_cache=300),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        """Close all connections."""
        if self._session:
            await self._session.close()
            self._session = None

    async def exchange(self, call: Call) -> Answer:
        """
        Send a request once and read the whole answer, whatever its status.

        Redirects are not followed: the key would go where they point to.

        Raises:
            Fault: There was no answer, or only part of one.
        """
        if self._session is None:
            raise RuntimeError("use it as an async context manager")
        headers = {"Content-Type": "application/json"} if call.body is not None else {}
        if call.key:
            headers["Authorization"] = f"Bearer {call.key.get_secret_value().strip()}"
        try:
            async with self._session.request(
                call.method,
                # A signature covers the address as it was spelt.
                URL(call.url, encoded=True) if call.save_to else call.url,
                params=call.params or None,
                data=call.body,
                headers=headers,
                timeout=_DOWNLOAD_TIMEOUT if call.save_to else self._timeout,
                allow_redirects=False,
                proxy=self._proxy_for(call.url),
            ) as response:
                if call.save_to and response.ok:
                    await _save(response.content, call.save_to)
                    return Answer(response.status, response.headers, b"")
                return Answer(response.status, response.headers, await response.read())
        except aiohttp.InvalidURL:
            # Its text is the address, and that of a download is signed.
            whose = "of the proxy " if self._proxy_for(call.url) else ""
            raise Fault(0, f"the address {whose}is no URL", uncertain=False) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _fault(error) from None  # Some of these hold the request with its headers.

    def _proxy_for(self, url: str) -> str | None:
        """Find the proxy for an address; once for each, as it costs more than a request."""
        if url not in self._proxies:
            parts = urlsplit(url)
            self._proxies[url] = _proxy_of(parts.scheme, parts.hostname or "")
        return self._proxies[url]


def is_safe(url: str) -> bool:
    """Return whether nobody on the way can listen: https, or an address of this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))


def _most_connections() -> int:
    """Find how many connections may be open: some systems let a process open 256 files only."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return _CONNECTIONS
    return max(1, min(_CONNECTIONS, soft - _OTHER_FILES))


async def _save(content: aiohttp.StreamReader, path: Path) -> None:
    file = await asyncio.to_thread(path.open, "wb")
    try:
        async for chunk in content.iter_chunked(_CHUNK):
            await asyncio.to_thread(file.write, chunk)
    finally:
        await asyncio.to_thread(file.close)


def _proxy_of(scheme: str, host: str) -> str | None:
    """Find the proxy that the environment asks for, as curl and boto3 do."""
    proxies = getproxies()
    if not proxies or proxy_bypass(host):
        return None
    return proxies.get(scheme)


def _fault(error: Exception) -> Fault:
    # Without a connection nothing was sent. In all other cases it may have arrived.
    unsent = isinstance(error, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError))
    return Fault(0, _in_words(error), uncertain=not unsent)


def _in_words(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        proxy = "the proxy " if isinstance(error, aiohttp.ClientProxyConnectionError) else ""
        return (
            f"no connection to {proxy}{error.host}:{error.port}: {error.strerror or error.os_error}"
        )
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return type(error).__name__
