"""Objects that Braze refuses: named, kept in quarantine, and never counted as applied."""

from __future__ import annotations

import pytest
from support.jobs import import_job

TRACK = "/users/track"
JOB = import_job(
    fields={
        "email": {"from": "email"},
        "tier": {"from": "tier", "type": "string"},
        "visits": {"from": "visits", "merge": "sum", "type": "integer"},
    }
)
HEADER = "id,email,tier,visits\n"


def test_only_the_refused_objects_are_refused(exchange):
    """
    Refused objects are in quarantine and counted; all others are applied.

    Nothing of a refused object is held: the corrected row is sent in full, its sum once.
    """
    exchange.configure(crm=JOB)
    good = "".join(f"g{n},g{n}@example.com,gold,1\n" for n in range(100))
    exchange.drop("inbox/1.csv", HEADER + "bad1,nonsense,gold,5\n" + good + "bad2,@,blue,7\n")

    report = exchange.ask("run", "crm", code=4)

    assert ("partial", 102, 100, 2) == (
        report["state"],
        report["rows_read"],
        report["rows_applied"],
        report["rows_refused"],
    )
    assert (100, 2) == (report["profiles_new"], report["profiles_refused"])
    assert {f"g{n}" for n in range(100)} == set(exchange.braze.users())
    assert exchange.braze.meter == report["data_points"]
    assert [(100, 100)] * 3 == [(f["sent"], f["whole_rows"]) for f in report["by_field"].values()]
    rows = exchange.quarantined(report)
    assert [("bad1", "1", "refused"), ("bad2", "102", "refused")] == [
        (row["profile"], row["row"], row["kind"]) for row in rows
    ]
    assert all("email" in row["message"] for row in rows)
    assert all(row["reason"] == "refused_by_braze" for row in rows)

    exchange.drop("inbox/2.csv", HEADER + "bad1,fine@example.com,gold,5\nbad2,,blue,1\n")
    report = exchange.ask("run", "crm")
    assert ("succeeded", 2) == (report["state"], report["rows_applied"])
    assert ('"gold"', "5") == (
        exchange.attribute("bad1", "tier"),
        exchange.attribute("bad1", "visits"),
    )
    assert ('"blue"', "1") == (
        exchange.attribute("bad2", "tier"),
        exchange.attribute("bad2", "visits"),
    )


def test_a_request_of_refused_objects_alone_ends(exchange):
    """Braze answers 400 when every object is bad; the run ends, and refuses just these."""
    exchange.connection["braze"]["batch_size"] = 2
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", HEADER + "a,no,gold,1\nb,no,gold,1\nc,c@example.com,gold,1\n")
    report = exchange.ask("run", "crm", code=4)
    assert (1, 2) == (report["rows_applied"], report["rows_refused"])
    assert {"c"} == set(exchange.braze.users())
    assert ["a", "b"] == [row["profile"] for row in exchange.quarantined(report)]
    assert "nothing_to_do" == exchange.ask("run", "crm")["state"]


@pytest.mark.nightly
def test_a_refusal_after_a_lost_answer_is_looked_up_before_use(exchange):
    """
    An attempt that may have been applied makes a refused sum uncertain, not unchanged.

    Here the first attempt is applied and its answer lost; the second one is refused.
    """
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", HEADER + "a,,gold,5\n")
    exchange.ask("run", "crm")
    exchange.braze.faults(TRACK, drop="after")
    told = {"type": "not today", "input_array": "attributes", "index": 0}
    exchange.braze.faults(TRACK, status=400, body={"message": "no", "errors": [told]})
    exchange.drop("inbox/2.csv", HEADER + "a,,gold,10\n")
    report = exchange.ask("run", "crm", code=4)
    assert (1, "15") == (report["rows_refused"], exchange.attribute("a", "visits"))

    exchange.drop("inbox/3.csv", HEADER + "a,,gold,100\n")
    exchange.ask("run", "crm")
    assert "115" == exchange.attribute("a", "visits")
