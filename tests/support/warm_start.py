"""
The command line in processes that need not import it first.

They are forks of the prepared process that the daemon uses too: importing takes most of a short
call otherwise. Tests of starting itself, of the demo and of daemons start cold.
"""

from __future__ import annotations

import functools
import io
import subprocess
import threading
import time

from exchanger.service.prepared import PreparedProcess

PATIENCE = 60.0
"""Seconds that loading everything may take on a machine that does much else."""


class WarmProcess:
    """A fork of the prepared process; like ``subprocess.Popen``, as far as tests need it."""

    def __init__(self, fork):
        self._fork = fork
        self.pid = fork.pid
        self.stdout = io.TextIOWrapper(fork.stdout, encoding="utf-8")
        self.stderr = io.TextIOWrapper(fork.stderr, encoding="utf-8")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wait()
        self._close()

    @property
    def returncode(self):
        """How it ended, if somebody looked."""
        return self._fork.returncode

    def poll(self):
        """Tell the exit code if it has ended."""
        return self._fork.wait() if self._fork.has_ended() else None

    def wait(self, timeout=None):
        """Wait for its end; its exit code, negative for a signal."""
        if not self._fork.has_ended(timeout):
            raise subprocess.TimeoutExpired("exchanger", timeout)
        return self._fork.wait()

    def send_signal(self, number):
        """Send a signal unless it has ended."""
        if self.poll() is None:
            self._fork.send_signal(number)

    def terminate(self):
        self.send_signal(15)

    def kill(self):
        self.send_signal(9)

    def communicate(self, timeout=None):
        """Read all that it prints, and wait for its end."""
        texts = {}
        until = None if timeout is None else time.monotonic() + timeout

        def read(name, stream):
            texts[name] = stream.read()

        threads = [
            threading.Thread(target=read, args=pair, daemon=True)
            for pair in (("out", self.stdout), ("err", self.stderr))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(None if until is None else max(until - time.monotonic(), 0))
            if thread.is_alive():
                raise subprocess.TimeoutExpired("exchanger", timeout)
        self.wait(None if until is None else max(until - time.monotonic(), 0))
        self._close()
        return texts["out"], texts["err"]

    def _close(self):
        self.stdout.close()
        self.stderr.close()


class WarmServer:
    """Forks command lines from a process that has imported all of it."""

    def __init__(self):
        self._process = PreparedProcess()
        self._starting = threading.Lock()

    def start(self, words, folder, environment):
        """Start ``exchanger WORDS`` in a folder."""
        with self._starting:
            assert self._process.is_ready(PATIENCE)
            fork = self._process.fork([str(w) for w in words], str(folder), dict(environment))
        return WarmProcess(fork)

    def close(self):
        """End the server; what it started goes on."""
        self._process.close()
        self._process.wait()


def share_descriptions():
    """
    Have all sessions of boto3 in this process share what they read about services.

    Reading it costs a fifth of a second of CPU for each client otherwise, and tests make many.
    """
    import botocore.session

    botocore.session.create_loader = functools.cache(botocore.session.create_loader)
