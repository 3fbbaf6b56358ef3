"""What becomes of a file that is dropped again, after the job or the file was corrected."""

from __future__ import annotations

import pytest
from support.jobs import import_job

JOB = import_job(
    fields={
        "tier": {"from": "tier", "type": "string"},
        "spent": {"from": "spent", "merge": "sum", "type": "integer"},
    }
)
WRONG = JOB | {"fields": JOB["fields"] | {"tier": {"from": "tier", "type": "integer"}}}
NONE, WHOLE, PART = (
    "id,tier,spent\na,gold,1\nb,blue,2\n",
    "id,level,spent\nc,gold,4\n",
    "id,tier,spent\nd,7,8\ne,gold,16\n",
)


def spent(exchange):
    return {who: exchange.attribute(who, "spent") for who in sorted(exchange.braze.users())}


def told(exchange, retry):
    """Ask everywhere a person would look whether *retry* is named."""
    report = exchange.ask("run", "crm")
    assert "nothing_to_do" == report["state"]
    plan = exchange.ask("plan", "crm")["report"]
    waiting = exchange.call("jobs", "--waiting").stdout
    return [
        any(retry in line for line in lines)
        for lines in (report["notes"], plan["notes"], waiting.splitlines())
    ]


@pytest.mark.nightly
def test_files_that_were_not_taken_are_named_with_their_retry(exchange):
    """
    A file that was rejected, wholly or in part, is named wherever a person looks for it.

    That goes for the report of its run, and for whoever drops it again and wonders; until a retry
    has given all of it again.
    """
    exchange.configure(crm=WRONG)
    exchange.drop("inbox/part.csv", PART)
    report = exchange.ask("run", "crm", code=4)
    assert any("exchanger retry 1" in note for note in report["notes"])
    exchange.configure(crm=JOB)
    exchange.drop("inbox/part.csv", PART)
    assert [True, True, True] == told(exchange, "exchanger retry 1")
    assert "rejected 1 of the 2 rows of inbox/part.csv" in exchange.ask("run", "crm")["notes"][0]

    exchange.drop("inbox/copy.csv", PART)
    held = exchange.ask("run", "crm", code=5)
    [file] = held["files"]
    assert "which was added in part already" in file["note"]
    assert "exchanger retry 1" in file["note"]
    exchange.ask("retry", "1")
    exchange.ask("discard", "2")
    assert {"d": "8", "e": "16"} == spent(exchange)
    assert [False, False, False] == told(exchange, "exchanger retry")


@pytest.mark.nightly
def test_a_copy_of_a_file_of_which_nothing_was_taken_is_a_new_file(exchange):
    """It is applied, as it counts nothing twice; a retry of the first one then adds nothing."""
    exchange.configure(crm=WRONG)
    exchange.drop("inbox/none.csv", NONE)
    exchange.drop("inbox/whole.csv", WHOLE)
    rejected = exchange.ask("run", "crm", code=4)
    assert {"rejected"} == {file["outcome"] for file in rejected["files"]}
    exchange.configure(crm=JOB)
    assert [True, True, True] == told(exchange, "exchanger retry 1")

    exchange.drop("inbox/none again.csv", NONE)
    exchange.drop("inbox/whole.csv", WHOLE.replace("level", "tier"))
    assert 3 == exchange.ask("run", "crm")["rows_applied"]
    assert {"a": "1", "b": "2", "c": "4"} == spent(exchange)

    held = exchange.ask("retry", "1", code=5)
    assert "equal to inbox/none again.csv" in held["files"][0]["note"]
    exchange.ask("discard", str(held["seq"]))
    assert {"a": "1", "b": "2", "c": "4"} == spent(exchange)
    assert "nothing_to_do" == exchange.ask("retry", "1")["state"]
    assert [False, False, False] == told(exchange, "exchanger retry")


def test_files_without_rows_are_no_copies_of_each_other(exchange):
    """An unload that has nothing to tell on some nights is held back on none of them."""
    exchange.configure(crm=JOB)
    for night in ("1", "2"):
        exchange.drop(f"inbox/{night}.csv", "id,tier,spent\n")
        assert "succeeded" == exchange.ask("run", "crm")["state"]


@pytest.mark.nightly
def test_what_braze_refused_is_named_too(exchange):
    """Rows that Braze did not take are left of their file like those that we did not take."""
    exchange.configure(crm=JOB)
    told_by_braze = {"type": "not today", "input_array": "attributes", "index": 0}
    body = {"message": "no", "errors": [told_by_braze]}
    exchange.braze.faults("/users/track", status=400, body=body)
    exchange.drop("inbox/none.csv", NONE)
    report = exchange.ask("run", "crm", code=4)
    assert "To give again what Braze refused: exchanger retry 1" in report["notes"]
    [note] = exchange.ask("run", "crm")["notes"]
    assert note.startswith("Run 1 could not deliver 1 of the 2 rows of inbox/none.csv.")
    exchange.ask("retry", "1")
    assert [] == exchange.ask("run", "crm")["notes"]
