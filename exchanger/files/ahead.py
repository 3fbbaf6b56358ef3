"""Making the next thing while the one before is worked on: each of both takes a core."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

Item = TypeVar("Item")

_END = object()


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """
    Give items in order, each of which was made in a thread while the one before was in use.

    Two of them are in memory at a time. What making them raises is raised here, at its place.
    """
    with ThreadPoolExecutor(1, "ahead") as thread:

        def made() -> Item | object:
            return next(items, _END)

        coming = thread.submit(copy_context().run, made)
        while (item := coming.result()) is not _END:
            coming = thread.submit(copy_context().run, made)
            yield item  # type: ignore[misc]  # is not the end
