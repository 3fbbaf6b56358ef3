"""Headers that come again in the middle of a CSV file, as files that were joined have them."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from exchanger.app.messages.notes.words import in_words
from exchanger.config.models import Source
from exchanger.errors import FileRejected
from exchanger.files.formats.read import RawTable, read_table

BOM = "\ufeff"


def read(folder: Path, content: str | bytes, key: str = "a.csv", **csv: str) -> RawTable:
    path = folder / "download"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(path, key, Source(prefix="in/", csv=csv))


HEAD = "customer_id,tier\n"
JOINED = [
    HEAD + "h1,gold\n" + HEAD + "h2,x\n",
    HEAD + "h1,gold\n" + HEAD + "h2,x\n" + HEAD,
    HEAD + HEAD + "h1,gold\nh2,x\n",
    HEAD + "h1,gold\n" + BOM + HEAD + "h2,x\n",
    HEAD + "h1,gold\n" + BOM + '"customer_id","tier"\n' + "h2,x\n",
    HEAD + "h1,gold\r\n\r\n" + '"customer_id", tier \r\n' + "h2,x\r\n",
    "customer_id, tier\nh1,gold\ncustomer_id, tier\nh2,x",
    HEAD + "h1,gold\ntier,customer_id\nx,h2\n",
    HEAD + "tier,customer_id\ngold,h1\n" + HEAD + "h2,x\n",
]


@pytest.mark.parametrize("content", JOINED)
@pytest.mark.usefixtures("csv_reader")
def test_a_header_that_comes_again_is_no_row(tmp_path, content):
    """Wherever a header comes again, it is passed over, and rows are read in its order; told."""
    table = read(tmp_path, content)

    assert [("h1", "gold", 1), ("h2", "x", 2)] == table.frame.rows()
    assert ["customer_id", "tier", "@row"] == table.frame.columns
    assert 0 == table.bad.rows
    assert any("header came again" in in_words(note) for note in table.notes)


def test_members_of_gzip_that_were_joined_have_a_header_each(tmp_path):
    """Packed files that were joined are one file with its header twice."""
    parts = [(HEAD + "h1,gold\n").encode(), (HEAD + "h2,x\n").encode()]
    table = read(tmp_path, b"".join(gzip.compress(part, mtime=0) for part in parts), "a.csv.gz")
    assert [("h1", "gold", 1), ("h2", "x", 2)] == table.frame.rows()


JOINTS = [
    # Without a line end between; what is read, and which row is set aside.
    ("some_id,v\na,1\nb,2some_id,v\nc,3\n", [("a", "1", 1), ("c", "3", 3)], 2),
    ('"some_id","v"\n"a","1"\n"b",2"some_id","v"\n"c","3"\n', [("a", "1", 1), ("c", "3", 3)], 2),
    ("some_id,v\na,1\nb,2\ufeffsome_id, v\nc,3\n", [("a", "1", 1), ("c", "3", 3)], 2),
    ("some_id\na\nbsome_id\nc\n", [("a", 1), ("c", 3)], 2),
    ("some_id,v\na,1\nb,2,3\n", [("a", "1", 1)], 0),
    ("id\na\nmadrid\n", [("a", 1), ("madrid", 2)], 0),
]


@pytest.mark.usefixtures("csv_reader")
@pytest.mark.parametrize(("content", "rows", "at"), JOINTS)
def test_a_row_with_the_next_header_behind_it_is_set_aside(tmp_path, content, rows, at):
    """Files were joined of which the first has no line end at its end: its last row is not lost."""
    table = read(tmp_path, content)
    assert rows == table.frame.rows()
    bad = table.bad_rows.filter(reason="joined_lines").select("@row", "message").rows()
    assert ([at] if at else []) == [row for row, _ in bad]
    assert all("Write one there" in message for _, message in bad)


def test_a_header_in_another_order_is_told_with_its_row(tmp_path):
    """Rows after a header in another order are read in that order, and it is said from where."""
    table = read(tmp_path, HEAD + "h1,gold\ntier,customer_id\nx,h2\n,h3\n")
    assert [("h1", "gold", 1), ("h2", "x", 2), ("h3", None, 3)] == table.frame.rows()
    assert any("from row 2 on" in in_words(note) for note in table.notes)


def test_rows_that_hold_some_names_of_columns_are_rows(tmp_path):
    """A cell may be called like a column; only what names all columns is a header."""
    content = "kind,email,note\nemail,kind,x\nemail,email,note\nkind,email,\nkind,email,note!\n"
    table = read(tmp_path, content)
    assert [1, 2, 3, 4] == table.frame["@row"].to_list()
    assert () == table.notes


def test_a_ragged_row_keeps_its_number_behind_a_header_that_came_again(tmp_path):
    """Headers are not counted, by whichever reader."""
    table = read(tmp_path, HEAD + "h1,gold\n" + HEAD + "h2\nh3,x\n")
    assert [("h1", "gold", 1), ("h3", "x", 3)] == table.frame.rows()
    assert [2] == table.bad_rows["@row"].to_list()
    assert "Row 2 has 1 cells" in table.bad_rows["message"].item()


@pytest.mark.parametrize("name", ["*", "^a$", "@row"])
def test_a_column_with_a_name_of_ours_disturbs_no_header(tmp_path, name):
    """Names that mean several columns to polars are compared like any other."""
    table = read(tmp_path, f"id,{name}\n1,x\nid,{name}\n2,y\n")
    assert [("1", 1), ("2", 2)] == table.frame.rows()


ESCAPED = [
    'b1,"Ada \\"Queen\\" L"\n',
    '"b\\"1",gold\n',
    'b1,"{\\"a\\": 1}"\n',
    'b1,"5\\""\nb2,gold\n',
    'b1,"5\\""\nb2,"6\\""\nb3,x\n',
    'b0,x\nb1,"5\\""\nb2,"plain"\n',
    'b1,"a\\",b"\n',
    'b1,"Ada \\"Queen, of\\" L"\n',
    'b1,"two\\"\nlines\\""\n',
    'b1,"\\"Ada\\""\r\nb2,x\r\n',
    'b1,"a \\\\ and \\"b\\""\n',
]


@pytest.mark.parametrize("content", ESCAPED)
def test_quotes_that_are_escaped_by_backslashes_are_refused_by_that_name(tmp_path, content):
    """A file whose quotes are escaped by backslashes is never read as something else."""
    with pytest.raises(FileRejected) as refused:
        read(tmp_path, HEAD + "a0,fine\n" + content)
    assert "backslash_escapes" == refused.value.reason
    assert "backslash" in refused.value.message
    assert refused.value.row >= 2


def test_a_header_may_be_escaped_too(tmp_path):
    """The names of columns are looked at like rows."""
    with pytest.raises(FileRejected) as refused:
        read(tmp_path, 'id,"the \\"nick\\" name"\n1,x\n')
    assert ("backslash_escapes", 0) == (refused.value.reason, refused.value.row)


CSV_ALL_THE_SAME = [
    ('"C:\\"', "C:\\"),
    ('"\\\\srv\\share\\"', "\\\\srv\\share\\"),
    ('"{""a"": ""x\\""y""}"', '{"a": "x\\"y"}'),
    ('"say \\""hi\\"", she said"', 'say \\"hi\\", she said'),
    ('"x\\"""', 'x\\"'),
    ('5\\" nail', '5\\" nail'),
    ('{"a": "x\\"y"}', '{"a": "x\\"y"}'),
    ("a\\b\\nc", "a\\b\\nc"),
]


