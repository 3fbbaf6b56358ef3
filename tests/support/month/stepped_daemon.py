"""The real daemon in a time that is stepped, and the people who use it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from support.lines import Lines
from support.real_daemon import PATIENCE, Daemon

STEPPED = Path(__file__).parent.parent / "stepped"
STILL = 0.7
"""Seconds without an event or a process after which the daemon has done all that was due."""


class SteppedDaemon(Daemon):
    """A daemon process that lives in the time of a story."""

    def __init__(self, exchange):
        words = ["daemon", "--log-level", "debug", "--config", str(exchange.config)]
        self.process = subprocess.Popen(
            [sys.executable, str(STEPPED / "watchful_daemon.py"), *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=exchange.folder,
            env=exchange.environment,
        )
        self.events = []
        self.plain = []
        self._lines = Lines(self.process.stderr)

    def rest(self):
        """Read events until it has done all that was due."""
        deadline = time.monotonic() + PATIENCE
        last = time.monotonic()
        while time.monotonic() - last < STILL:
            assert time.monotonic() < deadline, self.events[-5:]
            assert self.process.poll() is None, self.plain
            line = self._lines.next(time.monotonic() + 0.05)
            if line is not None:
                self._keep(line)
            if line is not None or self._works():
                last = time.monotonic()

    def stop(self):
        """Stop it as people do; returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE
        while (line := self._lines.next(deadline)) is not None:
            self._keep(line)
        return self.process.wait(timeout=PATIENCE)

    def _keep(self, line):
        if line.startswith(b"{"):
            self.events.append(json.loads(line))
        else:
            self.plain.append(line.decode())

    def _works(self):
        """Return whether a process of it is at work: all but the one that is prepared to fork."""
        return any(
            _children(child) or "exchanger.cli.prepared" not in _command(child)
            for child in _children(self.process.pid)
        )


def _children(pid):
    found = []
    with suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += (task / "children").read_text().split()
    return found


def _command(pid):
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_text()
    return ""


def story_environment(story):
    """Return what lets processes live in the time of a story."""
    path = os.pathsep.join([str(STEPPED), os.environ["PYTHONPATH"]])
    return {"PYTHONPATH": path, "STORY_TIME": str(story.path)}
