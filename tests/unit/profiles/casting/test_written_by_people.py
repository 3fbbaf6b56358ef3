"""Numbers, dates and truth as people write them, where the job says how: decision tables."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest

from exchanger.config.loading.load import load_config
from exchanger.config.models import ImportJob
from exchanger.errors import ConfigError
from exchanger.profiles.casting.plain_text import have_commas
from exchanger.profiles.frames.raw_columns import RawColumns
from exchanger.profiles.reading.mapping import settle_rules
from exchanger.profiles.reading.typed_rows import Given, cast_rows


def cast(cells: list, config: dict, *, textual: bool = True, **csv: str) -> Given:
    job = ImportJob.model_validate(
        {
            "type": "import",
            "source": {"prefix": "in/", "csv": csv},
            "match": [{"external_id": "id"}],
            "fields": {"f": config},
        }
    )
    frame = pl.DataFrame({"id": [f"p{n}" for n in range(len(cells))], "f": cells})
    raw = RawColumns(frame.with_row_index("@row", offset=1), textual=textual)
    settled = settle_rules(job, raw, {})
    return cast_rows(raw, settled.rules, job, 0, settled.kept)


def outcome(given: Given) -> object:
    """The only value, or the only reason in brackets."""
    if given.rejected.height:
        return f"<{given.rejected['reason'].item()}>"
    return given.frame["f"].to_list()[0]


COMMA = {"decimal": ","}
GERMAN = {"decimal": ",", "thousands": "."}
MONEY = {"type": "decimal", "scale": 2}
NUMBERS = [
    # csv, field, cell -> value
    (COMMA, MONEY, "1,5", 150),
    (COMMA, MONEY, " -12,50 ", -1250),
    (COMMA, MONEY, "7", 700),
    # A point may separate thousands, and nobody said so: no number, rather than a thousandth.
    (COMMA, MONEY, "1.5", "<not_a_number>"),
    (COMMA, MONEY, "1.234", "<not_a_number>"),
    (COMMA, MONEY, "1.234,50", "<not_a_number>"),
    (COMMA, MONEY, "1,2,3", "<not_a_number>"),
    (COMMA, {"type": "float"}, "1,5E3", 1500.0),
    (COMMA, {"type": "integer"}, "12", 12),
    (COMMA, {"type": "integer"}, "1,5", "<not_an_integer>"),
    (COMMA, {"type": "string"}, "1,5", "1,5"),
    (GERMAN, MONEY, "1.234,50", 123450),
    (GERMAN, MONEY, "1.234.567", 123456700),
    (GERMAN, MONEY, "1.5", "<not_a_number>"),
    (GERMAN, MONEY, "12.34,5", "<not_a_number>"),
    (GERMAN, {"type": "integer"}, "1.234", 1234),
    (GERMAN, {"type": "integer"}, "1234", 1234),
    (GERMAN, {"type": "string"}, "1.234", "1.234"),
    ({"thousands": ","}, MONEY, "1,234.50", 123450),
    ({"thousands": ","}, MONEY, "1,23", "<not_a_number>"),
    ({"thousands": "'"}, MONEY, "1'234.50", 123450),
    ({"thousands": " "}, MONEY, "1\u202f234.50", 123450),
    ({"thousands": " "}, MONEY, "1 234.50", 123450),
    ({}, MONEY, "1,5", "<not_a_number>"),
    (
        COMMA,
        {"merge": "add", "items": "float", "split": "|", "type": "list"},
        "1,5|2",
        ["1.5", "2"],
    ),
]


@pytest.mark.parametrize(("csv", "field", "cell", "value"), NUMBERS)
def test_numbers_are_read_as_the_source_says(csv, field, cell, value):
    """What is written otherwise is no number: nothing is a thousand times what it was."""
    assert value == outcome(cast([cell], field, **csv))


INFERRED = [
    # csv, cells -> type that an untyped column gets
    (COMMA, ["1,5", "2", "3,25"], pl.Int64, [150, 200, 325]),
    (COMMA, ["1.5", "2,5"], pl.String, ["1.5", "2,5"]),
    (COMMA, ["007", "1,5"], pl.String, ["007", "1,5"]),
    # An untyped column of such may be codes: thousands are read where the field is a number.
    (GERMAN, ["1.234", "2.345"], pl.String, ["1.234", "2.345"]),
    ({}, ["1,5", "2,5"], pl.String, ["1,5", "2,5"]),
    (
        {"dates": "%d/%m/%Y"},
        ["25/12/1990", "05/04/1990"],
        pl.Date,
        [date(1990, 12, 25), date(1990, 4, 5)],
    ),
]


@pytest.mark.parametrize(("csv", "cells", "kind", "values"), INFERRED)
def test_types_are_told_from_numbers_and_dates_as_the_source_writes_them(csv, cells, kind, values):
    """A column that is text stays text, cell by cell as it was."""
    given = cast(cells, {}, **csv)
    assert (kind, values) == (given.frame["f"].dtype, given.frame["f"].to_list())


def test_identifiers_are_no_numbers(monkeypatch):
    """Neither comma nor thousands touch what names somebody."""
    frame = pl.DataFrame(
        {"@row": [1, 2], "id": ["1.234", "1,5"]}, schema_overrides={"@row": pl.UInt32}
    )
    content = {"type": "import", "source": {"prefix": "in/", "csv": GERMAN}}
    job = ImportJob.model_validate(content | {"match": [{"external_id": "id"}]})
    given = cast_rows(RawColumns(frame, textual=True), [], job, 0, {})
    assert ["1.234", "1,5"] == given.frame["@profile"].to_list()


NOON = datetime(1990, 12, 25, 12, 30, tzinfo=UTC)
DAY = date(1990, 12, 25)
DATES = [
    # csv, field, cell -> value
    ({"dates": "%d/%m/%Y"}, {"type": "date"}, "25/12/1990", DAY),
    ({"dates": "%d/%m/%Y"}, {"type": "date"}, "05/04/1990", date(1990, 4, 5)),
    ({"dates": "%d/%m/%Y"}, {"type": "date"}, "5/4/1990", date(1990, 4, 5)),
    ({"dates": "%d/%m/%Y"}, {"type": "date"}, "09/15/1990", "<day_or_month>"),
    ({"dates": "%d/%m/%Y"}, {"type": "date"}, "1990-12-25", DAY),
    ({"dates": "%d/%m/%Y"}, {"type": "date"}, "25/12/90", "<day_or_month>"),
    ({"dates": "%d/%m/%Y"}, {"type": "datetime"}, "25/12/1990 12:30", NOON),
    ({"dates": "%m/%d/%Y"}, {"type": "date"}, "05/04/1990", date(1990, 5, 4)),
    ({"dates": "%m/%d/%Y"}, {"type": "date"}, "25/12/1990", "<day_or_month>"),
    ({}, {"type": "date", "format": "%d.%m.%Y"}, "25.12.1990", DAY),
    ({}, {"type": "date", "format": "%d.%m.%Y"}, " 1.2.1990 ", date(1990, 2, 1)),
    ({}, {"type": "date", "format": "%d.%m.%Y"}, "31.02.1990", "<other_format>"),
    ({}, {"type": "date", "format": "%d.%m.%Y"}, "1990-12-25", "<other_format>"),
    ({}, {"type": "date", "format": "%d.%m.%Y"}, "25.12.90", "<other_format>"),
    ({}, {"type": "date", "format": "%d.%m.%y"}, "25.12.90", DAY),
    ({}, {"type": "date", "format": "%Y%m%d"}, "19901225", DAY),
    ({}, {"type": "datetime", "format": "%d.%m.%Y %H:%M %z"}, "25.12.1990 13:30 +0100", NOON),
    ({"dates": "%d/%m/%Y"}, {"type": "date", "format": "%d.%m.%Y"}, "25.12.1990", DAY),
    ({}, {"type": "list", "items": "date", "split": "|", "format": "%d.%m.%Y"}, "25.12.1990",
     ['"1990-12-25"']),
]  # fmt: skip


@pytest.mark.parametrize(("csv", "field", "cell", "value"), DATES)
@pytest.mark.parametrize("textual", [True, False])
def test_dates_are_read_as_the_job_says(csv, field, cell, value, textual):
    """A field's format is of all files with text; that of ``csv`` is of CSV alone."""
    if csv and not textual:
        return
    assert value == outcome(cast([cell], field, textual=textual, **csv))


