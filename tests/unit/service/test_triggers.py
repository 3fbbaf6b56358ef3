from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from exchanger.config.cron import CronExpression
from exchanger.config.models import Schedule
from exchanger.service.scheduling.triggers import Interval, PosixCron, trigger_of

MINUTE = timedelta(minutes=1)


def cron(text, zone="UTC"):
    return PosixCron(CronExpression.parse(text), ZoneInfo(zone))


def at(text):
    return datetime.fromisoformat(text)


def fires(trigger, after, count):
    """Ask as APScheduler does: each time from the one before."""
    found = [trigger.get_next_fire_time(None, after)]
    while len(found) < count:
        found.append(trigger.get_next_fire_time(found[-1], after))
    return found


@pytest.mark.parametrize(
    ("text", "zone", "after", "expected"),
    [
        pytest.param(
            "30 2 * * *",
            "Europe/Paris",
            "2026-10-24T12:00+02:00",
            ["2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"],
            id="autumn: a repeated time fires the first time only",
        ),
        pytest.param(
            "30 2 * * *",
            "Europe/Paris",
            "2026-10-25T02:30+01:00",
            ["2026-10-26T02:30+01:00"],
            id="autumn: starting in the second pass, the first one has been",
        ),
        pytest.param(
            "30 2 * * *",
            "Europe/Paris",
            "2026-03-28T12:00+01:00",
            ["2026-03-29T03:00+02:00", "2026-03-30T02:30+02:00"],
            id="spring: a skipped time fires at the jump",
        ),
        pytest.param(
            "*/15 2 * * *",
            "Europe/Paris",
            "2026-03-29T01:00+01:00",
            ["2026-03-29T03:00+02:00", "2026-03-30T02:00+02:00"],
            id="spring: times skipped together fire once",
        ),
        pytest.param(
            "30 2,3 * * *",
            "Europe/Paris",
            "2026-03-29T01:00+01:00",
            ["2026-03-29T03:00+02:00", "2026-03-29T03:30+02:00"],
            id="spring: the skipped time is not the later one",
        ),
        pytest.param(
            "0 2,3 * * *",
            "Europe/Paris",
            "2026-03-29T01:00+01:00",
            ["2026-03-29T03:00+02:00", "2026-03-30T02:00+02:00"],
            id="spring: a skipped time that lands on another fires with it",
        ),
        pytest.param(
            "30 2 29 3 *",
            "Europe/Paris",
            "2026-03-29T03:01+02:00",
            ["2027-03-29T02:30+02:00"],
            id="spring: after the jump the skipped time has been",
        ),
        pytest.param(
            "*/20 2 * * *",
            "Europe/Paris",
            "2026-10-25T01:00+02:00",
            [
                "2026-10-25T02:00+02:00",
                "2026-10-25T02:20+02:00",
                "2026-10-25T02:40+02:00",
                "2026-10-26T02:00+01:00",
            ],
            id="autumn: a named hour fires in its first pass only",
        ),
        pytest.param(
            "30 * * * *",
            "Europe/Paris",
            "2026-10-25T01:00+02:00",
            ["2026-10-25T01:30+02:00", "2026-10-25T02:30+02:00", "2026-10-25T02:30+01:00"],
            id="autumn: an hourly job has no gap",
        ),
        pytest.param(
            "30 * * * *",
            "Europe/Paris",
            "2026-03-29T01:00+01:00",
            ["2026-03-29T01:30+01:00", "2026-03-29T03:30+02:00"],
            id="spring: an hourly job has nothing to make up for",
        ),
        pytest.param(
            "30 1 * * *",
            "America/New_York",
            "2026-11-01T00:00-04:00",
            ["2026-11-01T01:30-04:00", "2026-11-02T01:30-05:00"],
            id="New York, autumn",
        ),
        pytest.param(
            "30 2 * * *",
            "America/New_York",
            "2026-03-08T00:00-05:00",
            ["2026-03-08T03:00-04:00", "2026-03-09T02:30-04:00"],
            id="New York, spring",
        ),
        pytest.param(
            "45 1 * * *",
            "Australia/Lord_Howe",
            "2026-04-05T00:00+11:00",
            ["2026-04-05T01:45+11:00", "2026-04-06T01:45+10:30"],
            id="Lord Howe repeats half an hour",
        ),
        pytest.param(
            "15 2 * * *",
            "Australia/Lord_Howe",
            "2026-10-04T00:00+10:30",
            ["2026-10-04T02:30+11:00", "2026-10-05T02:15+11:00"],
            id="Lord Howe skips half an hour",
        ),
        pytest.param(
            "45 2 * * *",
            "Australia/Lord_Howe",
            "2026-10-04T00:00+10:30",
            ["2026-10-04T02:45+11:00"],
            id="Lord Howe keeps the other half",
        ),
        pytest.param(
            "*/30 * * * *",
            "Australia/Lord_Howe",
            "2026-04-05T01:15+11:00",
            ["2026-04-05T01:30+11:00", "2026-04-05T01:30+10:30", "2026-04-05T02:00+10:30"],
            id="Lord Howe, every half hour",
        ),
        pytest.param(
            "30 * * * *",
            "Australia/Lord_Howe",
            "2026-04-05T01:45+11:00",
            ["2026-04-05T01:30+10:30", "2026-04-05T02:30+10:30"],
            id="Lord Howe, hourly: no gap around the repeated half hour",
        ),
        pytest.param(
            "0 12 30 12 *",
            "Pacific/Apia",
            "2011-12-29T00:00-10:00",
            ["2011-12-31T00:00+14:00", "2012-12-30T12:00+14:00"],
            id="a whole day that was skipped fires when the next begins",
        ),
        pytest.param(
            "0 3 * * *",
            "UTC",
            "2026-03-29T03:00+00:00",
            ["2026-03-29T03:00+00:00", "2026-03-30T03:00+00:00"],
            id="the present moment counts when nothing fired before",
        ),
        pytest.param(
            "0 0 13 * FRI",
            "UTC",
            "2026-11-07T00:00+00:00",
            ["2026-11-13T00:00+00:00", "2026-11-20T00:00+00:00", "2026-11-27T00:00+00:00"],
            id="day of month or day of week",
        ),
        pytest.param(
            "0 0 29 2 *",
            "UTC",
            "2096-03-01T00:00+00:00",
            ["2104-02-29T00:00+00:00"],
            id="a leap day, around a century without one",
        ),
        pytest.param(
            "*/20 * 29 2 *",
            "Asia/Kolkata",
            "2026-01-01T00:00+05:30",
            ["2028-02-29T00:00+05:30", "2028-02-29T00:20+05:30"],
            id="elapsed time on rare days, in a zone of half hours",
        ),
    ],
)
def test_cron_fires_at(text, zone, after, expected):
    """Each local time that is named fires once, whatever the clocks do."""
    found = fires(cron(text, zone), at(after), len(expected))

    assert [at(moment).astimezone(UTC) for moment in expected] == found
    assert all(moment.tzinfo is UTC for moment in found)


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/New_York", "Australia/Lord_Howe"])
def test_a_job_of_every_minute_fires_every_minute_of_the_year(zone):
    """Neither change of clocks makes a gap in, or doubles, a job that runs every minute."""
    trigger = cron("* * * * *", zone)
    for day in (date(2026, 3, 8), date(2026, 3, 29), date(2026, 4, 5), date(2026, 10, 25)):
        start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=12)
        found = fires(trigger, start, 60 * 36)

        assert {MINUTE} == {later - earlier for earlier, later in pairwise(found)}


