"""How much of a delivery is under way at once: a number that may change meanwhile."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable


class InFlight:
    """
    Lets so many work at once as is wanted at the moment; those who wait enter in their order.

    Args:
        wanted: Asked whenever somebody enters or leaves.
    """

    def __init__(self, wanted: Callable[[], int]) -> None:
        self._wanted = wanted
        self._inside = 0
        self._line: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> None:
        """Wait until one more may work."""
        if not self._line and self._inside < self._wanted():
            self._inside += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._line.append(turn)
        await turn

    def leave(self) -> None:
        """Let in those who have room by now: none, one, or more if more are wanted."""
        self._inside -= 1
        room = self._wanted() - self._inside if self._line else 0
        while self._line and room > 0:
            turn = self._line.popleft()
            if not turn.done():
                turn.set_result(None)
                self._inside += 1
                room -= 1
