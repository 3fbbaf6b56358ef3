"""
Shows that this daemon is alive: a document in the state of each connection, every minute.

Written in threads with the client of S3 alone, so that a store which does not answer holds up
neither the daemon nor the other connections.
"""

from __future__ import annotations

import os
import re
import secrets
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from exchanger.config.loading.shorthand import default_state_prefix
from exchanger.config.models import Connection
from exchanger.errors import StorageError
from exchanger.files.heartbeat import Heartbeat
from exchanger.outside.s3.bucket import Bucket
from exchanger.state.names import StateNames
from exchanger.version import __version__

EVERY = 60.0
"""Seconds between two documents of a connection."""

FIRST = 5.0
"""Seconds until the first one, so that a daemon which dies at once leaves no litter."""

_KEPT = timedelta(days=7)
"""Age at which the documents of daemons that are no more are removed."""
_SUPERSEDED = timedelta(minutes=10)
"""The same where another daemon runs on that host by now."""
_READ = 50

log = structlog.get_logger()


@dataclass(frozen=True)
class Facts:
    """
    What a document says besides who writes it.

    Args:
        next: When each job of the connection is due next.
        expecting: Jobs of the connection that something is expected of.
        last_look: When a folder was looked into last.
        failing: Of jobs whose last run failed, what is known of that.
        refused: Since when the configuration is refused, and why; None if it is not.
    """

    next: dict[str, str | None] = field(default_factory=dict)
    expecting: list[str] = field(default_factory=list)
    last_look: str | None = None
    failing: dict[str, dict[str, Any]] = field(default_factory=dict)
    refused: dict[str, str] | None = None


class Heartbeats:
    """
    The documents of this daemon.

    Args:
        config: The path of its configuration.
        facts: Tells what the document of a connection says.
    """

    def __init__(self, config: Path, facts: Callable[[str], Facts]) -> None:
        host, pid, now = socket.gethostname(), os.getpid(), _now()
        name = f"{_host_in_key(host)}-{pid}-{secrets.token_hex(4)}"
        self._who = Heartbeat(name, host, pid, __version__, str(config), now, now)
        self._facts = facts
        self._beats: dict[str, _Beat] = {}
        self._next = time.monotonic() + FIRST

    def configure(self, connections: dict[str, Connection]) -> None:
        """Write for these connections; tell those which are gone that nobody is there any more."""
        before, self._beats = self._beats, {}
        for name, connection in connections.items():
            beat = before.get(name)
            same = beat is not None and beat.configured == connection
            self._beats[name] = beat if beat and same else _Beat(name, connection)
        for name, beat in before.items():
            if self._beats.get(name) is not beat:
                beat.write(self._stopped(), Facts())

    def beat(self) -> None:
        """Write, if a minute has passed."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + EVERY
        for name, beat in self._beats.items():
            beat.write(self._who, self._facts(name))

    def stop(self) -> None:
        """Begin to tell that the daemon was stopped as asked; *wait* waits for it."""
        for name, beat in self._beats.items():
            beat.write(self._stopped(), self._facts(name))

    def wait(self, deadline: float) -> None:
        """Wait until all is written, but not longer than until a moment of the monotonic clock."""
        for beat in self._beats.values():
            beat.wait(max(deadline - time.monotonic(), 0.0))

    def _stopped(self) -> Heartbeat:
        return replace(self._who, stopped_at=_now())


class _Beat:
    """The document in the state of one connection. One thread at a time writes it."""

    def __init__(self, name: str, connection: Connection) -> None:
        self.configured = connection
        self._name = name
        self._names = StateNames(connection.s3.state_prefix or default_state_prefix(name))
        self._bucket = Bucket(connection.s3)
        self._thread: threading.Thread | None = None
        self._last: threading.Thread | None = None
        self._counter = 0
        self._written = False
        self._expecting: dict[str, str] | None = None
        self._failing = False

    def write(self, who: Heartbeat, facts: Facts) -> None:
        """Write in a thread; while one is at it nothing more is begun, but for the last word."""
        before = self._thread
        if before is not None and before.is_alive() and not who.stopped_at:
            return
        if who.stopped_at and not self._written:
            return  # Nothing is there to be corrected.

        def act() -> None:
            if before is not None:
                before.join()
            self._act(who, facts)

        thread = threading.Thread(target=act, name=f"heartbeat-{self._name}", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # There are no more threads.
            log.warning("heartbeat.failed", connection=self._name, error=str(error))
        else:
            self._thread = thread
            self._last = thread if who.stopped_at else None

    def wait(self, seconds: float) -> None:
        """Wait until the last word is written, if one is."""
        if self._last is not None:
            self._last.join(seconds)

    def _act(self, who: Heartbeat, facts: Facts) -> None:
        try:
            first = self._expecting is None
            if self._expecting is None:
                self._expecting = self._known_expectations()
            self._put(who, facts, self._expecting)
            if first:
                self._sweep(who)
        except StorageError as error:
            self._failed(str(error))
        except Exception as error:  # noqa: BLE001 - a heartbeat is no reason for anything to end
            # What is in the words of others nobody knows, so they stay out of the log.
            self._failed(type(error).__name__)
        else:
            self._failing = False

    def _put(self, who: Heartbeat, facts: Facts, expecting: dict[str, str]) -> None:
        now = _now()
        self._counter += 1
        self._expecting = {job: expecting.get(job, now) for job in facts.expecting}
        document = replace(
            who,
            at=now,
            counter=self._counter,
            last_look=facts.last_look,
            next=facts.next,
            failing=facts.failing,
            refused=facts.refused,
            expecting=self._expecting,
        )
        self._bucket.write(self._names.heartbeat(who.daemon), document.to_bytes())
        self._written = True

    def _known_expectations(self) -> dict[str, str]:
        """Read since when daemons before this one knew what is expected of jobs."""
        listed = sorted(self._bucket.list(self._names.heartbeats), key=lambda it: it.last_modified)
        known: dict[str, str] = {}
        for item in listed[-_READ:]:
            try:
                document = Heartbeat.from_bytes(self._bucket.read(item.key)[0])
            except ValueError:
                continue
            for job, since in document.expecting.items():
                known[job] = min(since, known.get(job, since))
        return known

    def _sweep(self, who: Heartbeat) -> None:
        """Remove what daemons have left that are no more: after a week, on our host sooner."""
        ours = self._names.heartbeat(who.daemon)
        same_host = f"{self._names.heartbeats}{_host_in_key(who.host)}-"
        swept = [
            item.key
            for item in self._bucket.list(self._names.heartbeats)
            if item.key != ours
            and item.age is not None
            and item.age > (_SUPERSEDED if item.key.startswith(same_host) else _KEPT)
        ]
        self._bucket.delete(swept)

    def _failed(self, error: str) -> None:
        # Once for as long as it lasts.
        if not self._failing:
            log.warning("heartbeat.failed", connection=self._name, error=error)
        self._failing = True


def _host_in_key(host: str) -> str:
    return re.sub("[^A-Za-z0-9]", "_", host)


def _now() -> str:
    return datetime.now(UTC).isoformat()
