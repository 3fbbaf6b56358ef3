"""The real daemon in a time that is stepped, and the people who use it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from support.lines import Lines
from support.real_daemon import Daemon

STEPPED = Path(__file__).parent.parent / "stepped"
PATIENCE = 900.0
"""Seconds that a day's work may take; that of a flood is hundreds of files."""


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

    def rest(self, step):
        """Read events until it has done all that was due after a step of time."""
        deadline = time.monotonic() + PATIENCE
        wanted = {"event": "story.rested", "step": step}
        while not (self.events and wanted.items() <= self.events[-1].items()):
            line = self._lines.next(deadline)
            assert line is not None, (self.events[-5:], self.plain)
            self._keep(line)

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


def story_environment(story):
    """Return what lets processes live in the time of a story."""
    path = os.pathsep.join([str(STEPPED), os.environ["PYTHONPATH"]])
    return {"PYTHONPATH": path, "STORY_TIME": str(story.path)}
