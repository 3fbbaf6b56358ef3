"""
A process that has loaded all that runs need, and becomes a run by forking.

``python -m exchanger.cli.prepared SOCKET`` says that it is ready, and then forks for each request:
the words of a command line, with the ends of pipes for what it prints and says, and a socket on
which its process id and its end are told. A fork is a process of its own: what crashes there, or
takes memory, goes with it.

Nothing here may use polars, Arrow or a table, as threads do not survive a fork; they begin when
these are used. Polars has one from the start, which removes files of frames that did not fit into
memory: what a fork leaves of these is removed by the next process that loads polars.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import sys
from contextlib import suppress
from importlib import import_module
from typing import Any

REQUEST = 1 << 17
"""Bytes that a request has at most."""
READY = b"ready"
_LOADED = (
    "boto3.session",
    "encodings.idna",
    "exchanger.app.asking",
    "exchanger.app.listings",
    "exchanger.cli.app",
    "exchanger.cli.choosing",
    "exchanger.cli.execution",
    "exchanger.cli.exit",
    "exchanger.jobs.exports",
    "exchanger.jobs.imports",
    "exchanger.jobs.inventory.standing",
    "exchanger.outside.braze.client",
    "exchanger.outside.delta.table",
    "exchanger.outside.s3.bucket",
    "exchanger.outside.scratch",
    "typer._adapters",
)


def main() -> None:
    """Load everything, and fork until nobody can ask any more."""
    requests = socket.socket(fileno=int(sys.argv[1]))
    _load()
    forks = Forks(requests)
    words = forks.serve()
    if words is None:
        return
    from exchanger.cli import main as command_line

    sys.argv = ["exchanger", *words]
    gc.enable()
    try:
        command_line()
    finally:
        # It ends there, unless its streams do not take what is left.
        os._exit(1)


def _load() -> None:
    from exchanger.cli.lean import load_arrow, load_logging

    load_logging()
    load_arrow()
    for name in _LOADED:
        import_module(name)
    from exchanger.cli.app import command
    from exchanger.outside.s3.client import describe

    command()
    describe()
    gc.collect()
    # Else looking for garbage would copy what forks have in common.
    gc.freeze()
    gc.disable()


class Forks:
    """
    Forks this process on request, and tells how each fork ends.

    Args:
        requests: Where requests come from, until its other end is closed.
    """

    def __init__(self, requests: socket.socket) -> None:
        self._requests = requests
        self._watchers: dict[int, socket.socket] = {}
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(self._woken, False)

    def serve(self) -> list[str] | None:
        """
        Answer requests until there can be no more, and all forks have ended.

        Returns:
            In a fork: its words. In the end: None.
        """
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake)
        with suppress(BrokenPipeError):
            self._requests.send(READY)
        asking = True
        while asking or self._watchers:
            sources: list[Any] = [self._woken, *([self._requests] if asking else [])]
            readable = select.select(sources, [], [])[0]
            if self._woken in readable:
                self._tell_ends()
            if self._requests in readable:
                message, fds, _, _ = socket.recv_fds(self._requests, REQUEST, 3)
                asking = bool(message)
                if message and self._fork(fds):
                    return self._begin(json.loads(message), fds)
        return None

    def _fork(self, fds: list[int]) -> bool:
        """Fork, and tell of it; returns in both, with whether this is the fork."""
        watcher = socket.socket(fileno=fds[0])
        child = os.fork()
        if not child:
            watcher.detach()
            return True
        with suppress(OSError):  # As the fork does itself: whoever is first.
            os.setpgid(child, child)
        for fd in fds[1:]:
            os.close(fd)
        self._watchers[child] = watcher
        with suppress(OSError):
            watcher.send(str(child).encode())
        return False

    def _tell_ends(self) -> None:
        with suppress(BlockingIOError):
            while os.read(self._woken, 512):
                pass
        for child in list(self._watchers):
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                with suppress(OSError), self._watchers.pop(child) as watcher:
                    watcher.send(str(status).encode())

    def _begin(self, request: dict[str, object], fds: list[int]) -> list[str]:
        """Let go of what belongs to the process before the fork, and be as if started."""
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for watcher in self._watchers.values():
            watcher.close()
        self._requests.close()
        os.dup2(fds[1], 1)
        os.dup2(fds[2], 2)
        for fd in (*fds, self._woken, self._wake):
            os.close(fd)
        if isinstance(folder := request.get("folder"), str):
            os.chdir(folder)
        if isinstance(environment := request.get("environment"), dict):
            os.environ.clear()
            os.environ.update(environment)
        words = request["words"]
        return [str(word) for word in words] if isinstance(words, list) else []


if __name__ == "__main__":
    main()
