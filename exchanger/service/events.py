"""What the loop of the daemon reacts to, and signals as one kind of it."""

from __future__ import annotations

import queue
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from exchanger.service.child_process import ChildProcess
from exchanger.service.looking.folder_scanner import ScanResult
from exchanger.service.looking.notices import Notice
from exchanger.service.looking.watching import Watch


@dataclass(frozen=True)
class Due:
    """A job is due."""

    job: str
    why: str


@dataclass(frozen=True)
class RunEnded:
    """The child that ran a job has ended."""

    job: str
    child: ChildProcess


@dataclass(frozen=True)
class Answered:
    """A question about a connection has been answered, or has failed."""

    question: str
    connection: str
    child: ChildProcess


@dataclass(frozen=True)
class Announced:
    """A process that tells people what the daemon saw has ended."""

    connection: str
    child: ChildProcess


@dataclass(frozen=True)
class Looked:
    """A look into the folders of due imports is over; None if it failed."""

    watch: Watch
    seen: ScanResult | None


@dataclass(frozen=True)
class Noticed:
    """A queue has told of new files."""

    notice: Notice


@dataclass(frozen=True)
class Counted:
    """The question which imports have something to do has been answered, or has failed."""

    watch: Watch
    child: ChildProcess


@dataclass(frozen=True)
class Signalled:
    """A signal came."""

    number: int


Event = Due | RunEnded | Answered | Announced | Looked | Noticed | Counted | Signalled


@contextmanager
def signals_as_events(events: queue.SimpleQueue[Event]) -> Iterator[None]:
    """Put SIGTERM, SIGINT and SIGHUP into a queue while the context is open. Main thread only."""

    def remember(number: int, _frame: FrameType | None) -> None:
        # SimpleQueue.put may be interrupted by a handler that puts, unlike Queue.put.
        events.put(Signalled(number))

    handled = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {number: signal.signal(number, remember) for number in handled}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
