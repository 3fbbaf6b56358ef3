"""Lengths of time as people write them: ``10s``, ``5m``, ``2h``, ``1d``."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_FORM = re.compile(r"(\d+)([smhd])")


def parse_duration(text: object) -> timedelta:
    """
    Turn ``10s``, ``5m``, ``2h`` or ``1d`` into a timedelta; a timedelta stays as it is.

    Raises:
        ValueError: The text has another form.
    """
    if isinstance(text, timedelta):
        return text
    found = _FORM.fullmatch(text) if isinstance(text, str) else None
    if not found:
        raise ValueError("write a length of time as 10s, 5m, 2h or 1d")
    try:
        return timedelta(**{_UNITS[found[2]]: int(found[1])})
    except OverflowError as error:
        raise ValueError("this is longer than a length of time can be") from error


def show_duration(length: timedelta) -> str:
    """Write a timedelta as people do, in the largest unit that fits without a rest."""
    seconds = int(length.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
