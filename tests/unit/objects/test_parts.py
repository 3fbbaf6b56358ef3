"""What an object is put together from: against JSON made row by row."""

from __future__ import annotations

import json

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from exchanger.config.models import PROPERTY, FieldConfig
from exchanger.objects.parts import is_larger, object_of
from exchanger.profiles.frames.rules import Rule

SHORT = st.text(st.sampled_from('a"\\\x1f{}é𝒳'), max_size=5)
SIGNS = SHORT | SHORT.map(lambda text: text * 100)
KINDS = {"text": "string", "whole {}": "integer", 'part"': "float", "{yes}": "boolean", "é": "list"}
RULES = [Rule(f"properties.{name}", name, kind, FieldConfig()) for name, kind in KINDS.items()]
SCHEMA = dict(
    zip(
        [rule.name for rule in RULES],
        [pl.String, pl.Int64, pl.Float64, pl.Boolean, pl.List(pl.String)],
        strict=True,
    )
)
ROW = st.tuples(
    st.none() | SIGNS,
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
    st.none() | st.booleans(),
    st.none() | st.lists(SIGNS, max_size=3),
)


def frame_of(rows):
    """Hold rows as they are given: members of lists are JSON by then."""
    listed = [
        (*row[:-1], None if row[-1] is None else [json.dumps(text) for text in row[-1]])
        for row in rows
    ]
    return pl.DataFrame(listed, schema=SCHEMA, orient="row")


@settings(max_examples=150, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=6))
def test_an_object_has_the_members_that_have_values(rows):
    """Whichever columns are full, empty, or have gaps; a row without any value has no object."""
    spelled = frame_of(rows).select(object_of(RULES, PROPERTY)).to_series()
    expected = [
        {name: value for name, value in zip(KINDS, row, strict=True) if value is not None}
        for row in rows
    ]
    found = [{} if text is None else json.loads(text) for text in spelled]
    assert expected == found
    assert [list(each) for each in expected] == [list(each) for each in found]


@settings(max_examples=150, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=6), st.integers(0, 3_000))
def test_too_large_is_what_is_spelled_with_more_bytes(rows, limit):
    """What need not be spelled to tell is told alike."""
    frame = frame_of(rows)
    sizes = frame.select(object_of(RULES, PROPERTY)).to_series().str.len_bytes().fill_null(0)
    assert (sizes > limit).to_list() == frame.select(is_larger(RULES, limit)).to_series().to_list()


def test_numbers_alone_are_judged_row_by_row():
    """Where no property is text, there is still an answer for each row."""
    frame = pl.DataFrame({"properties.n": [7, 77_777, None]})
    rules = [Rule("properties.n", "n", "integer", FieldConfig())]
    assert [False, True, False] == frame.select(is_larger(rules, 8)).to_series().to_list()
    assert [False] * 3 == frame.select(is_larger(rules, 1_000)).to_series().to_list()
