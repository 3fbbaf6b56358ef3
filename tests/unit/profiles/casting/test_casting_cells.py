"""One cell in, one value or one reason out: every corner case of casting as a table."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest
from support.jobs import import_model

from exchanger.config.models import FieldConfig
from exchanger.profiles.frames.raw_columns import RawColumns
from exchanger.profiles.reading.mapping import settle_rules
from exchanger.profiles.reading.typed_rows import Given, cast_rows


def cast(cells: pl.Series, config: dict, *, json: bool = False, **source: object) -> Given:
    job = import_model(source={"prefix": "in/", **source}, fields={"f": FieldConfig(**config)})
    frame = pl.DataFrame({"id": [f"p{n}" for n in range(len(cells))], "f": cells})
    raw = RawColumns(
        frame.with_row_index("@row", offset=1),
        textual=cells.dtype == pl.String and not json,
        json_columns=frozenset({"f"} if json else ()),
    )
    settled = settle_rules(job, raw, {})
    return cast_rows(raw, settled.rules, job, 0, settled.kept)


def wide(text: str) -> str:
    """Write digits as Japanese forms do, twice as wide."""
    return text.translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)})


def outcome(given: Given) -> object:
    """The only value, or the only reason in brackets."""
    if given.rejected.height:
        assert given.frame.is_empty()
        return f"<{given.rejected['reason'].item()}>"
    return given.frame["f"].to_list()[0]


TEXT_CASES = [
    ("integer", "12", 12),
    ("integer", " -12 ", -12),
    ("integer", "+5", 5),
    ("integer", "007", 7),
    ("integer", "9223372036854775807", 2**63 - 1),
    ("integer", "9223372036854775808", "<integer_too_big>"),
    ("integer", "3.0", 3),
    ("integer", "-12.00 ", -12),
    ("integer", "3.5", "<not_an_integer>"),
    ("integer", "1.000", "<not_an_integer>"),
    ("integer", "9223372036854775808.0", "<integer_too_big>"),
    ("integer", "1,234", "<not_an_integer>"),
    ("integer", "1e3", "<not_an_integer>"),
    ("integer", "NaN", "<not_finite>"),
    ("integer", wide("123"), "<not_an_integer>"),
    ("integer", "١٢", "<not_an_integer>"),
    ("float", wide("12.5"), "<not_a_number>"),
    ("decimal", wide("123"), "<not_a_number>"),
    ("decimal", "१२.५", "<not_a_number>"),
    ("date", wide("2026-09-15"), "<not_a_time>"),
    ("datetime", wide("2026-09-15T10:00:00Z"), "<not_a_time>"),
    ("string", wide("2026-09-15"), wide("2026-09-15")),
    ("float", "1.5", 1.5),
    ("float", " .5", 0.5),
    ("float", "1e3", 1000.0),
    ("float", "1,5", "<not_a_number>"),
    ("float", "-inf", "<not_finite>"),
    ("float", "1e999", "<number_too_big>"),
    ("decimal", "12.3", 1230),
    ("decimal", "-.5", -50),
    ("decimal", "5.", 500),
    ("decimal", "12.340", 1234),
    ("decimal", "12.345", "<too_many_places>"),
    ("decimal", "1e3", "<not_a_number>"),
    ("decimal", "1.234,50", "<not_a_number>"),
    ("decimal", "9999999999999.99", 999_999_999_999_999),
    ("decimal", "10000000000000.00", "<too_many_digits>"),
    ("decimal", "9" * 40, "<too_many_digits>"),
    *[("boolean", word, True) for word in ("true", "T", "1", "YES", " True ")],
    *[("boolean", word, False) for word in ("false", "f", "0", "No")],
    ("boolean", "y", "<not_a_boolean>"),
    ("boolean", "2", "<not_a_boolean>"),
    ("date", "2026-09-15", date(2026, 9, 15)),
    ("date", "09/15/2026", date(2026, 9, 15)),
    ("date", "05/05/2026", date(2026, 5, 5)),
    ("date", "25/12/1990", "<day_or_month>"),
    ("date", "05/04/1990", "<day_or_month>"),
    ("datetime", "05/04/1990", "<day_or_month>"),
    ("date", "5/4/1990", "<day_or_month>"),
    ("date", "05/04/90", "<day_or_month>"),
    ("datetime", "05/04/1990 10:00", "<day_or_month>"),
    ("string", "05/04/1990", "05/04/1990"),
    ("date", "2026-09-15T23:30:00-02:00", date(2026, 9, 16)),
    ("date", "2026-02-30", "<not_a_time>"),
    ("date", "15.09.2026", "<not_a_time>"),
    ("date", "1789430400", "<number_as_time>"),
    ("date", "3000-12-31", date(3000, 12, 31)),
    ("date", "3001-01-01", "<year_out_of_range>"),
    ("datetime", "2026-09-15", datetime(2026, 9, 15, tzinfo=UTC)),
    ("datetime", "2026-09-15T08:30", datetime(2026, 9, 15, 8, 30, tzinfo=UTC)),
    ("datetime", "2026-09-15 08:30:15", datetime(2026, 9, 15, 8, 30, 15, tzinfo=UTC)),
    ("datetime", "2026-09-15T08:30:15Z", datetime(2026, 9, 15, 8, 30, 15, tzinfo=UTC)),
    ("datetime", "2026-09-15T08:30:15+0200", datetime(2026, 9, 15, 6, 30, 15, tzinfo=UTC)),
    ("datetime", "2026-09-15T08:30:15.1239Z", datetime(2026, 9, 15, 8, 30, 15, 123000, UTC)),
    ("datetime", "2026-09-15T08:30:15:123Z", datetime(2026, 9, 15, 8, 30, 15, 123000, UTC)),
    ("datetime", "2026-09-15T08:30:15-05", datetime(2026, 9, 15, 13, 30, 15, tzinfo=UTC)),
    ("datetime", "Tue 09 15 08:30:15.Z 2026", datetime(2026, 9, 15, 8, 30, 15, tzinfo=UTC)),
    ("datetime", "Tue 09 15 08:30:15.+02:00 2026", datetime(2026, 9, 15, 6, 30, 15, tzinfo=UTC)),
    ("datetime", "2026-09-15T24:00:00Z", "<not_a_time>"),
    ("datetime", "2026-09-15T08:60:00Z", "<not_a_time>"),
    ("datetime", "2026-09-15T08:30:60Z", "<not_a_time>"),
    ("string", " Ada ", " Ada "),
    ("string", "null", "null"),
    ("string", "nan", "nan"),
    ("string", "é" * 255, "é" * 255),
    ("string", "é" * 256, "<too_long>"),
    ("list", "red", ['"red"']),
    ("list", '["a", 1, 1.0, true, null, "", "b\\"c"]', ['"a"', "1", "1", "true", '"b\\"c"']),
    ("list", "[1, 2", "<invalid_json>"),
    ("list", "{a,b}", "<printed_list>"),
    ("list", '{"a b",c}', "<printed_list>"),
    ("list", "{{a},{b}}", "<printed_list>"),
    ("list", "{}", None),
    ("list", "{a", ['"{a"']),
    ("list", "[[1]]", "<nested_member>"),
    ("list", '[{"a": 1}]', "<nested_member>"),
    ("list", "[9223372036854775808]", "<integer_too_big>"),
    ("list", f'["{"x" * 256}"]', "<too_long>"),
    ("json", '{"b": 1.0, "a": [2, 1]}', '{"a":[2,1],"b":1}'),
    ("json", "[NaN]", "<invalid_json>"),
    ("json", "plain", "<invalid_json>"),
]


@pytest.mark.parametrize(("type_", "cell", "expected"), TEXT_CASES)
def test_text_becomes_its_type_or_a_reason(type_, cell, expected):
    """A cell of text is read as the declared type, or rejects its row with one stable word."""
    config = {"type": type_, **({"scale": 2} if type_ == "decimal" else {})}

    assert expected == outcome(cast(pl.Series([cell]), config))


@pytest.mark.parametrize(("type_", "cell", "expected"), TEXT_CASES)
def test_a_cell_is_read_alike_in_any_company(type_, cell, expected):
    """What a cell gives does not depend on the other cells of its column."""
    config = {"type": type_, **({"scale": 2} if type_ == "decimal" else {})}
    given = cast(pl.Series([cell, "~", None, "2026-09-15T08:30:15.5Z", "7"]), config)
    first = given.frame.filter(pl.col("@row") == 1)["f"].to_list()
    reasons = given.rejected.filter(pl.col("@row") == 1)["reason"].to_list()

    assert [expected] == (first or [f"<{reason}>" for reason in reasons])


@pytest.mark.parametrize("cell", [None, "", "  ", "\t"])
@pytest.mark.parametrize(
    "type_",
    ["string", "integer", "float", "decimal", "boolean", "date", "datetime", "list", "json"],
)
def test_empty_text_says_nothing(type_, cell):
    """Nothing and white space alone are empty for every type, never an error."""
    assert outcome(cast(pl.Series([cell], dtype=pl.String), {"type": type_})) is None


@pytest.mark.parametrize("cell", ["null", "[]", "{}", '""', '" "', '{"a": null}'])
def test_empty_json_says_nothing(cell):
    """JSON's ways to write nothing are empty; an object of nothing but nulls is one of them."""
    assert outcome(cast(pl.Series([cell]), {"type": "json"})) is None


