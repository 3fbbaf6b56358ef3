"""Files that a run has taken are moved, renamed or tagged, and are found where they are then."""

from __future__ import annotations

import pytest
from support.fault_proxy import FaultProxy, Schedule
from support.jobs import import_job

CITY = import_job(source={"prefix": "in/crm/"}, fields={"city": "set"})
SPEND = {"merge": "sum", "type": "decimal", "scale": 2}
MOVED = {"move_to": "done/crm/"}
NAMED = MOVED | {"suffix": ".done"}


def crm(**after):
    return CITY | {"after": after}


def keys(exchange, prefix):
    return [item.key for item in exchange.bucket.list(prefix)]


def tags(exchange, client, key):
    found = client.get_object_tagging(Bucket=exchange.bucket.name, Key=key)["TagSet"]
    return {each["Key"]: each["Value"] for each in found}


@pytest.fixture
def proxied(exchange):
    """The connection by way of a proxy; and this."""
    with FaultProxy(exchange.connection["s3"]["endpoint_url"], Schedule(0)) as proxy:
        exchange.connection["s3"]["endpoint_url"] = proxy.url
        yield exchange, proxy


def test_a_file_that_was_taken_is_moved_and_everybody_finds_it(exchange, local_s3):
    """The run's folder has it under its own name, where ``files`` and ``retry`` look for it."""
    exchange.configure(crm=crm(**MOVED, tag={"exchanger": "done"}))
    exchange.drop("in/crm/a.csv", "id,city\na,Oslo\n,Bonn\n")
    exchange.drop("in/crm/2026/b.csv", "id,city\nb,Rome\n")
    exchange.drop("in/crm/none.csv", "id\xff\xfe,city\n")
    first = exchange.ask("run", "crm", code=4)
    at = f"done/crm/{first['run_id']}/"

    # What was rejected as a whole is corrected where it lies.
    assert ["in/crm/none.csv"] == keys(exchange, "in/crm/")
    assert [f"{at}2026/b.csv", f"{at}a.csv"] == keys(exchange, "done/")
    assert {"exchanger": "done"} == tags(exchange, local_s3.client(), f"{at}a.csv")
    assert exchange.bucket.read("in/crm_reports/a.csv.json")
    assert "nothing_to_do" == exchange.ask("run", "crm")["state"]
    [told] = exchange.ask("files", "in/crm/a.csv")
    assert f"{at}a.csv" == told["moved_to"]
    said = exchange.call("files", "in/crm/a.csv").stdout
    assert f"moved to {at}a.csv" in said
    assert "exchanger retry 1" in said
    assert "put the same file back" not in said
    [ours] = exchange.ask("files", f"{at}a.csv")
    assert "ours" == ours["why"]
    assert [] == exchange.ask("files", "--unclaimed")
    again = exchange.ask("retry", "1", code=4)
    assert 1 == again["rows_rejected"]
    assert "no_identifier" in {row["reason"] for row in exchange.quarantined(again)}


@pytest.mark.nightly
def test_the_same_name_every_day_and_a_backfill_of_all_of_it(exchange):
    """No file overwrites another one; a backfill reads them in the order in which they came."""
    job = import_job(source={"prefix": "in/crm/"}, fields={"city": "set", "spend": SPEND})
    exchange.configure(crm=job | {"after": NAMED})
    for day, row in enumerate(["a,Oslo,1", "b,Rome,2"]):
        exchange.drop("in/crm/day.csv", f"id,city,spend\n{row}\n")
        if day:  # A new version of the name waits, as of any file with sums.
            exchange.ask("run", "crm", code=5)
            assert ["in/crm/day.csv"] == keys(exchange, "in/crm/")
            exchange.ask("approve", "2")
        else:
            exchange.ask("run", "crm")
    there = keys(exchange, "done/crm/")
    assert ([], 2) == (
        keys(exchange, "in/crm/"),
        sum(key.endswith("/day.csv.done") for key in there),
    )
    before = [exchange.attribute(who, "spend") for who in "ab"]

    fields = job["fields"] | {"town": {"from": "city", "merge": "set"}}
    exchange.configure(crm=job | {"after": NAMED, "fields": fields})
    planned = exchange.ask("backfill", "crm", "--full", "--dry-run")["report"]
    assert 2 == len(planned["files"])
    done = exchange.ask("backfill", "crm", "--full")
    assert 2 == done["rows_read"]
    assert ['"Oslo"', '"Rome"'] == [exchange.attribute(who, "town") for who in "ab"]
    assert before == [exchange.attribute(who, "spend") for who in "ab"]
    assert 2 == len(keys(exchange, "done/crm/"))

    exchange.bucket.delete(keys(exchange, "done/crm/")[:1])
    one = exchange.ask("backfill", "crm", "--prefix", "in/crm/day")
    assert 1 == one["rows_read"]
    assert [note for note in one["notes"] if "not there any more" in note]


@pytest.mark.nightly
def test_a_version_that_comes_meanwhile_is_read_by_the_next_run(proxied):
    """What is dropped between copying and deleting is neither deleted nor moved unread."""
    exchange, proxy = proxied
    exchange.configure(crm=crm(**MOVED))
    exchange.drop("in/crm/a.csv", "id,city\na,Oslo\n")
    newer = "id,city\na,Rome\n"
    proxy.once("DELETE", "in/crm/a.csv", lambda: exchange.drop("in/crm/a.csv", newer))
    done = exchange.ask("run", "crm")
    assert ["in/crm/a.csv"] * 2 == [file["key"] for file in done["files"]]
    assert '"Rome"' == exchange.attribute("a", "city")
    assert [] == keys(exchange, "in/crm/")
    moved = [exchange.bucket.read(key)[0] for key in keys(exchange, "done/crm/")]
    assert [b"id,city\na,Oslo\n", newer.encode()] == moved


