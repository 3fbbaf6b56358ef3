"""Names of time zones."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo, available_timezones

from exchanger.config.findings import Finding, Where, closest


def check_timezone(name: str, where: Where) -> Iterator[Finding]:
    """Find out whether there is such a time zone."""
    try:
        ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        # ZoneInfo raises OSError for a name such as Europe, which is a folder of zones.
        guess = closest(name, sorted(available_timezones()))
        yield Finding(where, f"there is no time zone '{name}'", guess)
