"""Rows of a file: which are given, which are rejected, and in what words."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest

from exchanger.config.models import ImportJob
from exchanger.errors import FileRejected
from exchanger.profiles.given import Given, cast_rows
from exchanger.profiles.mapping import settle_rules
from exchanger.profiles.raw import RawColumns
from exchanger.profiles.rejections import REJECTED, SENTENCES


def job(fields: dict, **source: object) -> ImportJob:
    return ImportJob.model_validate(
        {
            "type": "import",
            "source": {"prefix": "in/", **source},
            "match": [{"external_id": "id"}],
            "fields": fields,
        }
    )


def give(frame: pl.DataFrame, a_job: ImportJob, *, json: frozenset[str] = frozenset()) -> Given:
    textual = all(dtype == pl.String for dtype in frame.dtypes) and not json
    raw = RawColumns(frame.with_row_index("@row", offset=1), textual, json, key="in/a.csv")
    settled = settle_rules(a_job, raw, {})
    return cast_rows(raw, settled.rules, a_job, 3, settled.kept)


IDENTIFIERS = [
    (pl.Series(["007", " a b ", "é" * 493 + "x"]), ["007", "a b", "é" * 493 + "x"], []),
    (pl.Series([None, " ", "a"]), ["a"], ["no_identifier"] * 2),
    (pl.Series(["é" * 494]), [], ["identifier_too_long"]),
    (pl.Series([7, None, 8]), ["7", "8"], ["no_identifier"]),
    (pl.Series([7.0, None, float("nan")]), ["7"], ["no_identifier"] * 2),
    (pl.Series([7.0, 7.5]), [], ["bad_identifier"] * 2),
    (pl.Series([2.0**60]), [], ["bad_identifier"]),
    (pl.Series([Decimal("7.00"), Decimal("8.00")]), ["7", "8"], []),
    (pl.Series([Decimal("7.50")]), [], ["bad_identifier"]),
    (pl.Series([True, None]), [], ["bad_identifier", "no_identifier"]),
    (pl.Series([["a"]]), [], ["bad_identifier"]),
    (pl.Series([date(2026, 1, 1)]), [], ["bad_identifier"]),
]


@pytest.mark.parametrize(("cells", "profiles", "reasons"), IDENTIFIERS)
def test_identifiers_are_trimmed_text_or_reject_their_row(cells, profiles, reasons):
    """Text and whole numbers name profiles; nothing else does, and no row is lost."""
    given = give(pl.DataFrame({"id": cells}), job({"x": {"value": 1}}))

    assert profiles == given.frame["@profile"].to_list()
    assert reasons == given.rejected["reason"].to_list()


def test_json_identifiers_are_text_or_whole_numbers():
    """In a column of JSON texts, strings and integers name profiles; other values do not."""
    cells = pl.Series(['" 007 "', "12", "1.0", "true", "null", '["a"]', '""'])
    given = give(pl.DataFrame({"id": cells}), job({"x": {"value": 1}}), json=frozenset({"id"}))

    assert ["007", "12"] == given.frame["@profile"].to_list()
    assert ["bad_identifier"] * 2 + ["no_identifier", "bad_identifier", "no_identifier"] == (
        given.rejected["reason"].to_list()
    )


def test_trimmed_identifiers_are_counted():
    """The rows whose identifier had white space around it are counted."""
    given = give(pl.DataFrame({"id": [" a", "b ", "c", None]}), job({"x": {"value": 1}}))

    assert 2 == given.trimmed


def test_a_row_is_rejected_with_every_reason():
    """A row with several bad fields has an entry for each, and none of its values is given."""
    frame = pl.DataFrame({"id": ["a", None, "c"], "n": ["1", "x", "3"], "b": ["yes", "no", "?"]})
    given = give(frame, job({"n": {"type": "integer"}, "b": {"type": "boolean"}}))

    assert ["a"] == given.frame["@profile"].to_list()
    assert [
        (3, 2, "external_id", None, "no_identifier"),
        (3, 2, "n", "x", "not_an_integer"),
        (3, 3, "b", "?", "not_a_boolean"),
    ] == given.rejected.select("@file", "@row", "field", "value", "reason").rows()


MESSAGES = [
    (
        {"n": {"from": "c", "type": "integer"}},
        "1,5",
        (
            'Row 1, column c: "1,5" is not a whole number. Write digits alone, without separators, '
            "or set another 'type:' for this field."
        ),
    ),
    (
        {"n": {"from": "c", "type": "decimal", "scale": 2}},
        "1.234",
        (
            'Row 1, column c: "1.234" has more than the 2 decimal places of this field. Round it, '
            "or set a larger 'scale:'."
        ),
    ),
    (
        {"n": {"from": "c", "type": "date"}},
        "15.09.2026",
        (
            'Row 1, column c: "15.09.2026" is not a date or time that Braze reads. Write it like '
            "2026-09-15 or 2026-09-15T08:30:00Z."
        ),
    ),
    (
        {"n": {"from": "c", "type": "datetime"}},
        "2026-03-29T02:30:00",
        (
            'Row 1, column c: "2026-03-29T02:30:00" does not exist in the time zone Europe/Paris, '
            "where the clocks go forward over it. Write the time with its offset, like "
            "2026-09-15T08:30:00Z."
        ),
    ),
    (
        {"n": {"from": "c", "type": "json"}},
        "{",
        'Row 1, column c: "{" is not valid JSON. Write it like ["a", "b"] or {"a": 1}.',
    ),
]


@pytest.mark.parametrize(("fields", "cell", "message"), MESSAGES)
def test_a_rejection_says_where_what_and_what_to_do(fields, cell, message):
    """The message names the row, the column and the value, and ends in what to do."""
    frame = pl.DataFrame({"id": ["a"], "c": [cell]})
    given = give(frame, job(fields, timezone="Europe/Paris"))

    assert message == given.rejected["message"].item()


def test_a_row_without_identifier_is_told_so():
    """The message about a missing identifier shows no value, as there is none."""
    given = give(pl.DataFrame({"id": [None, "b"]}), job({"x": {"value": 1}}))

    assert (
        "Row 1, column id is empty, so the row names no profile. Fill it in, or remove the row."
        == given.rejected["message"].item()
    )


def test_a_long_value_is_shortened_in_its_message():
    """A message shows the beginning of a long value; the value itself is kept in full."""
    frame = pl.DataFrame({"id": ["a"], "c": ["x" * 300]})
    given = give(frame, job({"n": {"from": "c"}}))

    assert "x" * 300 == given.rejected["value"].item()
    assert f'"{"x" * 100}" is longer' in given.rejected["message"].item()


@pytest.mark.parametrize("reason", SENTENCES)
def test_every_reason_has_a_sentence_that_says_what_to_do(reason):
    """Every sentence continues the name of the column, and gives an advice after it."""
    sentence = SENTENCES[reason].format(scale=2, timezone="UTC")

    assert sentence.split()[0] in {"is", "has", "holds", "does"}
    assert sentence.count(". ") >= 1
    assert sentence.endswith(".")


def test_the_given_frame_has_the_promised_columns_and_types():
    """Each type has its one dtype, control columns come first, and clear fields say so."""
    cells = {
        "i": "1",
        "f": "1e0",
        "d": "1.50",
        "b": "true",
        "day": "2026-01-02",
        "at": "2026-01-02T03:04:05Z",
        "s": "a",
        "l": "a",
        "j": "[1]",
    }
    fields = {name: {} for name in cells} | {
        "l": {"merge": "add"},
        "j": {"type": "json", "merge": "clear"},
        "static": {"value": True},
    }
    frame = pl.DataFrame({"id": ["p"]} | {name: [cell] for name, cell in cells.items()})
    given = give(frame, job(fields, order_by="at"))

    assert {
        "@profile": pl.String,
        "@file": pl.UInt32,
        "@row": pl.UInt32,
        "@order": pl.Datetime("us", "UTC"),
        "i": pl.Int64,
        "f": pl.Float64,
        "d": pl.Int64,
        "b": pl.Boolean,
        "day": pl.Date,
        "at": pl.Datetime("ms", "UTC"),
        "s": pl.String,
        "l": pl.List(pl.String),
        "j": pl.String,
        "static": pl.Boolean,
        "@said:j": pl.Boolean,
    } == dict(given.frame.schema)
    assert (3, 150, True, ("j",)) == (
        given.frame["@file"].item(),
        given.frame["d"].item(),
        given.frame["@said:j"].item(),
        given.said,
    )


def test_a_file_of_no_rows_gives_no_rows():
    """A header alone gives empty frames with all columns, static ones too."""
    frame = pl.DataFrame(schema={"id": pl.String, "n": pl.String, "l": pl.String})
    fields = {"n": {"type": "integer"}, "l": {"merge": "add", "split": "|"}, "x": {"value": 1}}
    given = give(frame, job(fields, order_by="n"))

    assert (0, 0) == (given.frame.height, given.rejected.height)
    assert ["@profile", "@file", "@row", "@order", "n", "l", "x"] == given.frame.columns
    assert REJECTED == dict(given.rejected.schema)


STATIC = [
    ({"value": "crm"}, "crm"),
    ({"value": 3}, 3),
    ({"value": 2.5}, 2.5),
    ({"value": True}, True),
    ({"value": 12.5, "type": "decimal", "scale": 2}, 1250),
    ({"value": "2026-01-02", "type": "date"}, date(2026, 1, 2)),
    ({"value": "a|b", "type": "list", "split": "|"}, ['"a"', '"b"']),
    ({"value": ""}, None),
]


@pytest.mark.parametrize(("config", "expected"), STATIC)
def test_a_static_value_is_given_by_every_row(config, expected):
    """A static value has the type of its YAML, or the declared one, in every row."""
    given = give(pl.DataFrame({"id": ["a", "b"]}), job({"x": config}))

    assert [expected] * 2 == given.frame["x"].to_list()


def test_a_static_value_that_is_not_of_its_type_rejects_the_file():
    """A static value that cannot be cast is a mistake of the job, named as such."""
    with pytest.raises(FileRejected, match="The 'value:' of field 'x' is no integer") as caught:
        give(pl.DataFrame({"id": ["a"]}), job({"x": {"value": "a", "type": "integer"}}))

    assert "static_value" == caught.value.reason


ORDERS = [
    (["10", "9", None], [10, 9, None]),
    (["1.5", "10", "2"], [1.5, 10.0, 2.0]),
    (
        ["2026-01-02", "2026-01-01T00:00:00.000001Z"],
        [datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 1, 0, 0, 0, 1, UTC)],
    ),
    (["b", "a"], ["b", "a"]),
]


@pytest.mark.parametrize(("cells", "expected"), ORDERS)
def test_rows_order_by_what_the_text_means(cells, expected):
    """Numbers order as numbers, times as instants to the microsecond, other text as text."""
    frame = pl.DataFrame({"id": ["p"] * len(cells), "o": cells})
    given = give(frame, job({"x": {"value": 1}}, order_by="o"))

    assert expected == given.frame["@order"].to_list()


def test_a_declared_type_also_orders_and_is_named_once():
    """A field's declared type decides how its column orders; a bad cell is one entry."""
    frame = pl.DataFrame({"id": ["a", "b"], "o": ["2026-01-02", "soon"]})
    given = give(frame, job({"o": {"type": "date"}}, order_by="o"))

    assert [datetime(2026, 1, 2, tzinfo=UTC)] == given.frame["@order"].to_list()
    assert [("o", "not_a_time")] == given.rejected.select("field", "reason").rows()


def test_what_has_no_order_rejects_the_file():
    """Lists cannot order rows, so the file is rejected and ``order_by`` named."""
    frame = pl.DataFrame({"id": ["a"], "o": [["x"]]})
    with pytest.raises(FileRejected, match="has no order") as caught:
        give(frame, job({"x": {"value": 1}}, order_by="o"))

    assert "bad_order" == caught.value.reason


@pytest.mark.parametrize("cells", [pl.Series(["a", "id"]), pl.Series(["a", " id "])])
def test_a_header_among_the_rows_names_nobody(cells):
    """Nobody is called like the column of identifiers: such a row is a header."""
    given = give(pl.DataFrame({"id": cells, "n": [1, 2]}), job({"n": {}}))

    assert ["a"] == given.frame["@profile"].to_list()
    assert [(2, "header_again")] == given.rejected.select("@row", "reason").rows()
