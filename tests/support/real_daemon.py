"""The real daemon, with real runs, as a process of its own."""

import json
import signal
import time

from support.lines import Lines

PATIENCE = 240.0


class Daemon:
    """A daemon process, its events read one by one; every wait has a deadline."""

    def __init__(self, exchange):
        self.process = exchange.start_cold("daemon", "--log-level", "debug")
        self.events = []
        self._lines = Lines(self.process.stderr)

    def until(self, reached):
        """Read events until the condition holds for all that came."""
        deadline = time.monotonic() + PATIENCE
        while not reached(self.events):
            line = self._lines.next(deadline)
            assert line is not None, self.events
            if line.startswith(b"{"):
                self.events.append(json.loads(line))

    def finished(self):
        """Name the jobs of the runs that have ended, in order."""
        return [one["job"] for one in self.events if one["event"] == "run.finished"]

    def told(self, event, **facts):
        return [one for one in self.events if {"event": event, **facts}.items() <= one.items()]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=PATIENCE)
        return self.process.returncode
