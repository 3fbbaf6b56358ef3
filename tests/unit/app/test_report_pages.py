"""What a person reads of a file that was dropped: what happened, why, what it cost, what to do."""

from __future__ import annotations

import json

import pytest

from exchanger.app.messages.pages.report import TITLES, report_files

ROWS = {"read": 4, "taken": 4, "rejected": 0, "refused": 0, "in_doubt": 0, "skipped": 0}
REASON = {
    "kind": "rejected",
    "reason": "not_a_number",
    "field": "spend",
    "column": "total",
    "rows": 1_200,
    "examples": [
        {"row": 7, "value": "x y", "message": 'Row 7, column total: "x y" is not a number.'}
    ],
}


def facts(verdict="applied", **changes):
    usual = {
        "file": "in/a.csv",
        "bucket": "acme",
        "job": "crm",
        "run": 12,
        "run_id": "20260915T060000Z-crm-1",
        "verdict": verdict,
        "outcome": "applied",
        "began_at": "2026-09-15T05:59:00+00:00",
        "ended_at": "2026-09-15T08:00:00+02:00",
        "rows": ROWS,
        "not_taken": [],
        "left_out": [],
        "notes": [],
        "choices": [],
        "whole_run": {
            "files": 1,
            "stopped": False,
            "rows_read": 4,
            "rows_applied": 4,
            "rows_skipped": 0,
        },
        "cost": {"data_points": 8_000, "requests": 2, "price": "3.20", "currency": "EUR"},
        "quarantine": None,
    }
    return usual | changes


UNDONE = {"run": 7, "waited": False, "taken_back": True}
SAID = {
    "applied": ["All of this file was applied on 15 September 2026 at 06:00 UTC: 4 rows.", "3.20"],
    "applied_in_part": ["1 of 4 rows were applied", "2 could not be accepted", "1 were refused"],
    "not_applied": ["Nothing of this file could be applied", "Correct the rows"],
    "waits": ["Nothing of this file was sent", "name run 12", "To drop it: discard"],
    "dropped": ["A person dropped this file"],
    "left_out": ["a newer file of this folder counts alone"],
    "empty": ["has no rows"],
    "tried": ["to try out the job, and nothing of it was sent to Braze"],
    "not_read": ["This file could not be read on 15 September 2026", "It is archived"],
    "taken_back": ["What run 7 had applied of this file was taken back", "drop the file under"],
    "put_back": ["What run 7 had applied", "was put back on 15 September 2026"],
}
CHANGES = {
    "applied_in_part": {"rows": ROWS | {"taken": 1, "rejected": 2, "refused": 1}},
    "not_applied": {"rows": ROWS | {"taken": 0, "rejected": 4}},
    "waits": {"choices": ["To drop it: discard"]},
    "taken_back": {"earlier": UNDONE},
    "put_back": {"earlier": UNDONE},
    "left_out": {"outcome": "superseded"},
    "not_read": {"outcome": "unreadable", "notes": ["It is archived"], "run": None},
}


@pytest.mark.parametrize("verdict", TITLES)
def test_each_end_of_a_file_is_told_with_what_to_do(verdict):
    """The page and the facts say the same, in sentences, and always what is next."""
    told, page = report_files(facts(verdict, **CHANGES.get(verdict, {})))
    content = json.loads(told)
    assert TITLES[verdict] == content["title"]
    assert content["next"]
    for said in (*SAID[verdict], TITLES[verdict], content["summary"], *content["next"]):
        assert said in page
    for said in SAID[verdict]:
        assert said in " ".join([told, *content["next"]])


@pytest.mark.parametrize("outcome", ["retried", "corrected"])
def test_rows_that_are_taken_back_are_not_the_file(outcome):
    """Nobody drops the whole file anew, of which all others stay; and rows are none of an undo."""
    told, page = report_files(facts("taken_back", outcome=outcome, earlier=UNDONE))
    words = " ".join([json.loads(told)["summary"], *json.loads(told)["next"]])
    assert "nothing else of the file is concerned" in words
    assert "no others, in a new file" in words
    assert "What was taken back" in page
    assert "rows were read" not in page


WRONG = {"rows": ROWS | {"taken": 1, "rejected": 3}}
PLACE = {"rejected_rows": "in_rejected/12/a.csv", "corrected_rows": "in_corrected/12/a.csv"}
CORRECTS = {"file": "in/a.csv", "run": 12}
STRANGE = REASON | {"reason": "row_twice", "column": "_row"}


