"""
Processes of the command line: started, or, where many are wanted, forked from a prepared one.

Loading what a run needs takes most of a short run. So once a few were started within seconds, a
process that has loaded everything is kept, and each further run is a fork of it. It needs more
memory than the daemon itself, so it goes once none was started for a while.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import IO

import structlog

COMMAND = (sys.executable, "-m", "exchanger")
"""The command line, in a process that loads it."""
_SERVER = (sys.executable, "-m", "exchanger.cli.prepared")

MANY = 3
WITHIN = 10.0
"""So many processes in as many seconds are worth a prepared one."""
KEPT = 20.0
"""Seconds for which it is kept without being used."""
_LONGEST = 3600.0
"""Seconds after which another one takes its place: it has what was installed when it began."""
_PATIENCE = 15.0
"""Seconds that a fork may take to begin."""

log = structlog.get_logger()


def start(command: Sequence[str]) -> Process:
    """
    Start a process that loads what it needs.

    Raises:
        OSError: It cannot be started.
    """
    return subprocess.Popen(  # noqa: S603 - our own command line, no shell
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        process_group=0,
    )


class PreparedProcesses:
    """Begins processes of the command line, in one way or the other. For one thread."""

    def __init__(self) -> None:
        self._begun: deque[float] = deque(maxlen=MANY)
        self._server: PreparedProcess | None = None
        self._leaving: list[PreparedProcess] = []

    def begin(self, command: Sequence[str]) -> Process:
        """
        Begin a process.

        Args:
            command: The program and its arguments; others than of our own command line are started.

        Raises:
            OSError: It cannot be started.
        """
        words = tuple(command[len(COMMAND) :])
        if tuple(command[: len(COMMAND)]) != COMMAND:
            return start(command)
        self._begun.append(time.monotonic())
        if self._server is not None and self._server.is_ready():
            try:
                return self._server.fork(words)
            except OSError as error:
                log.warning("prepared.failed", error=str(error))
                self._server.kill()
                self._server = None
        elif self._server is None and self._many():
            self._prepare()
        return start(command)

    def look(self) -> None:
        """Let the prepared process go if it is not used any more, or is old."""
        self._leaving = [one for one in self._leaving if not one.is_gone()]
        if self._server is not None and (
            self._server.is_gone()
            or time.monotonic() - self._begun[-1] > KEPT
            or time.monotonic() - self._server.began > _LONGEST
        ):
            self.close()

    def end(self, deadline: float) -> None:
        """Let the prepared process go, and wait for its end until then by the monotonic clock."""
        self.close()
        for one in self._leaving:
            with suppress(subprocess.TimeoutExpired):
                one.wait(max(deadline - time.monotonic(), 0))

    def close(self) -> None:
        """Let the prepared process go: it ends once all its forks have."""
        if self._server is not None:
            self._server.close()
            self._leaving.append(self._server)
        self._server = None

    def _many(self) -> bool:
        return len(self._begun) == MANY and self._begun[-1] - self._begun[0] <= WITHIN

    def _prepare(self) -> None:
        try:
            self._server = PreparedProcess()
        except (OSError, AttributeError) as error:  # A system may lack such sockets.
            log.info("prepared.not_started", error=str(error))


class PreparedProcess:
    """
    A process that has loaded everything.

    Raises:
        OSError: It cannot be started.
    """

    def __init__(self) -> None:
        self.began = time.monotonic()
        self._ready = False
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own command line, no shell
                [*_SERVER, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                process_group=0,
            )

    @property
    def pid(self) -> int:
        """Return its process id."""
        return self._process.pid

    def is_ready(self, patience: float = 0.0) -> bool:
        """Return whether it has loaded everything; waits for that for so many seconds."""
        if not self._ready and select.select([self._socket], [], [], patience)[0]:
            with suppress(OSError):
                self._ready = bool(self._socket.recv(16))
        return self._ready and not self.is_gone()

    def is_gone(self) -> bool:
        """Return whether it has ended."""
        return self._process.poll() is not None

    def fork(
        self,
        words: Sequence[str],
        folder: str | None = None,
        environment: dict[str, str] | None = None,
    ) -> Fork:
        """
        Begin a command line in a fork of it.

        Args:
            words: What follows the program's name.
            folder: Where it works, and what its environment is; its own if left out.
            environment: As above.

        Raises:
            OSError: It does not fork.
        """
        request = {"words": list(words), "folder": folder, "environment": environment}
        watcher, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        out, out_end = os.pipe()
        err, err_end = os.pipe()
        fork = Fork(watcher, os.fdopen(out, "rb"), os.fdopen(err, "rb"))
        try:
            fds = [theirs.fileno(), out_end, err_end]
            socket.send_fds(self._socket, [json.dumps(request).encode()], fds)
        finally:
            theirs.close()
            os.close(out_end)
            os.close(err_end)
        fork.learn_pid()
        return fork

    def close(self) -> None:
        """Ask for no more forks: it ends once those that there are have."""
        self._socket.close()

    def wait(self, patience: float | None = None) -> None:
        """
        Wait for its end.

        Raises:
            subprocess.TimeoutExpired: It has not ended in so many seconds.
        """
        self._process.wait(patience)

    def kill(self) -> None:
        """End it at once; its forks go on."""
        self._process.kill()
        self._process.wait()
        self._socket.close()


class Fork:
    """
    A fork of a prepared process.

    Args:
        watcher: Where its process id and its end are told.
        stdout: What it prints.
        stderr: What it says on standard error.
    """

    def __init__(self, watcher: socket.socket, stdout: IO[bytes], stderr: IO[bytes]) -> None:
        self._watcher = watcher
        self.stdout = stdout
        self.stderr = stderr
        self.pid = 0
        self.returncode: int | None = None

    def learn_pid(self) -> None:
        """
        Wait until it has begun.

        Raises:
            OSError: It has not.
        """
        told = b""
        if select.select([self._watcher], [], [], _PATIENCE)[0]:
            told = self._watcher.recv(32)
        if not told:
            self.stdout.close()
            self.stderr.close()
            self._watcher.close()
            raise OSError("the prepared process did not fork")
        self.pid = int(told)

    def has_ended(self, patience: float | None = 0.0) -> bool:
        """Return whether it has ended; waits for that for so many seconds, or without end."""
        if self.returncode is not None:
            return True
        return bool(select.select([self._watcher], [], [], patience)[0])

    def wait(self) -> int:
        """Wait for its end; returns how it ended."""
        if self.returncode is None:
            told = b""
            with suppress(OSError):
                told = self._watcher.recv(32)
            # Nobody knows how it ended, if who could have told was killed.
            self.returncode = os.waitstatus_to_exitcode(int(told)) if told else -signal.SIGKILL
            self._watcher.close()
        return self.returncode

    def send_signal(self, sig: int, /) -> None:
        """Send a signal. Harmless after its end."""
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, sig)


Process = subprocess.Popen[bytes] | Fork
"""A process that was begun, as far as the daemon looks at it; its id is that of its group too."""
