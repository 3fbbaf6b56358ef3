"""What a run does to values that somebody else changed in Braze."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchanger.config.models import FieldConfig
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.merging.drift import differs
from exchanger.profiles.merging.folding import fold
from exchanger.profiles.merging.reconcile import merge

LISTS = ['["a","b"]', '["b","a"]', '["a"]', '["a","b","c"]', '[["a"],"b"]', '["b",["a"]]']
TEXTS = ["null", '"gold"', '"a"', "1", *LISTS]


@pytest.mark.parametrize(
    ("one", "other", "as_set", "in_order"),
    [
        ('"gold"', '"gold"', False, False),
        ('"gold"', '"silver"', True, True),
        ('"gold"', "null", True, True),
        ("null", "null", False, False),
        ("1", '"1"', True, True),
        ("?", '"gold"', False, False),
        ('"gold"', "?", False, False),
        (None, '"gold"', False, False),
        ('"gold"', None, False, False),
        ('["a","b"]', '["b","a"]', False, True),
        ('["a","b"]', '["a"]', True, True),
        ('["a"]', '["a","b"]', True, True),
        ('["a","b"]', '["c","a"]', True, True),
        ('["a"]', '"a"', True, True),
        ('[["a"],"b"]', '["b",["a"]]', False, True),
        ('["a, b"]', '["a"," b"]', True, True),
        ('{"a":{"$time":"2026-09-15"}}', '{"a":"2026-09-15T00:00:00.000Z"}', False, False),
        ('{"a":{"$time":"2026-09-15"}}', '{"a":"2026-09-16T00:00:00.000Z"}', True, True),
        ('[{"$time":"2026-09-15"},1]', '[1,"2026-09-15T00:00:00.000Z"]', False, True),
    ],
)
def test_two_values_differ(one, other, as_set, in_order):
    """Unknown values differ from nothing; lists are compared as sets unless their order counts."""
    frame = pl.DataFrame(
        {"one": [one], "other": [other]}, schema=dict.fromkeys(("one", "other"), pl.String)
    )
    found = [
        frame.select(differs(pl.col("one"), pl.col("other"), ordered=ordered)).item()
        for ordered in (False, True)
    ]
    assert [as_set, in_order] == found


def merged(policy, strategy, cells, *, exists=True, kind="string"):
    """Merge one profile and tell what is sent, why it is rejected, and how many are left alone."""
    given, held, sent = cells
    rule = Rule("x", "x", kind, FieldConfig(merge=strategy, on_drift=policy))
    dtype = {"integer": pl.Int64, "list": pl.List(pl.String)}.get(kind, pl.String)
    rows = pl.DataFrame(
        {"@profile": ["p"], "@file": [0], "@row": [1], "x": [given], "@said:x": [True]},
        schema_overrides={"@file": pl.UInt32, "@row": pl.UInt32, "x": dtype},
    )
    known = pl.DataFrame(
        {"@profile": ["p"], "@exists": [exists], "x": [held], "@sent:x": [sent]},
        schema_overrides={"@exists": pl.Boolean, "x": pl.String, "@sent:x": pl.String},
    )
    result = merge(fold(rows, [rule]), known, [rule])
    reasons = result.rejected["reason"].to_list()
    return result.wanted["send:x"].to_list(), reasons, result.counts.fields_kept


@pytest.mark.parametrize(
    ("strategy", "cells", "exists", "overwrite", "drifted"),
    [
        ("set", ("new", '"theirs"', '"ours"'), True, ['"new"'], True),
        ("set", ("ours", '"theirs"', '"ours"'), True, ['"ours"'], True),
        ("set", ("theirs", '"theirs"', '"ours"'), True, [], False),
        ("set", ("new", '"ours"', '"ours"'), True, ['"new"'], False),
        ("set", ("new", '"theirs"', None), True, ['"new"'], False),
        ("set", ("new", '"theirs"', "?"), True, ['"new"'], False),
        ("set", ("new", "?", "?"), True, ['"new"'], False),
        ("set", ("new", None, None), None, ['"new"'], False),
        ("set", ("new", "null", '"ours"'), True, ['"new"'], True),
        ("set", ("new", "null", '"ours"'), False, ['"new"'], False),
        ("set", (None, '"theirs"', '"ours"'), True, [], False),
        ("clear", (None, '"theirs"', '"ours"'), True, ["null"], True),
        ("clear", (None, '"theirs"', "null"), True, ["null"], True),
        ("clear", (None, "null", '"ours"'), True, [], False),
    ],
)  # fmt: skip
def test_what_others_changed_is_written_over_left_or_put_aside(
    strategy, cells, exists, overwrite, drifted
):
    """
    The policy counts where Braze was seen to hold what we did not deliver, and there is a change.

    Not where it is unknown what was delivered, and not of profiles that are gone.
    """
    told = {
        policy: merged(policy, strategy, cells, exists=exists)
        for policy in ("overwrite", "keep", "quarantine")
    }
    usual = (overwrite, [], 0)
    expected = {
        "overwrite": usual,
        "keep": ([], [], 1) if drifted else usual,
        "quarantine": ([], ["changed_by_others"], 0) if drifted else usual,
    }
    assert expected == told


@pytest.mark.parametrize(
    ("policy", "held", "sent", "expected"),
    [
        ("overwrite", "100", "10", (["105"], [], 0)),
        ("quarantine", "100", "10", ([], ["changed_by_others"], 0)),
        ("quarantine", "10", "10", (["15"], [], 0)),
    ],
)
def test_a_sum_builds_on_what_braze_has_now(policy, held, sent, expected):
    """Whoever set the number, the given one is added to it, unless it is put aside."""
    assert expected == merged(policy, "sum", (5, held, sent), kind="integer")


def test_the_reason_names_what_braze_has():
    """Whoever reads quarantine learns which field, what Braze holds, and what to do."""
    rule = Rule("tier", "tier", "string", FieldConfig(on_drift="quarantine"))
    rows = pl.DataFrame(
        {"@profile": ["p"], "@file": [0], "@row": [1], "tier": ["gold"]},
        schema_overrides={"@file": pl.UInt32, "@row": pl.UInt32},
    )
    known = pl.DataFrame(
        {"@profile": ["p"], "@exists": [True], "tier": ['"vip"'], "@sent:tier": ['"silver"']}
    )
    [row] = merge(fold(rows, [rule]), known, [rule]).rejected.to_dicts()
    assert ("tier", '"vip"') == (row["field"], row["value"])
    assert 'Somebody else changed tier in Braze, where it is "vip" now' in row["message"]
    assert "on_drift: overwrite" in row["message"]


@settings(max_examples=30)
@given(
    st.sampled_from(["set", "clear", "set_if_empty"]),
    st.sampled_from(["a", "gold", None]),
    st.sampled_from(TEXTS),
    st.sampled_from([*TEXTS, "?", None]),
)
def test_nothing_but_drift_makes_a_difference(strategy, cell, held, sent):
    """Where nothing drifted every policy does the same; where it did, only ``overwrite`` sends."""
    usual = merged("overwrite", strategy, (cell, held, sent))
    same = sent in (None, "?", held)
    for policy in ("keep", "quarantine"):
        found = merged(policy, strategy, (cell, held, sent))
        assert found == usual if same else found[0] == [] or found == usual
        assert bool(usual[0]) == (bool(found[0]) or bool(found[1]) or found[2] == 1)
