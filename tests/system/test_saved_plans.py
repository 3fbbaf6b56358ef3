"""A plan that a person kept is done exactly as it was shown, or not at all."""

from __future__ import annotations

import json

import pytest

JOB = {
    "type": "import",
    "source": {"prefix": "inbox/"},
    "match": [{"external_id": "id"}],
    "fields": {"visits": {"merge": "sum", "type": "integer"}, "tier": {"type": "string"}},
}


@pytest.fixture
def saved(exchange):
    """A plan of one file, of somebody of whom nothing is held and whom Braze has."""
    exchange.braze.seed([{"external_id": "a", "visits": 5}])
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", "id,visits,tier\na,3,gold\n")
    plan = exchange.folder / "plan.json"
    shown = exchange.ask("plan", "crm", "--save", plan)
    assert str(plan) == shown["saved"]
    return plan


def refused(exchange, plan):
    """Run a plan that must not be run, and return why; nothing is sent."""
    before = exchange.braze.meter
    report = exchange.ask("run", "crm", "--plan", plan, code=5)
    assert before == exchange.braze.meter
    assert "nothing was sent" in report["error"]
    return report["error"]


def test_a_saved_plan_is_done_with_exactly_its_files(exchange, saved):
    """What came since waits for another run, and a plan can be run once."""
    content = json.loads(saved.read_text())
    assert ("crm", 0, ["inbox/1.csv"]) == (
        content["job"], content["after_run"], [key for key, _ in content["files"]],
    )  # fmt: skip
    assert (2, 1) == (content["totals"]["data_points"], content["totals"]["objects"])
    assert exchange.braze.api_key not in saved.read_text()
    exchange.drop("inbox/2.csv", "id,visits,tier\na,1,red\nb,1,red\n")
    exchange.configure(crm=JOB | {"description": "nightly", "labels": ["x"]})

    report = exchange.ask("run", "crm", "--plan", saved)
    assert ("succeeded", 2, 1) == (report["state"], report["data_points"], report["files_waiting"])
    assert ["inbox/1.csv"] == [file["key"] for file in report["files"]]
    assert ("8", '"gold"') == (
        exchange.attribute("a", "visits"), exchange.attribute("a", "tier"),
    )  # fmt: skip
    assert "the plan was made before the first run, and run 1 of crm came since" in refused(
        exchange, saved
    )
    assert [1] == [run["seq"] for run in exchange.ask("runs")]
    assert "succeeded" == exchange.ask("run", "crm")["state"]


def test_a_saved_plan_is_not_done_once_anything_moved(exchange, saved):
    """The job, a file, a value: each is named, and what is as it was again is no reason."""
    exchange.configure(crm=JOB | {"fields": {"visits": {"merge": "sum"}}, "create_missing": False})
    assert "job has changed: create_missing, fields." in refused(exchange, saved)
    exchange.configure(
        crm=JOB, other=JOB | {"source": {"prefix": "other/"}, "fields": {"n": "set"}}
    )
    assert (
        "a plan of the job crm, not of other"
        in exchange.call("run", "other", "--plan", saved).stderr
    )

    exchange.drop("other/1.csv", "id,n\nz,1\n")
    first = exchange.folder / "other.json"
    exchange.ask("plan", "other", "--save", first)
    exchange.bucket.delete(["other/1.csv"])
    gone = exchange.call("run", "other", "--plan", first)
    assert (5, True) == (gone.returncode, "other/1.csv is gone." in gone.stderr)

    exchange.drop("inbox/1.csv", "id,visits,tier\na,4,gold\n")
    assert "inbox/1.csv is another file by now" in refused(exchange, saved)
    exchange.drop("inbox/1.csv", "id,visits,tier\na,3,gold\n")
    exchange.braze.seed([{"external_id": "a", "visits": 7}])
    assert "it would send other values than the plan has" in refused(exchange, saved)


def test_where_a_plan_cannot_be_kept_nothing_is_looked_up_for_it(exchange, saved):
    """A folder that is not there, or a folder in place of a file, is told before the work."""
    asked = exchange.braze.requests("/users/export/ids")
    for place in (exchange.folder / "none" / "plan.json", exchange.folder):
        done = exchange.call("plan", "crm", "--save", place)
        assert (2, True) == (done.returncode, "cannot be written" in done.stderr)
    assert asked == exchange.braze.requests("/users/export/ids")


def test_a_plan_is_saved_only_where_there_is_one(exchange, saved):
    """Nothing to do is no plan; what is no plan is told, and a plan stands with no other option."""
    exchange.ask("run", "crm", "--plan", saved)
    again = exchange.call("plan", "crm", "--save", saved)
    assert (2, True) == (again.returncode, "there is nothing to do" in again.stderr)
    saved.write_text("{}")
    odd = exchange.call("run", "crm", "--plan", saved)
    assert (2, True) == (odd.returncode, "it is no plan that exchanger saved" in odd.stderr)
    assert 2 == exchange.call("run", "crm", "--plan", saved, "--force").returncode


def test_a_plan_of_events_tells_the_same_whether_or_not_it_is_kept(exchange):
    """One that is not kept spells no event that it does not show; a kept one stands for all."""
    event = {"name": "Seen", "time": "at", "properties": {"n": "n"}}
    source, match = {"prefix": "inbox/"}, [{"external_id": "id"}]
    job = {"type": "import", "object": "events", "source": source, "match": match}
    exchange.configure(seen=job | {"event": event, "row_id": "row"})
    rows = "".join(f"a,{n},2026-09-01,{n % 29}\n" for n in range(32))
    exchange.drop("inbox/1.csv", f"id,n,at,row\n{rows}")
    plan = exchange.folder / "plan.json"
    told, kept = exchange.ask("plan", "seen"), exchange.ask("plan", "seen", "--save", plan)

    own = {name: kept["report"][name] for name in ("run_id", "started_at")}
    assert kept == told | {"saved": str(plan), "report": told["report"] | own}
    assert (29, 3) == (told["report"]["rows_applied"], told["report"]["rows_repeated"])
    assert 3 <= len(told["objects"]) < 29
    assert 29 == exchange.ask("run", "seen", "--plan", plan)["rows_applied"]
