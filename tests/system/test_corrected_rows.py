"""Rejected rows that a person has corrected are given in place of those rows, and once."""

from __future__ import annotations

import csv
import io
import json

import polars as pl
import pytest
from support.fault_proxy import FaultProxy, Schedule
from support.jobs import import_job

from exchanger.state.store import open_state

SPEND = {"merge": "sum", "type": "decimal", "scale": 2}
JOB = import_job(source={"prefix": "in/crm/"}, fields={"city": "set", "spend": SPEND})
FILE = "id,city,spend\na,Oslo,1\nb,Rome,x\nc,Bern,3 EUR\nd,Bonn,y\n,Kiel,5\n"


def read_rows(exchange, key):
    return [*csv.DictReader(io.StringIO(exchange.bucket.read(key)[0].decode("utf-8-sig")))]


def correct(exchange, run, changed, *, to=None, name="a.csv", drop=(), more=()):
    """Correct rows as a person does in a spreadsheet, and drop them: cells by row and column."""
    rows = read_rows(exchange, f"in/crm_rejected/{run}/{name}")
    kept = [row | changed[row["_row"]] for row in rows if row["_row"] in changed]
    columns = [column for column in rows[0] if column not in drop]
    told = io.StringIO()
    writer = csv.DictWriter(told, columns, extrasaction="ignore", delimiter=";")
    writer.writeheader()
    writer.writerows([*kept, *more])
    exchange.drop(f"in/crm_corrected/{to or run}/{name}", told.getvalue())


def spent(exchange):
    return {name: exchange.attribute(name, "spend") for name in sorted(exchange.braze.users())}


def report(exchange, name):
    return json.loads(exchange.bucket.read(f"in/crm_reports/{name}.json")[0])


def test_a_corrected_row_counts_once_in_place_of_the_rejected_one(exchange):
    """However often it is dropped; what is still wrong, or left out, can be corrected again."""
    exchange.configure(crm=JOB)
    exchange.drop("in/crm/a.csv", FILE)
    exchange.ask("run", "crm", code=4)

    strange = [{"_row": "1", "id": "a", "spend": "7"}, {"_row": "", "id": "e", "spend": "8"}]
    first = {"2": {"spend": "2"}, "4": {"spend": "z"}}
    correct(exchange, 1, first, drop=("_column", "_reason"), more=strange)
    done = exchange.ask("run", "crm", code=4)
    assert (1, 5) == (done["rows_applied"], done["rows_rejected"])
    assert {"a": "1", "b": "2"} == spent(exchange)
    left = read_rows(exchange, "in/crm_rejected/2/a.csv")
    assert [("3", "3 EUR"), ("4", "z"), ("5", "5")] == [(r["_row"], r["spend"]) for r in left]

    # The first rejected rows again, in a second version, and what is left of them.
    correct(exchange, 1, first | {"3": {"spend": "3"}, "4": {"spend": "4"}})
    assert 2 == exchange.ask("run", "crm", code=4)["rows_applied"]
    assert {"a": "1", "b": "2", "c": "3", "d": "4"} == spent(exchange)
    again = [one["reason"] for one in report(exchange, "_corrected/1/a.csv")["not_taken"]]
    assert ["row_given_again"] == again

    assert "nothing_to_do" == exchange.ask("run", "crm")["state"]


