"""``/segments/data_series``: how many users a segment had on each day (braze-api.md 8)."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from exchanger.sandbox.audiences.segments import Segment
from exchanger.sandbox.http.answers import Answer, refused
from exchanger.sandbox.settings import SandboxSettings
from exchanger.sandbox.times import read_time

LONGEST = 100
_KEPT = timedelta(days=400)
_TOO_SMALL_TO_ESTIMATE = 100
_DAY = timedelta(days=1)


class SegmentSizes:
    """
    The size of every segment at the end of each day that the workspace lived through.

    Args:
        now: Epoch seconds.
    """

    def __init__(self, now: float) -> None:
        self._sizes: dict[date, dict[str, int]] = {}
        self._today = day_of(now)

    def pass_time(self, now: float, count: Callable[[], dict[str, int]]) -> None:
        """
        Note the sizes once a day is over.

        Args:
            now: Epoch seconds.
            count: The size of every segment by id; asked only when a day has ended.
        """
        today = day_of(now)
        if self._today < today:
            counted, day = count(), max(self._today, today - _KEPT)
            while day < today:
                self._sizes[day] = counted
                day += _DAY
            self._sizes = {day: n for day, n in self._sizes.items() if today - day <= _KEPT}
        self._today = today

    def on(self, day: date, segment_id: str) -> int | None:
        """The size at the end of a day that is over; ``None`` where nobody counted."""
        return self._sizes.get(day, {}).get(segment_id)


def day_of(moment: float) -> date:
    """The UTC day of epoch seconds."""
    return datetime.fromtimestamp(moment, UTC).date()


def data_series(
    parameters: Mapping[str, str],
    segment: Segment | None,
    size_on: Callable[[date], int | None],
    settings: SandboxSettings,
    now: float,
) -> Answer:
    """
    Answer ``/segments/data_series``: one entry a day, oldest first, days without a value left out.

    Args:
        parameters: Of the query: ``segment_id``, ``length`` and perhaps ``ending_at``.
        segment: The segment that they name, if there is one.
        size_on: Its size on a day.
        settings: For how good the estimate is.
        now: Epoch seconds.
    """
    if segment is None:
        return refused(400, "segment_id is not valid")
    length = parameters.get("length", "")
    if not (length.isascii() and length.isdecimal() and 1 <= int(length) <= LONGEST):
        return refused(400, f"length must be an integer between 1 and {LONGEST}")
    last = _ending(parameters.get("ending_at"), now)
    if last is None:
        return refused(400, "ending_at must be a valid ISO 8601 datetime")
    days = [last - _DAY * back for back in reversed(range(int(length)))]
    known = ((day, size_on(day)) for day in days if day <= day_of(now))
    data: list[dict[str, Any]] = [
        {"time": day.isoformat(), "size": _estimated(size, segment, day, settings)}
        for day, size in known
        if size is not None and _has_value(day, settings)
    ]
    return Answer(200, {"message": "success", "data": data})


def _ending(text: str | None, now: float) -> date | None:
    if text is None:
        return day_of(now)
    instant = read_time(text) if text[:4].isdecimal() else None
    return None if instant is None else instant.date()


def _has_value(day: date, settings: SandboxSettings) -> bool:
    if settings.size_series == "gaps":
        return bool(day.toordinal() % 2)
    return settings.size_series != "none"


def _estimated(size: int, segment: Segment, day: date, settings: SandboxSettings) -> int:
    if settings.size_series != "estimated":
        return size
    if size < _TOO_SMALL_TO_ESTIMATE:
        return 0
    chance = random.Random(f"{settings.seed} {segment.id} {day}")  # noqa: S311 (repeatable)
    return round(size * chance.uniform(0.9, 1.1))