@pytest.mark.parametrize(
    ("changes", "said", "unsaid"),
    [
        # Where rows can be corrected in their place, nobody drops them as new ones.
        (PLACE, ["as s3://acme/in_corrected/12/a.csv", "Leave the column _row"], "in a new file"),
        ({"rejected_rows": "in_rejected/12/a.csv"}, ["in a new file", "in_rejected/12"], "_corr"),
        ({"snapshot": True}, ["whole file again", "never drop these rows alone"], "in a new file"),
        ({"corrects": CORRECTS | PLACE}, ["in the report", "as s3://acme/in_corr"], "for no rej"),
        (
            {"corrects": CORRECTS | dict.fromkeys(PLACE), "not_taken": [STRANGE | {"rows": 2}]},
            ["in the report", "stand for no rejected row"],
            "s3://",
        ),
        (
            {"corrects": CORRECTS | PLACE, "not_taken": [STRANGE | {"rows": 3}]},
            ["stand for no rejected row"],
            "still wrong",
        ),
    ],
)
def test_whoever_is_to_correct_rows_reads_how(changes, said, unsaid):
    """In their place if that can be; else in a new file, or the whole file once more."""
    told, page = report_files(facts("applied_in_part", **WRONG, **changes))
    words = " ".join(json.loads(told)["next"])
    assert [] == [one for one in said if one not in words]
    assert unsaid not in words
    assert all(one in page for one in json.loads(told)["next"])


def test_a_reason_has_its_rows_and_the_first_of_them():
    """What stands in columns of the table is not repeated in the sentence beside."""
    told, page = report_files(facts("applied_in_part", not_taken=[REASON]))
    assert "1,200 rows not accepted: not a number, column total" in page
    row = '<td class="r">7</td><td><code>x y</code></td><td>is not a number.</td>'
    assert row in page
    assert REASON["examples"] == json.loads(told)["not_taken"][0]["examples"]


def test_a_file_that_is_rejected_as_a_whole_is_no_row():
    """Nothing in it was read as rows."""
    one = REASON | {"reason": "packed", "column": None, "rows": 1, "examples": []}
    _, page = report_files(facts("not_applied", outcome="rejected", not_taken=[one]))
    assert "1 file not accepted: packed" in page


LEFT_OUT = {"kind": "dropped", "reason": "ignored", "rows": 1, "column": "gender", "examples": []}


@pytest.mark.parametrize(
    ("verdict", "changes", "says"),
    [
        ("applied", {}, "Everything in this file is in Braze"),
        ("applied", {"left_out": [LEFT_OUT]}, "Correct the values named below"),
        ("applied", {"whole_run": facts()["whole_run"] | {"rows_skipped": 2}}, "leaves as they"),
        ("applied_in_part", {"rows": ROWS | {"taken": 3, "skipped": 1}}, "leaves such people"),
        ("not_applied", {"rows": ROWS | {"taken": 0, "skipped": 4}}, "4 were left out"),
    ],
)
def test_only_what_is_in_braze_is_said_to_be(verdict, changes, says):
    """Rows that a job leaves out, and values that are left out, are not."""
    told, page = report_files(facts(verdict, **changes))
    assert says in page + told
    assert (not changes) == ("Everything in this file is in Braze" in page)


def test_of_several_files_the_numbers_are_said_to_be_of_all():
    """A page is about one file; what is only known of the run says so."""
    run = facts()["whole_run"] | {"files": 3}
    _, page = report_files(facts(whole_run=run))
    assert "It was read together with 2 more" in page
    assert "Of all 3 files" in page


def test_nothing_that_a_file_says_becomes_part_of_the_page():
    """Whatever is shown is escaped, and the page asks for nothing and runs nothing."""
    evil = "<img src=x onerror=alert(1)>&\"'"
    example = {"row": 1, "value": evil, "message": evil}
    reason = REASON | {"column": evil, "reason": evil, "examples": [example]}
    plan = {"rows_read": 1, "fields": {evil: 2}} | dict.fromkeys(
        (
            "rows_rejected",
            "profiles_new",
            "profiles_updated",
            "profiles_cleared",
            "objects",
            "deletes",
            "data_points",
        ),
        0,
    )
    hostile = {"file": evil, "job": evil, "bucket": evil, "quarantine": evil, "run_id": evil}
    told = facts("waits", not_taken=[reason], notes=[evil], choices=[evil], **hostile)
    _, page = report_files(told | {"totals": {evil: evil}, "plan": plan})
    assert "<img" not in page
    assert page.count("&lt;img") > 10
    assert "default-src &#x27;none&#x27;" in page or "default-src 'none'" in page
    assert "http" not in page.replace("http-equiv", "")


def test_whoever_is_asked_for_a_retry_reads_of_which_connection():
    """The page is shown to whoever has a terminal, where each connection counts its runs from 1."""
    of_one, of_several = (
        json.loads(report_files(facts("applied_in_part", rows=rows), of)[0])["next"]
        for rows in [ROWS | {"taken": 1, "refused": 3}]
        for of in ("", " --connection eu")
    )
    assert of_one[-1].endswith("exchanger retry 12")
    assert of_several[-1].endswith("exchanger retry 12 --connection eu")
