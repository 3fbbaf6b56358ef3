"""
What may be remembered rather than read again: while the lease is held, nobody else writes.

The lease may be lost without a word, and somebody else may then end runs of their own. What is
remembered is older then, never wrong: each of their runs takes the number after the newest one that
is remembered, so the plan that was made here creates no run, and everything is read anew. What this
process writes itself is remembered as written, or read again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


class Tenure:
    """The time for which one process holds the lease of a state, and what it has read since."""

    def __init__(self) -> None:
        self._held = False
        self._known: dict[str, Any] = {}

    @contextmanager
    def begun(self) -> Iterator[None]:
        """
        Remember what is read while the context is open, and nothing that was read before.

        Under the lease; or for one look that writes nothing, so that all of it is of one moment.
        """
        self._held = True
        self.forget()
        try:
            yield
        finally:
            self._held = False
            self.forget()

    def forget(self, name: str = "") -> None:
        """Read again, when it is asked for next, what has a name; or everything."""
        if name:
            self._known.pop(name, None)
        else:
            self._known.clear()

    def known(self, name: str, read: Callable[[], T]) -> T:
        """Return what has a name: as it is remembered, or else as it is read."""
        if not self._held:
            return read()
        if name not in self._known:
            self._known[name] = read()
        found: T = self._known[name]
        return found

    def note(self, name: str, value: object) -> None:
        """Remember what was written."""
        if self._held:
            self._known[name] = value