@pytest.mark.parametrize("cell", ["[]", '["", null, " ", {}, []]'])
def test_a_list_of_nothing_says_nothing(cell):
    """A list whose members are all empty is empty."""
    assert outcome(cast(pl.Series([cell]), {"type": "list"})) is None


TYPED_CASES = [
    ("integer", pl.Series([3.0]), 3),
    ("integer", pl.Series([3.5]), "<not_an_integer>"),
    ("integer", pl.Series([float("nan")]), "<not_finite>"),
    ("integer", pl.Series([1e19]), "<integer_too_big>"),
    ("integer", pl.Series([2**64 - 1], dtype=pl.UInt64), "<integer_too_big>"),
    ("integer", pl.Series([2**100], dtype=pl.Int128), "<integer_too_big>"),
    ("integer", pl.Series([Decimal("7.00")]), 7),
    ("integer", pl.Series([Decimal("7.50")]), "<not_an_integer>"),
    ("integer", pl.Series([True]), "<not_an_integer>"),
    ("float", pl.Series([2], dtype=pl.Int8), 2.0),
    ("float", pl.Series([0.1], dtype=pl.Float32), 0.1),
    ("float", pl.Series([float("inf")]), "<not_finite>"),
    ("decimal", pl.Series([0.125]), 12),
    ("decimal", pl.Series([0.135]), 14),
    ("decimal", pl.Series([2.675]), 268),
    ("decimal", pl.Series([-0.125]), -12),
    ("decimal", pl.Series([1e14]), "<too_many_digits>"),
    ("decimal", pl.Series([12]), 1200),
    ("decimal", pl.Series([10**13]), "<too_many_digits>"),
    ("decimal", pl.Series([Decimal("1.5")]), 150),
    ("decimal", pl.Series([Decimal("1.500")]), 150),
    ("decimal", pl.Series([Decimal("1.505")]), "<too_many_places>"),
    ("boolean", pl.Series([1]), True),
    ("boolean", pl.Series([0.0]), False),
    ("boolean", pl.Series([2]), "<not_a_boolean>"),
    ("date", pl.Series([date(2026, 1, 2)]), date(2026, 1, 2)),
    ("date", pl.Series([20260102]), "<number_as_time>"),
    ("datetime", pl.Series([date(2026, 1, 2)]), datetime(2026, 1, 2, tzinfo=UTC)),
    ("datetime", pl.Series([True]), "<not_a_time>"),
    ("string", pl.Series([12]), "12"),
    ("string", pl.Series([12.0]), "12"),
    ("string", pl.Series([12.5]), "12.5"),
    ("string", pl.Series([float("nan")]), "<not_finite>"),
    ("string", pl.Series([True]), "true"),
    ("string", pl.Series([date(2026, 1, 2)]), "2026-01-02"),
    ("string", pl.Series([datetime(2026, 1, 2, 3)]), "2026-01-02T03:00:00.000Z"),  # noqa: DTZ001
    ("string", pl.Series([["a"]]), "<not_text>"),
    ("string", pl.Series([b"Ada"]), "Ada"),
    ("string", pl.Series([b"\xff"]), "<not_text>"),
    ("string", pl.Series(["a"], dtype=pl.Categorical), "a"),
    ("list", pl.Series([[1, None, 2]]), ["1", "2"]),
    ("list", pl.Series([[1.0, 2.5]]), ["1", "2.5"]),
    ("list", pl.Series([["a", "", " b"]]), ['"a"', '" b"']),
    ("list", pl.Series([[[1]]]), "<nested_member>"),
    ("list", pl.Series([[1.0, float("nan")]]), "<not_finite>"),
    ("list", pl.Series([5]), ["5"]),
    ("list", pl.Series([[]], dtype=pl.List(pl.Int64)), None),
    ("json", pl.Series([{"b": 1, "a": None}]), '{"b":1}'),
    ("json", pl.Series([[1, 2]]), "[1,2]"),
    ("json", pl.Series([True]), "true"),
    ("json", pl.Series([float("nan")]), "<not_finite>"),
]


