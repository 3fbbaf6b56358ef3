"""Is a file the UTF-8 text that it must be? Asked once, before any parser sees it."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from exchanger.errors import FileRejected

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CHUNK = 16 << 20

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class BadByte(Exception):
    """A byte that no UTF-8 text without NUL has; ``offset`` counts from 0."""

    def __init__(self, offset: int, reason: str, message: str) -> None:
        self.offset = offset
        self.reason = reason
        self.message = message
        super().__init__(f"{reason} at byte {offset}")


def check_text(path: Path, key: str) -> None:
    """
    Refuse a file that is not UTF-8 text.

    Raises:
        FileRejected: ``empty_file``, or ``utf16`` when the file begins with that mark.
        BadByte: ``invalid_utf8`` or ``nul_bytes``; the caller, who knows what a row is, adds it.
    """
    if not path.stat().st_size:
        message = "The file is empty (0 bytes). Was it uploaded whole?"
        raise FileRejected(key, "empty_file", message)
    with path.open("rb") as file:
        if file.read(2) in _UTF16:
            raise FileRejected(key, "utf16", "The file is UTF-16. Save it as UTF-8.")
    check_utf8(path)


def check_utf8(path: Path) -> bool:
    """
    Read a file as UTF-8; returns whether all of it is ASCII.

    Raises:
        BadByte: ``invalid_utf8`` or ``nul_bytes``.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    offset = 0
    plain = True
    for chunk in _chunks(path):
        _check_chunk(decoder, chunk, offset)
        plain = plain and chunk.isascii()
        offset += len(chunk)
    _check_chunk(decoder, b"", offset, final=True)
    return plain


def _check_chunk(
    decoder: codecs.IncrementalDecoder, chunk: bytes, offset: int, *, final: bool = False
) -> None:
    nul = chunk.find(0)
    pending = len(decoder.getstate()[0])
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError as error:
        at = offset - pending + error.start
        if nul < 0 or at < offset + nul:
            message = (
                f"Byte {at:,} of the file is not UTF-8. Save the file as UTF-8 "
                "(in Excel: CSV UTF-8)."
            )
            raise BadByte(at, "invalid_utf8", message) from error
    if nul >= 0:
        message = (
            f"Byte {offset + nul:,} of the file is NUL, which no text has. "
            "Is it a binary file, or UTF-16? Save it as UTF-8 text."
        )
        raise BadByte(offset + nul, "nul_bytes", message)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def lines_before(path: Path, offset: int, newline: str) -> Iterator[str]:
    """
    Read the lines before a bad byte, with a letter in its place so that its row counts.

    Args:
        path: The file.
        offset: Where the byte is.
        newline: What ends a line, as for ``open``.
    """
    with path.open("rb") as file:
        beginning = io.BufferedReader(_Beginning(file, offset))
        yield from io.TextIOWrapper(beginning, encoding="utf-8-sig", newline=newline)


class _Beginning(io.RawIOBase):
    """The first bytes of a file, and a letter after them."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._left = size
        self._ended = False

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read some more."""
        room = memoryview(buffer).cast("B")
        content = self._file.read(min(len(room), self._left))
        self._left -= len(content)
        if not content and not self._ended:
            self._ended, content = True, b"?"
        room[: len(content)] = content
        return len(content)
