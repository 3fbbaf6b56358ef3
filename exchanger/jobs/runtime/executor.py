"""Where the pure work of a run's parts is done: here, or wherever ``JobContext`` says."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

Part = TypeVar("Part")
Made = TypeVar("Made")
Fetched_co = TypeVar("Fetched_co", covariant=True)


class Work(Protocol[Fetched_co]):
    """Work that was handed over, in the shape of ``concurrent.futures.Future``."""

    def result(self) -> Fetched_co:
        """Wait for what came of it; whatever it raised is raised."""
        ...


class PlanExecutor(Protocol):
    """
    Does work, in the shape of ``concurrent.futures.Executor``.

    What is handed over must be picklable, free of effects, and may be done more than once.
    """

    @property
    def ahead(self) -> int:
        """How many pieces of work may be under way or waiting to be fetched, at least one."""
        ...

    def submit(self, function: Callable[[Part], Made], part: Part, /) -> Work[Made]:
        """Hand work over."""
        ...


@dataclass(frozen=True)
class Done(Generic[Made]):
    """Work that is already done."""

    made: Made

    def result(self) -> Made:
        """Return what came of it."""
        return self.made


class LocalExecutor:
    """Does all work at once in this process; polars uses all its cores by itself."""

    ahead = 1

    def submit(self, function: Callable[[Part], Made], part: Part, /) -> Done[Made]:
        """Do it."""
        return Done(function(part))


@contextmanager
def local_executor() -> Iterator[LocalExecutor]:
    """Open the engine that is always there."""
    yield LocalExecutor()


def in_order(
    engine: PlanExecutor, function: Callable[[Part], Made], parts: Iterable[Part]
) -> Iterator[Made]:
    """
    Have the same done to each part, and give what comes of it in the order of the parts.

    A part is fetched from *parts* only when there is room for it, so that no more than
    ``executor.ahead`` are in memory.
    """
    under_way: deque[Work[Made]] = deque()
    for part in parts:
        under_way.append(engine.submit(function, part))
        if len(under_way) >= engine.ahead:
            yield under_way.popleft().result()
    while under_way:
        yield under_way.popleft().result()
