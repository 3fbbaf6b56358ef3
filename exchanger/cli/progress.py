"""How far a run is: a bar on a terminal, plain lines otherwise. Always on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from exchanger.jobs.runtime.context import Progress, SilentProgress

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

_PAUSE = 10.0
"""Seconds between two plain lines of one step."""


@contextmanager
def shown_progress(*, as_json: bool) -> Iterator[Progress]:
    """
    Choose how progress is shown, and put the terminal in order at the end.

    With ``--json`` nothing is shown: whoever reads it reads the log events.
    """
    if as_json:
        yield SilentProgress()
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bars

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
            yield TerminalProgress(bars)
    else:
        progress = PlainProgress(sys.stderr, time.monotonic)
        yield progress
        progress.close()


class TerminalProgress:
    """One bar for each step; the bar of a step fills when the next step begins."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._task: TaskID | None = None

    def step(self, what: str, total: int | None = None) -> None:
        """Begin a step."""
        if self._task is not None:
            done = self._bars.tasks[-1].completed
            self._bars.update(self._task, total=max(done, 1), completed=max(done, 1))
        self._task = self._bars.add_task(what, total=total)

    def advance(self, units: int) -> None:
        """Report that so many units of the current step are done."""
        if self._task is not None:
            self._bars.advance(self._task, units)


class PlainProgress:
    """
    A line when a step begins, and now and then one that says how far it is.

    Args:
        out: Where lines go.
        monotonic: Tells seconds.
    """

    def __init__(self, out: TextIO, monotonic: Callable[[], float]) -> None:
        self._out = out
        self._monotonic = monotonic
        self._what = ""
        self._total: int | None = None
        self._done = 0
        self._said_at = 0.0
        self._said = 0

    def step(self, what: str, total: int | None = None) -> None:
        """Begin a step."""
        self.close()
        self._what, self._total, self._done, self._said = what, total, 0, 0
        self._say(what if total is None else f"{what} ({total:,})")

    def advance(self, units: int) -> None:
        """Report that so many units of the current step are done."""
        self._done += units
        if self._monotonic() - self._said_at >= _PAUSE:
            self._how_far()

    def close(self) -> None:
        """Print how far the last step came, if that was not said yet."""
        if self._done > self._said:
            self._how_far()

    def _how_far(self) -> None:
        of = "" if self._total is None else f" of {self._total:,}"
        self._said = self._done
        self._say(f"{self._what}: {self._done:,}{of}")

    def _say(self, line: str) -> None:
        self._said_at = self._monotonic()
        print(line, file=self._out, flush=True)
