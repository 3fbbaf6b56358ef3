"""
The three standard streams, whatever surrounds the process.

A terminal that lacks a sign, a reader that is gone and a stream that was never open cost the words,
not the run: what it did and its exit code stay what they are.
"""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import Any, TextIO


def mend_streams() -> None:
    """Put streams in place of the standard ones that take any text, and never fail for a reader."""
    _open_all_three()
    sys.stdout = _mended(sys.stdout, 1)
    sys.stderr = _mended(sys.stderr, 2)


def says_all_signs(stream: TextIO | None) -> bool:
    """Return whether any sign can be written as itself."""
    return (getattr(stream, "encoding", None) or "utf-8").lower().replace("-", "") == "utf8"


def _open_all_three() -> None:
    """Else the next file that is opened would be taken for one of them."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            with suppress(OSError):
                os.open(os.devnull, os.O_RDWR)


def _mended(stream: TextIO | None, number: int) -> TextIO:
    if stream is not None:
        try:
            stream.flush()
            number = stream.fileno()
        except (OSError, ValueError):
            # It is no file: whoever put it there knows what it takes.
            return stream
    return io.TextIOWrapper(
        io.BufferedWriter(_Pipe(number, "wb", closefd=False)),
        encoding=stream.encoding if stream is not None else "utf-8",
        errors="backslashreplace",
        line_buffering=number == 2 or os.isatty(number),
    )


class _Pipe(io.FileIO):
    """A file whose reader may go, or that may have no room."""

    _told = False

    def write(self, data: Any) -> int:
        """Write, if anybody reads and there is room; that there is none is said once."""
        try:
            return super().write(data) or 0
        except BrokenPipeError:
            return len(data)
        except OSError as error:
            if self.fileno() != 2 and not self._told:
                self._told = True
                with suppress(OSError):
                    os.write(2, f"What it says could not be written ({error.strerror}).\n".encode())
            return len(data)
