"""
Time that a story steps, for itself and for all processes that it starts.

It goes on at its own pace, so far ahead of the clock that only goes forward. How far stands in a
file that each process maps into its memory, so that all of them see a step at once, forks too. What
native code asks of the system by itself (the commits of Delta Lake) stays real.
"""

from __future__ import annotations

import mmap
import struct
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

_NUMBER = struct.Struct("q")
_SECOND = 1_000_000_000


class StoryTime:
    """
    The time of a story, for whoever tells it.

    Args:
        path: Where other processes see it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.step = 0
        path.write_bytes(_NUMBER.pack(0))

    def step_to(self, moment):
        """Let it be this moment, from now on."""
        self.step = round(moment.timestamp() * _SECOND) - time.monotonic_ns()
        with self.path.open("r+b") as file:
            file.write(_NUMBER.pack(self.step))

    @contextmanager
    def here(self):
        """Let this process live in it for a while, but for what only measures."""
        traveller = _travel(self.path)
        try:
            yield self
        finally:
            traveller.stop()


def follow(path):
    """Let this process live in it for good, with the clocks that only go forward."""
    _travel(path)
    now, clock_gettime = _now(path), time.clock_gettime
    ours = (time.CLOCK_BOOTTIME, time.CLOCK_MONOTONIC)
    time.monotonic = lambda: now() / _SECOND
    time.clock_gettime = lambda it: now() / _SECOND if it in ours else clock_gettime(it)


def _travel(path):
    travel = _machine().travel(0)
    travel.start().time_ns = _now(path)
    return travel


def _now(path):
    """Return what tells the time in nanoseconds."""
    ahead = ahead_of(path)
    return lambda: ahead() + time.monotonic_ns()


def ahead_of(path):
    """Return what tells how far it is ahead, which differs after each step."""
    with Path(path).open("r+b") as file:
        ahead = mmap.mmap(file.fileno(), _NUMBER.size, prot=mmap.PROT_READ)
    return lambda: _NUMBER.unpack_from(ahead)[0]


def _machine():
    """Import time-machine, without the plugin for pytest where that is not used."""
    alone = "pytest" not in sys.modules
    if alone:
        sys.modules["pytest"] = None
    try:
        import time_machine
    finally:
        if alone:
            with suppress(KeyError):
                del sys.modules["pytest"]
    return time_machine
