"""Values and ids that a catalog refuses reject their row alone, before anything is sent."""

from __future__ import annotations

import json

import polars as pl
import pytest

from exchanger.config.models import ImportJob
from exchanger.profiles.frames.raw_columns import RawColumns
from exchanger.profiles.reading.mapping import settle_rules
from exchanger.profiles.reading.typed_rows import cast_rows

JOB = {
    "type": "import",
    "object": "catalog_items",
    "catalog": "shop",
    "id": "sku",
    "source": {"prefix": "in/"},
}


def cast(cells, field, ids=None):
    frame = pl.DataFrame({"sku": ids or [f"i{n}" for n in range(len(cells))], "v": cells})
    raw = RawColumns(
        frame.with_row_index("@row", 1).with_columns(pl.col("@row").cast(pl.UInt32)),
        key="in/a.csv",
        textual=True,
    )
    job = ImportJob.model_validate(JOB | {"fields": {"v": {"from": "v"} | field}})
    return cast_rows(raw, settle_rules(job, raw, {}).rules, job, 0)


def nested(depth):
    return f'{{"a":{nested(depth - 1)}}}' if depth else "1"


@pytest.mark.parametrize(
    ("kind", "cell", "reason"),
    [
        ("string", "x" * 5000, None),
        ("string", "x" * 5001, "item_too_long"),
        ("string", "05/04/1990", None),
        ("list", json.dumps(["x"] * 100), None),
        ("list", json.dumps([f"{n}" for n in range(101)]), "too_many_members"),
        ("list", json.dumps([f"{n}" * 100 for n in range(99)]), "item_too_long"),
        ("json", '{"shoe size":{"b":[1,null]},"t":"a.b $"}', None),
        ("json", '{"a":[{"b.c":1}]}', "bad_item_key"),
        ("json", '{"$add":["x"]}', "bad_item_key"),
        ("json", json.dumps({"a": "x" * 4000}), None),
        ("json", json.dumps({"a": "x" * 5000}), "item_too_long"),
        ("json", nested(50), None),
        ("json", nested(51), "too_deep"),
    ],
)
def test_values_that_a_catalog_refuses(kind, cell, reason):
    """What it takes passes, also where no attribute would take it."""
    given = cast([cell], {"type": kind})
    assert ([reason] if reason else []) == given.rejected["reason"].to_list()
    assert (0 if reason else 1) == given.frame.height


def test_long_text_is_cut_where_the_job_says_so():
    """At the limit of catalogs, not at that of attributes."""
    given = cast(["x" * 5001], {"type": "string", "too_long": "cut"})
    assert ["x" * 5000] == given.frame["fields.v"].to_list()


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ("A-1_b", None),
        ("x" * 250, None),
        ("x" * 251, "bad_item_id"),
        ("a b", "bad_item_id"),
        ("a.b", "bad_item_id"),
        ("ä", "bad_item_id"),
        (None, "no_identifier"),
        ("#N/A", "placeholder"),
        ("12345.0", None),
    ],
)
def test_ids_of_items(item, reason):
    """An id is made of few signs; the row that has another one says so."""
    given = cast(["1"], {}, [item])
    assert ([reason] if reason else []) == given.rejected["reason"].to_list()
    if reason is None:
        key = f"item\x1fshop\x1f{item.removesuffix('.0')}"
        assert [key] == given.frame["@profile"].to_list()
    else:
        assert "profile" not in given.rejected["message"].item()
        assert ["id"] == given.rejected["field"].to_list()
