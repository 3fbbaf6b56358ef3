"""What was not taken of the files that lie there, and which run can give it again."""

from __future__ import annotations

import pytest

from exchanger.outside.delta.table import Table
from exchanger.state.inputs.file_ledger import FileLedger
from exchanger.state.inputs.left_over import LeftOver, left_over
from exchanger.state.runs.log import ClaimedFile

KEY = "in/a.csv"


def version(content="A", outcome="applied", rows=10, rejected=0, refused=0):
    return ClaimedFile(
        key=KEY, etag=content, sha256=content, outcome=outcome, rows=rows, rejected=rejected,
        refused=refused,
    )  # fmt: skip


CASES = {
    "all of it was taken": ([version()], None),
    "some rows were rejected": ([version(rejected=2)], LeftOver(1, "A", 10, 2, 0)),
    "Braze refused some": ([version(refused=3)], LeftOver(1, "A", 10, 0, 3)),
    "none of it could be read": (
        [version(outcome="rejected", rows=0)], LeftOver(1, "A", 0, 0, 0)
    ),
    "a retry gave all of it again": (
        [version(rejected=2), version(outcome="retried", rows=2)], None
    ),
    "a retry gave a part of it again": (
        [version(rejected=2), version(outcome="retried", rows=2, rejected=1)],
        LeftOver(2, "A", 2, 1, 0),
    ),
    "a newer version was taken whole": ([version(rejected=2), version("B")], None),
    "a newer version was taken in part": (
        [version(rejected=2), version("B", rejected=1)], LeftOver(2, "B", 10, 1, 0)
    ),
    "a retry of the version before a newer one": (
        [version(rejected=2), version("B"), version(outcome="retried", rows=2, rejected=1)], None
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_left_is_that_of_the_latest_version(name, tmp_path):
    """Nothing once it was given again or replaced; else the last run that left something."""
    before, left = CASES[name]
    ledger = FileLedger(Table(str(tmp_path / "applied"), {}), runs=None)
    for seq, file in enumerate(before, 1):
        ledger.record("crm", [file], seq=seq)
    assert left == left_over(ledger.snapshot(), "crm").get(KEY)
    assert {} == left_over(ledger.snapshot(), "other")
