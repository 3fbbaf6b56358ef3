"""What runs are called."""

from datetime import UTC, datetime

from exchanger.jobs.runtime.report import new_run_id


def test_runs_of_one_second_have_names_of_their_own():
    """Hundreds of runs of a job in one second are told apart; history keeps one row for each id."""
    second = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    drawn = [new_run_id("crm", second) for _ in range(600)]

    assert len(drawn) == len(set(drawn))
    assert all(name.startswith("20260102T030405Z-crm-") for name in drawn)
