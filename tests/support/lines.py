"""The lines that a process writes, read one by one with a deadline."""

import os
import select
import time


class Lines:
    """
    What a process writes to a pipe.

    Args:
        pipe: The reading end, as ``subprocess`` gives it.
    """

    def __init__(self, pipe):
        self._pipe = pipe
        self._rest = b""

    def next(self, deadline):
        """Read a line without its end; None once the pipe is closed or the deadline has passed."""
        stream = self._pipe.fileno()
        while b"\n" not in self._rest:
            ready, _, _ = select.select([stream], [], [], max(deadline - time.monotonic(), 0))
            chunk = os.read(stream, 65536) if ready else b""
            if not chunk:
                return None
            self._rest += chunk
        line, self._rest = self._rest.split(b"\n", 1)
        return line
