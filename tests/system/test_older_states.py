"""A state that was put back to an earlier moment, in whole or in part, adds nothing twice."""

from __future__ import annotations

import pytest
from support.jobs import import_job

STATE = "_exchanger/main/"
JOB = import_job(fields={"spend": {"merge": "sum", "type": "integer"}})


def kept(exchange, prefix=STATE):
    """Copy what lies below a prefix, as a backup does."""
    return {item.key: exchange.bucket.read(item.key)[0] for item in exchange.bucket.list(prefix)}


def put_back(exchange, copy, prefix=STATE):
    """Let below a prefix lie what a backup has, and nothing else."""
    exchange.bucket.delete([item.key for item in exchange.bucket.list(prefix)])
    for key, body in copy.items():
        exchange.bucket.write(key, body)


@pytest.fixture
def applied(exchange):
    """A connection that has applied a file."""
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", "id,spend\na,5\n")
    exchange.ask("run", "crm")
    return exchange


def test_a_state_of_an_earlier_moment_stops_everything(applied):
    """
    What was applied since is known to nobody, and what is held is older than what Braze has.

    Once all of it is deleted, it is a memory that was lost.
    """
    backup = kept(applied)
    applied.drop("inbox/2.csv", "id,spend\na,2\n")
    applied.ask("run", "crm")
    put_back(applied, backup)
    for words in (["run", "crm"], ["plan", "crm"], ["retry", "1"]):
        done = applied.call(*words)
        assert 1 == done.returncode, words
        assert "runs/000000002.json" in done.stderr, words
        assert "earlier moment" in done.stderr, words
    assert "7" == applied.attribute("a", "spend")
    put_back(applied, {})
    report = applied.ask("run", "crm", code=5)
    assert ["memory_lost", "memory_lost"] == [file["outcome"] for file in report["files"]]
    applied.ask("discard", str(report["seq"]))
    applied.drop("inbox/3.csv", "id,spend\na,1\n")
    assert "succeeded" == applied.ask("run", "crm")["state"]
    assert "8" == applied.attribute("a", "spend")


def test_the_newest_run_document_alone_is_missed(applied):
    """Somebody who deletes a run's document does not make it undone."""
    applied.drop("inbox/2.csv", "id,spend\na,2\n")
    applied.ask("run", "crm")
    applied.bucket.delete([f"{STATE}runs/000000002.json"])
    done = applied.call("run", "crm")
    assert (1, True) == (done.returncode, "runs/000000002.json" in done.stderr)
    assert "7" == applied.attribute("a", "spend")


@pytest.mark.nightly
@pytest.mark.parametrize("gone", [("runs/", "file-ledger/"), ("runs/", "workspace.json")])
def test_half_a_memory_is_none(applied, gone):
    """Numbers of runs would begin anew, and what tables hold would never be written again."""
    for name in gone:
        put_back(applied, {}, STATE + name)
    applied.drop("inbox/2.csv", "id,spend\na,2\n")
    done = applied.call("run", "crm")
    assert (1, True) == (done.returncode, "Delete the rest" in done.stderr), done.stderr
    put_back(applied, {})
    assert 5 == applied.call("run", "crm").returncode
    assert "5" == applied.attribute("a", "spend")


def test_a_table_of_applied_files_of_an_earlier_moment_is_a_lost_memory(applied):
    """The runs know more than it does: files that add up wait."""
    table = f"{STATE}file-ledger/"
    backup = kept(applied, table)
    applied.drop("inbox/2.csv", "id,spend\na,2\n")
    applied.ask("run", "crm")
    put_back(applied, backup, table)
    report = applied.ask("run", "crm", code=5)
    assert ["memory_lost"] == [file["outcome"] for file in report["files"]]
    assert "7" == applied.attribute("a", "spend")


