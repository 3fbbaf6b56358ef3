"""Making the next thing while the one before is worked on: each of both takes a core."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")

_END = object()


def prefetch(items: Iterator[Item]) -> Generator[Item]:
    """
    Yield items in order, each of which was made in a thread while the one before was in use.

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


def prefetch_several(
    make: Callable[[Item], Made],
    items: Iterable[Item],
    size: Callable[[Item], int],
    *,
    threads: int,
    room: int,
) -> Generator[Made]:
    """
    Yield what is made of items, in order, while threads make what comes next.

    For what is waited for rather than worked on, such as objects of a bucket. What making raises is
    raised at its place. Who may not come to the end closes it (``contextlib.closing``).

    Args:
        make: Makes something of an item, in a thread.
        items: The items.
        size: Tells the size of what is made of an item.
        threads: How many are made at once.
        room: The size of all that is made and not used yet; what is larger is made alone.
    """
    waiting: deque[tuple[int, Future[Made]]] = deque()
    pool = ThreadPoolExecutor(threads, "ahead")
    try:
        for item in items:
            needed = size(item)
            while waiting and (
                len(waiting) > threads or sum(each for each, _ in waiting) + needed > room
            ):
                yield waiting.popleft()[1].result()
            waiting.append((needed, pool.submit(copy_context().run, make, item)))
        while waiting:
            yield waiting.popleft()[1].result()
    finally:
        pool.shutdown(cancel_futures=True)
