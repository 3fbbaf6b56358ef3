"""
When a job is due: POSIX cron in a time zone, and fixed intervals.

Both are APScheduler triggers, and both give UTC: two times of one zone compare by their wall
clock in Python, which goes wrong in the very hour that these triggers are about.

What happens when clocks change:

- A job that names its hours fires once for each local time. A local time that repeats fires the
  first time; one that is skipped fires at the moment of the jump, and several that are skipped
  together fire there once.
- A job that runs in every hour (``*/15 * * * *``) counts elapsed time instead: it fires in both
  passes of a repeated hour, so that no gap of an hour appears, and has nothing to make up for
  after a skipped one.

cronsim was looked at and not taken: its version 2.8 goes by the rules of Debian, by which a job
of ``*/15 2 * * *`` is left out or doubled, and loses fires where clocks go back by half an hour.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger

from exchanger.config.cron import CronExpression
from exchanger.config.models import Schedule

_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)
_HOURS_OF_A_DAY = 24
# The rarest date that a checked expression can name is a 29 February on a weekday; around a
# century without a leap day that can take 40 years.
_FARTHEST = timedelta(days=366 * 41)


class PosixCron(BaseTrigger):
    """
    Fires as a cron expression says, in a time zone.

    Args:
        expression: The checked expression.
        zone: Where its hours and days are meant.
    """

    def __init__(self, expression: CronExpression, zone: ZoneInfo) -> None:
        self.expression = expression
        self.zone = zone
        self._minutes = frozenset(expression.minutes)
        self._times = [
            time(hour, minute)
            for hour in sorted(expression.hours)
            for minute in sorted(expression.minutes)
        ]
        self._every_hour = len(expression.hours) == _HOURS_OF_A_DAY

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first time to fire after *moment*, in UTC; None if none is left."""
        after = moment.astimezone(UTC)
        return self._elapsed(after) if self._every_hour else self._named(after)

    def get_next_fire_time(
        self, previous_fire_time: datetime | None, now: datetime
    ) -> datetime | None:
        """Answer APScheduler: after the previous time, or from *now* on if there was none."""
        return self.next_after(previous_fire_time or now - timedelta(microseconds=1))

    def _named(self, after: datetime) -> datetime | None:
        # One day back: what a change of clocks skipped yesterday may fire today.
        for day in self._days(after.astimezone(self.zone).date() - _DAY):
            at = bisect_right(self._times, after, key=partial(self._instant, day))
            if at < len(self._times):
                return self._instant(day, self._times[at])
        return None

    def _elapsed(self, after: datetime) -> datetime | None:
        moment = after.replace(second=0, microsecond=0) + _MINUTE
        while True:
            local = moment.astimezone(self.zone)
            if not self.expression.includes(local.date()):
                following = next(self._days(local.date() + _DAY), None)
                if following is None:
                    return None
                moment = self._instant(following, time(0))
            elif local.minute not in self._minutes:
                moment += _MINUTE
            else:
                return moment

    def _days(self, first: date) -> Iterator[date]:
        last = min(first, date.max - _FARTHEST) + _FARTHEST
        day = first
        while day <= last:
            if self.expression.includes(day):
                yield day
            day += _DAY

    def _instant(self, day: date, at: time) -> datetime:
        """Place a local time: the first of two, or the moment of the jump if it does not exist."""
        local = datetime.combine(day, at, tzinfo=self.zone)
        instant = local.astimezone(UTC)
        exists = instant.astimezone(self.zone).replace(tzinfo=None) == local.replace(tzinfo=None)
        if exists:
            return instant
        return self._jump(local.replace(fold=1).astimezone(UTC), instant)

    def _jump(self, before: datetime, after: datetime) -> datetime:
        """Find the first second of the new offset; a single change lies in between."""
        old = before.astimezone(self.zone).utcoffset()
        while after - before > timedelta(seconds=1):
            middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
            if middle.astimezone(self.zone).utcoffset() == old:
                before = middle
            else:
                after = middle
        return after


class Interval(BaseTrigger):
    """
    Fires every so often, counted in elapsed time from an anchor.

    Args:
        every: The distance, more than zero.
        anchor: A moment that the grid goes through; the first fire is one distance after it.
            With the last start of the job as the anchor, a restart does not shift the grid.
    """

    def __init__(self, every: timedelta, anchor: datetime) -> None:
        if every <= timedelta(0):
            raise ValueError("an interval must be longer than nothing")
        self.every = every
        self.anchor = anchor.astimezone(UTC)

    def next_after(self, moment: datetime) -> datetime:
        """Return the first point of the grid that is later than *moment*, in UTC."""
        steps = (moment.astimezone(UTC) - self.anchor) // self.every + 1
        return self.anchor + max(steps, 1) * self.every

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """Answer APScheduler: after the previous time, or from *now* on if there was none."""
        return self.next_after(previous_fire_time or now - timedelta(microseconds=1))


Trigger = PosixCron | Interval


def trigger_of(schedule: Schedule, anchor: datetime) -> Trigger:
    """
    Build the trigger of a checked schedule.

    Args:
        schedule: Holds ``cron`` or ``every``.
        anchor: For ``every``: the last start of the job, or now if it never ran.

    Raises:
        ValueError: Neither is given, or the expression is none.
    """
    if schedule.cron is not None:
        return PosixCron(CronExpression.parse(schedule.cron), ZoneInfo(schedule.timezone))
    if schedule.every is None:
        raise ValueError("a schedule needs cron or every")
    return Interval(schedule.every, anchor)
