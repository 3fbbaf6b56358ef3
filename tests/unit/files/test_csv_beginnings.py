"""How CSV begins and ends its rows, as Excel, pandas and databases write it: decision tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchanger.config.models import Source
from exchanger.errors import FileRejected
from exchanger.files.formats.read import RawTable, read_table

BOM = "\ufeff"


def read(folder: Path, text: str, **source) -> RawTable:
    path = folder / "download"
    path.write_bytes(text.encode())
    return read_table(path, "a.csv", Source(prefix="in/", **source))


ROWS = [("1", "a", 1), ("2", "b", 2)]
TAKEN = [
    # text, what the job says -> a word of what is told
    ("sep=;\nid;v\n1;a\n2;b\n", {}, "delimiter: ;"),
    (BOM + "sep=;\r\nid;v\r\n1;a\r\n2;b\r\n", {}, "delimiter: ;"),
    ('"sep=,"\nid,v\n1,a\n2,b\n', {}, "delimiter: ,"),
    ("SEP=\t\nid\tv\n1\ta\n2\tb", {"csv": {"delimiter": ","}}, "delimiter hint"),
    ("sep=^\nid^v\n1^a\n2^b\n", {}, "delimiter: ^"),
    ("sep=;\nid;v\n1;a\n2;b\n", {"csv": {"delimiter": ";"}}, ""),
    # Lines above the header, and none.
    ("Report, May\n\nid,v\n1,a\n2,b\n", {"skip_rows": 2}, ""),
    ("Report\rid,v\r1,a\r2,b\r", {"skip_rows": 1}, ""),
    ("sep=;\nReport\nid;v\n1;a\n2;b\n", {"skip_rows": 1}, "delimiter: ;"),
    ("1,a\n2,b\n", {"header": ["id", "v"]}, ""),
    (BOM + BOM + "1,a\n2,b\n", {"header": ["id", "v"]}, ""),
    ("1;a\n2;b\n", {"header": ["id", "v"]}, "delimiter ;"),
    ("id,v\n1,a\n2,b\n", {"header": ["id", "v"]}, "header again"),
    ("Report\n1,a\n2,b\n", {"header": ["id", "v"], "skip_rows": 1}, ""),
    ("1,a,\n2,b,\n", {"header": ["id", "v"]}, ""),
    # Delimiters at the end, and columns that only number the rows.
    ("id,v\n1,a,\n2,b,\n", {}, ""),
    ("id,v,\n1,a,\n2,b,\n", {}, ""),
    ("id;v;\r\n1;a;\r\n2;b;\r\n", {}, "delimiter ;"),
    (",id,v\n0,1,a\n1,2,b\n", {}, "positions: [1]"),
    ("id,,v\n1,x,a\n2,,b\n", {}, "positions: [2]"),
    ("id,v,\n1,a,x\n2,b,\n", {}, "positions: [3]"),
    (",id,v\n0,1,a\n,id,v\n1,2,b\n", {}, "header again"),
    ("id,v\n1,a\n2,b\n\x1a", {}, ""),
    ("id,v\n1,a\n2,b\n\f", {}, ""),
    # Other quotes.
    ("id,v\n1,'a'\n'2',b\n", {"csv": {"quote": "'"}}, ""),
    (BOM + "id,v\n1,'a'\n'2',b\n", {"csv": {"quote": "'"}}, ""),
]


@pytest.mark.usefixtures("csv_reader")
@pytest.mark.parametrize(("text", "source", "word"), TAKEN)
def test_what_other_programs_add_to_csv_is_no_part_of_its_rows(tmp_path, text, source, word):
    """The same two rows, however they are wrapped, by both readers; what is odd is told."""
    table = read(tmp_path, text, **source)
    assert ROWS == table.frame.select("id", "v", "@row").rows()
    assert ["id", "v", "@row"] == table.frame.columns
    assert 0 == table.bad.rows
    told = [*map(str, table.notes)]
    told += [f"delimiter {table.read_as.delimiter}"] if table.read_as else []
    assert (word in " ".join(told)) if word else not told


def test_a_first_line_that_names_no_sign_is_no_hint(tmp_path):
    """Letters and quotes separate nothing."""
    assert ["sep=x", "@row"] == read(tmp_path, "sep=x\n1\n").frame.columns


RAGGED = [
    # A delimiter at the end of some rows, or of one, may as well be a name with a comma in it.
    ("id,name,city\n1,Smith, John,\n", {}, [1]),
    ("id,v\n1,a,\n2,b\n", {}, [1]),
    ("id,v\n" + "1,a,\n" * 150 + "2,b,c\n3,d\n", {}, [151, 152]),
    ("id,v,\n" + "1,a,\n" * 150 + "2,b,c\n3,d\n", {}, [151, 152]),
    ("id,v\n1,a,,\n2,b,,\n", {}, [1, 2]),
    ("id\n1\n2\n\x1a,\n", {}, [3]),
]


@pytest.mark.parametrize(("text", "source", "rows"), RAGGED)
def test_cells_behind_the_last_column_are_never_dropped(tmp_path, text, source, rows):
    """Only what is empty in every row is a habit of the writer; else the row is set aside."""
    table = read(tmp_path, text, **source)
    assert rows == table.bad_rows["@row"].to_list()
    assert {"ragged_row"} == set(table.bad_rows["reason"])


ESCAPED = [
    (r'"Ada \"Queen\" L"', 'Ada "Queen" L'),
    (r'"a\\b"', r"a\b"),
    (r"a\,b", "a,b"),
    (r'"{\"a\": 1}"', '{"a": 1}'),
    (r"C:\new", r"C:\new"),
    (r"\N", None),
    (r"\\N", r"\N"),
    ('"two\\\nlines"', "two\nlines"),
    ('"doubled ""too"""', 'doubled "too"'),
    ("plain", "plain"),
]


