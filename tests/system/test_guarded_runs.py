"""A plan that a guard says no to sends nothing: its files wait, or what it takes up stays."""

from __future__ import annotations

import pytest

JOB = {
    "type": "import",
    "source": {"prefix": "inbox/"},
    "match": [{"external_id": "id"}],
    "fields": {
        "visits": {"from": "visits", "merge": "sum", "type": "integer"},
        "tier": {"from": "tier", "type": "string"},
    },
    "guards": {"max_changed_percent": 50},
}
FIRST = "id,visits,tier\na,1,gold\nb,1,gold\n"
SECOND = "id,visits,tier\na,1,silver\nb,2,silver\nc,3,silver\n"
SHOWN = (
    "Of 2 profiles that are known, 2 (100 %) would lose a value that they have; 50 % may "
    "(max_changed_percent)."
)


def begin(exchange, job=JOB):
    """A first file is applied, as it changes nobody who is known; a second one would change all."""
    exchange.configure(crm=job)
    exchange.drop("inbox/0.csv", FIRST)
    assert "succeeded" == exchange.ask("run", "crm")["state"]
    exchange.drop("inbox/1.csv", SECOND)


def test_a_run_that_a_guard_holds_back_waits_and_is_sent_once_approved(exchange):
    """
    A plan says so before; nothing is sent, and no later run takes the file.

    Approving applies what was shown. What goes beyond that by now is shown first.
    """
    begin(exchange)
    planned = exchange.ask("plan", "crm")["report"]["notes"]
    assert SHOWN in planned
    assert [note for note in planned if "a run would wait for you" in note]

    report = exchange.ask("run", "crm", code=5)
    assert ("held_back", {"visits": "6"}) == (report["state"], report["totals"])
    assert SHOWN in report["notes"]
    [file] = report["files"]
    assert ("inbox/1.csv", "guarded") == (file["key"], file["outcome"])
    for part in (SHOWN, "exchanger show 2", "exchanger approve 2", "exchanger discard 2"):
        assert part in file["note"]
    for force in ([], ["--force"]):
        later = exchange.ask("run", "crm", *force)
        assert "nothing_to_do" == later["state"]
        assert [note for note in later["notes"] if "a guard holds it back" in note]
    assert ["a", "b"] == sorted(exchange.braze.users())

    exchange.drop("inbox/2.csv", "id,visits,tier\nc,1,gold\n")
    assert "succeeded" == exchange.ask("run", "crm")["state"]
    again = exchange.ask("approve", "2", code=5)
    assert "held_back" == again["state"]
    assert [note for note in again["notes"] if "Of 3 profiles that are known, 3" in note]
    assert "1" == exchange.attribute("c", "visits")

    done = exchange.ask("approve", "2")
    assert ("succeeded", 3) == (done["state"], done["rows_applied"])
    assert ["2", "3", "4"] == [exchange.attribute(who, "visits") for who in "abc"]


@pytest.mark.nightly
def test_what_a_guard_held_back_can_be_dropped_or_overtaken(exchange):
    """
    Discarding leaves Braze as it is, and the file is decided about.

    Approving leaves out a file of which a newer version was applied meanwhile.
    """
    begin(exchange, JOB | {"fields": {"tier": "set"}})
    exchange.ask("run", "crm", code=5)
    exchange.ask("discard", "2")
    assert "nothing_to_do" == exchange.ask("run", "crm")["state"]

    exchange.drop("inbox/3.csv", SECOND)
    exchange.ask("run", "crm", code=5)
    exchange.drop("inbox/3.csv", "id,visits,tier\nd,1,silver\n")
    assert "succeeded" == exchange.ask("run", "crm")["state"]
    exchange.ask("approve", "3")
    assert '"gold"' == exchange.attribute("a", "tier")
    assert ["a", "b", "d"] == sorted(exchange.braze.users())


@pytest.mark.nightly
def test_files_that_are_unlike_those_before_wait(exchange):
    """A file without rows, one with far fewer than the one before, and one full of mistakes."""
    guards = {"max_fewer_rows_percent": 50, "empty_file": "hold", "max_rejected_percent": 10}
    begin(exchange, JOB | {"guards": guards})
    assert "succeeded" == exchange.ask("run", "crm")["state"]
    for seq, (rows, code) in enumerate(
        [("", "empty_file"), ("a,1,gold\n", "fewer_rows"), ("a,x,\nb,y,\n", "too_many_rejected")], 3
    ):
        exchange.drop(f"inbox/{seq}.csv", f"id,visits,tier\n{rows}")
        report = exchange.ask("run", "crm", code=5)
        assert code in [fact["code"] for fact in report["facts"]]
    assert "2" == exchange.attribute("a", "visits")


