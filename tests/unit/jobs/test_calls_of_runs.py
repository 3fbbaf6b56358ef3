"""One report of all the runs that one call took."""

from dataclasses import replace

import pytest

from exchanger.jobs.runtime.report import RunReport, combined

IDLE = RunReport("idle", "crm")


def a_run(seq, state="succeeded", quarantine=None):
    return RunReport(f"id-{seq}", "crm", state, seq, rows_read=seq, quarantine=quarantine)


@pytest.mark.parametrize(
    ("reports", "named", "numbers"),
    [
        ([a_run(4)], 4, None),
        ([a_run(4), a_run(5, "held_back")], 5, "runs 4 and 5;"),
        ([a_run(4, "partial", "q/4.csv"), a_run(5, "held_back")], 4, "runs 4 and 5;"),
        ([a_run(4, "partial", "q/4.csv"), a_run(5, "partial", "q/5.csv")], 5, "runs 4 and 5;"),
        ([a_run(4), a_run(5), a_run(6)], 6, "runs 4 to 6;"),
        ([a_run(4), replace(IDLE, state="partial")], None, None),
    ],
)
def test_a_call_is_told_by_the_run_that_needs_a_person(reports, named, numbers):
    """The run that is named is the one whose rows can be retried; a note names all runs."""
    report = combined(reports, [], nothing=IDLE)

    assert named == report.seq
    assert report.run_id == (f"id-{named}" if named else "idle")
    assert sum(one.rows_read for one in reports) == report.rows_read
    told = [note for note in report.notes if "exchanger show" in note]
    assert ([f"These were {numbers} of each: exchanger show NUMBER."] if numbers else []) == told
