"""
Cron expressions as POSIX and the common cron daemon read them. No time zone, no clock.

Five fields: minute, hour, day of month, month, day of week. A field is ``*`` or a list of
numbers and ranges, each range (and ``*``) with an optional step: ``0,30``, ``1-5``, ``*/15``,
``8-18/2``. Months and weekdays also go by their first three letters, in any case. Sunday is
0 and 7; at the end of a range ``SUN`` is 7, so that ``FRI-SUN`` is three days.

What is surely a slip is refused rather than guessed at: a step without a range (``5/15``), a step
beyond its range (``*/90``), a range that runs backwards, a day that no named month has.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_LONGEST = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}
_PART = re.compile(
    r"(?P<star>\*)(?:/(?P<every>[0-9]{1,4}))?"
    r"|(?P<first>[0-9]{1,4}|[A-Z]{3})(?:-(?P<last>[0-9]{1,4}|[A-Z]{3}))?(?:/(?P<step>[0-9]{1,4}))?"
)


class CronError(ValueError):
    """The text is no cron expression. Its message is words for the person who wrote it."""


@dataclass(frozen=True)
class _Field:
    """What one of the five fields may hold, and how ``every`` writes its steps within a year."""

    title: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    unit: str = ""
    year: int = 0

    @property
    def highest(self) -> int:
        """The highest number that is not a second name of another."""
        return 6 if self.names is _WEEKDAYS else self.high

    def number(self, word: str, *, ends_range: bool = False) -> int:
        """Read a number or a name; at the end of a range ``SUN`` is 7."""
        if word in self.names:
            at = self.names.index(word) + self.low
            return 7 if ends_range and word == "SUN" else at
        if not word.isdigit():
            raise CronError(f"{self.title}: {word!r} is no name of a {self.title}")
        if not self.low <= int(word) <= self.high:
            raise CronError(f"{self.title}: {word} is not in {self.low}-{self.high}")
        return int(word)


_FIELDS = (
    _Field("minute", 0, 59, unit="m", year=366 * 24 * 60),
    _Field("hour", 0, 23, unit="h", year=366 * 24),
    _Field("day of month", 1, 31, unit="d", year=366),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 0, 7, _WEEKDAYS),
)


@dataclass(frozen=True)
class CronExpression:
    """
    A cron expression, read and checked. Fields are the numbers that match.

    Args:
        text: The expression as it was written.
        minutes: 0 to 59.
        hours: 0 to 23.
        days_of_month: 1 to 31.
        months: 1 to 12.
        days_of_week: 0 to 6, Sunday is 0.
        day_of_month_restricted: The field does not begin with ``*``.
        day_of_week_restricted: The field does not begin with ``*``.
    """

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days_of_month: frozenset[int]
    months: frozenset[int]
    days_of_week: frozenset[int]
    day_of_month_restricted: bool
    day_of_week_restricted: bool

    @classmethod
    def parse(cls, text: str) -> CronExpression:
        """
        Read five fields separated by white space.

        Raises:
            CronError: Says in words which field is wrong, and what would be right.
        """
        words = text.split()
        if len(words) != len(_FIELDS):
            raise CronError(
                "write five fields (minute, hour, day of month, month, day of week),"
                f" such as '0 3 * * *'; this has {len(words)}"
            )
        minutes, hours, days, months, weekdays = (
            _read_field(word.upper(), field) for word, field in zip(words, _FIELDS, strict=True)
        )
        expression = cls(
            text=text,
            minutes=minutes,
            hours=hours,
            days_of_month=days,
            months=months,
            days_of_week=frozenset(day % 7 for day in weekdays),
            day_of_month_restricted=not words[2].startswith("*"),
            day_of_week_restricted=not words[4].startswith("*"),
        )
        expression._refuse_impossible_dates()
        return expression

    def includes(self, day: date) -> bool:
        """
        Return whether the month and the two day fields match a date.

        When both day fields are restricted, one of them is enough (POSIX); otherwise both must
        match. A field that begins with ``*``, such as ``*/2``, counts as not restricted but still
        has to match: POSIX knows no steps, and this is how the common cron daemon reads them.
        """
        in_month = day.day in self.days_of_month
        in_week = day.isoweekday() % 7 in self.days_of_week
        if self.day_of_month_restricted and self.day_of_week_restricted:
            in_days = in_month or in_week
        else:
            in_days = in_month and in_week
        return day.month in self.months and in_days

    def _refuse_impossible_dates(self) -> None:
        if self.day_of_month_restricted and self.day_of_week_restricted:
            return  # The weekday alone makes the date possible.
        earliest = min(self.days_of_month)
        if all(earliest > _LONGEST.get(month, 31) for month in self.months):
            latest = min(28 if month == 2 else _LONGEST.get(month, 31) for month in self.months)
            raise CronError(
                f"day of month: no month that is named has a day {earliest}, so this would never"
                f" run; write {latest} or less, or name another month"
            )


def _read_field(text: str, field: _Field) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        found.update(_read_part(part, field))
    return frozenset(found)


def _read_part(part: str, field: _Field) -> range:
    form = _PART.fullmatch(part)
    if not form:
        raise CronError(
            f"{field.title}: {part!r} is none of *, a number, a range 1-5 or a step */2"
        )
    if form["star"]:
        return _stepped(field.low, field.highest, form["every"], field)
    first = field.number(form["first"])
    if form["last"] is None:
        if form["step"]:
            _stepped(first, field.high, form["step"], field)
            raise CronError(
                f"{field.title}: a step needs a range;"
                f" write {form['first']}-{field.high}/{form['step']}"
            )
        return range(first, first + 1)
    last = field.number(form["last"], ends_range=True)
    if last < first:
        raise CronError(
            f"{field.title}: the range {form['first']}-{form['last']} runs backwards;"
            f" write {_onwards(first, last, int(form['step'] or 1), field)}"
        )
    return _stepped(first, last, form["step"], field)


def _stepped(first: int, last: int, step: str | None, field: _Field) -> range:
    every, most = int(step) if step else 1, last - first + 1
    if not 1 <= every <= most:
        way_out = f"a step from 1 to {most}" if most > 1 else f"{first} alone"
        if (first, last) == (field.low, field.highest) and 1 <= every <= field.year:
            way_out += f", or 'every: {every}{field.unit}' in place of 'cron'"
        raise CronError(
            f"{field.title}: a step of {every} does not fit into {first}-{last}; write {way_out}"
        )
    return range(first, last + 1, every)


def _onwards(first: int, last: int, step: int, field: _Field) -> str:
    """Write a range that goes on past the end of its field: ``30-59,0-10``."""
    size = field.highest - field.low + 1
    start = (first - field.low) % size
    end = start + (last - field.low - start) % size
    if step > 1:
        return ",".join(str(field.low + at % size) for at in range(start, end + 1, step))
    parts = [(start, min(end, size - 1)), (0, end - size)]
    return ",".join(
        f"{field.low + a}-{field.low + z}" if a < z else f"{field.low + a}"
        for a, z in parts
        if z >= a
    )