@pytest.mark.parametrize(("cell", "text"), ESCAPED)
def test_escapes_are_read_where_the_job_says_so(tmp_path, cell, text):
    """A backslash before a letter is a backslash, as nobody agrees on anything else."""
    table = read(tmp_path, f"id,v,w\n1,{cell},x\n2,y,z\n", csv={"escape": "\\"})
    assert [("1", text, "x", 1), ("2", "y", "z", 2)] == table.frame.rows()


REFUSED = [
    ("1,a\n2,b\n", {"header": ["id"]}, "other_width", "2 cells"),
    ("1,a\n2,b\n", {"header": ["id", "v", "w"]}, "other_width", "names 3 columns"),
    ("id,v\n1,a\n", {"header": ["id", "id"]}, "duplicate_column", "'id'"),
    ("a\nb\n", {"skip_rows": 9}, "empty_file", "no header"),
    ("id,v\n1,'a\n2,b\n", {"csv": {"quote": "'"}}, "open_quote", "never closed"),
    ("id,v\n1,'D'Arcy'\n", {"csv": {"quote": "'"}}, "stray_quote", "Row 1 has a quote (')"),
    ("id,'the 'v''\n1,a\n", {"csv": {"quote": "'"}}, "stray_quote", "The header"),
    ('id,v\n1,"a "b" c"\n', {"csv": {"escape": "\\"}}, "stray_quote", "with \\ before it"),
    ('id,v\n1,"a \\"b\\" c"\n', {}, "backslash_escapes", 'escape: "\\\\"'),
]


@pytest.mark.parametrize(("text", "source", "reason", "words"), REFUSED)
def test_a_file_that_is_not_as_the_job_says_is_rejected(tmp_path, text, source, reason, words):
    """One sentence for the file, which says what to write."""
    with pytest.raises(FileRejected) as caught:
        read(tmp_path, text, **source)
    assert reason == caught.value.reason
    assert words in caught.value.message
