"""Which strings Braze reads as times, and how it spells them back (braze-api.md 2.7)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

_ZONE = r"(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2})?"
_CLOCK = r"(?P<hour>\d{2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,:](?P<fraction>\d{1,9}))?)?"
_ISO = re.compile(
    rf"(?P<year>\d{{4}})-(?P<month>\d{{2}})-(?P<day>\d{{2}})(?:[T ]{_CLOCK} ?{_ZONE})?", re.ASCII
)
_AMERICAN = re.compile(r"(?P<month>\d{2})/(?P<day>\d{2})/(?P<year>\d{4})", re.ASCII)
_WEEKDAY = re.compile(
    rf"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?P<month>\d{{2}}) (?P<day>\d{{2}}) {_CLOCK}[. ]?{_ZONE}"
    r" (?P<year>\d{4})",
    re.ASCII,
)
_SHORTEST, _LONGEST = 10, 40
_LAST_YEAR = 3000


def spell(instant: datetime) -> str:
    """An aware instant as Braze exports it: ``2026-09-15T00:00:00.000Z``."""
    utc = instant.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}".rjust(19, "0") + f".{utc.microsecond // 1000:03d}Z"


def spell_epoch(seconds: float) -> str:
    """As ``spell``, of epoch seconds."""
    return spell(datetime.fromtimestamp(seconds, UTC))


def read_time(text: str) -> datetime | None:
    """The aware instant that *text* stands for, ``None`` if Braze would keep it as a string."""
    if not _SHORTEST <= len(text) <= _LONGEST:
        return None
    found = _ISO.fullmatch(text) or _AMERICAN.fullmatch(text) or _WEEKDAY.fullmatch(text)
    return _instant(found) if found else None


def read_iso_time(text: str) -> datetime | None:
    """As ``read_time``, of the ISO forms alone: what the time of an event may be."""
    found = _ISO.fullmatch(text) if len(text) <= _LONGEST else None
    return _instant(found) if found else None


def is_after_last_year(text: str) -> bool:
    """Whether the text has the form of a time in a year that Braze does not store."""
    found = _ISO.fullmatch(text) or _AMERICAN.fullmatch(text)
    return found is not None and int(found["year"]) > _LAST_YEAR


def coerced(text: str) -> str:
    """*text*, or the spelling of the time that it stands for."""
    first = text[:1]
    if not (first.isdigit() or first in {"M", "T", "W", "F", "S"}):
        return text
    instant = read_time(text)
    return text if instant is None else spell(instant)


def _instant(found: re.Match[str]) -> datetime | None:
    part = {name: value for name, value in found.groupdict().items() if value is not None}
    if int(part["year"]) > _LAST_YEAR:
        return None
    try:
        instant = datetime(
            int(part["year"]),
            int(part["month"]),
            int(part["day"]),
            int(part.get("hour", 0)),
            int(part.get("minute", 0)),
            int(part.get("second", 0)),
            int(part.get("fraction", "0")[:6].ljust(6, "0")),
            _zone(part.get("zone", "Z")),
        )
        return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _zone(text: str) -> timezone:
    if text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)
