"""Signals as an event that a run looks at. Light, so that it is in place before anything else."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stopping_on_signals() -> Iterator[threading.Event]:
    """
    Turn SIGTERM and SIGINT into an event while the context is open. Main thread only.

    A second SIGINT raises ``KeyboardInterrupt``: whoever presses Ctrl-C twice wants out at once.
    """
    stopping = threading.Event()

    def ask(number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT and stopping.is_set():
            raise KeyboardInterrupt
        stopping.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
