"""
A Braze that costs next to nothing: every request is answered at once, and only counted.

Run as ``python -m benchmarks.null_braze``; it prints its port. ``GET /stats`` tells what it saw.
``GET /behave?latency=20&kind=fixed&requests=3000&seconds=3`` makes it take its time, and count
requests against a limit, as ``counting.behaviour`` tells.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from urllib.parse import parse_qsl

from benchmarks.counting import Behaviour, behaviour

HOST = "127.0.0.1"
SEGMENT = "00000000-0000-4000-8000-000000000001"
"""The one segment that there is, called ``everybody``."""
EXPORT = "00000000-0000-4000-8000-000000000002-1700000000"
"""The prefix of its one export, whose files whoever measures put into the bucket before."""

_OBJECT = b'{"external_id":'
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass
class Stats:
    """
    What was seen of ``/users/track``.

    Args:
        requests: Requests.
        objects: Objects in them.
        size: Bytes of bodies.
        limited: Requests that were answered 429.
        seconds: From the first request to the last.
        cpu_seconds: CPU that this process took meanwhile.
    """

    requests: int = 0
    objects: int = 0
    size: int = 0
    limited: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    began: tuple[float, float] | None = field(default=None, repr=False)

    def note(self, body: bytes, status: int = 201) -> None:
        """Count one request."""
        now = time.perf_counter(), time.process_time()
        self.began = self.began or now
        self.requests += 1
        self.limited += status == 429
        self.objects += body.count(_OBJECT) if status == 201 else 0
        self.size += len(body)
        self.seconds, self.cpu_seconds = now[0] - self.began[0], now[1] - self.began[1]


class Answering(asyncio.Protocol):
    """One connection: reads requests one after the other, and answers each when it is whole."""

    stats = Stats()
    behaviour: Behaviour | None = None
    """How requests are answered, if not at once."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._missing = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where answers go."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take what came; bodies come in pieces, so their length is looked at once."""
        self._parts.append(data)
        self._missing -= len(data)
        while self._missing <= 0 and self._parts:
            received = b"".join(self._parts)
            end = received.find(b"\r\n\r\n")
            if end < 0:
                self._parts, self._missing = [received], 1
                return
            found = _LENGTH.search(received, 0, end)
            whole = end + 4 + (int(found[1]) if found else 0)
            self._missing = whole - len(received)
            if self._missing > 0:
                self._parts = [received]
                return
            self._receive(received[:end], received[end + 4 : whole])
            self._parts = [received[whole:]] if len(received) > whole else []
            self._missing = 0

    def _receive(self, head: bytes, body: bytes) -> None:
        path, _, query = head.split(b" ", 2)[1].partition(b"?")
        if path == b"/users/track" and self.behaviour is not None:
            # Half of the time is the way there, as far as the counter.
            half = self.behaviour.delay() / 2
            _after(half, lambda: self._count(self.behaviour, body, half))
            return
        self._transport.write(self._answer(path, query, body))

    def _count(self, behaviour: Behaviour | None, body: bytes, half: float) -> None:
        status, headers = (behaviour or Behaviour()).take(time.time())
        self.stats.note(body, status)
        answer = _BY_STATUS[status].replace(b"\r\n", b"\r\n" + headers, 1)
        _after(half, lambda: self._transport.write(answer))

    def _answer(self, path: bytes, query: bytes, body: bytes) -> bytes:
        if path == b"/users/track":
            self.stats.note(body)
            return _TAKEN
        if path == b"/behave":
            given = dict(parse_qsl(query.decode()))
            type(self).behaviour = behaviour(given) if given else None
            return _response(200, given)
        if path == b"/stats":
            seen = {**asdict(self.stats), "began": None}
            type(self).stats = Stats()
            return _response(200, seen)
        return _ANSWERS.get(path, _UNKNOWN)


def _after(seconds: float, do: Callable[[], None]) -> None:
    if seconds:
        asyncio.get_running_loop().call_later(seconds, do)
    else:
        do()


def _response(status: int, body: object) -> bytes:
    text = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} OK\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(text)}\r\n\r\n".encode() + text


_TAKEN = _response(201, {"message": "success", "attributes_processed": 75})
_LIMITED = _response(429, {"message": "Rate Limited"})
_FAILED = _response(503, {"message": "Service Unavailable"})
_BY_STATUS = {201: _TAKEN, 429: _LIMITED, 503: _FAILED}
_UNKNOWN = _response(404, {"message": "not here"})
_ANSWERS = {
    b"/segments/list": _response(
        200, {"message": "success", "segments": [{"id": SEGMENT, "name": "everybody", "tags": []}]}
    ),
    b"/users/export/segment": _response(201, {"message": "success", "object_prefix": EXPORT}),
}


async def serve() -> None:
    """Serve until the process is ended."""
    server = await asyncio.get_running_loop().create_server(Answering, HOST, 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
