"""The type of a column, once all values were seen."""

from __future__ import annotations

import polars as pl
import pytest

from exchanger.app.messages.notes.words import in_words
from exchanger.profiles.exported.column_types import Observed, observe, settled, typed
from exchanger.profiles.exported.selection import ExportColumn


def settle(*texts: str | None, column: ExportColumn | None = None):
    """Observe each text as a frame of its own, as the pieces of one export are."""
    seen = Observed()
    for text in texts:
        seen = observe(pl.Series([text], dtype=pl.String).cast(pl.Binary), column, seen)
    return settled("c", column, seen)


@pytest.mark.parametrize(
    ("texts", "label"),
    [
        ([None], "string"),
        (['"a"', None], "string"),
        (["1", "2"], "integer"),
        (["1", "9007199254740993"], "integer"),
        (["1", "1.5"], "float"),
        (["0.30000000000000004"], "float"),
        (["true", "false"], "boolean"),
        (['"2026-09-15T00:00:00.000Z"', '"2026-09-15T02:00:00+02:00"'], "datetime"),
        (['"2026-09-15T00:00:00.000Z"', '"soon"'], "string"),
        (['"2026-13-15T00:00:00.000Z"'], "string"),
        (['["a","b\\"]"]', "[]"], "list[string]"),
        (["[1,9007199254740993]", "[]"], "list[integer]"),
        (["[1]", "[1.5]"], "list[float]"),
        (["[-73.98765432109876,40.1]"], "list[float]"),
        (["[true]"], "list[boolean]"),
        (["[]"], "list[string]"),
        (['[1,"a"]'], "json"),
        (['[{"a":1}]', "[]"], "json"),
        (["[0.12345678901234567891]"], "json"),
        (['{"a":1}'], "json"),
    ],
)
def test_one_type_holds_all_values(texts, label):
    """The observed type is the narrowest that holds every value exactly, without a note."""
    column = settle(*texts)
    assert (label, None) == (column.type.label, column.note)


@pytest.mark.parametrize(
    "texts",
    [
        ["1", '"a"'],
        ["1.5", "9007199254740993"],
        ["[9007199254740993]", "[1.5]"],
        ["12345678901234567890"],
        ["0.12345678901234567891"],
        ["1e400"],
        ["true", "1"],
        ["[1]", '["a"]'],
        ['{"a":1}', "[]"],
        ['"2026-09-15T00:00:00.000Z"', "1"],
    ],
)
def test_values_that_no_type_holds_become_json_with_a_note(texts):
    """Several types, or numbers beyond them, give JSON text and a sentence naming the column."""
    column = settle(*texts)
    assert "json" == column.type.label
    assert "'c'" in in_words(column.note)
    read = pl.DataFrame({"c": texts}).select(typed(pl.col("c"), column.type))
    assert texts == read["c"].to_list()


@pytest.mark.parametrize(
    ("type_", "texts", "label", "misfit"),
    [
        ("integer", ["1", '"2"'], "integer", ""),
        ("integer", ["1", '"two"', '"three"'], "json", '"two"'),
        ("date", ['"2020-07-10"'], "date", ""),
        ("date", ['"2020-07-10T12:00:00Z"'], "json", "2020-07-10T12:00:00Z"),
        ("string", ["1", '"a"', "[1]"], "string", ""),
        ("list", ['["a"]'], "list[string]", ""),
        ("list", [None], "list[string]", ""),
        ("list", ['["a"]', '"a"'], "json", "several types"),
        ("list", ['"a"'], "json", "no list"),
        ("json", ["1", '"a"'], "json", ""),
    ],
)
def test_a_declared_type_keeps_values_that_do_not_fit(type_, texts, label, misfit):
    """One value that does not fit makes the column JSON text; the first such value is named."""
    column = settle(*texts, column=ExportColumn("c", "custom_attributes.c", type_))
    assert label == column.type.label
    assert misfit in (in_words(column.note) if column.note else "")
    assert bool(misfit) == bool(column.note)
