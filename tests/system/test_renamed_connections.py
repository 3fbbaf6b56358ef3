"""A memory that lies elsewhere, or was lost, doubles no sum: what it may know waits."""

from __future__ import annotations

import pytest
from ruamel.yaml import YAML
from support.jobs import import_job

TRACK = "/users/track"
JOB = import_job(fields={"spend": {"merge": "sum", "type": "integer"}})
SET = JOB | {"source": {"prefix": "names/"}, "fields": {"name": "set"}}
FILE = "id,spend\na,5\nb,7\n"


def spend(exchange):
    return {who: exchange.attribute(who, "spend") for who in sorted(exchange.braze.users())}


def forget(exchange, prefix):
    """Delete all that lies below a prefix."""
    exchange.bucket.delete([item.key for item in exchange.bucket.list(prefix)])


@pytest.fixture
def applied(exchange):
    """A connection that has applied two files."""
    exchange.configure(crm=JOB, names=SET)
    exchange.drop("inbox/1.csv", FILE)
    exchange.drop("names/1.csv", "id,name\na,Ada\n")
    exchange.ask("run", "crm")
    exchange.ask("run", "names")
    return exchange


@pytest.fixture
def renamed(applied):
    """The same connection under another name."""
    applied.name = "acme"
    applied.configure(**applied.jobs)
    return applied


def test_a_renamed_connection_holds_back_what_its_old_name_applied(renamed):
    """
    Nothing is sent, the totals are told, and a new file waits with the old ones.

    Were the new one applied, two memories would each know a part.
    """
    sent = renamed.braze.requests(TRACK)
    renamed.drop("inbox/2.csv", "id,spend\na,1\n")
    plan = renamed.ask("plan", "crm")
    told = {file["key"]: file["outcome"] for file in plan["report"]["files"]}
    assert "applied_elsewhere" == told["inbox/1.csv"]
    report = renamed.ask("run", "crm", code=5)
    assert "held_back" == report["state"]
    assert [("inbox/1.csv", "applied_elsewhere")] == [
        (file["key"], file["outcome"]) for file in report["files"]
    ]
    assert any("spend: 12 would be added" in note for note in report["notes"])
    assert any("exchanger adopt" in file["note"] for file in report["files"])
    later = renamed.ask("run", "crm", code=5)
    assert "exchanger adopt" in later["notes"][0]
    assert 5 == renamed.call("run", "names").returncode
    assert sent == renamed.braze.requests(TRACK)
    assert {"a": "5", "b": "7"} == spend(renamed)


@pytest.mark.nightly
def test_an_adopted_state_goes_on_under_the_new_name(renamed):
    """Old files are known, new ones count, a new version counts by its difference."""
    renamed.ask("run", "crm", code=5)
    told = renamed.ask("adopt")
    assert ("_exchanger/main/", True, "main") == (told["state"], told["moved"], told["made_by"])
    renamed.drop("inbox/2.csv", "id,spend\na,1\n")
    assert "succeeded" == renamed.ask("run", "crm")["state"]
    assert "nothing_to_do" == renamed.ask("run", "names")["state"]
    assert {"a": "6", "b": "7"} == spend(renamed)
    renamed.drop("inbox/1.csv", "id,spend\na,50\n")
    report = renamed.ask("run", "crm", code=5)
    renamed.ask("approve", str(report["seq"]))
    assert {"a": "51", "b": "0"} == spend(renamed)
    assert {1, 2, 3, 4, 5} == {run["seq"] for run in renamed.ask("runs")}


@pytest.mark.nightly
def test_a_state_is_not_adopted_by_way_of_one_that_leads_to_it(exchange):
    """Two names of one memory do not take each other's place, which would leave none."""
    exchange.configure(crm=JOB)
    exchange.ask("plan", "crm", "--record")
    exchange.name = "acme"
    exchange.configure(crm=JOB)
    assert exchange.ask("adopt", "_exchanger/main/")["moved"]
    exchange.name = "main"
    exchange.configure(crm=JOB)
    done = exchange.call("adopt", "_exchanger/acme/", "--wait", "1s")
    assert (2, True) == (done.returncode, "its own state already" in done.stderr)
    exchange.drop("inbox/1.csv", FILE)
    assert "succeeded" == exchange.ask("run", "crm")["state"]


def test_the_memory_of_another_connection_is_adopted_only_by_its_name(exchange):
    """Beside a connection that goes on with it, a new one does not slip into its memory."""
    exchange.configure(crm=JOB)
    exchange.ask("plan", "crm", "--record")
    with exchange.config.open("w") as file:
        both = dict.fromkeys(("main", "new"), exchange.connection)
        YAML().dump({"connections": both, "jobs": {"crm": JOB | {"connection": "new"}}}, file)
    done = exchange.call("adopt", "--connection", "new")
    assert (2, True) == (done.returncode, "the memory of another connection" in done.stderr)
    assert "exchanger adopt _exchanger/main/ --connection new" in done.stderr
    assert exchange.ask("adopt", "_exchanger/main/", "--connection", "new")["moved"]


@pytest.mark.nightly
def test_who_adopts_a_state_shares_its_hour(renamed):
    """Requests of an hour are counted with the memory, whatever the configuration calls it."""
    renamed.connection["braze"]["hourly_limit"] = 1_000
    renamed.configure(**renamed.jobs)
    renamed.ask("run", "crm", code=5)
    renamed.ask("adopt")
    renamed.drop("inbox/2.csv", "id,spend\na,1\n")
    renamed.ask("run", "crm")
    hours = [item.key for item in renamed.bucket.list("_exchanger/")]
    assert "_exchanger/main/hour.json" in hours
    assert {"a": "6", "b": "7"} == spend(renamed)


