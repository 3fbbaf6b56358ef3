"""What is left of a file that a run has read: whether its copy counts, and what to retry."""

from __future__ import annotations

import pytest

from exchanger.config.models import FieldConfig, ImportJob, Match, Source
from exchanger.jobs.intake.deduplication import decide
from exchanger.jobs.intake.requests import FileRequest, HeldFile
from exchanger.jobs.runtime.import_context import ImportContext
from exchanger.jobs.runtime.options import ImportOptions
from exchanger.profiles.frames.rules import Rule
from exchanger.state.inputs.left_over import left_over
from exchanger.state.runs.log import ClaimedFile, RunDocument
from exchanger.state.store import open_state

SUM = Rule("total", "total", "integer", FieldConfig(merge="sum"))


def met(outcome="applied", *, key="in/a.csv", content="A", rows=10, rejected=0, **more):
    """A file of a run, and how the run came by it: ``origin``, ``job``, ``acknowledged``."""
    return {"outcome": outcome, "key": key, "content": content, "rows": rows} | {
        "rejected": rejected,
        **more,
    }


ALL = {"rejected": 10}
WAITED = ClaimedFile("in/a.csv", "A", "sha-A", "equal_content", sums=("total",))
PART = {"rejected": 3}
WHOLE = {"rows": 0}


@pytest.fixture
def remembered(bucket):
    """Records one file for each run, and gives what is remembered then."""
    state = open_state(bucket, "_exchanger/main/")

    def snapshot(*runs):
        for seq, run in enumerate(runs, start=1):
            job = run.get("job", "crm")
            sums = run.get("sums", () if run["outcome"] == "rejected" else ("total",))
            file = ClaimedFile(
                run["key"],
                run["content"],
                f"sha-{run['content']}",
                run["outcome"],
                rows=run["rows"],
                sums=sums,
                replaces=run.get("replaces", False),
                rejected=run["rejected"],
                refused=run.get("refused", 0),
            )
            dropped = run["outcome"] == "discarded"
            fields = {"total": {"merge": "sum"}}
            made = RunDocument(
                seq, f"run-{seq}", job, "settled", "n", 1, "", fields=fields, discarded=dropped
            )
            state.runs.create(made)
            state.file_ledger.record(job, [file], seq=seq, parent=run.get("origin", 0))
        return state.file_ledger.snapshot()

    return snapshot


JOB = ImportJob(type="import", source=Source(prefix="in/"), match=(Match(external_id="id"),))


def counted(applied, key="in/copy.csv", content="A"):
    """Say in a word what becomes of a file that comes now: applied, or why it waits."""
    call = ImportContext(None, None, "crm", JOB, ImportOptions())
    claim = ClaimedFile(key, content, f"sha-{content}", "applied")
    found = decide(call, claim, FileRequest(key, content), [SUM], applied)
    return found.claim.outcome if isinstance(found, HeldFile) else "applied"


COPIES = {
    "never met": ([], "applied"),
    "taken": ([met()], "equal_content"),
    "taken in part": ([met(**PART)], "equal_content"),
    "every row rejected": ([met(**ALL)], "applied"),
    "rejected as a whole": ([met("rejected", **WHOLE)], "applied"),
    "every row refused by Braze, which still owes them": ([met(refused=10)], "equal_content"),
    "every row rejected, and taken by a retry": (
        [met(**ALL), met("retried", parent=1)],
        "equal_content",
    ),
    "every row rejected, and some taken by a retry": (
        [met(**ALL), met("retried", parent=1, **PART)],
        "equal_content",
    ),
    "every row rejected, and rejected again by a retry": (
        [met(**ALL), met("retried", parent=1, **ALL)],
        "applied",
    ),
    "rejected as a whole, and taken by a retry": (
        [met("rejected", **WHOLE), met(parent=1)],
        "equal_content",
    ),
    "taken in part, and the rest rejected again by a retry": (
        [met(**PART), met("retried", parent=1, rows=3, rejected=3)],
        "equal_content",
    ),
    "every row rejected by one job, and taken by another": (
        [met(**ALL), met(job="other")],
        "equal_content",
    ),
    "every row rejected twice": ([met(**ALL), met(key="in/b.csv", **ALL)], "applied"),
    "every row rejected, and a copy of it was taken": (
        [met(**ALL), met(key="in/b.csv")],
        "equal_content",
    ),
    "dropped before anything was sent": ([met("discarded", sums=())], "applied"),
    "dropped after something was sent": ([met("discarded")], "equal_content"),
    "every row rejected, and dropped with its run": ([met("discarded", **ALL)], "applied"),
    "every row rejected, but it took back what it replaced": (
        [met(content="B"), met(replaces=True, **ALL)],
        "equal_content",
    ),
}


