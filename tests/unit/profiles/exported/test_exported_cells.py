"""Typed cells against an oracle that goes row by row, over exports of several archives."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Decimal

import orjson
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from exchanger.profiles.exported.cells import json_texts
from exchanger.profiles.exported.column_types import Observed, observe, settled, typed_cells
from exchanger.profiles.exported.lines import LineReader
from exchanger.profiles.exported.selection import ExportColumn, Selection

TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,3})?(Z|[+-][0-9]{2}:?[0-9]{2})"
)
SELECTION = Selection((), "")
EXACT = 2**53

TEXTS = st.sampled_from(
    ["", "gold", 'a "b"\\\n', "Zoë\u2028", "1", "1.5", "true", "null", "[]", "2026-09-15"]
)
TIMES = st.sampled_from(
    ["2026-09-15T10:00:00.000Z", "2026-09-15T10:00:00Z", "2026-09-15T12:00:00+02:00"]
)
WRONG_TIMES = st.sampled_from(["2026-13-15T10:00:00.000Z", "2026-09-15T10:00:00.0001Z"])
INTEGERS = st.integers(-(10**6), 10**6) | st.sampled_from([0, EXACT, -EXACT])
LONGS = st.sampled_from([EXACT + 1, -EXACT - 1, 2**63 - 1, -(2**63)])
HUGE = st.sampled_from([2**63, 2**64 - 1, 10**25])
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
OBJECTS = st.sampled_from([{"b": 1, "a": [2.5]}, {}, {"a": {"b": None}}])
LISTS = [
    st.lists(one, max_size=3)
    for one in (TEXTS, INTEGERS, INTEGERS | LONGS, FLOATS, st.booleans(), TEXTS | st.none())
]
ONE_KIND = [TEXTS, TIMES, WRONG_TIMES, INTEGERS, LONGS, HUGE, FLOATS, st.booleans(), OBJECTS]
EVERY = [*ONE_KIND, *LISTS]
# Each archive has values of few kinds, as real columns have.
ARCHIVE = st.lists(st.sampled_from(EVERY), min_size=1, max_size=2).flatmap(
    lambda kinds: st.lists(st.none() | st.one_of(kinds), min_size=1, max_size=5)
)
EXPORTS = st.lists(ARCHIVE, min_size=1, max_size=4)


def kind_of(value) -> str:
    """Name the kind of one value, as the words of a settled column do."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            return "huge"
        return "integer" if abs(value) <= EXACT else "long"
    if isinstance(value, float):
        return "float"
    if isinstance(value, str):
        return "time" if instant(value) else "string"
    return "object" if isinstance(value, dict) else list_kind(value)


def list_kind(values) -> str:
    kinds = {"string" if isinstance(v, str) else v if v is None else kind_of(v) for v in values}
    if not kinds:
        return "empty"
    if len(kinds) == 1:
        return {"string": "strings", "boolean": "booleans", "float": "floats"}.get(
            (one := kinds.pop()), "integers" if one == "integer" else one and "list"
        ) or "list"
    return "list"


def instant(text: str):
    if not TIME.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None


def label_of(values) -> str:
    """Settle the type of a column from its values, one by one; lists of long integers aside."""
    kinds = {kind_of(value) for value in values}
    for held, label in (
        (set(), "string"),
        ({"time"}, "datetime"),
        ({"time", "string"}, "string"),
        ({"boolean"}, "boolean"),
        ({"integer", "long"}, "integer"),
        ({"integer", "float"}, "float"),
        ({"empty", "strings"}, "list[string]"),
        ({"empty", "integers"}, "list[integer]"),
        ({"empty", "integers", "floats"}, "list[float]"),
        ({"empty", "booleans"}, "list[boolean]"),
    ):
        if kinds <= held:
            return label
    return "json"


def as_type(value, label: str):
    """Bring one value to the column's type."""
    if value is None:
        return None
    if label == "datetime":
        return instant(value)
    if label == "json":
        return json_text(value)
    if label == "float":
        return float(value)
    return [float(member) for member in value] if label == "list[float]" else value


