"""Making the next thing while the one before is worked on: each of both takes a core."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

Item = TypeVar("Item")

_END = object()


def prefetch(items: Iterator[Item]) -> Generator[Item]:
    """
    Give items in order, each of which was made in a thread while the one before was in use.

    Two of them are in memory at a time. What making them raises is raised here, at its place. Who
    may not come to the end closes it (``contextlib.closing``), and with it *items*: else a thread
    and what it reads stay open for as long as anybody holds the error.
    """
    try:
        with ThreadPoolExecutor(1, "ahead") as thread:

            def made() -> Item | object:
                return next(items, _END)

            coming = thread.submit(copy_context().run, made)
            while (item := coming.result()) is not _END:
                coming = thread.submit(copy_context().run, made)
                yield item  # type: ignore[misc]  # is not the end
    finally:
        # Whoever stops early, as something failed, leaves nothing open behind.
        if isinstance(items, Generator):
            items.close()
