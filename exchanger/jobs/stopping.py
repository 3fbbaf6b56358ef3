"""Ends what is under way within seconds once the process is asked to stop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable

GRACE = 5.0
"""Seconds that requests in flight have left: Braze mostly answers within one, and a process that
is asked to stop is mostly killed after ten."""
_LOOK = 0.2


async def until_stopped(tasks: Iterable[asyncio.Task[Any]], stopping: threading.Event) -> None:
    """
    Wait for tasks; once asked to stop, wait for ``GRACE`` seconds more and cancel the others.

    Afterwards every task is done: it has a result or an exception, or it is cancelled.
    """
    pending = set(tasks)
    while pending and not stopping.is_set():
        _, pending = await asyncio.wait(pending, timeout=_LOOK)
    if not pending:
        return
    _, pending = await asyncio.wait(pending, timeout=GRACE)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
