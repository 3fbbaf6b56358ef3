"""How work under way ends when the process is asked to stop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable

PATIENCE = 5.0
"""Seconds that requests in flight have to end by themselves: a process is gone within 10 s."""
_LOOK = 0.1


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
        await asyncio.wait({task})
        return False
    await task
    return True
