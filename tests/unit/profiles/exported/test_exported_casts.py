"""JSON text to typed values: exactly, or null."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest

from exchanger.profiles.exported.column_types import ColumnType, typed

AFTERNOON = datetime(2020, 7, 10, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        ("string", '"a\\"b\\u00e9"', 'a"bé'),
        ("string", '""', ""),
        ("string", "12.50", "12.50"),
        ("string", '{"a":1}', '{"a":1}'),
        ("integer", "42", 42),
        ("integer", "42.0", 42),
        ("integer", "1e3", 1000),
        ("integer", '"42"', 42),
        ("integer", "9223372036854775807", 2**63 - 1),
        ("integer", "9223372036854775808", None),
        ("integer", "1.5", None),
        ("integer", "true", None),
        ("integer", '"x"', None),
        ("float", "12.3", 12.3),
        ("float", "1", 1.0),
        ("float", "0.30000000000000004", 0.1 + 0.2),
        ("float", "0.12345678901234567891", None),
        ("float", "9007199254740993", None),
        ("float", "1e400", None),
        ("float", "false", None),
        ("boolean", "true", True),
        ("boolean", '"No"', False),
        ("boolean", "2", None),
        ("date", '"2020-07-10"', date(2020, 7, 10)),
        ("date", '"2020-07-10T00:00:00.000Z"', date(2020, 7, 10)),
        ("date", '"2020-07-10T01:00:00.000Z"', None),
        ("datetime", '"2020-07-10T15:00:00.000Z"', AFTERNOON),
        ("datetime", '"2020-07-10 15:00:00.000 UTC"', AFTERNOON),
        ("datetime", '"2020-07-10T17:00:00+02:00"', AFTERNOON),
        ("datetime", '"2020-07-10T15:00:00:000Z"', AFTERNOON),
        ("datetime", '"07/10/2020"', datetime(2020, 7, 10, tzinfo=UTC)),
        ("datetime", '"2020-02-30"', None),
        ("datetime", '"2020-07-10T15:00:00.123456Z"', None),
        ("datetime", "1594393200", None),
        ("json", '[1,{"a":2}]', '[1,{"a":2}]'),
    ],
)
def test_a_value_is_read_exactly_or_not_at_all(type_, text, value):
    """Each type reads its spellings; what does not fit exactly is null, never changed."""
    frame = pl.DataFrame({"t": [text, None]})
    read = frame.select(typed(pl.col("t"), ColumnType(type_)))
    assert [value, None] == read.to_series().to_list()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12.3", Decimal("12.30")),
        ("0.30000000000000004", Decimal("0.30")),
        ('"12.300"', Decimal("12.30")),
        ('"12.345"', None),
        ('"x"', None),
    ],
)
def test_decimals_round_floats_and_refuse_text_with_more_digits(text, value):
    """A number is rounded to the scale; a text with more digits does not fit."""
    frame = pl.DataFrame({"t": [text]})
    assert value == frame.select(typed(pl.col("t"), ColumnType("decimal", scale=2))).item()
