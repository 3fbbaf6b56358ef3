"""
Which encoding the text of a file has, and the same text as UTF-8.

A mark at the beginning, and text that is UTF-8 throughout, are proof. Everything else is an
inference, so it is made of evidence that can fail, and where it fails the file is refused: names
that were read in a wrong encoding look like names. Of encodings with one byte for a sign only
Windows-1252 is inferred, which Excel writes in the west; its relatives differ in few signs.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from exchanger.errors import FileRejected
from exchanger.files.raw.utf8 import BadByte, check_utf8

ENCODING = "encoding"
"""The key under which the encoding of a job's files is kept."""
UTF8, WINDOWS = "utf-8", "windows-1252"
_CHUNK = 8 << 20
_SAMPLE = 1 << 20
_MARKS = (
    (codecs.BOM_UTF8, UTF8),
    (codecs.BOM_UTF32_LE, "utf-32"),  # Begins like the mark of UTF-16.
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LONG_SIGN = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
_ENOUGH = 0.6
"""Share of the best score that Windows-1252 reaches for text of the languages it was made for."""
_LETTER = "[A-Za-zÀ-ÖØ-öø-ÿŠšŽžŒœŸ]"
_BEYOND_ASCII = re.compile("[À-ÖØ-öø-ÿŠšŽžŒœŸ]")
_IMPLAUSIBLE = re.compile(
    # What no text has, or what is a letter of another encoding within a word.
    r"[\xa4\xa6\xa8\xac\xaf\xb8\u0192\u2020\u2021\u2030\u02c6\u02dc]"
    rf"|{_LETTER}[\u2022…¢£¥€¹¼½¾¿¡±\xd7÷¶§][A-Za-zÀ-ÿ]"
    # Letters of a Mac or of DOS: quotes that open, or close, within a word, and signs of trade.
    rf"|{_LETTER}(?:[\u201a\u201e]|[\u2039\u203a\u201c\u201d\u2122][a-zß-öø-ÿ])"
    r"|[¢£¥€][a-zß-öø-ÿ]"
    # Words of a script without Latin letters, and capitals within words.
    r"|[À-ÖØ-öø-ÿŠšŽžŒœŸ]{4}|[a-zß-öø-ÿ][À-ÖØ-ÞŠŽŒŸ][a-zß-öø-ÿ]"
    rf"|[a-zß-öø-ÿ][ŠŽŒŸ]|{_LETTER}[ŠŽŒŸ][a-zß-öø-ÿ]"
)


@dataclass(frozen=True)
class Encoding:
    """
    The encoding of a file.

    Args:
        name: As Python knows it.
        proven: Whether it tells something: text of ASCII alone is the same in most encodings.
    """

    name: str
    proven: bool = True


def find_encoding(path: Path, key: str, wanted: str, kept: Mapping[str, str]) -> Encoding:
    """
    Find the encoding of a file of text.

    Args:
        path: The file.
        key: Its name for errors.
        wanted: What the job says; ``auto`` if it leaves that to the file.
        kept: What earlier files of the job have shown.

    Raises:
        FileRejected: ``empty_file`` or ``unknown_encoding``.
        BadByte: ``invalid_utf8`` or ``nul_bytes``; the caller, who knows what a row is, adds it.
    """
    head = _read(path, 0, 512)
    if not head:
        message = "The file is empty (0 bytes). Was it uploaded whole?"
        raise FileRejected(key, "empty_file", message)
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    if marked is None and wanted != "auto":
        marked = codecs.lookup(wanted).name
    marked = marked or _two_bytes(head)
    if marked not in (None, UTF8):
        return Encoding(marked)
    try:
        plain = check_utf8(path)
    except BadByte as bad:
        if marked or bad.reason != "invalid_utf8" or kept.get(ENCODING) == UTF8:
            raise
        return _single_byte(path, key, bad)
    return Encoding(UTF8, proven=bool(marked) or not plain)


def _two_bytes(head: bytes) -> str | None:
    """Recognise UTF-16 without a mark: every other byte of Latin text is NUL."""
    pairs = len(head) // 2
    even, odd = head[0 : 2 * pairs : 2].count(0), head[1 : 2 * pairs : 2].count(0)
    if pairs < 2 or min(even, odd) or 2 * max(even, odd) < pairs:
        return None
    return "utf-16-le" if odd else "utf-16-be"


def _single_byte(path: Path, key: str, bad: BadByte) -> Encoding:
    """
    Take text that is no UTF-8 for Windows-1252, if it can hardly be anything else.

    Raises:
        BadByte: It is UTF-8 that was damaged, or cut short.
        FileRejected: ``unknown_encoding``.
    """
    sample = _read(path, max(0, bad.offset - _SAMPLE // 2), _SAMPLE)
    long = sum(1 for _ in _LONG_SIGN.finditer(sample))
    others = sum(1 for _ in re.finditer(rb"[\x80-\xff]", _LONG_SIGN.sub(b"", sample)))
    if 2 * long >= others or _is_cut(path, bad.offset):
        raise bad
    try:
        text = sample.decode(WINDOWS)
    except UnicodeDecodeError:
        text = ""
    if not text or _IMPLAUSIBLE.search(text) or _speaks_against(sample, text):
        raise _unknown(key)
    return Encoding(WINDOWS)


def _is_cut(path: Path, first: int) -> bool:
    """Return whether a file ends within its only sign that is no ASCII, if it is UTF-8."""
    try:
        _read(path, first, 8).decode()
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"
    return False


def _speaks_against(sample: bytes, text: str) -> bool:
    """Ask the statistics of languages: is it a relative of Windows-1252 rather?"""
    if not _BEYOND_ASCII.search(text):
        return False
    import chardet

    scores = {str(each["encoding"]): each["confidence"] for each in chardet.detect_all(sample)}
    best = max(scores, key=scores.__getitem__, default=WINDOWS)
    if scores.get("Windows-1252", 0) >= _ENOUGH * scores.get(best, 0):
        return False
    try:
        return sample.decode(best) != text
    except (UnicodeDecodeError, LookupError):
        return True


def _unknown(key: str) -> FileRejected:
    message = (
        "The text is neither UTF-8 nor UTF-16, and hardly Windows-1252. Save the file as UTF-8 (in "
        "Excel: CSV UTF-8), or name its encoding in the job: source: {csv: {encoding: NAME}}, such "
        "as windows-1250 or mac-roman."
    )
    return FileRejected(key, "unknown_encoding", message)


def _read(path: Path, offset: int, size: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(size)


@contextmanager
def as_utf8(path: Path, key: str, encoding: Encoding) -> Iterator[Path]:
    """
    Yield the path of the same text as UTF-8: a temporary file next to it if need be.

    Raises:
        FileRejected: ``invalid_text``: it is not of that encoding; or ``nul_bytes``.
    """
    if encoding.name == UTF8:  # Which was seen to be true.
        yield path
        return
    with NamedTemporaryFile(dir=path.parent, prefix=f"{path.name}.", suffix=".utf8") as target:
        _convert(path, key, encoding.name, target)
        target.flush()
        yield Path(target.name)


def _convert(path: Path, key: str, name: str, target: IO[bytes]) -> None:
    decoder = codecs.getincrementaldecoder(name)()
    offset = 0
    with path.open("rb") as source:
        while True:
            chunk = source.read(_CHUNK)
            pending = len(decoder.getstate()[0])
            try:
                text = decoder.decode(chunk, final=not chunk)
                encoded = text.encode()
            except UnicodeError as error:  # A missing mark of UTF-16 says no place.
                at = offset - pending + getattr(error, "start", 0)
                raise _not_of(key, name, at) from error
            if "\0" in text:
                message = "The text has NUL in it, as no text has. Is it a binary file?"
                raise FileRejected(key, "nul_bytes", message)
            target.write(encoded)
            if not chunk:
                return
            offset += len(chunk)


def _not_of(key: str, name: str, at: int) -> FileRejected:
    message = (
        f"Byte {at:,} of the file is not {name}. Save the file as UTF-8 (in Excel: CSV UTF-8), or "
        "name its encoding in the job: source: {csv: {encoding: NAME}}."
    )
    return FileRejected(key, "invalid_text", message)
