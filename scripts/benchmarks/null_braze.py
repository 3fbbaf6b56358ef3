"""
A Braze that costs next to nothing: every request is answered at once, and only counted.

Run as ``python -m benchmarks.null_braze``; it prints its port. ``GET /stats`` tells what it saw.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from dataclasses import asdict, dataclass, field

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
        seconds: From the first request to the last.
        cpu_seconds: CPU that this process took meanwhile.
    """

    requests: int = 0
    objects: int = 0
    size: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    began: tuple[float, float] | None = field(default=None, repr=False)

    def note(self, body: bytes) -> None:
        """Count one request."""
        now = time.perf_counter(), time.process_time()
        self.began = self.began or now
        self.requests += 1
        self.objects += body.count(_OBJECT)
        self.size += len(body)
        self.seconds, self.cpu_seconds = now[0] - self.began[0], now[1] - self.began[1]


class Answering(asyncio.Protocol):
    """One connection: reads requests one after the other, and answers each when it is whole."""

    stats = Stats()

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
            self._transport.write(self._answer(received[:end], received[end + 4 : whole]))
            self._parts = [received[whole:]] if len(received) > whole else []
            self._missing = 0

    def _answer(self, head: bytes, body: bytes) -> bytes:
        path = head.split(b" ", 2)[1].split(b"?")[0]
        if path == b"/users/track":
            self.stats.note(body)
            return _TAKEN
        if path == b"/stats":
            seen = {**asdict(self.stats), "began": None}
            type(self).stats = Stats()
            return _response(200, seen)
        return _ANSWERS.get(path, _UNKNOWN)


def _response(status: int, body: object) -> bytes:
    text = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} OK\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(text)}\r\n\r\n".encode() + text


_TAKEN = _response(201, {"message": "success", "attributes_processed": 75})
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
