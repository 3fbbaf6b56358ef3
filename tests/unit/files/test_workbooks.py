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
    # Zeros in front, as the format shows them and as CSV would have them.
    (123, "00000", "00123"),
    (1067.0, "00000", "01067"),
    (-7, "000;[Red]-000", "-007"),
    (1234567, "00000", "1234567"),
    (12345678, r"000\-00\-0000", "012-34-5678"),
    (12345678, "000-00-0000", "012-34-5678"),
    (12345, '00" "00" "00', "01 23 45"),
    (5, "0", "5"),
    (1234, "#,##0", "1234"),
    (12, "0.00", "12"),
    (0.5, "0000", "0.5"),
    (7, '00" km"', "7"),
    # Signs that XML has none for.
    ("a\nb_x000D_", None, "a\nb\r"),
    ("_x0041_x000", None, "_x0041_x000"),
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


def replaced(content: bytes, part: str, *changes: tuple[str, str]) -> bytes:
    """Write a workbook anew with other text in one of its parts."""
    body = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(body, "w") as target:
        for name in source.namelist():
            text = source.read(name)
            for before, after in changes if name == part else ():
                assert before.encode() in text
                text = text.replace(before.encode(), after.encode())
            target.writestr(name, text)
    return body.getvalue()


FIRST_SHEET = "xl/worksheets/sheet1.xml"
FORMULAS = packed(
    [["id", "spend", "tier "], ["a", 1, "=B2&C9"], ["b", "=B2*2", "gold"], ["c", "=B3", "=C3"]]
)
"""As openpyxl writes them: without results."""
NOT_DUE = ('fullCalcOnLoad="1"', "")


def with_results(*results: str) -> bytes:
    """Write results into the cells of formulas, in order, and into the workbook that all is due."""
    changes = [
        (f"<f>{formula}</f><v />", f"<f>{formula}</f>{result}")
        for formula, result in zip(["B2&amp;C9", "B2*2", "B3", "C3"], results, strict=True)
    ]
    return replaced(FORMULAS, FIRST_SHEET, *changes)


LACKING = [
    # The workbook; the columns that lack results, each with the first cell that does.
    (FORMULAS, {"spend": "B3", "tier": "C2"}),
    (with_results("<v>5</v>", "<v>2</v>", "<v>2</v>", "<v/>"), {"tier": "C4"}),
    # XlsxWriter writes zeros in place of results.
    (with_results("<v>0</v>", "<v>0</v>", "<v>0</v>", "<v>0</v>"), {"spend": "B3", "tier": "C2"}),
    (with_results("<v>1</v>", "<v>0</v>", "<v>0</v>", "<v>0</v>"), {}),
    (replaced(with_results(*["<v>0</v>"] * 4), "xl/workbook.xml", NOT_DUE), {}),
]


@pytest.mark.parametrize(("content", "lacking"), LACKING)
def test_a_column_with_formulas_that_were_never_calculated_cannot_be_used(
    tmp_path, content, lacking
):
    """Nothing, or a zero, is not what people see there; all other columns are read."""
    table = read(tmp_path, content)
    assert lacking.keys() == {*table.unusable}
    assert all(f"the first in {place}" in table.unusable[name] for name, place in lacking.items())
    assert {"id", "spend", "tier"} - lacking.keys() == {*table.frame.columns} - {"@row"}
    assert ["a", "b", "c"] == table.frame["id"].to_list()


def test_a_formula_whose_result_is_no_text_has_a_result(tmp_path):
    """Excel writes so what IF(...) makes of nothing."""
    content = packed([["id", "v"], ["a", "=T(1)"], ["b", "x"]])
    content = replaced(
        content, FIRST_SHEET, ('<c r="B2"><f>T(1)</f><v />', '<c r="B2" t="str"><f>T(1)</f><v></v>')
    )
    table = read(tmp_path, content, header=["id", "v"], skip_rows=1)
    assert [("a", None, 1), ("b", "x", 2)] == table.frame.rows()


MERGED = [
    (["B2:B3"], 0, ["B2:B3"]),
    (["A1:B1"], 0, []),
    (["A3:B3", "B4:B9"], 0, ["A3:B3", "B4:B9"]),
    (["A1:B2"], 0, ["A1:B2"]),
    (["A1:B1"], 1, []),
]


@pytest.mark.parametrize(("ranges", "skipped", "told"), MERGED)
def test_merged_cells_below_the_header_are_told(tmp_path, ranges, skipped, told):
    """Only the first of them has the value, which nobody sees who looks at the sheet."""
    book = openpyxl.Workbook()
    for row in [["May", ""]] * skipped + [["id", "v"], ["a", "x"], ["b", "y"], ["c", "z"]]:
        book.active.append(row)
    for each in ranges:
        book.active.merge_cells(each)
    body = io.BytesIO()
    book.save(body)
    table = read(tmp_path, body.getvalue(), skip_rows=skipped)
    found = [note.facts["ranges"] for note in table.notes if note.code == "cells_merged"]
    assert ([told] if told else []) == found


def test_errors_are_told(tmp_path):
    """They are read by their names, as CSV has them, which is hardly what anybody wants to send."""
    content = packed([["id", "v"], ["a", "x"], ["b", "#REF!"], ["c", "#N/A"]])
    for nulls, cells in (([], 2), (["#N/A"], 1)):
        table = read(tmp_path, content, nulls=nulls)
        assert [noted("cells_in_error", cells=cells, error="#REF!", place="B3")] == [*table.notes]
    assert () == read(tmp_path, content, nulls=["#N/A", "#REF!"]).notes


def test_what_a_workbook_has_besides_its_cells_is_no_warning(tmp_path, recwarn):
    """Whoever runs a job sees nothing of what the library would lose if it wrote the file."""
    bad_day = ('<c r="B2" t="n"><v>1</v>', '<c r="B2" s="1" t="n"><v>-5</v>')
    content = packed([["id", "v"], ["a", 1]])
    read(
        tmp_path,
        replaced(packed([["id", "v"], ["a", 1], ["b", date(2026, 1, 1)]]), FIRST_SHEET, bad_day),
    )
    extension = (
        "</worksheet>",
        '<extLst><ext uri="{CCE6A557-97BC-4b89-ADB6-D9C93CAAB3DF}"/></extLst></worksheet>',
    )
    read(tmp_path, replaced(content, FIRST_SHEET, extension))
    assert [] == [each.message for each in recwarn]


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


STRICT = '<workbook xmlns="http://purl.oclc.org/ooxml/spreadsheetml/main"/>'
REFUSED = [
    (zipped(**{"xl/workbook.xml": STRICT}), "strict_workbook", "Save it as an Excel Workbook"),
    (zipped(**{"a.csv": "id\n1\n"}), "zip", "none that Excel writes"),
    (zipped(**{"xl/workbook.bin": ""}), "zip", ".xlsx"),
    (zipped(**{"xl/workbook.xml": "<"}), "damaged_workbook", "Save it again"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "old_workbook", "password"),
    (b"PK\x03\x04rest", "zip", "ZIP"),
    (packed([]), "empty_file", "no header"),
    (packed([["id"], ["1"]]) + packed([["id"], ["2"]]), "joined_files", "one by one"),
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
