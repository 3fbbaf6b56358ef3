"""How a job fares, from what its runs have left behind and what daemons know."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from support.contexts import job_context
from support.jobs import import_model

from exchanger.files.heartbeat import Heartbeat
from exchanger.jobs.inventory.standing import came_in_time, standing, took_something
from exchanger.jobs.runtime.report import RunReport
from exchanger.outside.clock import SystemClock
from exchanger.state.store import open_state

NOW = SystemClock().now()
EARLIER, LATER = NOW - timedelta(hours=2), NOW - timedelta(hours=1)
JOB = import_model(fields={"points": {}}, expect={"every": "90m"})
TAKEN = {"files": [{"key": "inbox/1.csv", "outcome": "applied"}]}


def report(at=EARLIER, **changes):
    """The report of a run of crm that began and ended at once."""
    made = RunReport(run_id=f"crm-{at:%H%M}", job="crm", started_at=at).to_dict()
    return made | {"state": "succeeded", "finished_at": at.isoformat()} | changes


def killed(at):
    return {"failing": {"crm": {"exit_code": 70, "at": at.isoformat(), "error": "it was killed"}}}


@pytest.fixture
def stands(bucket, tmp_path):
    """Return how a job fares after runs of it, and what a daemon wrote."""

    def after(reports, daemon=None, job=JOB):
        for one in reports:
            open_state(bucket, "_exchanger/main/").run_index.record(one)
        if daemon is not None:
            at = NOW.isoformat()
            beat = Heartbeat("d1", "host", 1, "1.0", "exchanger.yaml", at, at, **daemon)
            bucket.write("_exchanger/main/heartbeat/d1", beat.to_bytes())
        return standing(job_context(bucket, None, tmp_path), {"crm": job}).jobs["crm"]

    return after


@pytest.mark.parametrize(
    ("left", "took"),
    [
        ({}, False),
        ({"files": []}, False),
        ({"files": [{"outcome": "equal_content"}, {"outcome": "rejected"}]}, False),
        ({"files": [{"outcome": "rejected"}, {"outcome": "applied"}]}, True),
        ({"manifest": "out/run=1/manifest.json"}, True),
    ],
)
def test_a_run_took_something_if_a_file_or_a_dataset_came_of_it(left, took):
    """A copy and a rejected file are nothing that anybody waited for."""
    assert took is took_something(left)


@pytest.mark.parametrize(
    ("reports", "daemon", "failure"),
    [
        ([], None, ""),
        ([report()], None, ""),
        ([report(state="failed", error="no bucket")], None, "no bucket"),
        ([report(state="failed")], None, "it failed"),
        ([report(error="half of it")], None, "half of it"),
        ([report(state="failed", error="stopped", stopped=True)], None, ""),
        ([report(state="failed", error="no bucket"), report(LATER)], None, ""),
        ([report()], killed(LATER), "it was killed"),
        ([report(LATER)], killed(EARLIER), ""),
        ([], killed(EARLIER), "it was killed"),
    ],
)
def test_the_failure_of_a_job_is_that_of_its_last_run(stands, reports, daemon, failure):
    """A daemon also knows of one that left no trace, unless a run has begun since."""
    assert failure == stands(reports, daemon).failure


EXPECTING = {"expecting": {"crm": EARLIER.isoformat()}}
EVERY = timedelta(minutes=90)


@pytest.mark.parametrize(
    ("reports", "daemon", "changes", "since"),
    [
        ([report(EARLIER, **TAKEN)], None, {}, EARLIER),
        ([report(LATER, **TAKEN)], None, {}, None),
        ([report(EARLIER, **TAKEN), report(LATER)], None, {}, EARLIER),
        ([], None, {}, None),
        ([], EXPECTING, {}, EARLIER),
        ([report(LATER, **TAKEN)], EXPECTING, {}, None),
        ([report(EARLIER, **TAKEN)], EXPECTING, {"expect": None}, None),
        ([report(EARLIER, **TAKEN)], EXPECTING, {"enabled": False}, None),
    ],
)
def test_a_job_is_overdue_once_it_took_nothing_for_longer_than_expected(
    stands, reports, daemon, changes, since
):
    """Since it took something last, or a daemon knows that something is expected of it."""
    found: datetime | None = stands(reports, daemon, JOB.model_copy(update=changes)).overdue_since
    assert (None if since is None else since + EVERY) == found


@pytest.mark.parametrize(
    ("reports", "held", "every", "came"),
    [
        ([report(LATER, seq=8), report(EARLIER, seq=7)], {8}, EVERY, True),
        ([report(LATER, seq=8), report(EARLIER, seq=7)], {7, 8}, EVERY, True),
        ([report(LATER, seq=8), report(EARLIER, seq=7)], {7}, EVERY, False),
        ([report(LATER, seq=8)], set(), EVERY, False),
        ([], {8}, EVERY, False),
        ([report(LATER, seq=8)], {8}, None, False),
    ],
)
def test_what_waits_for_a_person_may_have_come_in_time(reports, held, every, came):
    """Then nobody has to be asked where the files are, though none was taken."""
    job = JOB.model_copy(update={"expect": every and JOB.expect})
    assert came is came_in_time(job, held, reports, NOW)
