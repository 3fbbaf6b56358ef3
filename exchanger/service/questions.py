"""What the daemon asks of its own command line: child processes that only read."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Container, Iterable
from datetime import datetime
from functools import partial
from typing import Protocol

import structlog

from exchanger.service.children import Child
from exchanger.service.events import Answered, Counted, Event
from exchanger.service.missed import read_last_starts
from exchanger.service.watching import Watch, read_waiting

log = structlog.get_logger()


LAST_STARTS = "last starts"
AT_A_TIME = 4
"""Connections that are asked at a time when their jobs started last."""

ASK_AGAIN = 60.0
"""Seconds until a connection is asked again that did not answer."""


class Begin(Protocol):
    """Begins a child process that reads the configuration as it is now."""

    def __call__(self, on_end: Callable[[Child], None], connection: str, *words: str) -> Child:
        """
        Begin it.

        Raises:
            OSError: It cannot be started.
        """


class Questions:
    """
    The questions under way. A question that fails is no reason to stand still.

    Each is about one connection, so that one which does not answer hides nothing of the others.

    Args:
        begin: Begins a child process.
        events: Where its end is put.
    """

    def __init__(self, begin: Begin, events: queue.SimpleQueue[Event]) -> None:
        self._begin = begin
        self._events = events
        self._asked: dict[Child, str] = {}
        self._to_ask: dict[str, float] = {}

    @property
    def children(self) -> list[Child]:
        """The processes that have not ended."""
        return [*self._asked]

    def over(self, child: Child) -> None:
        """A process has ended."""
        self._asked.pop(child, None)

    def ask_for_last_starts(self, connections: Iterable[str]) -> None:
        """Ask when each job of some connections started last, until they have answered."""
        self._to_ask |= dict.fromkeys(connections, 0.0)
        self.begin_due()

    def begin_due(self) -> None:
        """Begin the questions whose time has come, a few at a time."""
        now = time.monotonic()
        for name in [name for name, at in self._to_ask.items() if at <= now]:
            if list(self._asked.values()).count(LAST_STARTS) >= AT_A_TIME:
                return
            del self._to_ask[name]
            try:
                child = self._begin(partial(self._answer, name), name, "runs", "--latest")
            except OSError as error:
                self._unknown(name, error=str(error))
            else:
                self._asked[child] = LAST_STARTS

    def last_starts(self, connection: str, child: Child) -> dict[str, datetime] | None:
        """Read when each job started last; None if the question failed, which is asked again."""
        self.over(child)
        known = None
        try:
            known = read_last_starts(child.output)
        except ValueError as error:
            # The schedule goes on without: S3 may be down.
            self._unknown(connection, exit_code=child.exit_code, error=str(error))
        self.begin_due()
        return known

    def keep_only(self, connections: Container[str]) -> None:
        """Ask no other connections any more."""
        self._to_ask = {name: at for name, at in self._to_ask.items() if name in connections}

    def _answer(self, connection: str, child: Child) -> None:
        self._events.put(Answered(connection, child))

    def _unknown(self, connection: str, **facts: object) -> None:
        self._to_ask[connection] = time.monotonic() + ASK_AGAIN
        log.warning("schedule.unknown", connection=connection, **facts, again_in=ASK_AGAIN)

    def ask_what_waits(self, watch: Watch) -> bool:
        """Ask which imports of a connection have something to do; False if that cannot be asked."""
        words = ("jobs", "--waiting")
        try:
            child = self._begin(lambda it: self._events.put(Counted(watch, it)), watch.name, *words)
        except OSError as error:
            log.warning("waiting.unknown", connection=watch.name, error=str(error))
            return False
        self._asked[child] = "what waits"
        return True

    def what_waits(self, watch: Watch, child: Child) -> list[str] | None:
        """Read which imports have something to do; None if the question failed."""
        self.over(child)
        try:
            return read_waiting(child.output)
        except ValueError as error:
            # The runs will find out, and tell what is wrong.
            facts = {"exit_code": child.exit_code, "error": str(error)}
            log.warning("waiting.unknown", connection=watch.name, **facts)
            return None
