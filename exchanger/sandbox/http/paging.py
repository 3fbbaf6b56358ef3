"""Pages of 50 by a cursor, told in the header ``Link`` (braze-api.md 8, 16)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

PAGE = 50
_PREFIX = "skip="


class BadCursor(ValueError):
    """A cursor that no page gave."""


def page_of(
    everything: Sequence[Any], path: str, cursor: str | None
) -> tuple[Sequence[Any], dict[str, str]]:
    """
    Return one page, and the headers that name the pages beside it.

    Args:
        everything: What is listed.
        path: Of the endpoint, for the addresses.
        cursor: From an address of another page; ``None`` for the first.

    Raises:
        BadCursor: It is none.
    """
    start = 0 if cursor is None else _start(cursor)
    links = []
    if start > 0:
        links.append(f'<{path}?cursor={_cursor(max(0, start - PAGE))}>; rel="prev"')
    if start + PAGE < len(everything):
        links.append(f'<{path}?cursor={_cursor(start + PAGE)}>; rel="next"')
    return everything[start : start + PAGE], {"link": ",".join(links)} if links else {}


def _cursor(start: int) -> str:
    return base64.urlsafe_b64encode(f"{_PREFIX}{start}".encode()).decode().rstrip("=")


def _start(cursor: str) -> int:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise BadCursor(cursor) from error
    number = text.removeprefix(_PREFIX)
    if not text.startswith(_PREFIX) or not number.isdecimal():
        raise BadCursor(cursor)
    return int(number)
