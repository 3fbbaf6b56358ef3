"""Excel workbooks, as a decision table: what each cell becomes, and what is said of each file."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, time
from pathlib import Path

import openpyxl
import pytest

from exchanger.config.models import Source
from exchanger.errors import FileRejected
from exchanger.files.formats.read import RawTable, read_table
from exchanger.files.formats.workbook import as_csv
from exchanger.files.raw.compression import UnpackLimits
from exchanger.notes import noted


def packed(rows, number_format: str | None = None, sheets=(), **others) -> bytes:
    """Write a workbook of these rows, and of other sheets by their names."""
    book = openpyxl.Workbook()
    sheet = book.active
    for row in rows:
        sheet.append(row)
    if number_format:
        sheet.cell(len(rows), len(rows[-1])).number_format = number_format
    for name, content in others.items():
        other = book.create_sheet(name)
        for row in content:
            other.append(row)
    body = io.BytesIO()
    book.save(body)
    return body.getvalue()


def read(folder: Path, content: bytes, key: str = "a.xlsx", **source) -> RawTable:
    path = folder / "download"
    path.write_bytes(content)
    return read_table(path, key, Source(prefix="in/", **source))


CELLS = [
    # value, number format -> text
    ("00123", None, "00123"),
    (123.0, None, "123"),
    (123, None, "123"),
    (-5.0, None, "-5"),
    (0.1 + 0.2, None, "0.3"),
    (12.5, None, "12.5"),
    (0.00001, None, "0.00001"),
    (4917250000001.0, None, "4917250000001"),
    (123456789012345.0, None, "123456789012345"),
    # Beyond fifteen digits: exact where another program wrote them, else told as rounded.
    (1234567890123456, None, "1234567890123456"),
    (-9876543210987654, None, "-9876543210987654"),
    (1234567890123450, None, "1.23456789012345E+15"),
    (1.5e300, None, "1.5E+300"),
    (True, None, "true"),
    (False, None, "false"),
    (date(1990, 12, 25), None, "1990-12-25"),
    (datetime(1990, 12, 25), "dd.mm.yyyy", "1990-12-25"),  # noqa: DTZ001 - as Excel has it
    (datetime(1990, 12, 25), "dd.mm.yyyy hh:mm", "1990-12-25 00:00:00"),  # noqa: DTZ001
    (datetime(1990, 12, 25, 10, 30), None, "1990-12-25 10:30:00"),  # noqa: DTZ001
    (time(10, 30), None, "10:30:00"),
    ("#N/A", None, "#N/A"),
    ('say "hi", Ada\nand go', None, 'say "hi", Ada\nand go'),
    (" x ", None, " x "),
    ("Jürgen 日本", None, "Jürgen 日本"),
    ("4.9E+12", None, "4.9E+12"),
]


def test_a_sheet_without_a_header_is_as_wide_as_the_job_says(tmp_path):
    """Cells that are empty at the end of its first rows are cells all the same."""
    content = packed([["1", "Ada", None], ["2", "Bob", "gold"]])
    table = read(tmp_path, content, header=["id", "name", "tier"])
    assert ["1", "2"] == table.frame["id"].to_list()
    assert [None, "gold"] == [cell or None for cell in table.frame["tier"]]
    alone = read(tmp_path, packed([["1", "Ada", None]]), header=["id", "name", "tier"])
    assert 1 == alone.frame.height


@pytest.mark.parametrize(("value", "form", "text"), CELLS)
def test_each_cell_of_a_workbook_becomes_text_that_loses_nothing(tmp_path, value, form, text):
    """Identifiers keep their digits, and dates are those that are meant."""
    table = read(tmp_path, packed([["id", "v"], ["x", value]], form))
    assert [("x", text, 1)] == table.frame.rows()
    assert table.textual


def test_blank_rows_and_cells_at_the_end_of_rows_are_passed_over(tmp_path):
    """Rows are as wide as the header; a cell beyond it is a ragged row."""
    rows = [["id", "v"], [None, None], ["1", None], [None], ["2", "x", "y"], ["3", "z"]]
    table = read(tmp_path, packed(rows))
    assert [("1", None, 1), ("3", "z", 3)] == table.frame.rows()
    assert [(2, "ragged_row")] == table.bad_rows.select("@row", "reason").rows()


SHEETS = {"Kunden": [["id"], ["k"]], "Notes": [["text"]]}
CHOSEN = [(None, "1"), ("Kunden", "k"), (" Kunden ", "k")]


@pytest.mark.parametrize(("sheet", "first"), CHOSEN)
def test_the_first_sheet_is_read_or_the_named_one(tmp_path, sheet, first):
    """Where there are several and none is named, it is told which was read."""
    table = read(tmp_path, packed([["id"], ["1"]], **SHEETS), sheet=sheet)
    assert [first] == table.frame["id"].to_list()
    assert (sheet is None) == (
        [noted("sheet_chosen", sheet="Sheet", others=["Kunden", "Notes"])] == [*table.notes]
    )


def test_a_hidden_sheet_is_not_the_first_one(tmp_path):
    """People do not see it; it is read only by its name."""
    book = openpyxl.Workbook()
    book.active.append(["hidden"])
    book.active.sheet_state = "hidden"
    book.create_sheet("Data").append(["id"])
    body = io.BytesIO()
    book.save(body)
    assert ["id", "@row"] == read(tmp_path, body.getvalue()).frame.columns
    assert ["hidden", "@row"] == read(tmp_path, body.getvalue(), sheet="Sheet").frame.columns


def test_a_workbook_is_known_by_its_content_whatever_its_name(tmp_path):
    """Also where the name says CSV, and with rows above the header, and without a header."""
    rows = [["Report of May"], [None], ["id", "v"], ["1", "a"]]
    assert [("1", "a", 1)] == read(tmp_path, packed(rows), "a.csv", skip_rows=2).frame.rows()
    table = read(tmp_path, packed([["1", "a"], ["2", "b"]]), header=["id", "v"])
    assert [("1", "a", 1), ("2", "b", 2)] == table.frame.rows()


def zipped(**parts: str) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return body.getvalue()


REFUSED = [
    (zipped(**{"a.csv": "id\n1\n"}), "zip", "none that Excel writes"),
    (zipped(**{"xl/workbook.bin": ""}), "zip", ".xlsx"),
    (zipped(**{"xl/workbook.xml": "<"}), "damaged_workbook", "Save it again"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "old_workbook", "password"),
    (b"PK\x03\x04rest", "zip", "ZIP"),
    (packed([]), "empty_file", "no header"),
]


@pytest.mark.parametrize(("content", "reason", "words"), REFUSED)
def test_what_is_no_workbook_is_rejected_with_what_to_do(tmp_path, content, reason, words):
    """Archives, old workbooks and damaged ones each say what they are."""
    with pytest.raises(FileRejected) as caught:
        read(tmp_path, content)
    assert reason == caught.value.reason
    assert words in caught.value.message


def test_a_sheet_that_is_not_there_is_named_with_those_that_are(tmp_path):
    """Somebody renamed it: nothing else is read in its place."""
    with pytest.raises(FileRejected) as caught:
        read(tmp_path, packed([["id"]]), sheet="Kunden")
    assert "missing_sheet" == caught.value.reason
    assert "'Sheet'" in caught.value.message


def test_a_workbook_cannot_fill_the_disk(tmp_path):
    """What it unpacks to is known before any of it is unpacked."""
    path = tmp_path / "a.xlsx"
    path.write_bytes(packed([["id"], ["1"]]))
    limits = UnpackLimits(most_bytes=100)
    with (
        pytest.raises(FileRejected) as caught,
        as_csv(path, "a.xlsx", Source(prefix="in/"), limits),
    ):
        pass
    assert "bomb" == caught.value.reason
