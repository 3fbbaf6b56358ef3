"""Runs as child processes."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import IO, cast

from exchanger.service.prepared import Process, start
from exchanger.service.telling.spoken import pieces

_LAST_WORDS = 1.0
"""Seconds to wait for the last words of a child that has ended."""


class ChildProcess:
    """
    One child process, what it prints on standard output, and what it says on standard error.

    It has a process group of its own: Ctrl-C then reaches the daemon alone, which asks each child
    once, and ``kill`` takes the workers of a run along.

    Args:
        command: The program and its arguments.
        on_end: Called with this child when it has ended, in another thread.
        on_words: Called with lines of its standard error, in another thread.
        begin: Begins the process.

    Raises:
        OSError: The process cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        on_end: Callable[[ChildProcess], None],
        on_words: Callable[[list[str]], None],
        begin: Callable[[Sequence[str]], Process] = start,
    ) -> None:
        self._started = time.monotonic()
        self._process = begin(command)
        self._on_end = on_end
        self._on_words = on_words
        self._output = b""
        self._seconds = 0.0
        self._listener = self._thread(self._listen, "words")
        self._waiter = self._thread(self._wait, "child")
        try:
            self._listener.start()
            self._waiter.start()
        except RuntimeError as error:  # No more threads: nobody would ever hear of this child.
            self.kill()
            raise OSError(str(error)) from error

    @property
    def pid(self) -> int:
        """The process id, which is the id of its group too."""
        return self._process.pid

    @property
    def exit_code(self) -> int:
        """How it ended; a signal as a negative number. Only after the end."""
        return self._process.wait()

    @property
    def output(self) -> str:
        """All that it printed. Only after the end."""
        return self._output.decode(errors="replace")

    @property
    def seconds(self) -> float:
        """How long it took. Only after the end."""
        return self._seconds

    def ask_to_stop(self) -> None:
        """Send SIGTERM to the child, which tells its own workers. Harmless after its end."""
        self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill the child and its workers. Harmless after their end."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def _thread(self, target: Callable[[], None], name: str) -> threading.Thread:
        return threading.Thread(target=target, name=f"{name}-{self.pid}", daemon=True)

    def _listen(self) -> None:
        with cast("IO[bytes]", self._process.stderr) as stream:
            for lines in pieces(stream.fileno()):
                self._on_words(lines)

    def _wait(self) -> None:
        with cast("IO[bytes]", self._process.stdout) as stream:
            self._output = stream.read()
        self._process.wait()
        self._seconds = time.monotonic() - self._started
        # What it said comes before its end; but a process of its own may keep the pipe for longer.
        self._listener.join(_LAST_WORDS)
        self._on_end(self)
