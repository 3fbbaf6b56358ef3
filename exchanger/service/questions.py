"""What the daemon asks of its own command line: child processes that only read."""

from __future__ import annotations

import queue
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import structlog

from exchanger.service.children import Child
from exchanger.service.events import Answered, Counted, Event
from exchanger.service.missed import read_last_starts
from exchanger.service.watching import Watch, read_waiting

log = structlog.get_logger()


class Begin(Protocol):
    """Begins a child process that reads the configuration as it is now."""

    def __call__(self, on_end: Callable[[Child], None], *words: str) -> Child:
        """
        Begin it.

        Raises:
            OSError: It cannot be started.
        """


class Questions:
    """
    The questions under way. A question that fails is no reason to stand still.

    Args:
        begin: Begins a child process.
        events: Where its end is put.
    """

    def __init__(self, begin: Begin, events: queue.SimpleQueue[Event]) -> None:
        self._begin = begin
        self._events = events
        self._asked: set[Child] = set()

    @property
    def children(self) -> list[Child]:
        """The processes that have not ended."""
        return [*self._asked]

    def over(self, child: Child) -> None:
        """A process has ended."""
        self._asked.discard(child)

    def ask_for_last_starts(self) -> None:
        """Ask when each job started last."""
        try:
            child = self._begin(lambda it: self._events.put(Answered(it)), "runs", "--latest")
        except OSError as error:
            log.warning("schedule.unknown", error=str(error))
        else:
            self._asked.add(child)

    def last_starts(self, child: Child) -> dict[str, datetime] | None:
        """Read when each job started last; None if the question failed."""
        self.over(child)
        try:
            return read_last_starts(child.output)
        except ValueError as error:
            # The schedule goes on without: S3 may be down.
            log.warning("schedule.unknown", exit_code=child.exit_code, error=str(error))
            return None

    def ask_what_waits(self, watch: Watch) -> bool:
        """Ask which imports of a connection have something to do; False if that cannot be asked."""
        words = ("jobs", "--waiting", "--connection", watch.name)
        try:
            child = self._begin(lambda it: self._events.put(Counted(watch, it)), *words)
        except OSError as error:
            log.warning("waiting.unknown", connection=watch.name, error=str(error))
            return False
        self._asked.add(child)
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
