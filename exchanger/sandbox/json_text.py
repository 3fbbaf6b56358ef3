"""
JSON in and out with the exact text of its numbers.

A workspace must be able to show that ``12.3`` was sent and ``12.299999`` was not, so a number
that a Python float or a 64-bit integer may not give back letter by letter is kept as a
``JsonNumber``: it counts like a float and prints like the text it was parsed from.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, Self

import orjson


class JsonNumber(float):
    """A float that remembers the JSON text it was read from."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Self:
        """Read the number and keep its text."""
        number = super().__new__(cls, text)
        number.text = text
        return number


_LONGEST_PLAIN_INTEGER = 18  # digits that certainly fit 64 bits


def _integer(text: str) -> int | JsonNumber:
    if len(text) <= _LONGEST_PLAIN_INTEGER and text != "-0":
        return int(text)
    return JsonNumber(text)


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


_DECODER = json.JSONDecoder(
    parse_float=JsonNumber, parse_int=_integer, parse_constant=_refuse_constant
)


def parse(text: bytes | str) -> Any:
    """
    Parse JSON; numbers keep their text.

    Raises:
        ValueError: The text is no JSON document, or no UTF-8, or holds half a surrogate pair.
    """
    decoded = text if isinstance(text, str) else text.decode()
    try:
        value = _DECODER.decode(decoded)
        if "\\ud" in decoded or "\\uD" in decoded:
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return value


def _number(value: Any) -> orjson.Fragment:
    if isinstance(value, JsonNumber):
        return orjson.Fragment(value.text)
    raise TypeError(type(value).__name__)


def render(value: Any) -> bytes:
    """JSON text of *value* without white space; a ``JsonNumber`` prints the text it came from."""
    return orjson.dumps(value, default=_number)


def is_number(value: Any) -> bool:
    """Whether *value* is a JSON number (booleans are not)."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def decimal_of(number: float) -> Decimal:
    """Return the exact value of a JSON number."""
    return Decimal(number.text if isinstance(number, JsonNumber) else str(number))


def number_of(value: Decimal) -> int | JsonNumber:
    """Return the JSON number of an exact value, without zeros at its end."""
    whole = value.to_integral_value()
    if value == whole:
        return _integer(f"{whole:f}")
    return JsonNumber(f"{value.normalize():f}")
