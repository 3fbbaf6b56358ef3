from datetime import UTC, datetime, timedelta, timezone

import pytest

from exchanger.config.models import Schedule
from exchanger.service.looking.missed import missed_since, read_last_starts

NOW = datetime(2026, 11, 22, 12, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "last", "expected"),
    [
        ({"cron": "0 3 * * *"}, "2026-11-21T03:00:02+00:00", "2026-11-22T03:00:00+00:00"),
        ({"cron": "0 3 * * *"}, "2026-11-01T03:00:02+00:00", "2026-11-02T03:00:00+00:00"),
        ({"cron": "0 3 * * *"}, "2026-11-22T03:00:02+00:00", None),
        ({"cron": "0 12 * * *"}, "2026-11-21T12:00:02+00:00", "2026-11-22T12:00:00+00:00"),
        ({"cron": "1 12 * * *"}, "2026-11-21T12:01:02+00:00", None),
        (
            {"cron": "30 12 * * *", "timezone": "Europe/Paris"},
            "2026-11-21T11:30:02+00:00",
            "2026-11-22T11:30:00+00:00",
        ),
        ({"every": "10m"}, "2026-11-22T11:50:29+00:00", "2026-11-22T12:00:29+00:00"),
        ({"every": "10m"}, "2026-11-22T11:50:31+00:00", None),
        ({"cron": "* * * * *"}, None, None),
        ({"every": "1s"}, None, None),
    ],
)
def test_a_schedule_is_missed_if_a_time_lies_between_the_last_start_and_now(
    schedule, last, expected
):
    """The first time after the last start counts; a job that never ran has missed nothing."""
    last_starts = {"job": datetime.fromisoformat(last)} if last else {}

    missed = missed_since({"job": Schedule(**schedule)}, last_starts, NOW)

    assert ({"job": datetime.fromisoformat(expected)} if expected else {}) == missed


def test_last_starts_are_read_from_the_runs():
    """The latest start of each job counts; no zone means UTC; runs that never started do not."""
    output = """[
        {"job": "a", "started_at": "2026-11-22T10:00:00+01:00", "state": "succeeded"},
        {"job": "a", "started_at": "2026-11-21T10:00:00Z"},
        {"job": "b", "started_at": "2026-11-22T10:00:00"},
        {"job": "c", "started_at": null}
    ]"""

    assert {
        "a": datetime(2026, 11, 22, 10, tzinfo=timezone(timedelta(hours=1))),
        "b": datetime(2026, 11, 22, 10, tzinfo=UTC),
    } == read_last_starts(output)


@pytest.mark.parametrize(
    "output",
    [
        "",
        "no",
        '{"job": "a"}',
        "[1]",
        '[{"job": "a"}]',
        '[{"job": "a", "started_at": "soon"}]',
        '[{"job": "a", "started_at": 5}]',
    ],
)
def test_an_answer_of_another_form_is_refused(output):
    """What is no list of runs is a ValueError, which the daemon tells and survives."""
    with pytest.raises(ValueError, match=r"\w"):
        read_last_starts(output)