@pytest.mark.nightly
def test_a_copy_of_a_state_is_a_state_of_its_own(applied):
    """Who copies the folder to rename a connection has two memories: each sees the other's."""
    for key, body in kept(applied).items():
        applied.bucket.write(key.replace(STATE, "_exchanger/acme/"), body)
    applied.name = "acme"
    applied.configure(crm=JOB)
    assert "nothing_to_do" == applied.ask("run", "crm")["state"]
    applied.drop("inbox/2.csv", "id,spend\na,2\n")
    assert "succeeded" == applied.ask("run", "crm")["state"]
    applied.name = "main"
    applied.configure(crm=JOB)
    report = applied.ask("run", "crm", code=5)
    assert ["applied_elsewhere"] == [file["outcome"] for file in report["files"]]
    assert "7" == applied.attribute("a", "spend")


@pytest.mark.nightly
def test_held_values_of_an_earlier_moment_are_not_built_on(applied):
    """A sum would begin from what Braze had then. Without the table it is looked up."""
    table = f"{STATE}held/"
    backup = kept(applied, table)
    applied.drop("inbox/2.csv", "id,spend\na,2\n")
    applied.ask("run", "crm")
    put_back(applied, backup, table)
    applied.drop("inbox/3.csv", "id,spend\na,1\n")
    for words in (["run", "crm"], ["plan", "crm"]):
        done = applied.call(*words)
        assert 1 == done.returncode, words
        assert f"{STATE}held is of an earlier moment than run 2" in done.stderr, words
    assert "7" == applied.attribute("a", "spend")
    put_back(applied, {}, table)
    assert "succeeded" == applied.ask("run", "crm")["state"]
    assert "8" == applied.attribute("a", "spend")


EVENTS = {
    "type": "import",
    "object": "events",
    "source": {"prefix": "events/"},
    "match": [{"external_id": "id"}],
    "event": {"name": "Seen", "time": "at"},
    "row_id": "no",
}


@pytest.mark.nightly
@pytest.mark.parametrize("copied", [True, False], ids=["an earlier one", "none"])
def test_events_are_not_sent_again_as_nobody_knows_their_rows(exchange, copied):
    """The ledger of rows is of an earlier moment, or gone: files that overlap would count twice."""
    table, header = f"{STATE}row-ledger/", "id,at,no\n"
    exchange.configure(seen=EVENTS)
    exchange.drop("events/1.csv", f"{header}a,2026-09-15,1\n")
    exchange.ask("run", "seen")
    backup = kept(exchange, table) if copied else {}
    exchange.drop("events/2.csv", f"{header}a,2026-09-16,2\n")
    exchange.ask("run", "seen")
    put_back(exchange, backup, table)
    sent = exchange.braze.requests("/users/track")
    exchange.drop("events/3.csv", f"{header}a,2026-09-16,2\na,2026-09-17,3\n")
    done = exchange.call("run", "seen")
    assert 1 == done.returncode
    assert "row-ledger/seen is of an earlier moment than run 2, or gone" in done.stderr
    assert sent == exchange.braze.requests("/users/track")


@pytest.mark.nightly
@pytest.mark.parametrize("copied", [True, False], ids=["an earlier one", "none"])
def test_late_rows_undo_nothing_as_nobody_knows_how_far_the_order_came(exchange, copied):
    """The table of what ``order_by`` reached is of an earlier moment, or gone."""
    table, header = f"{STATE}high-water-marks/", "id,at,tier\n"
    job = import_job(
        source={"prefix": "inbox/", "order_by": "at"}, fields={"tier": {"type": "string"}}
    )
    exchange.configure(crm=job)
    exchange.drop("inbox/1.csv", f"{header}a,2026-09-10,old\n")
    exchange.ask("run", "crm")
    backup = kept(exchange, table) if copied else {}
    exchange.drop("inbox/2.csv", f"{header}a,2026-09-20,new\n")
    exchange.ask("run", "crm")
    put_back(exchange, backup, table)
    exchange.drop("inbox/3.csv", f"{header}a,2026-09-15,late\n")
    for words in (["run", "crm"], ["plan", "crm"]):
        done = exchange.call(*words)
        assert 1 == done.returncode, words
        assert "is of an earlier moment than run 2, or gone" in done.stderr, words
        assert "order_by" in done.stderr, words
    assert '"new"' == exchange.attribute("a", "tier")
    exchange.configure(crm=job | {"source": {"prefix": "inbox/"}})
    assert "succeeded" == exchange.ask("run", "crm")["state"]
    exchange.configure(crm=job)
    exchange.drop("inbox/4.csv", f"{header}a,2026-09-25,newest\n")
    assert "succeeded" == exchange.ask("run", "crm")["state"]


