"""Runs as child processes."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress


class Child:
    """
    One child process and what it prints on standard output.

    Its standard error is ours. It has a process group of its own: Ctrl-C then reaches the daemon
    alone, which asks each child once, and ``kill`` takes the workers of a run along.

    Args:
        command: The program and its arguments.
        on_end: Called with this child when it has ended, in another thread.

    Raises:
        OSError: The process cannot be started.
    """

    def __init__(self, command: Sequence[str], on_end: Callable[[Child], None]) -> None:
        self._started = time.monotonic()
        self._process = subprocess.Popen(  # noqa: S603 - our own command line, no shell
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, process_group=0
        )
        self._on_end = on_end
        self._output = b""
        self._seconds = 0.0
        threading.Thread(target=self._wait, name=f"child-{self.pid}", daemon=True).start()

    @property
    def pid(self) -> int:
        """The process id, which is the id of its group too."""
        return self._process.pid

    @property
    def exit_code(self) -> int:
        """How it ended; a signal as a negative number. Only after the end."""
        return int(self._process.returncode)

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

    def _wait(self) -> None:
        self._output, _ = self._process.communicate()
        self._seconds = time.monotonic() - self._started
        self._on_end(self)
