import json
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchanger.config.models import FieldConfig
from exchanger.profiles.frames.filled import filled
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.spelling.json_values import (
    canonical,
    canonical_json,
    decimal_text,
    fragment,
    json_string,
    spell_inner_times,
    spell_json,
    spell_numbers,
)

INSTANT = pl.Datetime("ms", "UTC")


def rendered(kind, values, *, name="field", dtype=None, scale=None):
    """Give the fragments and the canonical texts of typed values."""
    rule = Rule(name, name, kind, FieldConfig(scale=scale))
    frame = pl.DataFrame({"value": pl.Series(values, dtype=dtype)})
    frame = frame.with_columns(sent=fragment(rule, pl.col("value")))
    frame = frame.with_columns(kept=canonical(rule, pl.col("sent")))
    return frame["sent"].to_list(), frame["kept"].to_list()


def wide(text: str) -> str:
    """Write digits as Japanese forms do, twice as wide."""
    return text.translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)})


@pytest.mark.parametrize(
    ("kind", "value", "dtype", "sent", "kept"),
    [
        ("string", "Ada", pl.String, '"Ada"', '"Ada"'),
        ("string", "123", pl.String, '"123"', '"123"'),
        ("integer", -(2**63), pl.Int64, "-9223372036854775808", "-9223372036854775808"),
        ("integer", 7, pl.Int128, "7", "7"),
        ("float", 1.0, pl.Float64, "1", "1"),
        ("float", -0.0, pl.Float64, "0", "0"),
        ("float", 0.1, pl.Float64, "0.1", "0.1"),
        ("float", 1e16, pl.Float64, "1e+16", "10000000000000000"),
        ("float", 1e-7, pl.Float64, "1e-7", "0.0000001"),
        ("boolean", True, pl.Boolean, "true", "true"),
        ("date", date(2026, 9, 15), pl.Date, '"2026-09-15"', '"2026-09-15T00:00:00.000Z"'),
        (
            "datetime",
            datetime(2026, 9, 15, 1, 2, 3, 4000, tzinfo=UTC),
            INSTANT,
            '"2026-09-15T01:02:03.004Z"',
            '"2026-09-15T01:02:03.004Z"',
        ),
        ("list", ['"a"', "1"], pl.List(pl.String), '["a",1]', '["a",1]'),
        ("json", '{"a":1}', pl.String, '{"a":1}', '{"a":1}'),
    ],
)
def test_a_value_is_sent_and_kept_as(kind, value, dtype, sent, kept):
    """Each type has one text to send and one to compare; null has neither."""
    assert ([sent, None], [kept, None]) == rendered(kind, [value, None], dtype=dtype)


@pytest.mark.parametrize(
    ("units", "scale", "text"),
    [
        (1230, 2, "12.3"),
        (-5, 2, "-0.05"),
        (0, 2, "0"),
        (10000, 2, "100"),
        (7, 0, "7"),
        (100, 0, "100"),
        (-(2**63), 2, "-92233720368547758.08"),
        (-1, 4, "-0.0001"),
        (-12340, 4, "-1.234"),
        (120005, 5, "1.20005"),
        (10**30 + 1, 15, "1000000000000000.000000000000001"),
    ],
)
def test_decimals_are_exact_and_without_trailing_zeros(units, scale, text):
    """A decimal is written from its units and never passes through a float."""
    for dtype in (pl.Int128, pl.Int64)[: 1 + (abs(units) <= 2**63)]:
        frame = pl.DataFrame({"units": pl.Series([units, None], dtype=dtype)})
        spelt = frame.select(decimal_text(pl.col("units"), scale)).to_series()
        assert [text, None] == spelt.to_list()


@pytest.mark.parametrize(
    ("name", "sent", "kept"),
    [
        ("country", '"gb"', '"GB"'),
        ("dob", '"1980-12-21"', '"1980-12-21"'),
        ("first_name", '"2026-09-15"', '"2026-09-15"'),
        ("email", '"Ada@X.org"', '"Ada@X.org"'),
        ("Country", '"gb"', '"gb"'),
        ("joined", '"1980-12-21"', '"1980-12-21T00:00:00.000Z"'),
    ],
)
def test_standard_attributes_keep_their_own_spelling(name, sent, kept):
    """Country has no case; text of other standard attributes is never read as a time."""
    assert ([sent], [kept]) == rendered("string", [json.loads(sent)], name=name)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ('{"$time":"2020-05-28"}', '"2020-05-28T00:00:00.000Z"'),
        (
            '{"a":[{"$time":"2020-05-28T02:00:00+02:00"},"}"],"b":{"$time":"05/28/2020"},"c":1}',
            '{"a":["2020-05-28T00:00:00.000Z","}"],"b":"2020-05-28T00:00:00.000Z","c":1}',
        ),
        ('{"a":"{\\"$time\\":\\"2020-05-28\\"}"}',) * 2,
        ('{"a":"2020-05-28"}',) * 2,
    ],
)
def test_times_inside_of_json_are_spelt_as_braze_gives_them_back(sent, kept):
    """A time goes out as an object and comes back as text; text that looks like one stays."""
    spelt = spell_inner_times(pl.Series([sent, '{"b":1}', None]))
    assert [kept, '{"b":1}', None] == spelt.to_list()