@pytest.mark.nightly
def test_held_values_that_are_gone_are_begun_anew(applied):
    """Runs go on, in this process and in later ones: a new table is no older one."""
    job = JOB | {"fields": {"tier": {"type": "string"}}, "max_rows_per_run": 1}
    applied.configure(crm=job)
    for number in (2, 3, 4):
        applied.drop(f"inbox/{number}.csv", "id,tier\na,gold\n")
        applied.ask("run", "crm")
    put_back(applied, {}, f"{STATE}held/")
    for number in (5, 6):
        applied.drop(f"inbox/{number}.csv", "id,tier\na,gold\n")
    assert 2 == applied.ask("run", "crm")["rows_read"]
    for number in (7, 8):
        applied.drop(f"inbox/{number}.csv", "id,tier\na,blue\n")
        assert 1 == applied.ask("run", "crm")["rows_read"]
    assert '"blue"' == applied.attribute("a", "tier")


@pytest.mark.nightly
def test_what_was_held_and_is_gone_is_told(applied):
    """Every value that files set is sent and billed again: nobody knows that Braze has it."""
    applied.configure(crm=JOB | {"fields": {"tier": {"type": "string"}}})
    applied.drop("inbox/2.csv", "id,tier\na,gold\n")
    applied.ask("run", "crm")
    applied.drop("inbox/3.csv", "id,tier\na,gold\n")
    assert 0 == applied.ask("run", "crm")["data_points"]
    put_back(applied, {}, f"{STATE}held/")
    applied.drop("inbox/4.csv", "id,tier\na,gold\n")
    plan = applied.ask("plan", "crm")["report"]
    report = applied.ask("run", "crm")
    for told in (plan, report):
        assert ["values_lost"] == [fact["code"] for fact in told["facts"]]
    assert 1 == report["data_points"]
    applied.drop("inbox/5.csv", "id,tier\na,gold\n")
    again = applied.ask("run", "crm")
    assert ([], 0) == (again["facts"], again["data_points"])


@pytest.mark.nightly
@pytest.mark.parametrize("copied", [True, False], ids=["an earlier one", "none"])
def test_kept_types_of_an_earlier_moment_give_no_value_another_type(exchange, copied):
    """What the last run settled on is in its document too: a text stays a text."""
    document = f"{STATE}column-types/"
    exchange.configure(crm=import_job(remaining_fields={}))
    exchange.drop("inbox/1.csv", "id,n\na,1\n")
    exchange.ask("run", "crm")
    backup = kept(exchange, document) if copied else {}
    exchange.drop("inbox/2.csv", "id,n,code\na,1,A7\n")
    exchange.ask("run", "crm")
    put_back(exchange, backup, document)
    exchange.drop("inbox/3.csv", "id,n,code\na,1,19\n")
    exchange.ask("run", "crm")
    assert '"19"' == exchange.attribute("a", "code")
    assert 0 == exchange.call("types", "crm", "--forget", "code").returncode
    exchange.drop("inbox/4.csv", "id,n,code\na,1,20\n")
    exchange.ask("run", "crm")
    assert "20" == exchange.attribute("a", "code")