@pytest.mark.nightly
def test_a_budget_is_kept_by_all_runs_of_its_connection(exchange):
    """What would go beyond it waits, what fits is sent; a retry that does not fit makes no run."""
    exchange.connection["budget"] = {"data_points": {"day": 3}, "price": 0.5, "currency": "EUR"}
    job = {key: value for key, value in JOB.items() if key != "guards"}
    exchange.configure(crm=job)
    exchange.drop("inbox/0.csv", "id,visits,tier\na,1,gold\nb,much,gold\n")
    assert "2 data points would cost 1.00 EUR." in exchange.ask("plan", "crm")["report"]["notes"]
    assert 2 == exchange.ask("run", "crm", code=4)["data_points"]

    exchange.configure(
        crm=job, other=job | {"source": {"prefix": "other/"}, "fields": {"n": "set"}}
    )
    exchange.drop("other/1.csv", "id,n\nc,x\nd,y\n")
    report = exchange.ask("run", "other", code=5)
    [spent] = [fact for fact in report["facts"] if fact["code"] == "budget_exceeded"]
    assert ("day", 2, 2, 3) == (spent["period"], spent["spent"], spent["points"], spent["limit"])
    exchange.drop("other/2.csv", "id,n\ne,z\n")
    assert "succeeded" == exchange.ask("run", "other")["state"]

    exchange.configure(crm=job | {"fields": {"tier": "set"}})
    refused = exchange.call("retry", "1")
    assert refused.returncode not in (0, 4, 5)
    assert "3 were spent this day already" in refused.stderr
    exchange.connection["budget"]["data_points"]["day"] = 4
    exchange.configure(crm=job | {"fields": {"tier": "set"}})
    assert "succeeded" == exchange.ask("retry", "1")["state"]


@pytest.mark.nightly
def test_a_column_that_lost_its_values_waits(exchange):
    """As if the sender had renamed it: compared with the file that was applied before."""
    guarded = JOB | {"fields": {"tier": "set"}, "guards": {"max_more_empty_percent": 20}}
    exchange.configure(crm=guarded)
    exchange.drop("inbox/0.csv", "id,tier\na,gold\nb,gold\nc,\n")
    assert "succeeded" == exchange.ask("run", "crm")["state"]
    exchange.drop("inbox/1.csv", "id,tier\na,iron\nb,iron\nc,\nd,\n")
    assert "succeeded" == exchange.ask("run", "crm")["state"]
    exchange.drop("inbox/2.csv", "id,tier\na,gold\nb,\nc,\nd,\n")
    said = (
        "tier has no value in 75 % of the rows, and had none in 50 % of those before; 20 % more "
        "may be (max_more_empty_percent)."
    )
    assert said in exchange.ask("plan", "crm")["report"]["notes"]
    assert said in exchange.ask("run", "crm", code=5)["notes"]
    assert '"iron"' == exchange.attribute("a", "tier")
    assert "succeeded" == exchange.ask("approve", "3")["state"]


@pytest.mark.nightly
def test_values_that_would_go_and_what_a_month_has_no_room_for_wait(exchange):
    """Each is told with its numbers: by the plan, by the run, and on the page beside the folder."""
    exchange.connection["budget"] = {"data_points": {"month": 4}}
    guards = {"max_cleared_percent": 20, "max_data_points": 1_000}
    exchange.configure(crm=JOB | {"fields": {"tier": "clear"}, "guards": guards})
    exchange.drop("inbox/0.csv", "id,tier\na,gold\nb,gold\n")
    assert 2 == exchange.ask("run", "crm")["data_points"]

    cleared = (
        "Of 2 profiles that are known, 1 (50 %) would lose a value and have none afterwards; 20 % "
        "may (max_cleared_percent)."
    )
    spent = (
        "It would cost 2 data points, and 3 were spent this month already; the budget of the "
        "connection is 4 a month."
    )
    for name, rows, said in (("1", "a,\nb,gold\n", cleared), ("2", "c,x\nd,y\n", spent)):
        exchange.drop(f"inbox/{name}.csv", f"id,tier\n{rows}")
        assert said in exchange.ask("plan", "crm")["report"]["notes"]
        held = exchange.ask("run", "crm", code=5)
        assert said in held["notes"]
        page = exchange.bucket.read(f"inbox_reports/{name}.csv.html")[0].decode()
        for words in (said, f"name run {held['seq']}", f"exchanger discard {held['seq']}"):
            assert words in page
        assert "succeeded" == exchange.ask("approve", held["seq"])["state"]
    assert (None, '"y"') == (exchange.attribute("a", "tier"), exchange.attribute("d", "tier"))