# A plain reading of the rules, minute by minute: what the clock on the wall shows, no more.

CHANGES = {
    "Europe/Paris": ["2026-03-29T01:00+00:00", "2026-10-25T01:00+00:00"],
    "America/New_York": ["2026-03-08T07:00+00:00", "2026-11-01T06:00+00:00"],
    "Australia/Lord_Howe": ["2026-04-04T15:00+00:00", "2026-10-03T15:30+00:00"],
    "America/Havana": ["2026-03-08T05:00+00:00", "2026-11-01T05:00+00:00"],
    "UTC": ["2026-06-01T00:00+00:00"],
}


def oracle(expression, zone, start, end):
    """List the fires in ``start <= moment < end``, having watched the clock since a day before."""
    wall = ZoneInfo(zone)
    found = []
    seen = set()
    moment = start - timedelta(days=1)
    shown = moment.astimezone(wall).replace(tzinfo=None)
    while moment < end:
        local = moment.astimezone(wall).replace(tzinfo=None)
        if len(expression.hours) == 24:
            due = matches(expression, local)
        else:
            new = {local} if local <= shown else span(shown + MINUTE, local)
            due = any(matches(expression, each) for each in new - seen)
            seen |= new
        if due and moment >= start:
            found.append(moment)
        shown = max(shown, local) if len(expression.hours) < 24 else local
        moment += MINUTE
    return found


