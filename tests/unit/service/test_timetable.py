import queue
from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.triggers.base import BaseTrigger

from exchanger.service.scheduling.scheduler import Timetable
from exchanger.service.scheduling.triggers import Interval

PATIENCE = 10


class Times(BaseTrigger):
    """Fires at given distances from the moment it is made."""

    def __init__(self, *hours):
        now = datetime.now(UTC)
        self.times = [now + timedelta(hours=each) for each in hours]

    def get_next_fire_time(self, previous_fire_time, now):
        later = [time for time in self.times if not previous_fire_time or time > previous_fire_time]
        return later[0] if later else None


@pytest.fixture
def due():
    return queue.SimpleQueue()


@pytest.fixture
def timetable(due):
    made = Timetable(due.put)
    made.start()
    yield made
    made.stop()


def test_late_is_better_than_never_and_once_is_enough(timetable, due):
    """Times that passed hours ago, as on a machine that slept, make one call, not none or three."""
    timetable.put("job", Times(-3, -2, -1, 24))

    assert due.get(timeout=PATIENCE) == "job"
    timetable.put("marker", Times(-1, 24))
    assert due.get(timeout=PATIENCE) == "marker"
    assert due.empty()


def test_a_job_that_was_taken_out_is_not_called(timetable, due):
    """Removed jobs are gone from the times, and removing twice does no harm."""
    timetable.put("job", Times(24))
    timetable.put("other", Times(48))
    timetable.remove("job")
    timetable.remove("job")

    assert list(timetable.next_times()) == ["other"]


def test_another_trigger_replaces_the_first(timetable):
    """A job has one trigger; the one put last counts."""
    anchor = datetime.now(UTC)
    timetable.put("job", Interval(timedelta(hours=1), anchor))
    timetable.put("job", Interval(timedelta(hours=5), anchor))

    assert {"job": anchor + timedelta(hours=5)} == timetable.next_times()
