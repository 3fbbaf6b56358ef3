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
    Turn SIGTERM, SIGINT and SIGHUP into an event while the context is open. Main thread only.

    SIGHUP is what a terminal that is closed sends; under nohup, which ignores it, it stays ignored.
    A second SIGINT raises ``KeyboardInterrupt``: whoever presses Ctrl-C twice wants out at once.
    """
    stopping = threading.Event()

    def ask(number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT and stopping.is_set():
            raise KeyboardInterrupt
        stopping.set()

    asking = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        asking.append(signal.SIGHUP)
    before = {number: signal.signal(number, ask) for number in asking}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