@pytest.mark.parametrize("case", COPIES)
def test_a_copy_waits_only_if_something_was_taken_of_its_content(remembered, case):
    """What was never taken counts nothing twice, whichever run rejected it, and how."""
    runs, outcome = COPIES[case]
    assert outcome == counted(remembered(*runs))


def test_what_waited_and_was_dropped_gave_nothing(remembered, bucket):
    """A version that a person dropped is as little taken as it was before it waited."""
    remembered(met(**ALL), met("equal_content", rows=0))
    state = open_state(bucket, "_exchanger/main/")
    state.file_ledger.discard("crm", [WAITED], seq=2)
    applied = state.file_ledger.snapshot()
    assert applied.took_nothing("crm", "in/a.csv", "A")
    assert "applied" == counted(applied)


NEW_VERSIONS = {
    "taken": ([met()], "replaced"),
    "taken in part": ([met(**PART)], "replaced"),
    "every row rejected": ([met(**ALL)], "applied"),
    "every row rejected, and taken by a retry": (
        [met(**ALL), met("retried", parent=1)],
        "replaced",
    ),
    "a version before was taken": ([met(content="0"), met(**ALL)], "replaced"),
}


@pytest.mark.parametrize("case", NEW_VERSIONS)
def test_a_new_version_waits_only_if_something_was_taken_of_its_key(remembered, case):
    """A file that is corrected and dropped again replaces nothing where nothing was taken."""
    runs, outcome = NEW_VERSIONS[case]
    assert outcome == counted(remembered(*runs), key="in/a.csv", content="B")


def test_a_retry_of_what_a_key_counts_for_is_taken_back_by_its_next_version(remembered):
    """Rows that were given again belong to the version that was read first, as ever."""
    applied = remembered(met(**ALL), met("retried", parent=1, **PART))
    assert [1, 2] == applied.summed_by("in/a.csv", "total")


LEFT = {
    "never met": ([], None),
    "taken": ([met()], None),
    "some rows rejected": ([met(**PART)], (1, 10, 3, 0)),
    "some rows refused": ([met(refused=4)], (1, 10, 0, 4)),
    "every row rejected": ([met(**ALL)], (1, 10, 10, 0)),
    "rejected as a whole": ([met("rejected", **WHOLE)], (1, 0, 0, 0)),
    "given again": ([met(**PART), met("retried", parent=1, rows=3)], None),
    "given again, and one is rejected again": (
        [met(**PART), met("retried", parent=1, rows=3, rejected=1)],
        (2, 3, 1, 0),
    ),
    "given again twice": (
        [
            met(**PART),
            met("retried", parent=1, rows=3, rejected=1),
            met("retried", parent=2, rows=1),
        ],
        None,
    ),
    "rejected as a whole, and taken by a retry": (
        [met("rejected", **WHOLE), met(parent=1)],
        None,
    ),
    "rejected as a whole, and in part by a retry": (
        [met("rejected", **WHOLE), met(parent=1, **PART)],
        (2, 10, 3, 0),
    ),
    "a newer version was taken": ([met(**PART), met(content="B")], None),
    "a newer version was rejected": ([met(content="B"), met("rejected", **WHOLE)], (2, 0, 0, 0)),
    "an older version was given again": (
        [met(content="B", **PART), met(**PART), met("retried", content="B", parent=1, rows=3)],
        (2, 10, 3, 0),
    ),
    "another job rejected it": ([met(), met("rejected", job="other", **WHOLE)], None),
}


@pytest.mark.parametrize("case", LEFT)
def test_what_is_left_of_a_file_is_in_one_run(remembered, case):
    """It is told of the latest version, with the run whose retry gives it again."""
    runs, told = LEFT[case]
    left = left_over(remembered(*runs), "crm").get("in/a.csv")
    assert told == (None if left is None else (left.seq, left.rows, left.rejected, left.refused))