@pytest.mark.parametrize("kind", ["date", "datetime"])
def test_the_day_of_birth_is_a_day(kind):
    """Braze takes and gives back dob as YYYY-MM-DD."""
    day = datetime(1980, 12, 21, tzinfo=UTC) if kind == "datetime" else date(1980, 12, 21)
    dtype = INSTANT if kind == "datetime" else pl.Date
    assert (['"1980-12-21"'], ['"1980-12-21"']) == rendered(kind, [day], name="dob", dtype=dtype)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("2026-09-15", "2026-09-15T00:00:00.000Z"),
        (wide("2026-09-15"), wide("2026-09-15")),
        ("०९/१५/२०२६", "०९/१५/२०२६"),
        ("2026-09-15T10:00", "2026-09-15T10:00:00.000Z"),
        ("2026-09-15T10:00:00", "2026-09-15T10:00:00.000Z"),
        ("2026-09-15T10:00:00.5Z", "2026-09-15T10:00:00.500Z"),
        ("2026-09-15T10:00:00.123456789Z", "2026-09-15T10:00:00.123Z"),
        ("2026-09-15T10:00:00:123+0200", "2026-09-15T08:00:00.123Z"),
        ("2026-09-15T10:00:00-05:30", "2026-09-15T15:30:00.000Z"),
        ("2026-09-15T10:00:00+02", "2026-09-15T08:00:00.000Z"),
        ("2026-09-15 10:00:00", "2026-09-15T10:00:00.000Z"),
        ("09/15/2026", "2026-09-15T00:00:00.000Z"),
        ("Tue 09 15 10:00:00.+02:00 2026", "2026-09-15T08:00:00.000Z"),
        ("3000-12-31", "3000-12-31T00:00:00.000Z"),
        ("3001-01-01", "3001-01-01"),
        ("2026-02-30", "2026-02-30"),
        ("15/09/2026", "15/09/2026"),
        ("2026-09-15T25:00:00Z", "2026-09-15T25:00:00Z"),
        ("2026-09-15T10:00:60Z", "2026-09-15T10:00:60Z"),
        ("20260915", "20260915"),
        ("2026-09-15 is the day", "2026-09-15 is the day"),
        ("on 2026-09-15", "on 2026-09-15"),
    ],
)
def test_text_that_braze_reads_as_a_time_is_spelt_as_one(text, kept):
    """The documented formats become times; everything else stays the text it was."""
    assert ([f'"{text}"'], [f'"{kept}"']) == rendered("string", [text])


def test_texts_of_many_files_are_spelled_where_no_row_of_one_is_left():
    """A mask leaves a chunk without rows, on which ``pl.format`` panics."""
    texts = pl.concat([pl.Series("t", each) for each in (["a"], ["b", "c"], ["d"])], rechunk=False)
    chosen = texts.filter(texts.is_in(["a", "d"])).to_frame()
    assert [1, 0, 1] == chosen["t"].chunk_lengths()
    spelled = chosen.select(json_string(pl.col("t")), filled("{}/{}!", "t", pl.lit(7)).alias("of"))
    assert [('"a"', "a/7!"), ('"d"', "d/7!")] == spelled.rows()


@pytest.mark.parametrize(
    ("template", "values", "text"),
    [
        ("{}", ["a"], "x"),
        ("<{}>", ["a"], "<x>"),
        ("{}{}", ["a", "n"], "x3"),
        ("{} of {}: {}", ["n", pl.lit("7"), "a"], "3 of 7: x"),
        ("{}, {}", ["a", "none"], None),
        ("nothing", [], "nothing"),
    ],
)
def test_a_template_is_filled(template, values, text):
    """Each value stands in its place; without one there is no text."""
    frame = pl.DataFrame({"a": ["x"], "n": [3], "none": pl.Series([None], dtype=pl.String)})
    assert text == frame.select(filled(template, *values)).item()


@pytest.mark.parametrize(("template", "values"), [("{} {}", ["a"]), ("{}", ["a", "a"])])
def test_a_template_has_a_place_for_each_value(template, values):
    """Nothing is left out without a word."""
    with pytest.raises(ValueError, match="zip"):
        filled(template, *values)


@settings(max_examples=80, derandomize=True, deadline=None, database=None)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_survives_as_a_json_string(text):
    """A JSON reader gives back exactly the text; both writers of strings agree."""
    literal = pl.select(json_string(pl.lit(text))).item()
    assert text == json.loads(literal)
    assert spell_json(text) == literal


def test_only_what_json_demands_is_escaped():
    """Letters outside of ASCII and slashes stay themselves; control characters are named."""
    assert '"é/\\u000a\\"\\\\\u2028"' == pl.select(json_string(pl.lit('é/\n"\\\u2028'))).item()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ('{ "b": 1.0, "a": null, "c": {"z": [1e2, null]} }', '{"b":1,"c":{"z":[100,null]}}'),
        ('{"a":1,"a":2}', '{"a":2}'),
        ("12.300", "12.3"),
        ("-0.0", "0"),
        ("123456789012345678901234567890.1", "123456789012345678901234567890.1"),
        ('"\\u00e9\\/"', '"é/"'),
        ('"\\ud800"', '"\\ud800"'),
        ("NaN", None),
        ("1e999999999", None),
        ("{", None),
        ("", None),
        (None, None),
    ],
)
def test_json_has_one_canonical_spelling(text, kept):
    """Key order, spaces and zeros do not count; numbers stay exact; what is no JSON is null."""
    assert [kept] == canonical_json(pl.Series([text], dtype=pl.String)).to_list()


@settings(max_examples=60, derandomize=True, deadline=None, database=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_floats_read_back_as_they_were(values):
    """Neither spelling of a float loses a bit."""
    sent, kept = rendered("float", values, dtype=pl.Float64)
    assert values == [float(json.loads(text)) for text in sent]
    assert values == [float(Decimal(text)) for text in kept]


def test_numbers_with_exponents_are_spelt_out():
    """Canonical numbers have no exponent, whatever the sender wrote."""
    numbers = pl.Series(["1e5", "1.50", "-0", "10", "2E-3", None])
    assert ["100000", "1.5", "0", "10", "0.002", None] == spell_numbers(numbers).to_list()