def json_text(value) -> str:
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:  # An integer beyond 64 bit.
        return json.dumps(value)


def read(export):
    """Read an export of one attribute, a frame for each archive."""
    reader = LineReader(SELECTION)
    frames = [
        reader.read(
            [b'{"custom_attributes":{"v":%b}}' % json_text(v).encode() for v in archive], "a"
        )
        for archive in export
    ]
    return [frame["v"] for frame in frames]


def has_long_lists(values) -> bool:
    lists = [value for value in values if isinstance(value, list)]
    return any(isinstance(m, int) and abs(m) > EXACT for value in lists for m in value)


@given(EXPORTS)
@example([[1, 2], ["a"]])
@example([[1, 2], [1.5, None]])
@example([[1, 1.5], [True]])
@example([[None], [EXACT + 1], [1.5]])
@example([["2026-09-15T10:00:00Z"], ["soon"], [None]])
@example([["2026-09-15T10:00:00Z"], [1]])
@example([[{"a": 1}], ["a", None]])
@example([[[]], [[1]], [[1.5]]])
@example([[2**63], [1]])
@settings(max_examples=300, deadline=None)
def test_every_value_has_the_type_that_row_by_row_would_give(export):
    """Whatever kinds the archives of an export mix, types and values are those of an oracle."""
    values = [value for archive in export for value in archive]
    columns = read(export)
    seen = Observed()
    for column in columns:
        seen = observe(column, None, seen)
    column = settled("v", None, seen)

    given_values = [value for value in values if value is not None]
    assert len(given_values) == seen.filled
    if not has_long_lists(values):
        assert label_of(given_values) == column.type.label
        got = [value for one in columns for value in typed_cells(one, column.type).to_list()]
        assert [as_type(value, column.type.label) for value in values] == got


@given(EXPORTS)
@settings(max_examples=200, deadline=None)
def test_cells_are_the_json_text_of_their_values(export):
    """However a batch is kept, its JSON texts are those that each value has alone."""
    for archive, column in zip(export, read(export), strict=True):
        texts = json_texts(column).to_list()
        assert [None if value is None else json_text(value) for value in archive] == texts


OWN = st.sampled_from(["string", "integer", "float", "boolean", "date", "datetime", "json"])


@given(EXPORTS, OWN)
@settings(max_examples=200, deadline=None)
def test_a_declared_type_takes_cells_as_it_takes_their_json_texts(export, name):
    """A value fits a declared type, and becomes the same, whether it was kept typed or as text."""
    declared = ExportColumn("v", "custom_attributes.v", name)
    typed_seen = text_seen = Observed()
    for column in read(export):
        text = json_texts(column).cast(pl.Binary)
        typed_seen, text_seen = (
            observe(column, declared, typed_seen),
            observe(text, declared, text_seen),
        )
        own = settled("v", declared, Observed()).type
        assert typed_cells(text, own).equals(typed_cells(column, own), check_names=False)
    assert text_seen == typed_seen


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (["a", None], pl.String),
        ([1, 2**53 + 1, -(2**63)], pl.Int64),
        ([0.30000000000000004, 1.0], pl.Float64),
        ([True, None], pl.Boolean),
        ([None], pl.Null),
        ([1, 1.5], pl.Binary),
        ([True, 1], pl.Binary),
        ([2**63], pl.Binary),
        ([["a"]], pl.Binary),
        ([{"a": 1}], pl.Binary),
    ],
)
def test_values_stay_typed_for_as_long_as_they_are_of_one_kind(values, dtype):
    """Long numbers that 64 bits hold stay numbers; kinds that differ become JSON text."""
    lines = [{"custom_attributes": {"v": v}, "l": 12345678901234567890123} for v in values]
    encoded = [json.dumps(line).encode() for line in lines]
    frame = LineReader(SELECTION).read(encoded, "archive")
    assert dtype == frame["v"].dtype
    exact = [
        None if v is None else Decimal(json_text(v)) for v in values if type(v) in (int, float)
    ]
    texts = json_texts(frame["v"]).to_list()
    assert exact == [Decimal(t) for t in texts if t and re.fullmatch(r"[-0-9.e]+", t)]