@pytest.mark.nightly
def test_a_file_of_which_nothing_was_taken_is_no_memory_of_it(renamed):
    """All of it was rejected under the new name: once corrected, it still waits for a person."""
    wrong = JOB | {"fields": JOB["fields"] | {"n": {"type": "integer", "from": "id"}}}
    renamed.configure(crm=wrong)
    renamed.ask("run", "crm", "--force", code=4)
    renamed.configure(crm=JOB)
    report = renamed.ask("backfill", "crm", "--full", code=5)
    assert ["applied_elsewhere"] == [file["outcome"] for file in report["files"]]
    renamed.ask("adopt")
    assert "nothing_to_do" == renamed.ask("run", "crm")["state"]
    assert {"a": "5", "b": "7"} == spend(renamed)


@pytest.mark.nightly
def test_a_mistyped_state_prefix_is_found_out(applied):
    """The register of the bucket names the other state, wherever it lies."""
    applied.connection["s3"]["state_prefix"] = "_exchangr/main/"
    applied.configure(**applied.jobs)
    assert 5 == applied.call("run", "crm").returncode
    assert {"a": "5", "b": "7"} == spend(applied)


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("key", "body"),
    [("inbox/1.csv", FILE.replace("5", "6")), ("inbox/copy.csv", FILE)],
    ids=["a new version", "a copy"],
)
def test_versions_and_copies_of_what_the_old_name_applied_wait_too(renamed, key, body):
    """A new version or a copy would add in full what was added before."""
    forget(renamed, "inbox/")
    renamed.drop(key, body)
    report = renamed.ask("run", "crm", code=5)
    assert ["applied_elsewhere"] == [file["outcome"] for file in report["files"]]
    assert {"a": "5", "b": "7"} == spend(renamed)


@pytest.mark.nightly
def test_what_waits_can_be_dropped_or_applied_all_the_same(renamed):
    """After discard the rest goes on, on what Braze has; adopting is over then."""
    held = renamed.ask("run", "crm", code=5)["seq"]
    renamed.ask("discard", str(held))
    renamed.drop("inbox/2.csv", "id,spend\na,1\n")
    assert "succeeded" == renamed.ask("run", "crm")["state"]
    assert {"a": "6", "b": "7"} == spend(renamed)
    refused = renamed.call("adopt")
    assert (2, True) == (refused.returncode, "cannot be joined" in refused.stderr)
    named = renamed.ask("run", "names", code=5)["seq"]
    assert "succeeded" == renamed.ask("approve", str(named))["state"]
    assert "nothing_to_do" == renamed.ask("run", "names")["state"]


@pytest.mark.nightly
def test_another_state_whose_files_are_others_holds_nothing_back(applied):
    """Two connections of one workspace with folders of their own do not disturb each other."""
    applied.name = "team"
    own = JOB | {"source": {"prefix": "team/"}}
    applied.configure(team=own)
    applied.drop("team/1.csv", "id,spend\na,1\n")
    assert "succeeded" == applied.ask("run", "team")["state"]
    assert {"a": "6", "b": "7"} == spend(applied)


@pytest.mark.nightly
def test_what_an_unfinished_run_under_the_old_name_has_claimed_waits_too(exchange):
    """A run that was killed half-way is ended by whoever adopts its state."""
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", FILE)
    exchange.connection["braze"]["give_up"] = "1s"
    exchange.braze.faults(TRACK, status=503, times=1_000)
    exchange.configure(crm=JOB)
    assert 7 == exchange.call("run", "crm").returncode
    exchange.braze.clear_faults()
    exchange.name = "acme"
    exchange.configure(crm=JOB)
    assert 5 == exchange.call("run", "crm").returncode
    exchange.ask("adopt")
    assert 0 == exchange.call("run", "crm").returncode
    assert {"a": "5", "b": "7"} == spend(exchange)


def test_a_lost_memory_is_told_and_what_would_add_waits(applied):
    """
    All files of a summing job wait once the state is gone; later files count as ever.

    A job that adds nothing goes on.
    """
    forget(applied, "_exchanger/main/")
    report = applied.ask("run", "crm", code=5)
    assert [("inbox/1.csv", "memory_lost")] == [
        (file["key"], file["outcome"]) for file in report["files"]
    ]
    said = " ".join(report["notes"])
    assert "is gone" in said
    assert "spend: 12 would be added" in said
    assert "Nothing is lost" not in said
    assert "succeeded" == applied.ask("run", "names")["state"]
    applied.ask("discard", str(report["seq"]))
    assert {"a": "5", "b": "7"} == spend(applied)


def test_a_lost_table_of_applied_files_is_a_lost_memory(applied):
    """Runs that are there and applied nothing are a contradiction: sums wait."""
    forget(applied, "_exchanger/main/file-ledger/")
    report = applied.ask("run", "crm", code=5)
    assert ["memory_lost"] == [file["outcome"] for file in report["files"]]
    assert {"a": "5", "b": "7"} == spend(applied)


def test_lost_run_documents_stop_everything(applied):
    """Their numbers would begin anew, and what a new run did would not be recorded."""
    forget(applied, "_exchanger/main/runs/")
    applied.drop("inbox/2.csv", "id,spend\na,1\n")
    done = applied.call("run", "crm")
    assert (1, True) == (done.returncode, "no run is left" in done.stderr)
    assert {"a": "5", "b": "7"} == spend(applied)


def test_a_first_run_on_an_empty_bucket_holds_nothing_back(exchange):
    """Without any other state everything is new."""
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", FILE)
    assert "succeeded" == exchange.ask("run", "crm")["state"]
