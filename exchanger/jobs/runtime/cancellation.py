"""How work under way ends when the process is asked to stop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Coroutine, Iterable
from typing import TypeVar

from exchanger.errors import Stopped

T = TypeVar("T")

PATIENCE = 5.0
"""Seconds that requests in flight have to end by themselves: a process is gone within 10 s."""
_LOOK = 0.1


def together(work: Iterable[Coroutine[object, object, T]]) -> asyncio.Task[list[T]]:
    """Run coroutines side by side; when one fails or the task is cancelled, all others end too."""

    async def gathered() -> list[T]:
        tasks = [asyncio.ensure_future(one) for one in work]
        try:
            return await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    return asyncio.ensure_future(gathered())


async def stoppable(
    work: Coroutine[object, object, T], stopping: threading.Event, *, patience: float = PATIENCE
) -> T:
    """
    Await work that ends by itself, or is cancelled some time after the process was asked to stop.

    Raises:
        Stopped: It was cancelled.
    """
    task = asyncio.ensure_future(work)
    if not await until_stopped(task, stopping, patience=patience):
        raise Stopped
    return task.result()


async def until_stopped(
    work: Awaitable[object], stopping: threading.Event, *, patience: float = PATIENCE
) -> bool:
    """
    Let work end by itself, or cancel it some time after the process was asked to stop.

    Args:
        work: What is under way.
        stopping: Set when the process is asked to stop.
        patience: Seconds from then on.

    Returns:
        Whether it ended by itself. Whatever it raises is raised.
    """
    task = asyncio.ensure_future(work)
    while not task.done() and not stopping.is_set():
        await asyncio.wait({task}, timeout=_LOOK)
    await asyncio.wait({task}, timeout=patience)
    if not task.done():
        task.cancel()
        # Gathered work ends with an exception, which is loudly missed if nobody takes it.
        await asyncio.gather(task, return_exceptions=True)
        return False
    await task
    return True
