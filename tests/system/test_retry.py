"""``retry``: what did not reach Braze is given again, once, against what is held now."""

from __future__ import annotations

import pytest
from support.jobs import import_job

TRACK = "/users/track"
JOB = import_job(
    fields={
        "tier": {"from": "tier", "type": "string"},
        "tags": {"from": "tag", "merge": "add"},
        "spent": {"from": "spent", "merge": "sum", "type": "decimal", "scale": 2},
    }
)
HEADER = "id,tier,tag,spent\n"


def refuse(exchange, index=0, times=1):
    """Let Braze refuse one object of the next request, for no reason that lasts."""
    told = {"type": "not today", "input_array": "attributes", "index": index}
    exchange.braze.faults(TRACK, status=400, body={"message": "no", "errors": [told]}, times=times)


def state(exchange, profile):
    return tuple(exchange.attribute(profile, name) for name in ("tier", "tags", "spent"))


@pytest.mark.nightly
def test_a_refused_sum_is_still_owed_and_retried_once(exchange):
    """
    A refused sum is not applied; later sums build without it, and a retry adds it once.

    What is sent then is a new total: the refused one would undo what came in between.
    """
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", HEADER + "a,gold,x,5.10\n")
    exchange.ask("run", "crm")
    refuse(exchange)
    exchange.drop("inbox/2.csv", HEADER + "a,silver,y,10.20\na,silver,z,0.05\n")
    refused = exchange.ask("run", "crm", code=4)
    assert ("partial", 2, 1) == (
        refused["state"],
        refused["rows_refused"],
        refused["profiles_refused"],
    )
    exchange.drop("inbox/3.csv", HEADER + "a,,w,100\n")
    exchange.ask("run", "crm")
    assert ('"gold"', '["x","w"]', "105.1") == state(exchange, "a")
    exchange.bucket.delete(["inbox/2.csv"])

    report = exchange.ask("retry", str(refused["seq"]))

    assert ('"silver"', '["x","w","y","z"]', "115.35") == state(exchange, "a")
    assert ("succeeded", 1, 1) == (
        report["state"],
        report["profiles_updated"],
        report["rows_applied"],
    )
    sent = exchange.braze.requests(TRACK)
    again = exchange.ask("retry", refused["run_id"])
    assert "nothing_to_do" == again["state"]
    assert f"run {report['seq']}" in again["notes"][0]
    assert "nothing_to_do" == exchange.ask("run", "crm")["state"]
    assert (sent, "115.35") == (exchange.braze.requests(TRACK), exchange.attribute("a", "spent"))


@pytest.mark.nightly
def test_what_is_refused_again_is_owed_by_the_retry(exchange):
    """A retry that is refused has a quarantine of its own, which can be retried in turn."""
    exchange.configure(crm=JOB)
    refuse(exchange)
    exchange.drop("inbox/1.csv", HEADER + "a,gold,x,1\nb,gold,x,2\n")
    first = exchange.ask("run", "crm", code=4)
    refuse(exchange)
    second = exchange.ask("retry", str(first["seq"]), code=4)
    assert (1, 1) == (second["rows_refused"], len(exchange.quarantined(second)))
    assert {"b"} == set(exchange.braze.users())

    exchange.ask("retry", str(second["seq"]))
    assert ('"gold"', '["x"]', "1") == state(exchange, "a")
    assert "nothing_to_do" == exchange.ask("retry", str(second["seq"]))["state"]
    assert "nothing_to_do" == exchange.ask("retry", str(first["seq"]))["state"]
    assert ('"gold"', '["x"]', "2") == state(exchange, "b")


@pytest.mark.nightly
def test_a_late_set_does_not_undo_a_newer_one(exchange):
    """A retried ``set`` whose field a later run changed is superseded; its sum still counts."""
    exchange.configure(crm=JOB)
    refuse(exchange)
    exchange.drop("inbox/1.csv", HEADER + "a,gold,,1\n")
    first = exchange.ask("run", "crm", code=4)
    exchange.drop("inbox/2.csv", HEADER + "a,blue,,\n")
    exchange.ask("run", "crm")

    exchange.ask("retry", str(first["seq"]))
    assert ('"blue"', None, "1") == state(exchange, "a")


