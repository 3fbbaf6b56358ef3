"""A local S3 in a process of its own: ``python -m benchmarks.store`` prints its port."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

from benchmarks.place import COUNT
from exchanger.sandbox import LocalS3


class Counted:
    """A server's application, with its requests counted."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app
        self._numbers = count()  # Requests come in threads.

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        if environ["PATH_INFO"] != COUNT:
            next(self._numbers)
            return self._app(environ, start)
        start("200 OK", [("Content-Type", "text/plain")])
        return [repr(self._numbers).strip("count()").encode()]


if __name__ == "__main__":
    with LocalS3() as server:
        server._server.app = Counted(server._server.app)  # noqa: SLF001 - only here is it counted
        print(server.port, flush=True)
        signal.sigwait([signal.SIGTERM, signal.SIGINT])