@pytest.mark.parametrize(("type_", "cells", "expected"), TYPED_CASES)
def test_a_files_own_value_becomes_its_type_or_a_reason(type_, cells, expected):
    """A typed cell is cast exactly, or rejects its row with one stable word."""
    config = {"type": type_, **({"scale": 2} if type_ == "decimal" else {})}

    assert expected == outcome(cast(cells, config))


@pytest.mark.parametrize(
    "cells",
    [
        *[pl.Series([None, 1], dtype=dtype) for dtype in (pl.Int8, pl.Int64, pl.Int128, pl.UInt64)],
        *[pl.Series([None, Decimal(1)], dtype=pl.Decimal(20, scale)) for scale in range(5)],
        pl.Series([None, 1.0]),
        pl.Series([None, "1"]),
    ],
)
@pytest.mark.parametrize("type_", ["integer", "decimal", "float", "string", "boolean"])
def test_an_empty_cell_of_a_typed_column_is_empty(type_, cells):
    """A null says nothing, whatever type the file and the field have; no row is rejected for it."""
    config = {"type": type_, **({"scale": 2} if type_ == "decimal" else {})}

    given = cast(cells, config)
    assert given.frame["f"][0] is None
    assert given.frame["f"][1] is not None
    assert given.rejected.is_empty()