MIXED = [
    # cells -> those that are taken; one cell with the day first, and none is month first
    (["09/15/1990", "05/05/1990"], ["09/15/1990", "05/05/1990"]),
    (["09/15/1990", "25/12/1990", "05/05/1990"], ["05/05/1990"]),
    (["09/15/1990", "25/12/90"], []),
    (["09/15/1990", "1990-12-25"], ["09/15/1990", "1990-12-25"]),
]


@pytest.mark.parametrize(("cells", "taken"), MIXED)
@pytest.mark.parametrize("field", [{"type": "date"}, {"type": "datetime"}, {}])
@pytest.mark.parametrize("textual", [True, False])
def test_a_column_with_the_day_first_has_no_month_first(cells, taken, field, textual):
    """What shows the order of one date shows that of all."""
    given = cast(cells, field, textual=textual)
    rows = [f"p{cells.index(cell)}" for cell in taken]
    if field:
        assert rows == given.frame["@profile"].to_list()
        assert {"day_or_month"} >= set(given.rejected["reason"])
    else:  # As text, Braze would take 25/12/90 for text, and 09/15 for a date.
        assert set(rows) <= set(given.frame["@profile"])
        assert "09/15/1990" in taken or "09/15/1990" not in given.frame["f"].to_list()


TRUTH = [
    ({"true": ["ja"], "false": ["nein"]}, "Ja", True),
    ({"true": ["ja"], "false": ["nein"]}, " NEIN ", False),
    ({"true": ["ja"], "false": ["nein"]}, "true", "<other_word>"),
    ({"true": ["ja"], "false": ["nein"]}, "1", "<other_word>"),
    ({"true": ["x"]}, "x", True),
    ({"true": ["x"]}, "no", False),
    ({"true": ["x"]}, "yes", "<other_word>"),
    ({}, "yes", True),
    ({}, "ja", "<not_a_boolean>"),
]


