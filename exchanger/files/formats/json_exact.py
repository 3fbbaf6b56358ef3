"""
JSON text and numbers that no 64-bit type holds exactly.

``orjson`` reads ``9007199254740993.5`` and ``12345678901234567890123`` as the nearest float and
says nothing, and of two equal keys it keeps the last. ``find_doubtful`` finds the lines where
that can have happened, cheaply, and ``load_exactly`` reads those.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import Any

import orjson

DEEPEST = 100
"""Levels of nesting that a row may have; Braze takes far fewer."""

# Up to 15 digits, a decimal and its nearest float are told apart by nothing; 99 is no exponent
# that leaves the range. Both also match within strings, which costs time only.
_LONG_NUMBER = re.compile(rb"[0-9][0-9.]{15,}(?:[eE][+-]?[0-9]+)?|[0-9][eE][+-]?[0-9]{3}")
# The same question to a whole batch: in outline, so that it is a search for fixed bytes.
_OUTLINE = bytes.maketrans(b"123456789.E-", b"0000000000e+")
_LONG_OUTLINES = (b"0" * 16, b"0e000", b"0e+000")
_SPACED_COLON = re.compile(rb'"[ \t\r]+:')
_INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True)
class ExactNumber:
    """A number by its text, as no 64-bit type holds it exactly."""

    text: str


class DuplicateKey(ValueError):
    """One object has the same key twice."""


class TooDeep(ValueError):
    """Values are nested deeper than ``DEEPEST``."""


def find_doubtful(lines: list[bytes], objects: list[dict[str, Any]]) -> Iterator[int]:
    """
    Find the lines whose object, as ``orjson`` read it, may not be what was written.

    Every key is followed by a colon, so an object with as many colons behind quotes as keys has
    no key twice and no object within.

    Args:
        lines: JSON texts.
        objects: What ``orjson`` made of them, in the same order.
    """
    text = b"\n".join(lines)
    outline = text.translate(_OUTLINE)
    long_numbers = any(number in outline for number in _LONG_OUTLINES)
    spaced = any(colon in text for colon in (b" :", b"\t:", b"\r:"))
    for position, (line, content) in enumerate(zip(lines, objects, strict=True)):
        if (
            line.count(b'":') != len(content)
            or line.count(b"[") > DEEPEST
            or (long_numbers and not all(map(_is_exact, _LONG_NUMBER.findall(line))))
            or (spaced and _SPACED_COLON.search(line))
        ):
            yield position


def _is_exact(number: bytes) -> bool:
    """Return whether a long number is an integer of 64 bits, or just as Python writes its float."""
    text = number.decode()
    try:
        if text.isdigit():
            return len(text) < 20 and int(text) in _INT64
        return repr(float(text)) == text
    except ValueError:
        return False


def load_exactly(line: bytes) -> Any:
    """
    Read JSON text that ``orjson`` accepts, losing nothing.

    Returns:
        As ``json.loads``, with ``ExactNumber`` for numbers that no 64-bit type holds exactly.

    Raises:
        DuplicateKey: An object, at any depth, has the same key twice.
        TooDeep: Values are nested deeper than ``DEEPEST``.
    """
    try:
        content = json.loads(
            line, object_pairs_hook=_unique, parse_int=_integer, parse_float=_float
        )
    except RecursionError as error:
        raise TooDeep from error
    if _depth(content) > DEEPEST:
        raise TooDeep
    return content


def dump_exactly(value: Any) -> str:
    """Write a value as JSON text, with all digits of decimals and the text of ``ExactNumber``."""
    return orjson.dumps(value, _fragment, orjson.OPT_PASSTHROUGH_DATACLASS).decode()


def _fragment(value: Any) -> orjson.Fragment:
    if isinstance(value, ExactNumber):
        return orjson.Fragment(value.text)
    if isinstance(value, Decimal):
        return orjson.Fragment(format(value, "f"))
    raise TypeError(type(value))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        seen: set[str] = set()
        raise DuplicateKey(next(key for key, _ in pairs if key in seen or seen.add(key)))  # type: ignore[func-returns-value]
    return content


def _integer(text: str) -> int | ExactNumber:
    # 20 characters hold every 64-bit integer; Python refuses to read thousands of digits.
    if len(text) <= 20 and int(text) in _INT64:
        return int(text)
    return ExactNumber(text)


def _float(text: str) -> float | ExactNumber:
    value = float(text)
    if isfinite(value) and len(text) <= 400 and Decimal(repr(value)) == Decimal(text):
        return value
    return ExactNumber(text)


def _depth(value: Any) -> int:
    levels = 0
    layer = [value]
    while layer := [inner for outer in layer for inner in _members(outer)]:
        levels += 1
    return levels


def _members(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
