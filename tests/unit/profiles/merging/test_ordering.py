"""What is older than what was applied before, cell by cell, and what a sample shows."""

from __future__ import annotations

import polars as pl
import pytest

from exchanger.config.models import FieldConfig
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.merging.event_order import news, orders_of, overtaken, silenced
from exchanger.profiles.planning.readback_check import AT_ONCE, beside, not_stuck, sample_of


def rule(name, merge="set"):
    return Rule(name, name, "string", FieldConfig(merge=merge))


def given(*rows):
    """Rows of (profile, order, tier)."""
    return pl.DataFrame(
        [(who, 0, n, order, tier) for n, (who, order, tier) in enumerate(rows, 1)],
        schema={
            "@profile": pl.String,
            "@file": pl.UInt32,
            "@row": pl.UInt32,
            "@order": pl.Int64,
            "tier": pl.String,
        },
        orient="row",
    )


def applied(*rows):
    return pl.DataFrame(
        [(who, order, True) for who, order in rows],
        schema={"@profile": pl.String, "@order": pl.Int64, "order:tier": pl.Boolean},
        orient="row",
    )


@pytest.mark.parametrize(
    ("order", "merge", "or_equal", "expected"),
    [
        (4, "set", False, True),
        (5, "set", False, False),
        (5, "set", True, True),
        (6, "set", True, False),
        (None, "set", False, True),
        (4, "clear", False, True),
        (4, "remove", False, True),
        (4, "set_if_empty", False, True),
        (4, "sum", False, False),
        (4, "add", False, False),
        (4, "highest", False, False),
    ],
)
def test_a_cell_is_overtaken(order, merge, or_equal, expected):
    """An order below what was applied gives way under strategies that could undo it, no other."""
    cells = overtaken(
        given(("a", order, "x"), ("b", 1, "x")),
        applied(("a", 3), ("a", 5)),
        [rule("tier", merge)],
        or_equal=or_equal,
    )
    assert expected == bool(cells["tier"][0] if "tier" in cells.columns else False)
    assert not (cells["tier"][1] if "tier" in cells.columns else False)


def test_a_row_goes_only_if_nothing_is_left_of_it():
    """A row with another word stays, without what was overtaken; a silent one is not counted."""
    frame = given(("a", 1, "x"), ("a", 1, "y"), ("a", 1, None)).with_columns(
        home=pl.Series([None, "Bern", None])
    )
    left = silenced(frame, overtaken(frame, applied(("a", 5)), [rule("tier"), rule("home")]))
    assert [(2, None, "Bern"), (3, None, None)] == left.rows.select("@row", "tier", "home").rows()
    assert ([1], [1, 2]) == (left.gone["@row"].to_list(), left.overtaken["@row"].to_list())


def test_only_what_replaces_takes_the_order_further():
    """Of several rows the highest order counts; rows without one, and other strategies, do not."""
    frame = given(("a", 2, "x"), ("a", 7, None), ("a", 4, "y"), ("b", None, "x"))
    moved = orders_of(frame, [rule("tier")])
    assert [("a", 4, True)] == moved.rows()
    assert orders_of(frame, [rule("tier", "remove")]).is_empty()
    assert [("a", 4, True)] == news(moved, applied(("a", 3))).rows()
    assert news(moved, applied(("a", 4))).is_empty()


@pytest.mark.parametrize("name", ["order", "profile", "field", "seen", "wanted", "len", "tier"])
def test_attributes_may_be_called_like_columns_of_ours(name):
    """No name of an attribute gets into the way of what is kept beside it."""
    frame = given(("a", 4, "x")).rename({"tier": name})
    before = applied(("a", 3)).rename({"order:tier": f"order:{name}"})
    moved = orders_of(frame, [rule(name)])
    assert [("a", 4, True)] == news(moved, before).rows()
    assert overtaken(frame, moved, [rule(name)], or_equal=True)[name].to_list() == [True]
    sample = sample_of(delivered([name], 1), [name])
    held = pl.DataFrame({"@profile": ["p0"], "@exists": [True], "@stamp": [1], name: ["null"]})
    assert [("p0", name, '"x"', "null")] == not_stuck(beside(sample, held, "seen")).rows()


def delivered(fields, profiles):
    return pl.DataFrame({"@profile": [f"p{n}" for n in range(profiles)]}).with_columns(
        pl.lit('"x"').alias(f"wanted:{name}") for name in fields
    )


@pytest.mark.parametrize("count", [1, AT_ONCE, AT_ONCE + 1])
def test_a_sample_is_small_and_names_every_field(count):
    """No more than 50 profiles stand for 25 fields, even if each field is in a row of its own."""
    fields = [f"f{n}" for n in range(count)]
    one = pl.concat([delivered([name], 40) for name in fields], how="diagonal").with_columns(
        pl.format("{}-{}", "@profile", pl.int_range(pl.len())).alias("@profile")
    )
    for rows in (delivered(fields, 90), one):
        sample = sample_of(rows, fields)
        assert set(fields) == set(sample["field"])
        for at in range(0, count, AT_ONCE):
            part = sample.filter(pl.col("field").is_in(fields[at : at + AT_ONCE]))
            assert part["@profile"].n_unique() <= 50


@pytest.mark.parametrize(
    ("wanted", "seen", "lost"),
    [
        ('"gold"', '"gold"', False),
        ('"gold"', "null", True),
        ('"gold"', '"old"', True),
        ("null", '"old"', True),
        ('["a","b"]', '["b","a"]', False),
        ('["a","b"]', '["a"]', True),
        ("12.3", None, False),
    ],
)
def test_what_did_not_stick(wanted, seen, lost):
    """A value that Braze shows otherwise is lost; lists compare as sets; unknown is not lost."""
    sample = pl.DataFrame({"@profile": ["a"], "field": ["tier"], "wanted": [wanted]})
    held = pl.DataFrame(
        {"@profile": ["a"], "@exists": [True], "tier": pl.Series([seen], dtype=pl.String)}
    )
    assert lost == (not_stuck(beside(sample, held, "seen")).height == 1)


def test_a_profile_that_is_gone_tells_nothing():
    """That a profile does not exist any more is no sign of an ignored value."""
    sample = pl.DataFrame({"@profile": ["a"], "field": ["tier"], "wanted": ['"gold"']})
    held = pl.DataFrame({"@profile": ["a"], "@exists": [False], "tier": ["null"]})
    assert not_stuck(beside(sample, held, "seen")).is_empty()