def test_notes_say_where_rejected_rows_can_be_corrected(exchange):
    """Of the run, of plans and of what waits: beside the folder, of jobs that take them there."""
    source = JOB["source"] | {"prefix": "in/kept/"}
    exchange.configure(crm=JOB, kept=JOB | {"source": source, "after": {"rejected": False}})
    place = ("in/crm_rejected/1/", "in/crm_corrected/1/")

    def said(facts):
        codes = ("retry_rejected", "file_left", "correct_in_place")
        told = [fact for fact in facts if fact["code"] in codes]
        return [fact.get("corrected_rows") or fact["run"] for fact in told]

    exchange.drop("in/crm/a.csv", FILE)
    exchange.drop("in/kept/a.csv", FILE.replace("Oslo", "Ghent"))
    done = exchange.ask("run", "crm", code=4)
    assert [1, place[1]] == said(done["facts"])
    assert f"Or correct the rejected rows of {place[0]}," in done["notes"][-1]
    assert [2] == said(exchange.ask("run", "kept", code=4)["facts"])

    planned = exchange.ask("plan", "crm")["report"]["facts"]
    crm, kept = (entry["facts"] for entry in exchange.ask("jobs", "--waiting"))
    assert ([1, place[1]],) * 2 == (said(planned), said(crm))
    assert [2] == said(kept)
    assert all(name in exchange.call("files", "in/crm/a.csv").stdout for name in place)
    assert "_corrected/" not in exchange.call("files", "in/kept/a.csv").stdout


@pytest.mark.nightly
def test_it_is_told_whether_rejected_rows_wait_to_be_corrected(exchange):
    """By each run and by what waits, so that nobody has to look beside the folders of others."""
    exchange.configure(
        crm=JOB, other=import_job(source={"prefix": "in/other/"}, fields={"a": "set"})
    )

    def awaiting():
        told = exchange.ask("jobs", "--waiting")
        return {entry["job"] for entry in told if entry["awaits_corrections"]}

    assert set() == awaiting()
    exchange.drop("in/crm/a.csv", "id,city,spend\na,Oslo,1\nb,Rome,x\n")
    assert exchange.ask("run", "crm", "--one-run", code=4)["awaits_corrections"]
    assert exchange.ask("run", "crm", "--one-run")["awaits_corrections"]
    assert {"crm"} == awaiting()

    strange = [{"_row": "1", "id": "a", "spend": "7"}]
    correct(exchange, 1, {"2": {"spend": "2"}}, more=strange)
    assert "awaits_corrections" not in exchange.ask("run", "crm", "--one-run", code=4)
    assert set() == awaiting()


def test_whoever_corrects_rows_is_told_what_became_of_them(exchange):
    """The page says where to drop them, and each row that stands for none is told."""
    exchange.configure(crm=JOB)
    exchange.drop("in/crm/a.csv", FILE)
    exchange.ask("run", "crm", code=4)
    told = report(exchange, "a.csv")
    assert "in/crm_corrected/1/a.csv" == told["corrected_rows"]
    assert "/in/crm_corrected/1/a.csv" in " ".join(told["next"])

    strange = [{"_row": "1"}, {"_row": "x"}, {"_row": "3"}, {"_row": "3"}]
    correct(exchange, 1, {"2": {"spend": "2"}, "4": {"spend": "z"}}, more=strange)
    assert "in/crm_corrected/1/a.csv has corrected rows" in exchange.call("plan", "crm").stdout
    [waits] = exchange.ask("jobs", "--waiting")
    assert (1, []) == (waits["files_waiting"], waits["unclaimed"])
    key = "in/crm_corrected/1/a.csv"
    assert "exchanger run crm" in exchange.call("files", key).stdout
    exchange.ask("run", "crm", code=4)

    told = report(exchange, "_corrected/1/a.csv")
    rows = told["rows"]
    assert ("applied_in_part", 6, 1) == (told["verdict"], rows["read"], rows["taken"])
    assert {"row_not_rejected", "no_row_number", "row_twice"} == {
        one["reason"] for one in told["not_taken"]
    }
    assert "in/crm_rejected/2/a.csv" in " ".join(told["next"])
    assert "in place of the rejected ones" in exchange.call("files", key).stdout

    for name, body in {
        "9/a.csv": "id,_row\na,2\n",  # no such run
        "1/b.csv": "id,_row\na,2\n",  # no such file
        "2/a.csv": "id,city\na,Rom\n",  # nothing says for which row it stands
    }.items():
        exchange.drop(f"in/crm_corrected/{name}", body)
    done = exchange.ask("run", "crm", code=4)
    assert (0, ["rejected"] * 3) == (done["rows_read"], [f["outcome"] for f in done["files"]])
    for name, reason in {
        "9/a.csv": "no_such_run", "1/b.csv": "nothing_rejected", "2/a.csv": "no_row_numbers"
    }.items():  # fmt: skip
        told = report(exchange, f"_corrected/{name}")
        assert ("not_applied", reason) == (told["verdict"], told["not_taken"][0]["reason"])
    assert "Every file" in exchange.call("files", "--unclaimed").stdout