OPTION_CASES = [
    ({"type": "string", "trim": True}, " Ada ", "Ada"),
    ({"type": "string", "too_long": "cut"}, "é" * 256, "é" * 255),
    ({"type": "float", "nan": "empty"}, "NaN", None),
    ({"type": "float", "nan": "empty"}, "-Infinity", None),
    ({"type": "list", "split": "|"}, "a|| b|a", ['"a"', '" b"', '"a"']),
    ({"type": "list", "split": "|", "trim": True}, "a| b", ['"a"', '"b"']),
    ({"merge": "add", "split": ","}, '["a", "b,c", 5]', ['"a"', '"b,c"', '"5"']),
    ({"merge": "add", "split": "|"}, ' ["a"] ', ['"a"']),
    ({"merge": "add", "split": ","}, "[]", None),
    ({"merge": "add", "split": ",", "items": "integer"}, "[1, 2]", ["1", "2"]),
    ({"merge": "add", "split": ","}, '[["a"]]', "<nested_member>"),
    ({"merge": "add", "split": ","}, "['a', 'b']", "<printed_list>"),
    ({"merge": "add", "split": ","}, "[a, b]", "<printed_list>"),
    ({"merge": "add", "split": ","}, "{a,b}", "<printed_list>"),
    ({"merge": "add", "split": ","}, "{}", None),
    ({"merge": "add", "split": "|"}, "[vip]", ['"[vip]"']),
    ({"merge": "add", "split": "|"}, "[vip]|[gold]", ['"[vip]"', '"[gold]"']),
    ({"merge": "add", "split": "|", "items": "integer"}, "1|02", ["1", "2"]),
    ({"merge": "add", "split": "|", "items": "integer"}, "1|x", "<not_an_integer>"),
    ({"merge": "add", "items": "integer"}, "12", ["12"]),
    ({"merge": "add", "items": "boolean"}, '["yes", false]', ["true", "false"]),
    ({"merge": "add", "items": "string"}, "[1, 2.50]", ['"1"', '"2.5"']),
    ({"merge": "add", "items": "date"}, "09/15/2026", ['"2026-09-15"']),
    ({"merge": "add", "items": "integer"}, "[[1]]", "<nested_member>"),
    ({"type": "list", "split": "|", "too_long": "cut"}, "x" * 300, [f'"{"x" * 255}"']),
]


