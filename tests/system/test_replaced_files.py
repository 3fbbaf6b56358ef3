"""A new version of a file replaces what the old one really gave to sums, once it is approved."""

from __future__ import annotations

import pytest
from support.jobs import import_job

TRACK = "/users/track"
JOB = import_job(
    fields={
        "visits": {"from": "visits", "merge": "sum", "type": "integer"},
        "tags": {"from": "tag", "merge": "add"},
        "tier": {"from": "tier", "type": "string"},
    }
)
HEADER = "id,visits,tag,tier\n"
A = HEADER + "a,1,x,gold\nb,2,x,gold\n"
B = HEADER + "a,5,y,blue\nc,7,y,blue\n"


def visits(exchange):
    return {who: exchange.attribute(who, "visits") for who in sorted(exchange.braze.users())}


def held_back(exchange, *words):
    """Run the job, demand that it is held back and sends nothing; tell the run's number."""
    sent = exchange.braze.requests(TRACK)
    report = exchange.ask("run", "crm", *words, code=5)
    assert ("held_back", sent) == (report["state"], exchange.braze.requests(TRACK))
    return report["seq"]


@pytest.mark.nightly
def test_a_replaced_file_applies_the_difference_once_approved(exchange):
    """
    A to B to A is three versions: each applies new minus old, per profile, after approval.

    The totals are shown before; members of lists are only ever added. Approving twice does nothing.
    """
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", A)
    exchange.ask("run", "crm")
    exchange.drop("inbox/1.csv", B)
    report = exchange.ask("run", "crm", code=5)
    assert [("inbox/1.csv", "replaced")] == [(f["key"], f["outcome"]) for f in report["files"]]
    assert any("visits: 9 would be added" in note for note in report["notes"])
    assert ([2], {"visits": "9"}) == (report["held_back"], report["totals"])
    assert {"a": "1", "b": "2"} == visits(exchange)
    assert '"gold"' == exchange.attribute("a", "tier")
    waiting = exchange.ask("run", "crm")
    assert ("nothing_to_do", True) == (waiting["state"], "approve 2" in waiting["notes"][0])

    applied = exchange.ask("approve", str(report["seq"]))
    assert ("succeeded", 2) == (applied["state"], applied["rows_read"])
    assert {"a": "5", "b": "0", "c": "7"} == visits(exchange)
    assert ('["x","y"]', '"blue"') == (
        exchange.attribute("a", "tags"),
        exchange.attribute("a", "tier"),
    )
    again = exchange.ask("approve", str(report["seq"]), code=2)
    assert "Run 2 cannot be taken for approve" in again["error"]
    assert {2: "released", 3: "succeeded"} == {
        run["seq"]: run["state"] for run in exchange.ask("runs")[:2]
    }

    exchange.drop("inbox/1.csv", A)
    exchange.ask("approve", str(held_back(exchange)))
    assert {"a": "1", "b": "2", "c": "0"} == visits(exchange)
    assert "nothing_to_do" == exchange.ask("run", "crm")["state"]


@pytest.mark.nightly
def test_what_was_refused_of_the_old_version_is_not_taken_back(exchange):
    """
    The difference is to what the old version really gave: not to what Braze refused of it.

    What was refused then is replaced with it, so that retrying it adds nothing.
    """
    exchange.configure(crm=JOB)
    told = {"type": "not today", "input_array": "attributes", "index": 0}
    exchange.braze.faults(TRACK, status=400, body={"message": "no", "errors": [told]})
    exchange.drop("inbox/1.csv", A)
    refused = exchange.ask("run", "crm", code=4)
    assert {"b": "2"} == visits(exchange)

    exchange.drop("inbox/1.csv", B)
    exchange.ask("approve", str(held_back(exchange)))
    assert {"a": "5", "b": "0", "c": "7"} == visits(exchange)
    retried = exchange.ask("retry", str(refused["seq"]))
    assert ("nothing_to_do", "5") == (retried["state"], exchange.attribute("a", "visits"))


@pytest.mark.nightly
def test_what_a_retry_gave_is_taken_back_too(exchange):
    """Rows given again by a retry belong to their file, and are replaced with it."""
    exchange.configure(crm=JOB)
    told = {"type": "not today", "input_array": "attributes", "index": 0}
    exchange.braze.faults(TRACK, status=400, body={"message": "no", "errors": [told]})
    exchange.drop("inbox/1.csv", A)
    refused = exchange.ask("run", "crm", code=4)
    exchange.ask("retry", str(refused["seq"]))
    assert {"a": "1", "b": "2"} == visits(exchange)

    exchange.drop("inbox/1.csv", B)
    exchange.ask("approve", str(held_back(exchange)))
    assert {"a": "5", "b": "0", "c": "7"} == visits(exchange)


@pytest.mark.nightly
def test_other_files_go_on_while_one_is_held_back(exchange):
    """A run that is held back blocks its own files and nothing else, not even for its profiles."""
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", A)
    exchange.ask("run", "crm")
    exchange.drop("inbox/1.csv", B)
    exchange.drop("inbox/2.csv", HEADER + "a,100,z,red\n")
    report = exchange.ask("run", "crm", code=4)
    assert {"inbox/1.csv": "replaced", "inbox/2.csv": "applied"} == {
        file["key"]: file["outcome"] for file in report["files"]
    }
    assert "101" == exchange.attribute("a", "visits")
    [held] = [run for run in exchange.ask("runs") if run["state"] == "held_back"]

    exchange.drop("inbox/3.csv", HEADER + "a,1000,z,red\n")
    exchange.ask("run", "crm")
    exchange.ask("approve", held["run_id"])
    assert "1105" == exchange.attribute("a", "visits")


@pytest.mark.nightly
def test_forcing_adds_a_new_version_in_full(exchange):
    """``--force`` takes the new version for other data; from then on it is what is replaced."""
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", A)
    exchange.ask("run", "crm")
    exchange.drop("inbox/1.csv", B)
    held = held_back(exchange)
    report = exchange.ask("run", "crm", "--force")
    assert any("visits: 12 was added" in note for note in report["notes"])
    assert {"a": "6", "b": "2", "c": "7"} == visits(exchange)
    overtaken = exchange.ask("approve", str(held))
    assert ("discarded", "6") == (overtaken["state"], exchange.attribute("a", "visits"))

    exchange.drop("inbox/1.csv", HEADER + "a,6,y,blue\n")
    exchange.ask("approve", str(held_back(exchange)))
    assert {"a": "7", "b": "2", "c": "0"} == visits(exchange)


@pytest.mark.nightly
def test_the_newest_version_wins_over_one_that_waits(exchange):
    """Once a newer version was approved, an older one that still waits applies nothing."""
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", A)
    exchange.ask("run", "crm")
    exchange.drop("inbox/1.csv", B)
    older = held_back(exchange)
    exchange.drop("inbox/1.csv", HEADER + "a,3,z,red\n")
    newer = held_back(exchange)
    exchange.ask("approve", str(newer))
    expected = {"a": "3", "b": "0"}
    assert expected == visits(exchange)
    report = exchange.ask("approve", str(older))
    assert ("discarded", expected) == (report["state"], visits(exchange))
