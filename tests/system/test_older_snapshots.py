"""A snapshot that came before the one that was applied last is never the truth of today."""

from __future__ import annotations

import pytest
from support.looking import until_the_next_second

JOB = {
    "type": "import",
    "source": {"prefix": "inbox/", "mode": "snapshot", "on_removed": "clear_fields"},
    "match": [{"external_id": "id"}],
    "fields": {"tier": {"from": "tier", "type": "string"}},
    "guards": {"max_leavers_percent": 60},
}


def rows(*who, **tiers):
    told = dict.fromkeys(who, "gold") | tiers
    return "id,tier\n" + "".join(f"{one},{tier}\n" for one, tier in told.items())


def two_snapshots(exchange, job=JOB, first=None, newest="inbox/2.csv"):
    """Apply two snapshots: d leaves, e comes."""
    exchange.configure(club=job)
    exchange.drop("inbox/1.csv", first or rows(*"abcd"))
    exchange.call("run", "club")
    exchange.drop(newest, rows(*"abce"))
    exchange.ask("run", "club")


def tiers(exchange):
    return {who: exchange.attribute(who, "tier") for who in "abcde"}


@pytest.mark.nightly
def test_a_backfill_of_an_older_snapshot_is_refused_with_what_to_type(exchange):
    """Nobody comes back by it and nobody leaves, also where the newest file is gone by now."""
    two_snapshots(exchange, newest="inbox/2 b.csv")
    before = tiers(exchange)
    for words in (["--prefix", "inbox/1"], ["--prefix", "inbox/1", "--dry-run"]):
        refused = exchange.call("backfill", "club", *words)
        assert 2 == refused.returncode, refused.stdout
        assert "inbox/1.csv came before inbox/2 b.csv, which run 2 applied" in refused.stderr
        assert "exchanger backfill club --prefix 'inbox/2 b.csv'" in refused.stderr
    again = exchange.ask("backfill", "club", "--full")
    assert ("succeeded", 0) == (again["state"], again["leavers"])
    exchange.bucket.delete(["inbox/2 b.csv"])
    assert 2 == exchange.call("backfill", "club", "--full").returncode
    assert before == tiers(exchange)


@pytest.mark.nightly
def test_a_file_that_gets_complete_after_a_newer_one_was_applied_is_left_out(exchange):
    """It waits for its sign, and the newer one is gone from the folder by then."""
    job = JOB | {"source": JOB["source"] | {"complete_when": {"suffix": ".done"}}}
    exchange.configure(club=job)
    for number, names in ((1, "abcd"), (3, "abce")):
        exchange.drop(f"inbox/{number}.csv", rows(*names))
        exchange.drop(f"inbox/{number}.csv.done", b"")
        if number == 1:
            exchange.ask("run", "club")
            exchange.drop("inbox/2.csv", rows("a", "b", "f"))
            until_the_next_second(exchange.bucket, "inbox/")
    exchange.ask("run", "club")
    exchange.bucket.delete(["inbox/3.csv"])
    exchange.drop("inbox/2.csv.done", b"")
    late = exchange.ask("run", "club")
    assert [("inbox/2.csv", "superseded")] == [(f["key"], f["outcome"]) for f in late["files"]]
    assert "f" not in exchange.braze.users()
    assert exchange.attribute("e", "tier") == '"gold"'
    assert "nothing_to_do" == exchange.ask("run", "club")["state"]


@pytest.mark.nightly
def test_what_waits_is_overtaken_by_a_newer_snapshot_and_by_no_older_one(exchange):
    """Approving counts the files by the order in which they came, not the runs."""
    two_snapshots(exchange)
    exchange.drop("inbox/3.csv", rows("a"))
    waits = exchange.ask("run", "club", code=5)
    exchange.ask("backfill", "club", "--prefix", "inbox/2.csv")
    done = exchange.ask("approve", str(waits["seq"]))
    assert ("succeeded", 3) == (done["state"], done["leavers"])
    assert {"a"} == {who for who, tier in tiers(exchange).items() if tier}


@pytest.mark.nightly
def test_rejected_rows_of_an_older_snapshot_bring_nobody_back(exchange):
    """A retry of them is refused: whoever is still there comes with the newer one."""
    two_snapshots(exchange, first=rows(*"abc", d="x" * 300), newest="inbox/2 b.csv")
    refused = exchange.call("retry", "1")
    assert 2 == refused.returncode, refused.stdout
    assert "exchanger backfill club --prefix 'inbox/2 b.csv'" in refused.stderr
    assert "d" not in exchange.braze.users()
    assert [] == [note for note in exchange.ask("run", "club")["notes"] if "retry" in note]


@pytest.mark.nightly
def test_who_came_back_is_not_deleted_by_a_retry(exchange):
    """Braze refused to delete somebody who left, and is a member again by the next snapshot."""
    exchange.connection["braze"]["give_up"] = "1s"
    guards = JOB["guards"] | {"max_deletes": 9}
    source = JOB["source"] | {"on_removed": "delete"}
    job = JOB | {"source": source, "guards": guards, "confirm_deletes": True}
    exchange.configure(club=job)
    exchange.drop("inbox/1.csv", rows(*"abcd"))
    exchange.ask("run", "club")
    exchange.drop("inbox/2.csv", rows(*"ab"))
    exchange.braze.faults("/users/delete", status=400, body={"message": "odd"}, times=3)
    removed = exchange.ask("run", "club", code=4)
    assert 2 == removed["rows_refused"]
    exchange.drop("inbox/3.csv", rows(*"abc"))
    exchange.ask("run", "club")
    again = exchange.ask("retry", str(removed["seq"]))
    assert set("abc") == {*exchange.braze.users()}
    assert "Left as they are, as they are there again: 1 of the people who left." in again["notes"]


def test_of_the_latest_file_alone_an_older_one_gives_nothing_either(exchange):
    """Also if it gets complete once the newer one is gone; a backfill may take it, and decides."""
    source = {"prefix": "inbox/", "files": "latest", "complete_when": {"suffix": ".done"}}
    job = {key: value for key, value in JOB.items() if key != "guards"} | {"source": source}
    exchange.configure(club=job)
    exchange.drop("inbox/1.csv", rows(a="iron"))
    exchange.drop("inbox/2.csv", rows("a"))
    exchange.drop("inbox/2.csv.done", b"")
    exchange.ask("run", "club")
    exchange.bucket.delete(["inbox/2.csv"])
    exchange.drop("inbox/1.csv.done", b"")
    late = exchange.ask("run", "club")
    assert ["superseded"] == [file["outcome"] for file in late["files"]]
    assert '"gold"' == exchange.attribute("a", "tier")
    exchange.ask("backfill", "club", "--prefix", "inbox/1")
    assert '"iron"' == exchange.attribute("a", "tier")
