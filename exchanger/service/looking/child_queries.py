"""What the daemon asks of its own command line: child processes that only read."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Container, Iterable
from datetime import datetime
from functools import partial
from typing import Any, Protocol, TypeVar

import structlog

from exchanger.service.child_process import ChildProcess
from exchanger.service.events import Answered, Counted, Event
from exchanger.service.looking.missed import read_last_starts
from exchanger.service.looking.watching import Backlog, Watch, read_waiting
from exchanger.service.telling.attention import read_standing

log = structlog.get_logger()

T = TypeVar("T")


LAST_STARTS = "runs --latest"
STANDING = "status"
WAITING = "jobs --waiting"
_UNKNOWN = {LAST_STARTS: "schedule.unknown", STANDING: "status.unknown"}

AT_A_TIME = 4
"""Questions at a time, but for those which have to be answered before a run can start."""

ASK_AGAIN = 60.0
"""Seconds until a connection is asked again that did not answer."""


class Begin(Protocol):
    """Begins a child process that reads the configuration as it is now."""

    def __call__(
        self, on_end: Callable[[ChildProcess], None], connection: str, *words: str
    ) -> ChildProcess:
        """
        Begin it.

        Raises:
            OSError: It cannot be started.
        """


class ChildQueries:
    """
    The questions under way. A question that fails is no reason to stand still.

    Each is about one connection, so that one which does not answer hides nothing of the others.
    """

    def __init__(self, begin: Begin, events: queue.SimpleQueue[Event]) -> None:
        self._begin = begin
        self._events = events
        self._asked: dict[ChildProcess, str] = {}
        self._to_ask: dict[tuple[str, str], float] = {}

    @property
    def children(self) -> list[ChildProcess]:
        """The processes that have not ended."""
        return [*self._asked]

    def over(self, child: ChildProcess) -> None:
        """A process has ended."""
        self._asked.pop(child, None)

    def ask_for_last_starts(self, connections: Iterable[str]) -> None:
        """Ask when each job of some connections started last, until they have answered."""
        self._to_ask |= {(LAST_STARTS, name): 0.0 for name in connections}
        self.begin_due()

    def ask_how_it_stands(self, connections: Iterable[str]) -> None:
        """Ask how some connections stand, once."""
        self._to_ask |= {(STANDING, name): 0.0 for name in connections}

    def begin_due(self) -> None:
        """Begin the questions whose time has come, a few at a time."""
        now = time.monotonic()
        for question in [question for question, at in self._to_ask.items() if at <= now]:
            if sum(kind != WAITING for kind in self._asked.values()) >= AT_A_TIME:
                return
            del self._to_ask[question]
            kind, name = question
            try:
                child = self._begin(partial(self._answer, kind, name), name, *kind.split())
            except OSError as error:
                self._unknown(kind, name, error=str(error))
            else:
                self._asked[child] = kind

    def last_starts(self, connection: str, child: ChildProcess) -> dict[str, datetime] | None:
        """Read when each job started last; None if the question failed, which is asked again."""
        # The schedule goes on without: S3 may be down.
        return self._read(LAST_STARTS, connection, child, read_last_starts)

    def how_it_stands(self, connection: str, child: ChildProcess) -> list[dict[str, Any]] | None:
        """Read how the jobs of a connection stand; None if the question failed."""
        return self._read(STANDING, connection, child, read_standing)

    def keep_only(self, connections: Container[str]) -> None:
        """Ask no other connections any more."""
        self._to_ask = {each: at for each, at in self._to_ask.items() if each[1] in connections}

    def _answer(self, kind: str, connection: str, child: ChildProcess) -> None:
        self._events.put(Answered(kind, connection, child))

    def _read(
        self, kind: str, connection: str, child: ChildProcess, read: Callable[[str], T]
    ) -> T | None:
        self.over(child)
        answer = None
        try:
            answer = read(child.output)
        except ValueError as error:
            self._unknown(kind, connection, exit_code=child.exit_code, error=str(error))
        self.begin_due()
        return answer

    def _unknown(self, kind: str, connection: str, **facts: object) -> None:
        if kind == LAST_STARTS:
            self._to_ask[kind, connection] = time.monotonic() + ASK_AGAIN
            facts["again_in"] = ASK_AGAIN
        log.warning(_UNKNOWN[kind], connection=connection, **facts)

    def ask_what_waits(self, watch: Watch) -> bool:
        """Ask which imports of a connection have something to do; False if that cannot be asked."""

        def answer(child: ChildProcess) -> None:
            self._events.put(Counted(watch, child))

        try:
            child = self._begin(answer, watch.name, *WAITING.split())
        except OSError as error:
            log.warning("waiting.unknown", connection=watch.name, error=str(error))
            return False
        self._asked[child] = WAITING
        return True

    def what_waits(self, watch: Watch, child: ChildProcess) -> Backlog | None:
        """Read which imports have something to do, and more; None if the question failed."""
        self.over(child)
        try:
            return read_waiting(child.output)
        except ValueError as error:
            # The runs will find out, and tell what is wrong.
            facts = {"exit_code": child.exit_code, "error": str(error)}
            log.warning("waiting.unknown", connection=watch.name, **facts)
            return None