def test_arrays_and_split_text_stand_in_one_column():
    """A cell that is a JSON array changes nothing for the cells that are split."""
    cells = pl.Series(['["a", 1]', 'x,"y",[z', None, "1,2"])
    given = cast(cells, {"merge": "add", "split": ","})

    assert [['"a"', '"1"'], ['"x"', '"\\"y\\""', '"[z"'], None, ['"1"', '"2"']] == (
        given.frame["f"].to_list()
    )


@pytest.mark.parametrize("json", ['"{a,b}"', '"{\\"a\\",b}"'])
def test_a_printed_list_in_a_column_of_json_texts_is_none(json):
    """NDJSON that has such text beside lists or numbers is read alike."""
    assert "<printed_list>" == outcome(cast(pl.Series([json]), {"merge": "add"}, json=True))


@pytest.mark.parametrize(("config", "cell", "expected"), OPTION_CASES)
def test_options_change_how_a_cell_is_read(config, cell, expected):
    """Each option of a field does what it says."""
    assert expected == outcome(cast(pl.Series([cell]), config))


JSON_CELLS = [
    ("string", '"a"', "a"),
    ("string", "12.50", "12.5"),
    ("string", '{"a": 1}', "<not_a_scalar>"),
    ("string", "{}", None),
    ("integer", "1.0", 1),
    ("integer", "9223372036854775808", "<integer_too_big>"),
    ("boolean", "true", True),
    ("list", '"a"', ['"a"']),
    ("list", "[1]", ["1"]),
    ("json", '"a"', '"a"'),
]


@pytest.mark.parametrize(("type_", "cell", "expected"), JSON_CELLS)
def test_a_column_of_json_texts_gives_the_values_in_them(type_, cell, expected):
    """A column of mixed values, held as JSON texts, casts like the values themselves."""
    assert expected == outcome(cast(pl.Series([cell]), {"type": type_}, json=True))


ZONE_CASES = [
    ("2026-01-15T12:00:00", datetime(2026, 1, 15, 11, tzinfo=UTC)),
    ("2026-07-15T12:00:00", datetime(2026, 7, 15, 10, tzinfo=UTC)),
    ("2026-07-15T12:00:00Z", datetime(2026, 7, 15, 12, tzinfo=UTC)),
    ("2026-07-15", datetime(2026, 7, 15, tzinfo=UTC)),
    ("2026-10-25T02:30:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    ("2026-03-29T02:30:00", "<no_such_time>"),
]


@pytest.mark.parametrize(("cell", "expected"), ZONE_CASES)
@pytest.mark.parametrize("company", [[], ["2026-07-15T12:00:00.5"]])
def test_a_time_without_zone_is_read_in_the_sources_zone(cell, expected, company):
    """A local time is the source's; of two the earlier; a skipped one rejects; a date is UTC's."""
    given = cast(pl.Series([cell, *company]), {"type": "datetime"}, timezone="Europe/Paris")
    values = given.frame.filter(pl.col("@row") == 1)["f"].to_list()

    assert [expected] == (values or [f"<{given.rejected['reason'].item()}>"])


def test_texts_that_mean_null_are_empty_everywhere():
    """What ``source.nulls`` names is empty as a cell and as a member of a list."""
    config = {"merge": "add", "split": "|"}
    given = cast(pl.Series(["N/A", "a|N/A"]), config, nulls=["N/A"])

    assert [None, ['"a"']] == given.frame["f"].to_list()


def test_left_out_null_members_are_counted():
    """Every null member of a JSON object counts, as often as its row does."""
    cells = pl.Series(['{"a": null, "b": {"c": null, "d": 1}}'] * 3 + ['{"a": "x: null"}'])

    assert 6 == cast(cells, {"type": "json"}).noted["nulls_left_out"].sum()
