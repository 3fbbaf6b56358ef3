"""What is sent of an item, and where, from what is held of it."""

from __future__ import annotations

import json

import polars as pl
import pytest

from exchanger.config.models import ImportJob, ItemField
from exchanger.objects.items import ItemShape, shape_of_items
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.merging.folding import fold
from exchanger.profiles.planning.part import PartInput, PlanOptions, plan_part

KEY = "item\x1fshop\x1fa"
HELD = pl.Schema(
    {"@profile": pl.String, "@exists": pl.Boolean, "fields.t": pl.String, "fields.n": pl.String}
)


def rules(merge):
    kinds = {"t": "string", "n": "integer"}
    return [
        Rule(f"fields.{name}", name, kind, ItemField(from_=name, merge=merge, type=kind))
        for name, kind in kinds.items()
    ]


def planned(mode, held=None, *, t="x", n=None, merge="set", shape=None):
    """Plan one row of one item: what is sent of it, and where."""
    deleted = Rule("deleted", "", "boolean", ItemField(value=True))
    chosen = [deleted] if mode == "delete" else rules(merge)
    said = {f"@said:{rule.name}": [True] for rule in chosen if merge == "clear"}
    given = pl.DataFrame(
        {"@profile": [KEY], "@file": [0], "@row": [1], "fields.t": [t], "fields.n": [n],
         "deleted": [True], **said},
        schema_overrides={"@file": pl.UInt32, "@row": pl.UInt32, "fields.t": pl.String,
                          "fields.n": pl.Int64},
    )  # fmt: skip
    rows = [] if held is None else [(KEY, *held)]
    known = pl.DataFrame(rows, schema=HELD, orient="row")
    nothing = given.select("@profile", "@file").clear()
    part = PartInput(given, nothing, fold(given, chosen), known, known)
    shape = shape or ItemShape(mode)
    plan = plan_part(part, PlanOptions(chosen, False, mode != "update", shape=shape))
    assert 1 == plan.outbox.height + plan.tally.rows_unchanged + plan.tally.rows_skipped
    return plan.outbox


@pytest.mark.parametrize(
    ("mode", "merge", "held", "cells", "sent"),
    [
        # Nothing is known: it may exist or not.
        ("upsert", "set", None, ("x", 1), ("upsert", {"t": "x", "n": 1})),
        ("upsert", "set", None, ("x", None), ("upsert", {"t": "x"})),
        ("upsert", "clear", None, ("x", None), ("upsert", {"t": "x", "n": None})),
        # It exists: only what differs.
        ("upsert", "set", (True, '"x"', "1"), ("x", 2), ("update", {"n": 2})),
        ("upsert", "set", (True, '"x"', "1"), ("x", None), None),
        ("upsert", "clear", (True, '"x"', "1"), ("x", None), ("update", {"n": None})),
        ("upsert", "set", (True, '"2026-09-15T00:00:00.000Z"', "1"), ("2026-09-15", 1),
         ("update", {"t": "2026-09-15"})),
        # It was deleted, or perhaps.
        ("upsert", "set", (False, "null", "null"), ("x", 1), ("upsert", {"t": "x", "n": 1})),
        ("upsert", "set", (True, "?", "?"), ("x", 1), ("upsert", {"t": "x", "n": 1})),
        ("update", "set", None, ("x", 1), ("update", {"t": "x", "n": 1})),
        ("update", "set", (True, '"x"', "1"), ("y", 1), ("update", {"t": "y"})),
        # A whole item, of what differs and what is held beside.
        ("replace", "clear", None, ("x", None), ("replace", {"t": "x"})),
        ("replace", "clear", (True, '"x"', "1"), ("y", 1), ("replace", {"t": "y", "n": 1})),
        ("replace", "clear", (True, '"x"', "1"), ("x", None), ("replace", {"t": "x"})),
        ("replace", "clear", (True, '"x"', "?"), ("x", None), ("replace", {"t": "x"})),
        ("replace", "clear", (True, '"x"', "1"), ("x", 1), None),
        ("delete", "set", None, ("x", 1), ("delete", {})),
        ("delete", "set", (True, '"x"', "1"), ("x", 1), ("delete", {})),
        ("delete", "set", (False, "null", "null"), ("x", 1), None),
    ],
)  # fmt: skip
def test_what_is_sent_of_an_item(mode, merge, held, cells, sent):
    """The table of ``docs/catalogs.md``, case by case."""
    outbox = planned(mode, held, t=cells[0], n=cells[1], merge=merge)
    if sent is None:
        assert outbox.is_empty()
        return
    to, item = sent
    assert [f"items-{to}:shop"] == outbox["@endpoint"].to_list()
    assert {"id": "a", **item} == json.loads(outbox["@object"].item())
    assert [0] == outbox["@points"].to_list()


@pytest.mark.parametrize("mode", ["replace", "delete"])
def test_what_other_jobs_wrote_is_gone(mode):
    """Held values follow what a replacement or a deletion does to fields of other jobs."""
    outbox = planned(mode, merge="clear", shape=ItemShape(mode, {"fields.z": ("shop",)}))
    assert ["null"] == outbox["wanted:fields.z"].to_list()
    assert [None] == outbox["before:fields.z"].to_list()
    assert "z" not in json.loads(outbox["@object"].item())


@pytest.mark.parametrize(
    ("mode", "held", "sure"),
    [("upsert", None, True), ("update", None, False), ("update", (True, '"y"', None), True)],
)
def test_of_items_that_may_not_exist_nothing_is_held(mode, held, sure):
    """Braze takes no notice of a change of an item that it lacks, so it is sent again."""
    assert [sure] == planned(mode, held)["@sure"].to_list()


def test_what_is_held_of_one_catalog_is_nothing_of_another():
    """Of a field that only another catalog has, a replaced item loses nothing."""
    shape = shape_of_items(
        ImportJob.model_construct(mode="replace"), {"shop": ["fields.z"], "mall": ["fields.y"]}
    )
    assert {"fields.z": ("shop",), "fields.y": ("mall",)} == shape.others
    outbox = planned("replace", merge="clear", shape=shape)
    assert ["null"] == outbox["wanted:fields.z"].to_list()
    assert [None] == outbox["wanted:fields.y"].to_list()
