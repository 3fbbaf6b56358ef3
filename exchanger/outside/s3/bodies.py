"""Bodies of objects: read to the last byte or not at all, and how large the parts of one are."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from botocore.response import StreamingBody

CHUNK = 1 << 20
"""Bytes read at once."""

PART = 8 << 20
"""Bytes in one part of a multipart upload. S3 wants 5 MiB at least."""

_MOST_PARTS = 10_000


class WholeBody(io.RawIOBase):
    """
    The stream of an object's body; fails rather than ends early.

    Args:
        body: What boto3 gave. It compares the bytes read with ``Content-Length`` at the end.
        guard: Makes a context in which boto3's errors become ours.
    """

    def __init__(
        self, body: StreamingBody, guard: Callable[[], AbstractContextManager[None]]
    ) -> None:
        self._body = body
        self._guard = guard

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read some bytes into *buffer*; 0 means the whole body was read."""
        room = memoryview(buffer).cast("B")
        with self._guard():
            chunk = self._body.read(len(room))
        room[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        """Release the connection."""
        if not self.closed:
            self._body.close()
        super().close()


def chunks(body: BinaryIO) -> Iterator[bytes]:
    """Read a stream to its end, piece by piece."""
    while chunk := body.read(CHUNK):
        yield chunk


def sha256_of(path: Path) -> str:
    """Compute the hex SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def part_size(size: int) -> int:
    """Choose the bytes in a part so that S3's limit of 10,000 parts is kept."""
    return max(PART, -(-size // _MOST_PARTS))
