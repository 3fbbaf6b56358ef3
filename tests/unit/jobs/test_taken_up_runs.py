"""A run that takes up an earlier one: whether it still may, and what becomes of that one."""

from __future__ import annotations

import pytest

from exchanger.jobs.history.origins import close_parents, take_up_parent
from exchanger.jobs.runtime.report import RunReport
from exchanger.outside.clock import SystemClock
from exchanger.state.runs.log import RunDocument
from exchanger.state.store import open_state

NOW = SystemClock().now()
REPORT = RunReport(run_id="run-1", job="crm", started_at=NOW, seq=1).to_dict()
HELD = {"hold": True, "state": "held_back", "report": REPORT | {"state": "held_back"}}
DROPPED = {"hold": True, "state": "discarded", "report": REPORT | {"state": "discarded"}}
RELEASED = HELD | {"state": "settled", "continued_by": 2}
RETRIED = {"state": "settled", "report": REPORT | {"state": "partial"}}


@pytest.fixture
def state(bucket):
    return open_state(bucket, "_exchanger/main/")


def run(seq, **facts):
    return RunDocument(
        **{"seq": seq, "run_id": f"run-{seq}", "job": "crm", "state": "planned", "nonce": "n"}
        | {"counter": 1, "created_at": NOW.isoformat()}
        | facts
    )


def finished(**facts):
    return run(2, parent=1, report={"finished_at": NOW.isoformat()}, **facts)


@pytest.mark.parametrize(
    ("parent", "may", "continued_by"),
    [
        (HELD, True, 2),
        (HELD | {"continued_by": 2}, True, 2),
        (RELEASED, True, 2),
        (DROPPED, False, 0),
        (RETRIED, True, 0),
    ],
    ids=["waits", "taken up before a crash", "released already", "dropped", "given again"],
)
def test_a_run_is_taken_up_unless_a_person_dropped_it(state, parent, may, continued_by):
    """One that waits is told at once by whom; one whose rows are given again only at the end."""
    state.runs.create(run(1, **parent))
    assert may is take_up_parent(state, run(2, parent=1))
    once = state.runs.read(1).document
    assert continued_by == once.continued_by
    assert may is take_up_parent(state, run(2, parent=1))
    assert once == state.runs.read(1).document, "it was written again"


def test_a_run_of_its_own_takes_up_nothing(state):
    """It may always begin."""
    assert take_up_parent(state, run(2))


@pytest.mark.parametrize(
    ("parent", "by", "log", "report"),
    [
        (HELD, finished(), "settled", "released"),
        (HELD, finished(discarded=True), "settled", "discarded"),
        (DROPPED, finished(), "discarded", "discarded"),
        (RETRIED, finished(), "settled", "partial"),
    ],
    ids=["applied", "dropped on the way", "dropped before", "given again"],
)
def test_a_run_that_was_taken_up_says_what_became_of_it(state, parent, by, log, report):
    """Once, however often its end is noted; only one that had waited has another report then."""
    state.runs.create(run(1, **parent))
    close_parents(state, by)
    once = state.runs.read(1).document
    close_parents(state, by)
    assert once == state.runs.read(1).document
    assert (log, report) == (once.state, once.report["state"])
    assert (1 if log == "settled" and once.hold else 0) == len(once.report.get("facts", []))
    assert (0 if log == "discarded" else 2) == once.continued_by


def test_a_run_of_corrected_rows_takes_up_where_they_waited_and_where_they_were_rejected(state):
    """Unless a person dropped what waited: then nothing of it is given."""
    state.runs.create(run(1, **RETRIED))
    state.runs.create(run(2, **HELD))
    by = run(3, parent=1, releases=2, report={"finished_at": NOW.isoformat()})
    assert take_up_parent(state, by)
    assert (0, 3) == tuple(state.runs.read(seq).document.continued_by for seq in (1, 2))
    close_parents(state, by)
    found = [state.runs.read(seq).document for seq in (1, 2)]
    assert [(3, "settled"), (3, "settled")] == [(one.continued_by, one.state) for one in found]
    assert "released" == found[1].report["state"]

    state.runs.create(run(3, **DROPPED))
    assert not take_up_parent(state, run(4, parent=1, releases=3))