@pytest.mark.nightly
def test_a_process_killed_between_copying_and_deleting_is_made_up_for(proxied):
    """The next run finishes what was begun, though nothing waits; no row counts twice."""
    exchange, proxy = proxied
    job = import_job(source={"prefix": "in/crm/"}, fields={"spend": SPEND})
    exchange.configure(crm=job | {"after": MOVED})
    exchange.drop("in/crm/a.csv", "id,spend\na,5\n")
    process = exchange.start("run", "crm")
    proxy.once("PUT", "done/crm/", process.kill)  # The store copies it all the same.
    process.communicate(timeout=60)
    assert (["in/crm/a.csv"], 1) == (keys(exchange, "in/crm/"), len(keys(exchange, "done/crm/")))

    exchange.ask("run", "crm")
    assert ([], 1) == (keys(exchange, "in/crm/"), len(keys(exchange, "done/crm/")))
    assert "nothing_to_do" == exchange.ask("run", "crm")["state"]
    assert "5" == exchange.attribute("a", "spend")


@pytest.mark.nightly
def test_what_s3_does_not_answer_is_tried_by_one_more_run_and_then_told(proxied):
    """No object that S3 fails on keeps the others from being remembered, or is tried for ever."""
    exchange, proxy = proxied
    exchange.configure(crm=crm(**MOVED))
    for name in "ab":
        exchange.drop(f"in/crm/{name}.csv", f"id,city\n{name},Oslo\n,x\n")
    proxy.forbid("DELETE", "in/crm/b.csv", 500, "InternalError")
    first = exchange.ask("run", "crm", code=4)
    assert not [note for note in first["notes"] if "could not be moved" in note]
    exchange.ask("run", "crm")
    assert ["in/crm/b.csv"] == keys(exchange, "in/crm/")
    [note] = [note for note in exchange.ask("show", "1")["notes"] if "could not be moved" in note]
    assert note.startswith("1 file ")
    assert "InternalError" in note
    assert exchange.ask("files", "in/crm/a.csv")[0]["moved_to"]
    assert "nothing_to_do" == exchange.ask("run", "crm")["state"]


def test_files_are_renamed_where_they_lie_and_no_pattern_takes_them(exchange):
    """The run is part of the name; a job that takes every name passes it over without a word."""
    exchange.configure(crm=crm(suffix=".taken", tag={"exchanger": "done"}))
    exchange.drop("in/crm/a.csv", "id,city\na,Oslo\n")
    first = exchange.ask("run", "crm")
    assert [f"in/crm/a.csv.{first['run_id']}.taken"] == keys(exchange, "in/crm/")
    second = exchange.ask("run", "crm")
    assert ("nothing_to_do", []) == (second["state"], second["notes"])
    exchange.configure(crm=CITY)
    assert "nothing_to_do" == exchange.ask("run", "crm")["state"]
    exchange.configure(crm=crm(suffix=".taken"))
    assert 1 == exchange.ask("backfill", "crm", "--full")["rows_read"]


BOTH = ["in/crm/a.csv", "in/crm/b.csv"]


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("asked", "answer", "lacking", "left"),
    [
        (("DELETE", "in/crm/"), (403, "AccessDenied"), "s3:DeleteObject", BOTH),
        pytest.param(
            ("GET", "?tagging"),
            (501, "NotImplemented"),
            "store cannot",
            [],
            marks=pytest.mark.nightly,
        ),
    ],
)
def test_what_s3_does_not_allow_is_noted_once_and_fails_nothing(
    proxied, asked, answer, lacking, left
):
    """The run has succeeded; all else is done, and nothing is tried for ever."""
    exchange, proxy = proxied
    proxy.forbid(*asked, *answer)
    exchange.configure(crm=crm(**MOVED, tag={"exchanger": "done"}))
    for name in "ab":
        exchange.drop(f"in/crm/{name}.csv", f"id,city\n{name},Oslo\n")
    done = exchange.ask("run", "crm")
    assert "succeeded" == done["state"]
    [note] = [note for note in done["notes"] if "that the run took could not be" in note]
    assert note.startswith("2 files")
    assert lacking in note
    assert (left, 2 - len(left)) == (keys(exchange, "in/crm/"), len(keys(exchange, "done/crm/")))
    assert "nothing_to_do" == exchange.ask("run", "crm")["state"]
    assert note in exchange.ask("show", "1")["notes"]


@pytest.mark.nightly
def test_a_snapshot_that_was_moved_is_still_the_truth(exchange):
    """Nobody has left because the folder is empty; and whoever is missing in the next one has."""
    job = import_job(
        source={"prefix": "in/crm/", "mode": "snapshot", "on_removed": "clear_fields"},
        fields={"city": "set"},
    )
    exchange.configure(crm=job | {"after": MOVED, "guards": {"max_leavers_percent": 100}})
    exchange.drop("in/crm/1.csv", "id,city\na,Oslo\nb,Rome\n")
    exchange.ask("run", "crm")
    assert "nothing_to_do" == exchange.ask("run", "crm")["state"]
    assert '"Rome"' == exchange.attribute("b", "city")
    exchange.drop("in/crm/2.csv", "id,city\na,Bonn\n")
    exchange.ask("run", "crm")
    assert ['"Bonn"', None] == [exchange.attribute(who, "city") for who in "ab"]
    assert ([], 2) == (keys(exchange, "in/crm/"), len(keys(exchange, "done/crm/")))