@pytest.mark.nightly
def test_rows_of_parquet_keep_their_types_wherever_they_were_corrected(exchange):
    """What is still wrong lies there as it was corrected, and what was not corrected as it came."""
    exchange.configure(crm=JOB)
    frame = pl.DataFrame(
        {"id": ["a", None, None], "city": ["x"] * 3, "n": [1, 2, 3], "spend": ["x", "2", "3"]}
    )
    exchange.drop("in/crm/a.parquet", frame.write_parquet(body := io.BytesIO()) or body.getvalue())
    exchange.ask("run", "crm", code=4)
    for run, changed in ((1, {1: ("b", "y")}), (2, {1: ("b", "5"), 3: ("c", "3")})):
        rows = pl.read_parquet(exchange.bucket.read(f"in/crm_rejected/{run}/a.parquet")[0])
        rows = rows.filter(pl.col("_row").is_in([*changed])).with_columns(
            pl.col("_row")
            .replace_strict({n: c[at] for n, c in changed.items()}, return_dtype=pl.String)
            .alias(name)
            for at, name in enumerate(("id", "spend"))
        )
        exchange.drop(
            f"in/crm_corrected/{run}/a.parquet",
            rows.write_parquet(body := io.BytesIO()) or body.getvalue(),
        )
        exchange.ask("run", "crm", code=4)
        if run == 1:
            left = pl.read_parquet(exchange.bucket.read("in/crm_rejected/2/a.parquet")[0])
            assert [(1, "b", 1, "y"), (2, None, 2, "2"), (3, None, 3, "3")] == left.select(
                "_row", "id", "n", "spend"
            ).rows()
    assert {"b": "5", "c": "3"} == spent(exchange)


@pytest.mark.nightly
def test_corrected_events_are_sent_once_and_other_jobs_say_what_to_do(exchange):
    """Events count like sums. Rows of an order, and of a snapshot, are dropped with all others."""
    event = {"name": "Bought", "time": "at", "properties": {"n": {"from": "n", "type": "integer"}}}
    exchange.configure(crm=import_job(source={"prefix": "in/crm/"}, object="events", event=event))
    exchange.drop("in/crm/a.csv", "id,at,n\na,2026-09-15,1\nb,x,2\nc,y,3\n")
    exchange.ask("run", "crm", code=4)
    for _ in range(2):
        correct(exchange, 1, {"2": {"at": "2026-09-15"}})
        exchange.ask("run", "crm", code=4)
        correct(exchange, 1, {"2": {"at": "2026-09-16"}, "3": {"at": "z"}})
        exchange.ask("run", "crm", code=4)
    users = exchange.braze.users()
    assert {"a": 1, "b": 1} == {name: users[name]["custom_events"][0]["count"] for name in users}

    source = {"prefix": "in/crm/", "mode": "snapshot"}
    exchange.configure(crm=import_job(source=source, fields={"n": {"type": "integer"}}))
    exchange.drop("in/crm_corrected/1/a.csv", "id,_row\nb,2\n")
    exchange.ask("run", "crm", code=4)
    [why] = report(exchange, "_corrected/1/a.csv")["not_taken"]
    assert "not_correctable" == why["reason"]
    assert "Drop the whole file again" in why["examples"][0]["message"]


