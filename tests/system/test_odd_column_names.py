"""Columns whose names no attribute can have, and files that teach nothing, through the CLI."""

from __future__ import annotations

import polars as pl
import pytest
from support.jobs import import_job


def notes_about(report, word):
    return [note for note in report["notes"] if word in note]


PATTERNS = ["*", "^.*$", "^a$"]


@pytest.mark.parametrize("kind", ["csv", "ndjson", "parquet"])
def test_a_column_that_looks_like_a_pattern_holds_nobody_up(exchange, tmp_path, kind):
    """The other columns are applied; the report names those that were left out, and their file."""
    exchange.configure(crm=import_job(remaining_fields={"merge": "set"}))
    frame = pl.DataFrame({"id": ["x"], **{name: ["odd"] for name in PATTERNS}, "tier": ["gold"]})
    path = tmp_path / f"1.{kind}"
    getattr(frame, f"write_{kind}")(path)
    exchange.drop(f"inbox/1.{kind}", path.read_bytes())

    report = exchange.ask("run", "crm")

    assert "succeeded" == report["state"]
    assert '"gold"' == exchange.attribute("x", "tier")
    notes = notes_about(report, "left out")
    for name in PATTERNS:
        said = f"inbox/1.{kind}: column {name!r} was left out."
        assert 1 == sum(said in note for note in notes), notes


def test_names_that_no_attribute_can_have_are_told(exchange):
    """They are not dropped without a word; of many files of one kind it is said once."""
    exchange.configure(crm=import_job(remaining_fields={"merge": "sum", "type": "integer"}))
    header = 'id,@handle,"order\ntotal",other,email,first_name\n'
    exchange.drop("inbox/1.csv", header + "x,1,10,10,2,3\n")
    exchange.drop("inbox/2.csv", header + "x,1,5,5,2,3\n")

    report = exchange.ask("run", "crm")

    assert "15" == exchange.attribute("x", "other")
    handle, total, standard = notes_about(report, "left out")
    assert handle.startswith("inbox/1.csv and 1 more file: column '@handle' was left out.")
    assert r"column 'order\ntotal' was left out." in total
    assert "line breaks" in total
    assert "columns 'email', 'first_name' were left out. Standard attributes" in standard
    assert exchange.attribute("x", "@handle") is None


@pytest.mark.nightly
def test_such_columns_feed_attributes_of_other_names(exchange):
    """``from`` takes any column, and a sum of it goes on over files."""
    fields = {
        "handle": {"from": "@handle"},
        "total": {"from": "order\ntotal", "merge": "sum", "type": "integer"},
    }
    exchange.configure(crm=import_job(fields=fields))
    header = 'id,@handle,"order\ntotal"\n'
    for number, total in ((1, 10), (2, 5)):
        exchange.drop(f"inbox/{number}.csv", header + f"x,ada,{total}\n")
        exchange.ask("run", "crm")

    assert ('"ada"', "15") == (exchange.attribute("x", "handle"), exchange.attribute("x", "total"))


@pytest.mark.nightly
def test_names_that_we_give_ourselves_are_no_trouble(exchange):
    """An attribute called like a column that is made beside it is an attribute like any other."""
    exchange.configure(crm=import_job(remaining_fields={"merge": "set"}))
    for value in ("1", "2"):
        exchange.drop(f"inbox/{value}.csv", f"id,held:tier,tier,before:tier\nx,a{value},b,c\n")
        assert "succeeded" == exchange.ask("run", "crm")["state"]

    found = [exchange.attribute("x", name) for name in ("held:tier", "tier", "before:tier")]
    assert ['"a2"', '"b"', '"c"'] == found


def test_a_file_of_which_nothing_was_taken_teaches_nothing(exchange):
    """Types of columns are learnt from files with rows that could be used."""
    exchange.configure(crm=import_job(fields={"points": {}, "day": {}}))
    exchange.drop("inbox/1.csv", "id,points,day\n,N/A,soon\n")
    exchange.ask("run", "crm", code=4)
    exchange.drop("inbox/2.csv", "id,points,day\nx,13,2026-01-04\n")
    exchange.ask("run", "crm")

    assert "13" == exchange.attribute("x", "points")
    assert '"2026-01-04T00:00:00.000Z"' == exchange.attribute("x", "day")