@pytest.mark.parametrize(("words", "cell", "value"), TRUTH)
@pytest.mark.parametrize("textual", [True, False])
def test_truth_has_the_words_that_the_field_names(words, cell, value, textual):
    """They are in place of the usual ones, in any case."""
    assert value == outcome(cast([cell], {"type": "boolean", **words}, textual=textual))


def test_truth_that_is_none_of_text_needs_no_words():
    """Booleans of Parquet are what they are."""
    given = cast([True, False], {"type": "boolean", "true": ["ja"]}, textual=False)
    assert [True, False] == given.frame["f"].to_list()


FAULTS = [
    ("f: {merge: set, format: '%d.%m.%Y'}", "only a date or datetime has a format"),
    ("f: {merge: set, type: date, format: '%d.%m'}", "needs day, month and year"),
    ("f: {merge: set, type: date, format: '%Q'}", "is no part of a format"),
    ("f: {merge: set, type: date, format: 'dd.mm.yyyy'}", "needs day, month and year"),
    ("f: {merge: set, true: [ja]}", "only a boolean has words"),
    ("f: {merge: set, type: boolean, true: [Ja], false: [ja]}", "means true already"),
    ("f: {value: x, type: date, format: '%d.%m.%Y'}", "has no 'format'"),
]
TEXT = """
connections: {main: {braze: {endpoint: https://x.example, api_key: k}, s3: {bucket: b}}}
jobs:
  j:
    type: import
    source: {prefix: in/}
    match: [{external_id: id}]
    fields:
"""


def test_one_sign_cannot_be_both_before_fractions_and_between_thousands(tmp_path):
    """Nobody could tell 1,234 from 1.234 then."""
    path = tmp_path / "exchanger.yaml"
    path.write_text(
        f"{TEXT}      f: set\n".replace("in/}", 'in/, csv: {decimal: ",", thousands: ","}}')
    )
    with pytest.raises(ConfigError) as caught:
        load_config(path, {})
    assert "separates thousands" in str(caught.value)


@pytest.mark.parametrize(("field", "words"), FAULTS)
def test_formats_and_words_that_say_nothing_are_refused_by_check(tmp_path, field, words):
    """A key that does nothing is a slip."""
    path = tmp_path / "exchanger.yaml"
    path.write_text(f"{TEXT}      {field}\n")
    with pytest.raises(ConfigError) as caught:
        load_config(path, {})
    assert words in str(caught.value)


COMMAS = [
    (["1,5", "2"], True),
    (["1.234,50", None], True),
    (["1", "2"], False),
    (["1,5", "x"], False),
    (["1,5,7"], False),
    (["1.5"], False),
    ([None], False),
]


@pytest.mark.parametrize(("cells", "commas"), COMMAS)
def test_a_column_that_is_numbers_but_for_its_commas_is_told(cells, commas):
    """Nobody but a person knows whether 1,5 is a number."""
    assert commas == have_commas([pl.Series(cells, dtype=pl.String)])