@pytest.mark.nightly
def test_rows_of_a_file_that_was_moved_are_corrected(exchange):
    """Others of it are given again from where it lies, and a backfill counts none of it twice."""
    job = JOB | {"after": {"move_to": "done/crm/"}}
    exchange.configure(crm=job)
    exchange.drop("in/crm/a.csv", FILE)
    exchange.ask("run", "crm", code=4)
    correct(exchange, 1, {"2": {"spend": "2"}})
    exchange.ask("run", "crm", code=4)
    assert {"a": "1", "b": "2"} == spent(exchange)
    assert "in/crm_corrected/1/a.csv" in [item.key for item in exchange.bucket.list("in/")]

    exchange.configure(crm=job | {"source": {"prefix": "in/crm/", "nulls": ["y"]}})
    assert 1 == exchange.ask("retry", "2", code=4)["rows_applied"]
    assert '"Bonn"' == exchange.attribute("d", "city")
    exchange.ask("backfill", "crm", "--prefix", "in/crm/", code=4)
    assert {"a": "1", "b": "2", "c": None, "d": None} == spent(exchange)


@pytest.mark.nightly
def test_a_key_that_may_not_list_corrected_rows_takes_its_files_all_the_same(exchange):
    """It was made before there were any: nothing else is to fail for it."""
    exchange.configure(crm=JOB)
    exchange.drop("in/crm/a.csv", FILE)
    exchange.ask("run", "crm", code=4)
    store = exchange.connection["s3"]["endpoint_url"]
    with FaultProxy(store, Schedule(0)) as proxy:
        listing = "?list-type=2&prefix=in%2Fcrm_corrected"
        proxy.refused[listing] = (403, "AccessDenied", "no")
        exchange.connection["s3"]["endpoint_url"] = proxy.url
        exchange.configure(crm=JOB)
        exchange.drop("in/crm/b.csv", "id,city,spend\nf,Rome,2\n")
        done = exchange.call("run", "crm")
    assert (0, True) == (done.returncode, "corrected.not_listed" in done.stderr)


@pytest.mark.nightly
def test_a_plan_shows_what_corrected_rows_would_do(exchange):
    """Ahead of files, as a run of their own: what it sends and costs, and what is still wrong."""
    exchange.connection["budget"] = {"price": 0.5, "currency": "EUR", "data_points": {"day": 3}}
    exchange.configure(crm=JOB)
    exchange.drop("in/crm/a.csv", "id,city,spend\na,Oslo,1\nb,Rome,x\nc,Bern,y\n")
    exchange.ask("run", "crm", code=4)
    assert exchange.ask("plan", "crm")["corrections"] is None
    correct(exchange, 1, {"2": {"spend": "2"}, "3": {"spend": "z"}})
    exchange.drop("in/crm/b.csv", "id,city,spend\nd,Kiel,4\n")

    plan = exchange.ask("plan", "crm")
    first = plan["corrections"]
    assert (1, 1) == (first["report"]["rows_applied"], first["report"]["rows_rejected"])
    assert ["row 3", "1.00"] == [f"row {first['rejected'][0]['row']}", first["cost"]]
    shown = {field["field"]: field["examples"] for field in first["fields"]}
    assert {"city": [["b", "null", '"Rome"']], "spend": [["b", "null", "2"]]} == shown
    assert first["would_wait"]
    assert (1, {"d"}) == (
        plan["report"]["rows_applied"],
        {who for field in plan["fields"] for who, *_ in field["examples"]},
    )

    said = exchange.call("plan", "crm").stdout
    assert "  first: corrected rows, in a run of their own\n" in said
    assert '      b: empty -> "Rome"\n' in said
    exchange.ask("run", "crm", code=5)
    assert exchange.ask("plan", "crm")["corrections"] is None


@pytest.fixture
def held(exchange):
    """The run of a corrected row that is beyond what the budget of the day leaves."""
    exchange.connection["budget"] = {"data_points": {"day": 3}}
    exchange.configure(crm=JOB)
    exchange.drop("in/crm/a.csv", "id,city,spend\na,Oslo,1\nb,Rome,x\nc,Bern,y\n")
    exchange.ask("run", "crm", code=4)
    correct(exchange, 1, {"2": {"spend": "2"}})
    return exchange.ask("run", "crm", code=5)


