"""Taking a run back through the command line: what goes back, what stays, and what counts then."""

from __future__ import annotations

import pytest

TRACK = "/users/track"
JOB = {
    "type": "import",
    "source": {"prefix": "inbox/"},
    "match": [{"external_id": "id"}],
    "fields": {
        "tier": {"from": "tier", "type": "string"},
        "tags": {"from": "tag", "merge": "add"},
        "spent": {"from": "spent", "merge": "sum", "type": "integer"},
    },
}
HEADER = "id,tier,tag,spent\n"


@pytest.fixture
def crm(exchange):
    exchange.configure(crm=JOB)
    exchange.braze.seed([{"external_id": name, "tier": "gray"} for name in "abc"])
    return exchange


def run(exchange, name, rows, code=0):
    exchange.drop(f"inbox/{name}.csv", HEADER + rows)
    return exchange.ask("run", "crm", code=code)


def braze(exchange, profile, *names):
    return tuple(exchange.attribute(profile, name) for name in names or ("tier", "tags", "spent"))


def stays(report):
    told = [fact for fact in report["facts"] if fact["code"] == "value_stays"]
    return {(fact["field"], fact["why"]): (fact["values"], fact["runs"]) for fact in told}


def test_a_run_is_taken_back_as_far_as_it_still_counts(crm):
    """A plan first, which writes nothing; then values, sums and members go back, each exactly."""
    run(crm, 1, "a,silver,x,1\nb,silver,x,1\nc,silver,,1\n")
    run(crm, 2, "a,gold,y,10\nb,gold,y,10\nc,gold,,\n")
    run(crm, 3, "b,blue,z,100\nc,,,100\n")
    points = crm.braze.meter

    plan = crm.ask("undo", "2")
    assert {"tier": 2, "tags": 2, "spent": 2} == {
        one["field"]: one["profiles"] for one in plan["fields"]
    }
    assert {("tier", "later"): (1, [3])} == stays(plan["report"])
    shown = crm.call("undo", "2").stdout
    assert 'a: "gold" -> "silver"' in shown
    assert "tier: 1 value stays as it is: it was changed again since (run 3)." in shown
    assert shown.endswith("To send it: exchanger undo 2 --yes\n")
    assert (points, '"gold"') == (crm.braze.meter, crm.attribute("a", "tier"))

    report = crm.ask("undo", "2", "--yes")
    assert ("succeeded", 4, 3) == (report["state"], report["seq"], report["rows_applied"])
    assert plan["report"]["data_points"] == report["data_points"] == crm.braze.meter - points
    page = crm.bucket.read("inbox_reports/2.csv.html")[0].decode()
    assert "What run 2 had applied of this file was taken back" in page
    assert ('"silver"', '["x"]', "1") == braze(crm, "a")
    assert ('"blue"', '["x","z"]', "101") == braze(crm, "b")
    assert ('"silver"', "101") == braze(crm, "c", "tier", "spent")

    again = crm.ask("undo", "2", "--yes")
    assert "nothing_to_do" == again["state"]
    assert (2, [4]) == stays(again)["tier", "done"]
    assert {1, 2, 3, 4} == {one["seq"] for one in crm.ask("runs")}
    told = crm.ask("explain", "crm", "a", "spent")["changes"]
    assert [(1, 0), (2, 0), (4, 2)] == [(one["run"], one["takes_back"]) for one in told]
    assert "took back what run 2 changed" in crm.call("explain", "crm", "a", "spent").stdout

    crm.ask("undo", "4", "--yes")
    assert ('"gold"', '["x","y"]', "11") == braze(crm, "a"), "an undo is a run as any other"
    assert ('"blue"', '["x","y","z"]', "111") == braze(crm, "b")
    assert (
        "had been taken back, and was put back"
        in crm.bucket.read("inbox_reports/2.csv.html")[0].decode()
    )
    crm.ask("undo", "2", "--yes")
    page = crm.bucket.read("inbox_reports/2.csv.html")[0].decode()
    assert "What run 2 had applied of this file was taken back" in page
    told = crm.call("files", "inbox/2.csv").stdout
    assert "run 2 of crm: applied, 3 rows; taken back by run 6" in told
    assert told.endswith("exchanger backfill crm --prefix inbox/2.csv --force\n")
    assert ('"silver"', '["x"]', "1") == braze(crm, "a")


@pytest.mark.nightly
def test_a_new_version_of_its_file_brings_all_that_it_gives(crm):
    """It takes nothing back of what is back already, and loses nothing."""
    run(crm, 1, "a,gold,,5\nb,gold,,7\n")
    run(crm, 2, "b,,,100\n")
    crm.ask("undo", "1", "--yes")
    assert ("null", "100") == (crm.attribute("a", "spent") or "null", crm.attribute("b", "spent"))
    run(crm, 1, "a,gold,,4\nb,gold,,8\n", code=5)
    held = crm.ask("runs")[0]
    assert {"spent": "12"} == held["totals"]
    crm.ask("approve", str(held["seq"]))
    assert ("4", "108") == (crm.attribute("a", "spent"), crm.attribute("b", "spent"))
    crm.ask("undo", "5", "--yes")
    assert "100" == crm.attribute("b", "spent")
    run(crm, 1, "a,gold,,1\nb,gold,,1\n", code=5)
    crm.ask("approve", str(crm.ask("runs")[0]["seq"]))
    assert ("1", "101") == (crm.attribute("a", "spent"), crm.attribute("b", "spent"))


@pytest.mark.nightly
def test_what_others_changed_stays_and_what_was_refused_can_be_undone_again(crm):
    """The rest of an undo that Braze refused is taken back by asking again, and nothing twice."""
    run(crm, 1, "a,gold,,5\nb,gold,,7\n")
    refusal = {"type": "no good", "input_array": "attributes", "index": 0}
    crm.braze.faults(TRACK, status=400, body={"message": "no", "errors": [refusal]})
    first = crm.ask("undo", "1", "--yes", code=4)
    assert ["undo_again"] == [one["code"] for one in first["facts"] if one["code"] == "undo_again"]
    assert "cannot be taken for retry" in crm.call("retry", str(first["seq"])).stderr
    left = {name: crm.attribute(name, "tier") for name in "ab"}
    assert {'"gold"', '"gray"'} == set(left.values())
    second = crm.ask("undo", "1", "--yes")
    assert 1 == second["rows_applied"]
    assert ('"gray"', '"gray"') == (crm.attribute("a", "tier"), crm.attribute("b", "tier"))
    assert (None, None) == (crm.attribute("a", "spent"), crm.attribute("b", "spent"))


@pytest.mark.nightly
def test_what_cannot_be_taken_back_is_refused_with_words(crm):
    """Events, and whatever a job in shadow had to send; nothing is sent."""
    events = {
        "type": "import",
        "object": "events",
        "source": {"prefix": "events/"},
        "match": [{"external_id": "id"}],
        "event": {"name": "Signed up", "time": {"value": "2026-09-01T00:00:00Z"}},
    }
    crm.configure(crm=JOB, events=events)
    crm.drop("events/1.csv", "id\na\n")
    crm.ask("run", "events")
    for words in (("undo", "1"), ("undo", "1", "--yes")):
        refused = crm.call(*words)
        assert 2 == refused.returncode
        assert "its rows became events, and only attributes can be taken back" in refused.stderr
    crm.configure(crm=JOB | {"delivery": {"shadow": True}})
    run(crm, 1, "a,gold,,5\n")
    assert "sends nothing" in crm.call("undo", "2", "--yes").stderr
