"""
Is a file that is read line by line a list, or objects over several lines?

Some lines of such a file may be objects in their own right: the last member of a list, as no comma
is behind it, or an object within another. To take those and reject the rest would be worse than to
take nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

import orjson

from exchanger.errors import FileRejected

_LOOK = 4 << 20
"""Bytes in which a value that goes over several lines shows itself."""
_MOST_LOOKS = 20
"""Broken lines of a file that are looked at; each costs some reading."""


class Layout:
    """Looks at lines that are no JSON, for whether they begin a value that goes on."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._left = _MOST_LOOKS

    def check(self, row: int, line: bytes, following: Iterable[bytes], *, cut: bool) -> None:
        """
        Refuse a file in which a line that is no JSON begins a list, or an object over lines, or has
        several objects.

        Args:
            row: The line's number.
            line: Its text.
            following: The lines behind it.
            cut: There are more than these.

        Raises:
            FileRejected: ``not_ndjson``.
        """
        if line[:1] not in (b"[", b"{") or not self._left:
            return
        self._left -= 1
        if _has_more(line):
            message = (
                f"In row {row} several objects stand on one line. Write each object on a line of "
                "its own, such as by: jq -c . FILE"
            )
            raise FileRejected(self._key, "not_ndjson", message, row=row)
        if _is_member(row, line) or _goes_on(line, following, cut=cut):
            raise self._refusal(row, line)

    def _refusal(self, row: int, line: bytes) -> FileRejected:
        is_object = line.startswith(b"{") and not line.endswith(b",")
        what = "an object that goes over several lines" if is_object else "a list"
        how = "." if is_object else ".[]"
        message = (
            f"From row {row} on the file is {what}, and not one object per line. Write each object "
            f"on a line of its own, with no comma behind it and no list around them, such as by: "
            f"jq -c '{how}' FILE"
        )
        return FileRejected(self._key, "not_ndjson", message, row=row)


def _has_more(line: bytes) -> bool:
    """Return whether an object stands behind an object, or behind a line end of an old Mac."""
    try:
        first, end = json.JSONDecoder().raw_decode(text := line.decode())
        second, _ = json.JSONDecoder().raw_decode(text[end:].lstrip(" \t\r\x1e"))
    except (json.JSONDecodeError, RecursionError):
        return False
    return isinstance(first, dict) and isinstance(second, dict)


def _is_member(row: int, line: bytes) -> bool:
    """Return whether a file begins with an object and a comma: a list without its brackets."""
    if row > 1 or not line.endswith(b","):
        return False
    try:
        return isinstance(orjson.loads(line[:-1]), dict)
    except orjson.JSONDecodeError:
        return False


def _goes_on(line: bytes, following: Iterable[bytes], *, cut: bool) -> bool:
    """Return whether a value begins in a line and ends in another, as far as can be seen."""
    if line in (b"[", b"{", b"[{"):
        return True
    lines, size = [line], len(line)
    for more in following:
        lines.append(more)
        size += len(more)
        if size > _LOOK:
            cut = True
            break
    text = b"\n".join(lines).decode()
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except json.JSONDecodeError as error:
        # As far as was looked all of it is well; or the end of a list was lost.
        return error.pos >= len(text) and len(lines) > 1 and (cut or text[0] == "[")
    except RecursionError:
        return False  # Too deep for a row as well, which is told of it alone.
    return "\n" in text[:end]
