"""
The archives of a segment export: ZIP or gzip files of JSON lines (braze-api.md 4.4).

Archives are read as streams, so memory is bounded by one batch of lines. What unpacks to far more
than exports do is refused before it fills the disk or the memory.
"""

from __future__ import annotations

import errno
import gzip
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast

from isal import igzip, isal_zlib

from exchanger.errors import FileRejected

MAX_RATIO = 500
"""Unpacked bytes per packed byte; JSON lines reach about 100, nothing but zeros about 1,030."""
MAX_LINE = 64 * 1024 * 1024
"""Bytes in one user's line; Braze's own limits on a profile stay far below."""

_CHUNK = 1 << 20
_SMALL = 1 << 20
_GZIP = b"\x1f\x8b"
# From struct.error on: a ZIP whose directory is damaged. The last two: one with a packing that
# Python lacks, or with a password.
_DAMAGED: tuple[type[Exception], ...] = (
    zipfile.BadZipFile,
    EOFError,
    gzip.BadGzipFile,
    zlib.error,
    cast("type[Exception]", isal_zlib.error),
    lzma.LZMAError,
    struct.error,
    IndexError,
    ValueError,
    OverflowError,
    NotImplementedError,
    RuntimeError,
)


@dataclass(frozen=True)
class Limits:
    """
    How many lines are handed out at once: whatever comes first.

    Args:
        lines: Lines in a batch.
        size: Bytes in a batch.
    """

    lines: int = 25_000
    size: int = 64 * 1024 * 1024


def read_batches(path: Path, key: str, limits: Limits) -> Iterator[list[bytes]]:
    """
    Read the lines of an archive; blank lines are left out.

    Args:
        path: The archive on this machine.
        key: Its name for messages.
        limits: Of a batch.

    Raises:
        FileRejected: It is neither ZIP nor gzip (``not_an_archive``), is cut short or damaged
            (``damaged_archive``), or unpacks to far too much (``archive_too_large``).
    """
    waiting = _Batch(limits)
    try:
        for lines in _lines(path, key):
            yield from waiting.add(lines)
    except _DAMAGED as error:
        raise _damaged(key, error) from error
    except OSError as error:
        # What a decoder refuses has no number; a damaged directory points to before the file.
        if error.errno not in (None, errno.EINVAL):
            raise
        raise _damaged(key, error) from error
    if waiting.lines:
        yield waiting.lines


class _Batch:
    """Lines that wait until they are as many as are handed out at once."""

    def __init__(self, limits: Limits) -> None:
        self.lines: list[bytes] = []
        self._size = 0
        self._limits = limits

    def add(self, lines: list[bytes]) -> Iterator[list[bytes]]:
        """Take more lines; gives every batch that became full."""
        size = sum(map(len, lines))
        if self._is_full(len(lines), size):
            for line in lines:
                self._take([line], len(line))
                if self._is_full():
                    yield self.lines
                    self.lines, self._size = [], 0
        else:
            self._take(lines, size)

    def _take(self, lines: list[bytes], size: int) -> None:
        self.lines += lines
        self._size += size

    def _is_full(self, more: int = 0, size: int = 0) -> bool:
        limits = self._limits
        return len(self.lines) + more >= limits.lines or self._size + size >= limits.size


def _lines(path: Path, key: str) -> Iterator[list[bytes]]:
    allowed = max(path.stat().st_size * MAX_RATIO, _SMALL)
    for stream in _streams(path, key, allowed):
        rest = b""
        while chunk := stream.read(_CHUNK):
            allowed -= len(chunk)
            if allowed < 0 or len(rest) > MAX_LINE:
                raise _too_large(key)
            first, *others = chunk.split(b"\n")
            if not others:
                rest += first
                continue
            last = others.pop()
            yield list(filter(bytes.strip, (rest + first, *others)))
            rest = last
        if rest.strip():
            yield [rest]


def _streams(path: Path, key: str, allowed: int) -> Iterator[IO[bytes]]:
    if zipfile.is_zipfile(path):
        yield from _members(path, key, allowed)
        return
    with path.open("rb") as file:
        if file.read(2) != _GZIP:
            message = (
                "the file is neither a ZIP nor a gzip archive; the export has to be made again"
            )
            raise FileRejected(key, "not_an_archive", message)
    with _gunzipped(path) as stream:
        yield stream


def _members(path: Path, key: str, allowed: int) -> Iterator[IO[bytes]]:
    with zipfile.ZipFile(path) as archive:
        members = [info for info in archive.infolist() if not info.is_dir()]
        if sum(info.file_size for info in members) > allowed:
            raise _too_large(key)
        for info in members:
            with archive.open(info) as stream:
                yield stream


@contextmanager
def _gunzipped(path: Path) -> Iterator[BinaryIO]:
    with igzip.open(path, "rb") as stream:  # type: ignore[no-untyped-call]
        yield cast("BinaryIO", stream)


def _damaged(key: str, error: Exception) -> FileRejected:
    message = f"the archive is damaged or cut short ({error}); the export has to be made again"
    return FileRejected(key, "damaged_archive", message)


def _too_large(key: str) -> FileRejected:
    message = f"the archive unpacks to more than {MAX_RATIO} times its size; it is not read further"
    return FileRejected(key, "archive_too_large", message)
