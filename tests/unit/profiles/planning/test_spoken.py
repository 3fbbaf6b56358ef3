"""What rows say of each field, in numbers."""

from __future__ import annotations

import polars as pl
import pytest

from exchanger.config.models import FieldConfig, ItemField
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.planning.spoken import Spoken, spoken

ROWS = pl.DataFrame({"@profile": ["a", "a", "b"], "@file": [0] * 3, "@row": [1, 2, 3]})
FOLDED = pl.DataFrame({"@profile": ["a", "b"]})


@pytest.mark.parametrize(
    ("name", "kind", "given", "folded", "profiles", "points"),
    [
        ("x", "string", ["1", None, "2"], ["1", "2"], 2, 2),
        ("x", "string", ['{"a":1,"b":2}', None, None], ['{"a":1,"b":2}', None], 1, 1),
        ("x", "json", ['{"a":1,"b":2}', "3", None], ["3", None], 1, 3),
        ("x", "list", [["a", "b"], ["c"], None], [["a"], None], 1, 2),
        ("email_subscribe", "string", ["a", "b", "c"], ["b", "c"], 2, 0),
        ("external_id", "string", ["a", "b", "c"], ["b", "c"], 2, 0),
    ],
)
def test_each_value_of_each_row_counts_as_braze_bills_it(  # noqa: PLR0917
    name, kind, given, folded, profiles, points
):
    """Profiles count once, and each row of them costs; leaves of JSON cost each."""
    rule = Rule(name, name, kind, FieldConfig(type=kind))
    found = spoken(
        ROWS.with_columns(pl.Series(name, given)),
        FOLDED.with_columns(pl.Series(name, folded)),
        [rule],
    )
    assert (profiles, points) == (found.profiles[name], found.points[name])


def test_an_empty_cell_says_something_where_it_clears():
    """Under clear, a row that empties a field is one that costs a data point."""
    rule = Rule("x", "x", "string", FieldConfig(merge="clear"))
    said = pl.Series("@said:x", [True, True, False])
    found = spoken(
        ROWS.with_columns(pl.Series("x", [None, "1", None], pl.String), said),
        FOLDED.with_columns(pl.Series("x", ["1", None]), pl.Series("@said:x", [True, False])),
        [rule],
    )
    assert (1, 2) == (found.profiles["x"], found.points["x"])


def test_items_of_catalogs_cost_nothing():
    """Braze bills none of their fields."""
    rule = Rule("x", "x", "string", ItemField())
    x = pl.Series("x", ["1", "2", "3"])
    found = spoken(ROWS.with_columns(x), FOLDED.with_columns(x.head(2)), [rule])
    assert (2, 0) == (found.profiles["x"], found.points["x"])


def test_numbers_of_parts_add_up():
    """However a run is parted, its numbers are the same."""
    x = pl.Series("x", ["1", "2", None])
    rows, rule = ROWS.with_columns(x), Rule("x", "x", "string", FieldConfig())
    halves = [spoken(part, part, [rule]) for part in (rows.head(2), rows.tail(1))]
    assert spoken(rows, rows, [rule]) == halves[0] + halves[1] == Spoken() + halves[0]
