"""Columns that are text for a few words: the first run waits, and the job can be corrected."""

from __future__ import annotations

import pytest
from support.jobs import import_job

JOB = import_job(remaining_fields={"merge": "set"})
FILE = "id,spend\n" + "".join(f"p{n},{n}.50\n" for n in range(99)) + "q,NA\n"


@pytest.mark.nightly
def test_a_run_waits_and_goes_on_once_the_job_is_corrected(exchange):
    """Nothing is sent as text before a person said so; with nulls, the run is planned again."""
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", FILE)
    planned = exchange.ask("plan", "crm")
    assert any("'spend' is decimal(2) but for 1 of 100" in n for n in planned["report"]["notes"])
    held = exchange.ask("run", "crm", code=5)
    assert any("write 'nulls: [\"NA\"]'" in note for note in held["notes"])
    waits = exchange.ask("run", "crm")
    assert ("nothing_to_do", True) == (
        waits["state"],
        "correct the job and run it again, or exchanger approve 1" in waits["notes"][0],
    )
    assert {} == exchange.braze.users()

    exchange.configure(crm=JOB | {"source": {"prefix": "inbox/", "nulls": ["n/a"]}})
    still = exchange.ask("run", "crm", code=5)
    assert any('which say "NA"' in note for note in still["notes"])
    exchange.configure(crm=JOB | {"source": {"prefix": "inbox/", "nulls": ["NA"]}})
    done = exchange.ask("run", "crm")
    assert ("succeeded", 100) == (done["state"], done["rows_read"])
    assert ("7.5", 99) == (exchange.attribute("p7", "spend"), len(exchange.braze.users()))
    assert "released" == exchange.ask("show", "1")["state"]
    assert "nothing_to_do" == exchange.ask("run", "crm")["state"]


@pytest.mark.nightly
def test_an_approved_column_is_text_until_the_job_says_what_its_words_mean(exchange):
    """Approved once, later files go on; with nulls afterwards, a backfill sends the numbers."""
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", FILE)
    exchange.ask("run", "crm", code=5)
    exchange.ask("approve", "1")
    assert '"7.50"' == exchange.attribute("p7", "spend")
    exchange.drop("inbox/2.csv", FILE.replace("p7,7.50", "p7,8.50"))
    exchange.ask("run", "crm")
    assert '"8.50"' == exchange.attribute("p7", "spend")
    [kept] = exchange.ask("types", "crm")["columns"]
    assert ("spend", "string", ["NA"]) == (kept["column"], kept["type"], kept["words"])
    told = exchange.ask("check", "--connect")["jobs"]["crm"]
    assert "column 'spend' is text, as earlier files say 'NA' in it: exchanger types crm" in told

    exchange.configure(crm=JOB | {"source": {"prefix": "inbox/", "nulls": ["NA"]}})
    exchange.ask("backfill", "crm", "--full")
    assert ("8.5", None) == (exchange.attribute("p7", "spend"), exchange.attribute("q", "spend"))
    assert [("spend", "decimal(2)")] == [
        (kept["column"], kept["type"]) for kept in exchange.ask("types", "crm")["columns"]
    ]


def test_a_column_is_told_anew_once_it_is_forgotten(exchange):
    """A person resets one column; a misspelt one is answered with what there is."""
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.ndjson", '{"id": "a", "code": "x", "n": 1}\n')
    exchange.ask("run", "crm")
    shown = exchange.call("types", "crm").stdout.splitlines()
    assert ["code  string", "n  integer"] == shown
    assert "did you mean code?" in exchange.call("types", "crm", "--forget", "cod").stderr

    left = exchange.ask("types", "crm", "--forget", "code")
    assert (["code"], ["n"]) == (left["forgotten"], [entry["column"] for entry in left["columns"]])
    exchange.drop("inbox/2.ndjson", '{"id": "b", "code": 5, "n": 1}\n')
    exchange.ask("run", "crm")
    assert "5" == exchange.attribute("b", "code")


@pytest.mark.nightly
def test_what_was_applied_meanwhile_is_neither_added_twice_nor_undone(exchange):
    """Runs that wait meet a copy that was approved, and a newer version that had no such word."""
    exchange.configure(crm=JOB | {"fields": {"visits": {"merge": "sum", "type": "integer"}}})
    body = FILE.replace("\n", ",1\n").replace("spend,1", "spend,visits")
    for name in ("1", "2", "3"):
        text = body if name != "3" else body.replace("p7,7.50", "p7,6.50")
        exchange.drop(f"inbox/{name}.csv", text)
        exchange.ask("run", "crm", code=5)
    exchange.drop("inbox/3.csv", body.replace("q,NA", "q,5.00").replace("p7,7.50", "p7,9.50"))
    exchange.ask("run", "crm")
    assert ("9.5", "1") == tuple(exchange.attribute("p7", name) for name in ("spend", "visits"))

    dropped = exchange.ask("approve", "3")
    assert ("discarded", True) == (dropped["state"], "was left out" in dropped["notes"][-1])
    exchange.configure(crm=exchange.jobs["crm"] | {"remaining_fields": {"type": "string"}})
    exchange.ask("run", "crm", code=4)
    assert "2" == exchange.attribute("p7", "visits")
    [waits] = exchange.ask("jobs", "--waiting")[0]["held_back"]
    assert ["inbox/2.csv"] == waits["files"]
