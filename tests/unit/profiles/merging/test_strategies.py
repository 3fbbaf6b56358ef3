from datetime import date
from typing import get_args

import polars as pl
import pytest

from exchanger.config.models import FieldConfig, StrategyName
from exchanger.profiles.frames.rules import NEEDS_HELD, Rule
from exchanger.profiles.merging.fields import merge_field
from exchanger.profiles.merging.strategies import STRATEGIES

DTYPES = {
    "string": pl.String,
    "integer": pl.Int64,
    "decimal": pl.Int128,
    "float": pl.Float64,
    "date": pl.Date,
    "list": pl.List(pl.String),
}


def merged(merge, kind, value, held, **config):
    """Merge one cell; give what is wanted, or the problem."""
    rule = Rule("field", "field", kind, FieldConfig(merge=merge, **config))
    dtype = pl.Int128 if merge == "sum" and kind == "integer" else DTYPES[kind]
    cells = pl.LazyFrame(
        {
            "given": pl.Series([value], dtype=dtype),
            "held": pl.Series([held], dtype=pl.String),
            "said": [merge == "clear"],
        }
    )
    row = merge_field(rule, cells).collect().row(0, named=True)
    return row["problem"] or row["wanted"]


@pytest.mark.parametrize(
    ("merge", "kind", "value", "held", "result"),
    [
        ("set", "string", "a", '"b"', '"a"'),
        ("set", "string", "a", '"a"', None),
        ("set", "string", "a", "null", '"a"'),
        ("set", "string", "a", None, '"a"'),
        ("set", "string", None, '"b"', None),
        ("set", "string", "12", "12", '"12"'),
        ("set_if_empty", "string", "a", '"b"', None),
        ("set_if_empty", "string", "a", "null", '"a"'),
        ("clear", "string", None, '"b"', "null"),
        ("clear", "string", None, "null", None),
        ("clear", "string", None, None, "null"),
        ("clear", "string", "a", '"b"', '"a"'),
        ("sum", "integer", 3, "4", "7"),
        ("sum", "integer", 3, "null", "3"),
        ("sum", "integer", 0, "null", "0"),
        ("sum", "integer", 0, "4", None),
        ("sum", "integer", None, "4", None),
        ("sum", "integer", 3, '"4"', "7"),
        ("sum", "integer", 3, '"four"', "held_type"),
        ("sum", "integer", 3, "true", "held_type"),
        ("sum", "integer", 3, "12.5", "held_type"),
        ("sum", "integer", 1, str(2**63 - 1), "overflow"),
        ("sum", "integer", 2**63, "-1", "overflow"),
        ("highest", "integer", 5, "4", "5"),
        ("highest", "integer", 4, "5", None),
        ("highest", "integer", 5, '"5"', None),
        ("highest", "integer", 5, "null", "5"),
        ("lowest", "integer", 4, "5", "4"),
        ("lowest", "integer", 5, "4", None),
        ("lowest", "integer", 5, '"5"', None),
        ("lowest", "integer", 5, "[5]", "held_type"),
        ("add", "list", ['"b"'], '["a"]', '["a","b"]'),
        ("add", "list", ['"a"'], '["a"]', None),
        ("add", "list", ['"a"'], '"a"', None),
        ("add", "list", ["1"], '"1"', '["1",1]'),
        ("add", "list", ['"b"'], "null", '["b"]'),
        ("add", "list", ['"b"'], '{"a":1}', "held_type"),
        ("add", "list", ['"b"'], '[{"a":[1,"]"]}]', '[{"a":[1,"]"]},"b"]'),
        ("remove", "list", ['"a"'], '["a","b"]', '["b"]'),
        ("remove", "list", ['"a"'], '["a"]', "null"),
        ("remove", "list", ['"a"'], '"a"', "null"),
        ("remove", "list", ['"c"'], '["a"]', None),
        ("remove", "list", ['"c"'], "null", None),
        ("set", "list", ['"b"', '"a"'], '["a","b"]', None),
        ("set", "list", ['"b"', '"a"'], '["a","c"]', '["b","a"]'),
        ("set", "list", ['"a"'], '"a"', '["a"]'),
    ],
)
def test_the_merge_table(merge, kind, value, held, result):
    """What is wanted of given and held: null is no change, ``null`` as text empties."""
    assert result == merged(merge, kind, value, held)


@pytest.mark.parametrize(
    ("value", "held", "result"),
    [
        (20, "0.1", "0.3"),
        (10, "0.30000000000000004", "0.4"),
        (10, "12.345", "held_type"),
        (1, "9999999999999.99", "10000000000000"),
        (11, "99999999999999.9", "too_many_digits"),
        (10**16, "0.01", "too_many_digits"),
    ],
)
def test_decimals_add_up_exactly(value, held, result):
    """Sums are exact, a float's tail is read as what was meant, and 15 digits are the limit."""
    assert result == merged("sum", "decimal", value, held, scale=2)


def test_dates_compare_as_instants():
    """A date is its midnight in UTC, and text that Braze reads as a time is one."""
    day = date(2026, 9, 15)
    assert None is merged("highest", "date", day, '"2026-09-15T00:00:00.001Z"')
    assert '"2026-09-15T00:00:00.000Z"' == merged(
        "lowest", "date", day, '"2026-09-15T00:00:00.001Z"'
    )
    assert None is merged("highest", "date", day, '"09/15/2026"')
    assert "held_type" == merged("highest", "date", day, '"someday"')


def test_an_ordered_list_differs_by_order():
    """With ``ordered: true`` another order is a change."""
    assert '["b","a"]' == merged("set", "list", ['"b"', '"a"'], '["a","b"]', ordered=True)


@pytest.mark.parametrize(
    ("merge", "value", "held", "result"),
    [
        ("add", ["4"], "[1,2,3]", "[2,3,4]"),
        ("add", ["4", "1"], "[1,2,3]", "[1,3,4]"),
        ("add", ["4", "5", "6", "7"], "[1,2,3]", "[5,6,7]"),
        ("add", ["2"], "[1,2,3,4]", None),
        ("set", ["4", "5", "6", "7"], "[1]", "[5,6,7]"),
        ("set_if_empty", ["5"], "[1,2,3,4]", None),
        ("set_if_empty", ["5", "6", "7", "8"], "[1,2,3,4]", None),
        ("set_if_empty", ["4", "5", "6", "7"], "null", "[5,6,7]"),
        ("remove", ["1", "2", "3", "4"], "[5,4,6,7,8]", "[5,6,7,8]"),
    ],
)
def test_a_full_list_lets_the_oldest_go(merge, value, held, result):
    """
    Given keeps its last members, then the oldest held ones that were not given go.

    A held list that nothing is added to stays as it is, however long.
    """
    assert result == merged(merge, "list", value, held, max_items=3)


def test_every_strategy_of_the_configuration_is_in_the_table():
    """No strategy can be configured that is not built, and who reads held values needs them."""
    assert set(get_args(StrategyName)) == set(STRATEGIES)
    readers = {name for name, strategy in STRATEGIES.items() if strategy.reads_held}
    assert {"set_if_empty", "deep", "rows"} == NEEDS_HELD - readers