def test_rejected_rows_are_read_again_after_correction(exchange):
    """
    Rejected rows are planned by the job as it is now, and only these rows.

    Here the type of a field was wrong in the job. Rows that are still wrong stay in quarantine.
    """
    wrong = JOB | {"fields": JOB["fields"] | {"tier": {"from": "tier", "type": "integer"}}}
    exchange.configure(crm=wrong)
    exchange.drop("inbox/1.csv", HEADER + "a,1,x,1\nb,two,x,2\nc,three,x,oops\n")
    first = exchange.ask("run", "crm", code=4)
    assert (1, 2) == (first["rows_applied"], first["rows_rejected"])

    exchange.configure(crm=JOB)
    report = exchange.ask("retry", str(first["seq"]), code=4)

    assert ("partial", 2, 1, 1) == (
        report["state"],
        report["rows_read"],
        report["rows_applied"],
        report["rows_rejected"],
    )
    assert ('"two"', '["x"]', "2") == state(exchange, "b")
    assert ("1", '["x"]', "1") == state(exchange, "a")
    assert ["3"] == [row["row"] for row in exchange.quarantined(report)]
    assert "nothing_to_do" == exchange.ask("retry", str(first["seq"]))["state"]
    assert "2" == exchange.attribute("b", "spent")


@pytest.mark.nightly
def test_a_file_that_was_rejected_as_a_whole_is_read_again(exchange):
    """A file without a column that the job names is taken in full once the job is corrected."""
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", "id,tier,tag,amount\na,gold,x,1\n")
    first = exchange.ask("run", "crm", code=4)
    assert ["rejected"] == [file["outcome"] for file in first["files"]]
    corrected = JOB["fields"] | {"spent": JOB["fields"]["spent"] | {"from": "amount"}}
    exchange.configure(crm=JOB | {"fields": corrected})

    exchange.ask("retry", str(first["seq"]))
    assert ('"gold"', '["x"]', "1") == state(exchange, "a")
    assert "nothing_to_do" == exchange.ask("retry", str(first["seq"]))["state"]
    assert "nothing_to_do" == exchange.ask("run", "crm")["state"]


def test_rows_of_a_deleted_file_stay_in_quarantine(exchange):
    """Rejected rows whose file is gone cannot be read again, and the retry says so."""
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", HEADER + "a,gold,x,oops\n")
    first = exchange.ask("run", "crm", code=4)
    exchange.bucket.delete(["inbox/1.csv"])
    report = exchange.ask("retry", str(first["seq"]))
    assert "nothing_to_do" == report["state"]
    assert any("not in the bucket any more" in note for note in report["notes"])


@pytest.mark.nightly
def test_a_sum_refused_after_a_lost_answer_is_not_added_twice(exchange):
    """
    Where a refused sum had been applied by an attempt whose answer was lost, a retry adds nothing.

    Braze's value tells: it is the wanted one already.
    """
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", HEADER + "a,gold,x,5\n")
    exchange.ask("run", "crm")
    exchange.braze.faults(TRACK, drop="after")
    refuse(exchange)
    exchange.drop("inbox/2.csv", HEADER + "a,gold,x,10\n")
    refused = exchange.ask("run", "crm", code=4)
    assert "15" == exchange.attribute("a", "spent")
    exchange.drop("inbox/3.csv", HEADER + "a,gold,x,100\n")
    exchange.ask("run", "crm")

    exchange.ask("retry", str(refused["seq"]))
    assert "115" == exchange.attribute("a", "spent")


@pytest.mark.nightly
def test_a_sum_refused_after_a_lost_request_is_added_by_a_retry(exchange):
    """Where the attempt without an answer never reached Braze, the sum is still owed."""
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", HEADER + "a,gold,x,5\n")
    exchange.ask("run", "crm")
    exchange.braze.faults(TRACK, drop="before")
    refuse(exchange)
    exchange.drop("inbox/2.csv", HEADER + "a,gold,x,10\n")
    refused = exchange.ask("run", "crm", code=4)
    assert "5" == exchange.attribute("a", "spent")

    exchange.ask("retry", str(refused["seq"]))
    assert "15" == exchange.attribute("a", "spent")


def test_runs_without_a_quarantine_have_nothing_to_retry(exchange):
    """A retry of a run that went well does nothing; of a run that never was, it says so."""
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", HEADER + "a,gold,x,5\n")
    exchange.ask("run", "crm")
    assert "nothing_to_do" == exchange.ask("retry", "1")["state"]
    assert "RunMissing" == exchange.ask("retry", "99", code=2)["error"]["kind"]
