"""
Telling raw snappy, which has no beginning of its own, from what it is not.

It is a length, then literals and copies of what was before; all of that must come out even. Text
hardly ever does: its first letters say that it has less than 128 bytes, or copy what is not there.
"""

from __future__ import annotations

_LONG = 60
"""Lengths of literals from here on stand in one to four bytes behind."""


def may_be_snappy(head: bytes, *, whole: bool) -> bool:
    """
    Return whether bytes may be raw snappy.

    Args:
        head: The first of them.
        whole: Whether that is all.
    """
    length, at = _length(head)
    if at == 0:
        return False
    made = 0
    while at < len(head) and made < length:
        size, offset, at = _element(head, at)
        if offset is not None and not 0 < offset <= made:
            return False
        made += size
    if made > length or (at > len(head) and whole):
        return False
    # All is made, and nothing stands behind; or the rest is not here.
    return at >= len(head) and (made == length or not whole)


def _length(head: bytes) -> tuple[int, int]:
    """Read how long the content is, and where that ends; 0 if no length is there."""
    length = 0
    for at, byte in enumerate(head[:5]):
        length |= (byte & 0x7F) << (7 * at)
        if byte < 0x80:
            return length, at + 1
    return 0, 0


def _element(head: bytes, at: int) -> tuple[int, int | None, int]:
    """Read the length of an element, the offset of a copy, and where the element ends."""
    tag = head[at]
    kind, upper = tag & 3, tag >> 2
    if kind == 0:
        more = max(upper - _LONG + 1, 0)
        size = int.from_bytes(head[at + 1 : at + 1 + more], "little") + 1 if more else upper + 1
        return size, None, at + 1 + more + size
    if kind == 1:
        offset = (tag >> 5) << 8 | int.from_bytes(head[at + 1 : at + 2])
        return (upper & 7) + 4, offset if at + 1 < len(head) else None, at + 2
    width = 2 if kind == 2 else 4
    there = at + width < len(head)
    offset = int.from_bytes(head[at + 1 : at + 1 + width], "little")
    return upper + 1, offset if there else None, at + 1 + width
