"""Files that a run has taken are moved, renamed or tagged, and whoever looks for them finds them."""

from __future__ import annotations

import pytest
from support.fault_proxy import FaultProxy, Schedule
from support.jobs import import_job

CITY = import_job(source={"prefix": "in/crm/"}, fields={"city": "set"})
SPEND = {"merge": "sum", "type": "decimal", "scale": 2}
MOVED = {"move_to": "done/crm/"}


def crm(**after):
    return CITY | {"after": after}


def keys(exchange, prefix):
    return [item.key for item in exchange.bucket.list(prefix)]


def tags(exchange, key):
    found = exchange.s3.get_object_tagging(Bucket=exchange.bucket.name, Key=key)["TagSet"]
    return {each["Key"]: each["Value"] for each in found}


@pytest.fixture
def dropped(exchange, local_s3):
    """A connection with two files in the folder: one has a row that is rejected."""
    exchange.s3 = local_s3.client()
    exchange.drop("in/crm/a.csv", "id,city\na,Oslo\n,Bonn\n")
    exchange.drop("in/crm/2026/b.csv", "id,city\nb,Rome\n")
    return exchange


def test_a_file_that_was_taken_is_moved_and_everybody_finds_it(dropped):
    """The run's folder has it under its own name; retry, files and backfill read it there."""
    dropped.configure(
        crm=crm(**MOVED, tag={"exchanger": "done"}),
        all=import_job(source={"prefix": "done/"}, fields={"zip": "set"})
        if False
        else import_job(source={"prefix": "other/"}, fields={"zip": "set"}),
    )
    first = dropped.ask("run", "crm", code=4)
    run_id = first["run_id"]
    assert [] == keys(dropped, "in/crm/")
    at = f"done/crm/{run_id}/"
    assert [f"{at}2026/b.csv", f"{at}a.csv"] == keys(dropped, "done/")
    assert {"exchanger": "done"} == tags(dropped, f"{at}a.csv")
    assert "nothing_to_do" == dropped.ask("run", "crm")["state"]
    told = dropped.ask("files", "in/crm/a.csv")[0]
    assert f"{at}a.csv" == told["moved_to"]
    said = dropped.call("files", "in/crm/a.csv").stdout
    assert f"moved to {at}a.csv" in said
    assert "exchanger retry 1" in said
    assert "put the same file back" not in said
    again = dropped.ask("retry", "1", code=4)
    assert 1 == again["rows_rejected"]
    dropped.ask("backfill", "crm", "--full", code=4)
