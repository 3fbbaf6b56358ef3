"""``exchanger files``, and where else a file is named that no job takes."""

from __future__ import annotations

import pytest
from support.jobs import import_job

JOB = import_job(
    source={"prefix": "inbox/crm/", "pattern": "*.csv"},
    fields={
        "tier": {"from": "tier", "type": "integer"},
        "spent": {"from": "spent", "merge": "sum", "type": "integer"},
    },
)
HEADER = "id,tier,spent\n"


@pytest.mark.nightly
def test_files_that_no_job_takes_are_named(exchange):
    """
    A name that does not fit, a folder within and a folder beside are named wherever one looks.

    A run says so once, of what came since the run before; what exports and Braze write is no file.
    """
    export = {
        "type": "export",
        "segment": "All",
        "fields": {"external_id": "external_id"},
        "target": {"prefix": "inbox/exported/"},
    }
    exchange.configure(crm=JOB, vip=export)
    exchange.drop("inbox/crm/1.csv", HEADER + "a,1,1\n")
    exchange.drop("inbox/crm/day/2.csv", HEADER + "b,1,1\n")
    exchange.drop("inbox/cmr/3.csv", HEADER + "c,1,1\n")
    exchange.drop("inbox/exported/part-0.csv", "id\na\n")
    exchange.drop("segment-export/x/a.zip", "x")
    keys = ["inbox/crm/day/2.csv", "inbox/cmr/"]

    planned = exchange.ask("plan", "crm")
    assert keys == [each["key"] for each in planned["unclaimed"]]
    shown = exchange.call("plan", "crm").stdout
    assert "no job takes inbox/crm/day/2.csv: the pattern of crm is *.csv" in shown
    ran = exchange.ask("run", "crm")
    assert any("No job takes inbox/crm/day/2.csv" in note for note in ran["notes"])
    waiting, _ = exchange.ask("jobs", "--waiting")
    assert keys == [each["key"] for each in waiting["unclaimed"]]
    shown = exchange.call("jobs", "--waiting").stdout
    assert "no job reads inbox/cmr/, with 1 file such as inbox/cmr/3.csv" in shown
    assert keys == [each["key"] for each in exchange.ask("files", "--unclaimed")]

    exchange.drop("inbox/crm/4.csv", HEADER + "d,1,1\n")
    assert not any("No job takes" in note for note in exchange.ask("run", "crm")["notes"])


def test_what_became_of_a_file(exchange):
    """Each file is told with the runs that met it, what is left, and what to type."""
    exchange.configure(crm=JOB)
    exchange.drop("inbox/crm/1.csv", HEADER + "a,1,1\nb,two,2\n")
    report = exchange.ask("run", "crm", code=4)
    exchange.drop("inbox/crm/copy.csv", HEADER + "a,1,1\nb,two,2\n")
    exchange.ask("run", "crm", code=5)
    exchange.drop("inbox/crm/next.csv", HEADER + "c,1,1\n")
    exchange.drop("inbox/crm/day/2.csv", HEADER + "d,1,1\n")

    def next_step(key):
        return exchange.call("files", key).stdout.splitlines()[-1]

    shown = exchange.call("files", f"s3://{exchange.bucket.name}/inbox/crm/1.csv").stdout
    assert "run 1 of crm: applied, 2 rows, 1 of them rejected" in shown
    assert next_step("inbox/crm/1.csv").endswith("exchanger retry 1")
    assert next_step("inbox/crm/copy.csv").endswith("exchanger approve 2, or exchanger discard 2")
    assert next_step("inbox/crm/next.csv").endswith("exchanger run crm")
    assert next_step("inbox/crm/day/2.csv").endswith("such as **/*.csv")
    [told] = exchange.ask("files", "inbox/crm/1.csv")
    assert ["left_over"] == [job["stand"] for job in told["jobs"]]
    assert [(1, 2, 1)] == [(v["run"], v["rows"], v["rejected"]) for v in told["versions"]]
    assert "did you mean inbox/crm/next.csv?" in exchange.call("files", "inbox/crm/nxt.csv").stdout
    [none] = exchange.ask("files", "inbox/crm/nxt.csv", code=2)
    assert not none["in_bucket"]

    exchange.ask("discard", "2")
    assert "a person dropped it" in next_step("inbox/crm/copy.csv")
    exchange.configure(crm=JOB | {"fields": {"spent": JOB["fields"]["spent"]}})
    exchange.ask("retry", str(report["seq"]))
    assert "crm has taken all of it; nothing is to be done" in next_step("inbox/crm/1.csv")
    assert ["inbox/crm/1.csv"] == [file["key"] for file in exchange.ask("files")][:1]