@pytest.mark.parametrize(("cell", "value"), CSV_ALL_THE_SAME)
def test_backslashes_that_escape_nothing_are_read_as_they_stand(tmp_path, cell, value):
    """A path of Windows, JSON with its own escapes, inches: good files are read."""
    table = read(tmp_path, f"id\tv\tlast\n1\t{cell}\tx\n2\ty\tz\n", delimiter="\t")
    assert [("1", value, "x", 1), ("2", "y", "z", 2)] == table.frame.rows()


def test_text_behind_a_closing_quote_is_not_blamed_on_backslashes(tmp_path):
    """It would be read without the quotes of "Bob": its row is set aside with the true reason."""
    table = read(tmp_path, 'id\tv\n1\t"Bob" Smith \\"\n2\ty\n', delimiter="\t")
    assert [(1, "stray_quote")] == table.bad_rows.select("@row", "reason").rows()
    assert [("2", "y", 2)] == table.frame.rows()


def test_a_quote_left_open_is_not_blamed_on_backslashes(tmp_path):
    """A backslash elsewhere in the file explains nothing."""
    with pytest.raises(FileRejected) as refused:
        read(tmp_path, 'id,v\n1,"C:\\"\n2,"open\n3,x\n')
    assert "open_quote" == refused.value.reason


def test_reading_csv_changes_no_setting_of_the_process(tmp_path):
    """Whoever else reads CSV in this process keeps the limit of cells that they have."""
    import csv

    before = csv.field_size_limit()
    long = "x" * (before + 10)
    table = read(tmp_path, f'id,v\n1,"{long}"\n2\n3,y\n')

    assert [("1", long, 1), ("3", "y", 3)] == table.frame.rows()
    assert before == csv.field_size_limit()
