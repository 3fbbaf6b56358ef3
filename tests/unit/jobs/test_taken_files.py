"""Which files of a run are put away, and where."""

from __future__ import annotations

import pytest

from exchanger.jobs.answers.taken_files import is_to_be_put_away, taken_files
from exchanger.state.runs.log import ClaimedFile, RunDocument

RUN_ID = "20261130T104447Z-crm-1a2b3c4d"
AFTER = {"prefix": "in/", "move_to": "done/", "suffix": "", "tag": {}}


def run(*files, **changes):
    usual = {"state": "settled", "after": AFTER, "files": files}
    return RunDocument(1, RUN_ID, "crm", nonce="n", counter=1, created_at="", **usual | changes)


@pytest.mark.parametrize(
    ("claim", "target"),
    [
        ({}, f"done/{RUN_ID}/a.csv"),
        ({"key": "in/x/a.csv"}, f"done/{RUN_ID}/x/a.csv"),
        ({"rows": 0}, f"done/{RUN_ID}/a.csv"),
        ({"rejected": 3}, f"done/{RUN_ID}/a.csv"),
        # Its content was kept by us while it waited; it lies where it was dropped.
        ({"kept": "_exchanger/main/files/2/x-0"}, f"done/{RUN_ID}/a.csv"),
        # Nothing of it was taken: it is corrected where it lies.
        ({"rejected": 9}, None),
        ({"outcome": "rejected", "rows": 0}, None),
        *(({"outcome": other}, None) for other in (
            "superseded", "retried", "tested", "left", "undone", "overtaken", "discarded",
        )),
        # It was moved before, and a backfill has taken it again.
        ({"kept": f"done/{RUN_ID}/a.csv"}, None),
        ({"key": f"done/{RUN_ID}/a.csv"}, None),
    ],
)  # fmt: skip
def test_what_a_run_has_taken_as_a_whole_is_put_away(claim, target):
    """All else stays where it is, as somebody has something to do with it, or had already."""
    usual = {"key": "in/a.csv", "etag": "E", "sha256": "", "outcome": "applied", "rows": 9}
    document = run(ClaimedFile("in/first.csv", "E", "", "retried"), ClaimedFile(**usual | claim))
    found = [(file.position, file.target) for file in taken_files(document)]
    assert ([(1, target)] if target else []) == found


def test_only_tags_leave_a_file_where_it_is():
    """It is still one that was taken."""
    document = run(
        ClaimedFile("in/a.csv", "E", "", "applied", rows=1),
        after=AFTER | {"move_to": "", "tag": {"exchanger": "done"}},
    )
    assert [""] == [file.target for file in taken_files(document)]


@pytest.mark.parametrize(
    ("changes", "due"),
    [({}, True), ({"put_away": True}, False), ({"after": {}}, False),
     *(({"state": other}, False) for other in ("settling", "held_back", "discarded"))],
)  # fmt: skip
def test_files_are_put_away_once_their_run_is_settled(changes, due):
    """And once: never those of a run that waits, was dropped, or is under way."""
    assert due == is_to_be_put_away(run(**changes))
