"""Columns that are numbers, dates or truth but for a few words."""

from __future__ import annotations

import polars as pl
import pytest

from exchanger.profiles.reading.stray_words import find_stray_words

FOUND = [
    (["1", "2"] * 50 + ["NA"], "integer", {"NA": 1}, True),
    (["1.50", "2"] * 50 + ["n/a", "NA", "NA"], "decimal(2)", {"NA": 2, "n/a": 1}, True),
    (["1.5e3", "-2.5"] * 50 + ["#DIV/0!"], "float", {"#DIV/0!": 1}, True),
    (["true", "False"] * 50 + ["unknown"], "boolean", {"unknown": 1}, True),
    (["2026-09-15", None] * 50 + ["-"], "date", {"-": 1}, True),
    (["2026-09-15T10:00:00Z"] * 50 + ["pending"], "datetime", {"pending": 1}, True),
    (["0", "1", "2", "n/a"], "integer", {"n/a": 1}, False),
    (["1"] * 95 + list("abcde"), "integer", dict.fromkeys("abcde", 1), False),
]


@pytest.mark.parametrize(("cells", "kind", "words", "few"), FOUND)
def test_words_among_other_values_are_found(cells, kind, words, few):
    """The words, and what the column would be without them; few are less than one in twenty."""
    whole = pl.Series(cells, dtype=pl.String)
    for pieces in ([whole], [whole.head(3), whole.tail(-3)]):
        found = find_stray_words(pieces, "spend")
        assert (kind, words, few) == (str(found.type), found.words, found.few)


TEXT = [
    ["1"] * 200 + list("abcdef"),
    ["75001"] * 100 + ["01067"],
    ["1234"] * 100 + ["A-12"],
    ["1234.50"] * 100 + ["1.234,50"],
    ["gold", "silver"],
    ["1", "2", "a", "b"],
    ["true", "false"],
    ["1", "2"],
    ["05/04/1990"] * 100 + ["n/a"],
    [],
]


@pytest.mark.parametrize("cells", TEXT)
def test_text_is_text(cells):
    """Codes, names and many words are what they are, and so is a column without any word."""
    assert find_stray_words([pl.Series(cells, dtype=pl.String)], "spend") is None


def test_texts_among_the_numbers_of_json_are_words():
    """NDJSON says by itself what is text; a column of numbers and few words is told alike."""
    found = find_stray_words([pl.Series(["5"] * 99 + ['"NA"'])], "spend", is_json=True)
    assert ("integer", {"NA": 1}, True) == (str(found.type), found.words, found.few)
    assert find_stray_words([pl.Series(["[1]", "5", '"NA"'])], "spend", is_json=True) is None