@pytest.mark.nightly
def test_corrected_rows_that_a_budget_holds_back_wait_for_a_person(exchange, held):
    """As files do: in a run that is told once and planned no more, until a person decides."""
    assert ("held_back", {"spend": "2"}) == (held["state"], held["totals"])
    assert [("in/crm_corrected/1/a.csv", "guarded")] == [
        (file["key"], file["outcome"]) for file in held["files"]
    ]
    assert "exchanger approve 2" in held["files"][0]["note"]
    assert "waits" == report(exchange, "_corrected/1/a.csv")["verdict"]
    assert "nothing_to_do" == exchange.ask("run", "crm")["state"]
    assert {"a": "1"} == spent(exchange)

    done = exchange.ask("approve", "2", code=4)
    assert ("partial", 1) == (done["state"], done["rows_applied"])
    assert {"a": "1", "b": "2"} == spent(exchange)
    assert 3 == report(exchange, "_corrected/1/a.csv")["run"]
    assert "released" == exchange.ask("show", "2")["state"]
    # Nor does any later run look at it again.
    applied = open_state(exchange.bucket, "_exchanger/main/").file_ledger.snapshot()
    assert [] == applied.undecided("crm")


@pytest.mark.nightly
@pytest.mark.usefixtures("held")
def test_corrected_rows_that_wait_are_dropped_by_a_person_or_for_newer_ones(exchange):
    """A newer version is planned by itself; what is not there as it was shown is not sent."""
    correct(exchange, 1, {"2": {"spend": "4"}})
    refused = exchange.call("approve", "2")
    assert "is not there any more as it was" in refused.stderr
    exchange.ask("run", "crm", code=5)
    assert "discarded" == exchange.ask("approve", "2")["state"]
    exchange.ask("discard", "3")
    assert "nothing_to_do" == exchange.ask("run", "crm")["state"]
    assert {"a": "1"} == spent(exchange)

    # What nobody wanted is still aside, and may be corrected once more.
    exchange.connection["budget"]["data_points"]["day"] = 9
    exchange.configure(crm=JOB)
    correct(exchange, 1, {"2": {"spend": "5"}, "3": {"spend": "6"}})
    assert 2 == exchange.ask("run", "crm")["rows_applied"]
    assert {"a": "1", "b": "5", "c": "6"} == spent(exchange)


@pytest.mark.nightly
@pytest.mark.long(150)
def test_the_daemon_looks_for_corrected_rows_only_where_some_wait_for_that(exchange, start_daemon):
    """Beside a folder nothing is listed before rows are rejected, and then once a minute."""
    listed = []
    with FaultProxy(exchange.connection["s3"]["endpoint_url"], Schedule(0)) as proxy:
        proxy.before_each(lambda it: listed.append(it.path) if "_corrected" in it.path else None)
        exchange.connection["s3"]["endpoint_url"] = proxy.url
        exchange.configure(crm=JOB | {"schedule": {"every": "1s"}, "baseline": "assume_empty"})
        daemon = start_daemon()
        daemon.until(lambda _: len(daemon.told("look.done", idle=1)) >= 2)
        assert [] == listed

        exchange.drop("in/crm/a.csv", "id,city,spend\na,Oslo,1\nb,Rome,x\n")
        daemon.until(lambda _: daemon.told("run.finished", exit_code=4))
        daemon.until(lambda _: daemon.told("look.done", idle=1)[-1] == daemon.events[-1])
        correct(exchange, 1, {"2": {"spend": "2"}})
        daemon.until(lambda _: daemon.told("run.finished", rows_read=1))
        assert {"a": "1", "b": "2"} == spent(exchange)
        assert 0 == daemon.stop()
