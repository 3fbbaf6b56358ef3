"""One report of the runs that one call took."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from exchanger.app.messages.notes.words import in_words
from exchanger.jobs.runtime.report import FileReport, RunReport, combined
from exchanger.notes import noted

SLOW = noted("slow_look_ups", profiles=1, alone=0, minutes=5)
AT = datetime(2026, 9, 15, tzinfo=UTC)


def run(seq, state="succeeded", **more):
    return RunReport(run_id=f"run-{seq}", job="crm", seq=seq, state=state, started_at=AT, **more)


NOTHING = RunReport(run_id="none", job="crm", started_at=AT)

STATES = [
    ((), "nothing_to_do", 0),
    (("succeeded",), "succeeded", 0),
    (("succeeded", "succeeded"), "succeeded", 0),
    (("succeeded", "held_back"), "partial", 4),
    (("held_back",), "held_back", 5),
    (("held_back", "held_back"), "held_back", 5),
    (("partial", "succeeded"), "partial", 4),
    (("partial", "held_back"), "partial", 4),
    (("discarded", "succeeded"), "succeeded", 0),
    (("succeeded", "failed"), "failed", 1),
]


@pytest.mark.parametrize(("states", "state", "code"), STATES)
def test_the_worst_state_counts(states, state, code):
    """A call is as bad as the worst of its runs; applied and held back together are partial."""
    reports = [run(seq, each) for seq, each in enumerate(states, 1)]
    found = combined(reports, [], nothing=NOTHING)
    assert (state, code) == (found.state, found.exit_code)


def test_counts_add_up_and_every_run_can_be_found():
    """Rows, points and files of all runs; notes once; the run with rows to retry is the named."""
    first = run(1, rows_read=2, data_points=3, quarantine="q/1.csv", facts=[SLOW], requests=1)
    first.files = [FileReport("in/1.csv", "applied", 2)]
    second = run(2, rows_read=5, data_points=1, facts=[SLOW], requests=2)
    second.files = [FileReport("in/2.csv", "applied", 5)]
    found = combined([first, second], [noted("stopped")], nothing=NOTHING)
    assert (7, 4, 3) == (found.rows_read, found.data_points, found.requests)
    assert ["in/1.csv", "in/2.csv"] == [file.key for file in found.files]
    assert (1, "q/1.csv") == (found.seq, found.quarantine)
    assert [SLOW, noted("stopped")] == found.facts[:2]
    assert noted("several_runs", runs=[1, 2]) == found.facts[-1]


def test_totals_are_told_where_one_run_alone_waits():
    """Of several runs that wait each has its own totals, in its notes."""
    one, other = (run(seq, "held_back", totals={"spend": str(seq)}) for seq in (1, 2))
    assert {"spend": "1"} == combined([one], [], nothing=NOTHING).totals
    both = combined([one, other], [], nothing=NOTHING)
    assert (None, [1, 2]) == (both.totals, both.held_back)


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
    told = [said for said in map(in_words, report.facts) if "exchanger show" in said]
    assert ([f"These were {numbers} of each: exchanger show NUMBER."] if numbers else []) == told
