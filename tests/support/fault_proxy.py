"""
A store that fails: a proxy before the local S3 that spoils exchanges by a seeded schedule.

Both boto3 and the deltalake library go through it. It knows of each exchange whether the store
applied it, so that an answer may be lost after its effect.
"""

from __future__ import annotations

import http.client
import random
import socket
import struct
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

WRITES = frozenset({"PUT", "POST", "DELETE"})
BEFORE = ("error", "slow_down", "reset")
"""Nothing is applied: 500, 503 SlowDown, or the connection is reset."""
AFTER = ("lost", "error_after")
"""The store applied it: then the connection is reset, or 500 is answered."""
BODY = ("torn", "late")
"""The body ends early by a reset; or all of it comes late."""
CORRUPT = "corrupt"
"""A byte of the body is another one. Only for boto3: see ``Schedule``."""
_RESET = struct.pack("ii", 1, 0)
_LATE_SECONDS = 0.05
_HOP = frozenset({"connection", "transfer-encoding", "expect", "keep-alive", "host"})
_ERRORS = {
    "error": (500, "InternalError"),
    "error_after": (500, "InternalError"),
    "slow_down": (503, "SlowDown"),
}


@dataclass
class Schedule:
    """
    Which exchange is spoilt, and how.

    Bodies are changed for boto3 only: the deltalake library verifies no checksums of what it reads
    beyond those of TLS, which no byte survives changed.

    Args:
        seed: Of everything.
        rate: Share of exchanges that are spoilt.
        kinds: What may happen.
    """

    seed: int
    rate: float = 0.0
    kinds: tuple[str, ...] = (*BEFORE, *AFTER, *BODY, CORRUPT)
    done: Counter = field(default_factory=Counter)

    def __post_init__(self):
        self._random = random.Random(self.seed)
        self._lock = threading.Lock()
        self._next: list[str] = []

    def then(self, *kinds):
        """Let the next object reads and writes fail in these ways, one after the other."""
        with self._lock:
            self._next += kinds

    def draw(self, method, is_object, is_boto):
        """Choose what happens to an exchange; None for nothing."""
        with self._lock:
            if self._next and is_object:
                kind = self._next.pop(0)
                self.done[kind] += 1
                return None if kind == "fine" else kind
            if self._random.random() >= self.rate:
                return None
            kind = self._random.choice(self.kinds)
            if kind in AFTER and method not in WRITES:
                kind = "reset"
            if kind == CORRUPT and not (is_boto and is_object and method == "GET"):
                kind = "late"
            self.done[kind] += 1
            return kind

    def spoil(self, content):
        """Change one byte."""
        at = self._random.randrange(len(content))
        return content[:at] + bytes([content[at] ^ 0x20]) + content[at + 1 :]


class Exchange(BaseHTTPRequestHandler):
    """One exchange, passed on and spoilt."""

    protocol_version = "HTTP/1.1"

    def pass_on(self):
        sent = self._sent()
        if self.server.before is not None:
            self.server.before(self)
        if refusal := self._refusal():
            return self._refuse(*refusal)
        is_object = urlsplit(self.path).path.count("/") > 1 and "list-type" not in self.path
        is_boto = "boto" in self.headers.get("User-Agent", "").lower()
        kind = self.server.schedule.draw(self.command, is_object, is_boto)
        if kind in ("error", "slow_down"):
            return self._error(kind)
        if kind == "reset":
            return self._reset()
        status, headers, content = self._asked(sent)
        if kind == "lost":
            return self._reset()
        if kind == "error_after":
            return self._error(kind)
        if kind == "late":
            time.sleep(_LATE_SECONDS)
        if kind == CORRUPT and content and status < 300:
            content = self.server.schedule.spoil(content)
        self._answer(status, headers, content, torn=kind == "torn")
        return None

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = pass_on  # noqa: N815

    def _refusal(self):
        path, query = urlsplit(self.path).path, f"?{urlsplit(self.path).query}"
        if self.command == "PUT" and self.server.locked in path:
            return 403, "AccessDenied", "no"
        method, piece, answer = self.server.forbidden
        if method == self.command and piece in self.path:
            return answer
        refused = self.server.refused.items() if self.command == "GET" else ()
        asked = ((piece, query if piece.startswith("?") else path) for piece, _ in refused)
        return next((self.server.refused[piece] for piece, text in asked if piece in text), None)

    def _sent(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        content = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            content += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return content

    def _asked(self, sent):
        store = http.client.HTTPConnection(self.server.store, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        try:
            store.request(self.command, self.path, body=sent, headers=headers)
            answer = store.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            store.close()

    def _error(self, kind):
        self._refuse(*_ERRORS[kind], "try again")

    def _refuse(self, status, code, message):
        content = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
        self._answer(status, [("Content-Length", str(len(content)))], content)

    def _answer(self, status, headers, content, torn=False):
        self.send_response_only(status)
        names = {name.lower() for name, _ in headers}
        for name, value in headers:
            if name.lower() not in _HOP:
                self.send_header(name, value)
        if "content-length" not in names and status not in (204, 304):
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content[: len(content) // 2] if torn else content)
        if torn:
            self._reset()

    def _reset(self):
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.close_connection = True

    def log_message(self, *words):
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """Say nothing: clients hang up on resets."""


class FaultProxy:
    """
    The proxy; a context manager.

    ``before``, if set, is called with the handler before each exchange is passed on. ``refused``
    says what is answered instead of an object: a piece of its path, and status, code and message.

    Args:
        store: ``host:port`` of the store.
        schedule: What goes wrong.
        locked: Nothing may be written to keys with this in them.
    """

    def __init__(self, store, schedule, locked=""):
        self._server = _Server(("127.0.0.1", 0), Exchange)
        self._server.store = urlsplit(store).netloc
        self._server.schedule = schedule
        self._server.before = None
        self._server.forbidden = ("", "", None)
        self.refused = self._server.refused = {}
        self._server.locked = locked or "\0"
        self.schedule = schedule
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}
        )

    def forbid(self, method, piece, status=403, code="AccessDenied"):
        """Answer requests of a method to paths with this in them as S3 does without permission."""
        self._server.forbidden = (method, piece, (status, code, "no"))

    def before_each(self, call):
        self._server.before = call

    def once(self, method, piece, act):
        """Let something happen once, just before a request is passed on."""
        waiting = [act]

        def look(exchange):
            if waiting and exchange.command == method and piece in exchange.path:
                waiting.pop()()

        self.before_each(look)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