def span(first, last):
    return {first + MINUTE * step for step in range((last - first) // MINUTE + 1)}


def matches(expression, local):
    return (
        local.minute in expression.minutes
        and local.hour in expression.hours
        and expression.includes(local.date())
    )


def numbers(low, high):
    return st.lists(st.integers(low, high), min_size=1, max_size=3).map(
        lambda found: ",".join(map(str, found))
    )


MINUTES = st.one_of(st.just("*"), st.just("*/15"), numbers(0, 59))
HOURS = st.one_of(st.just("*"), st.just("*/2"), numbers(0, 4), numbers(0, 23))
DAYS = st.one_of(st.just("*"), st.just("*/2"), st.just("1-9"), numbers(1, 31))
WEEKDAYS = st.one_of(st.just("*"), st.just("SUN"), st.just("7"), numbers(0, 7))


@settings(max_examples=60, deadline=None)
@given(
    text=st.tuples(MINUTES, HOURS, DAYS, st.just("*"), WEEKDAYS).map(" ".join),
    zone=st.sampled_from(sorted(CHANGES)),
    data=st.data(),
)
def test_cron_equals_watching_the_clock_minute_by_minute(text, zone, data):
    """Around every change of clocks the trigger fires just when a watcher of the clock would."""
    trigger = cron(text, zone)
    change = at(data.draw(st.sampled_from(CHANGES[zone])))
    start = change - MINUTE * data.draw(st.integers(0, 36 * 60))
    end = start + timedelta(days=3)
    expected = oracle(trigger.expression, zone, start, end)
    event("fires" if expected else "does not fire")

    found = []
    moment = trigger.get_next_fire_time(None, start)
    while moment is not None and moment < end:
        found.append(moment)
        moment = trigger.get_next_fire_time(moment, start)

    assert expected == found


@pytest.mark.parametrize(
    ("every", "anchor", "now", "expected"),
    [
        ("10m", "12:00:00", "12:00:00", "12:10:00"),
        ("10m", "12:03:20", "12:10:00", "12:13:20"),
        ("10m", "12:03:20", "12:13:20", "12:13:20"),
        ("10m", "09:03:20", "12:00:00", "12:03:20"),
        ("10m", "12:30:00", "12:00:00", "12:40:00"),
        ("2h", "11:00:00", "12:00:00", "13:00:00"),
    ],
)
def test_an_interval_keeps_the_grid_of_its_anchor(every, anchor, now, expected):
    """The first fire is on the grid through the anchor, never at the anchor itself."""
    trigger = trigger_of(Schedule(every=every), at(f"2026-11-22T{anchor}+00:00"))

    found = trigger.get_next_fire_time(None, at(f"2026-11-22T{now}+00:00"))

    assert at(f"2026-11-22T{expected}+00:00") == found


@given(
    every=st.timedeltas(timedelta(seconds=1), timedelta(days=3)),
    back=st.timedeltas(timedelta(0), timedelta(days=30)),
)
@settings(max_examples=50)
def test_a_restart_does_not_shift_an_interval(every, back):
    """Started again at any moment with the last start as the anchor, the next fire is the same."""
    last = at("2026-10-24T23:59:59+00:00")
    undisturbed = Interval(every, last).next_after(last + back)

    assert undisturbed == Interval(every, undisturbed - every).next_after(last + back)
    assert timedelta(0) < undisturbed - (last + back) <= every


def test_an_interval_counts_elapsed_time_over_a_change_of_clocks():
    """A daily interval fires 24 hours later, though the wall clock then shows another time."""
    anchor = datetime(2026, 10, 24, 12, tzinfo=ZoneInfo("Europe/Paris"))

    assert at("2026-10-25T11:00+01:00") == Interval(timedelta(days=1), anchor).next_after(anchor)


def test_an_interval_of_nothing_is_refused():
    """A grid without distance would fire for ever."""
    with pytest.raises(ValueError, match="longer than nothing"):
        Interval(timedelta(0), datetime(2026, 1, 1, tzinfo=UTC))


def test_a_schedule_is_cron_in_its_zone_or_an_interval():
    """The zone of the schedule is where its hours are meant; an empty schedule is refused."""
    anchor = at("2026-07-01T00:00+00:00")
    paris = trigger_of(Schedule(cron="0 3 * * *", timezone="Europe/Paris"), anchor)

    assert at("2026-07-01T01:00+00:00") == paris.next_after(anchor)
    with pytest.raises(ValueError, match="cron or every"):
        trigger_of(Schedule(), anchor)
