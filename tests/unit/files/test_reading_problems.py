"""Files and rows that cannot be read: what is said about each."""

import gzip
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from exchanger.config.models import Source
from exchanger.errors import FileRejected
from exchanger.files.formats import ndjson as ndjson_lines
from exchanger.files.formats.csv import exact as csv_records
from exchanger.files.formats.detect import detect_compression, detect_kind
from exchanger.files.formats.read import RawTable, read_table
from exchanger.files.raw.compression import UnpackLimits, unpacked


def read(tmp_path: Path, content: bytes, key: str, **source: object) -> RawTable:
    path = tmp_path / "download"
    path.write_bytes(content)
    return read_table(path, key, Source(prefix="in/", **source))


def parquet_bytes(tmp_path: Path) -> bytes:
    pl.DataFrame({"id": ["1", "2"], "n": [1, 2]}).write_parquet(tmp_path / "p")
    return (tmp_path / "p").read_bytes()


WHOLE_FILES = [
    ("a.csv", b"", "empty_file", 0, "0 bytes"),
    ("a.ndjson", b"", "empty_file", 0, "0 bytes"),
    ("a.parquet", b"", "empty_file", 0, "0 bytes"),
    ("a.csv", b"\n\r\n", "empty_file", 0, "no header"),
    ("a.ndjson", b"\n \n", "empty_file", 0, "no rows"),
    ("a.parquet", b"id,n\n1,2\n", "not_parquet", 0, "PAR1"),
    ("a.csv", b"id\n1\xc3", "invalid_utf8", 1, "Save the file as UTF-8"),
    ("a.ndjson", b'{"id":1}\n\n{"id":"\xff"}', "invalid_utf8", 2, "Row 2"),
    ("a.ndjson", '{"id":"é"}'.encode("utf-16"), "utf16", 0, "UTF-8"),
    ("a.csv", b"id\n1\n\0\n", "nul_bytes", 2, "Row 2"),
    ("a.ndjson", b'{"id":\0}', "nul_bytes", 1, "NUL"),
    ("a.csv", b"id,id\n", "duplicate_column", 0, "'id'"),
    ("a.csv", b",\n1,2\n", "empty_column_name", 0, "Column 1"),
    ("a.ndjson", b'{"id":1," ":2}', "empty_column_name", 0, "Column 2"),
    ("a.ndjson", b"{}\n{}\n", "no_columns", 0, "no columns"),
    ("a.ndjson", b'[{"id":1}]', "not_ndjson", 1, "one object per line"),
    ("a.ndjson", b'{"id":1}{"id":2}\n{"id":3}', "not_ndjson", 1, "several objects"),
    ("a.ndjson", b'\n{"id":1,"n":2,"n":3}\n', "duplicate_key", 1, "the key 'n' twice"),
    ("a.ndjson", b'{"id":1,"o":{"k":1,"k":2}}', "duplicate_key", 1, "the key 'k' twice"),
    ("a.ndjson", b'{"id":1,"n":NaN}', "not_ndjson", 1, "at character 13"),
    ("a.ndjson", b"null\n{]", "not_ndjson", 1, "Row 1 is JSON, but not an object"),
    ("a.csv", b'id,n\n1,2\n2,"open\n3,4\n', "open_quote", 2, "Row 2"),
    ("a.csv", b'id,n\n1,2\n2,"open', "open_quote", 2, "never closed"),
    ("a.csv", b'id,n\n1,2\n2,"', "open_quote", 2, "never closed"),
    ("a.csv", b'id,n\n1,2\n2,x"y\n3,"open\n4,5', "open_quote", 3, "Row 3"),
    ("a.csv", b'id,"n\n1,2\n', "open_quote", 0, "The header"),
    ("a.csv", b'{"id": "1", "n": 2}\n', "not_csv", 0, "under a name that ends with .ndjson"),
    ("a.csv.gz", gzip.compress(b'[{"id" : 1}]', mtime=0), "not_csv", 0, "begins like JSON"),
    ("a.xls", b"\xef\xbb\xbf\n<HTML><table><tr><td>id", "not_csv", 0, "save it as .xlsx"),
    ("a.csv", b'<!DOCTYPE html>\n<p class="x">Log in', "not_csv", 0, "a web page"),
    ("a.csv", b'<?xml version="1.0"?>\n<Error>', "not_csv", 0, "the error that a download"),
    ("a.csv", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "not_csv", 0, "a PDF document"),
    ("a.csv", b"{\\rtf1\\ansi id,n\\par}", "not_csv", 0, "Save it as plain text"),
    ("a.csv", b"-----BEGIN PGP MESSAGE-----\n\nhQ", "not_csv", 0, "Decrypt it"),
    ("a.csv", b"version https://git-lfs.github.com/spec/v1\n", "not_csv", 0, "git lfs pull"),
    ("a.csv", b"PK\x03\x04rest", "zip", 0, "Excel"),
    ("a.csv.gz", gzip.compress(b"id\n1\n" * 99, mtime=0)[:-9], "damaged_gzip", 0, "cut short"),
    ("a.csv.gz", gzip.compress(b"id\n1\n", mtime=0) + b"more", "damaged_gzip", 0, "cut short"),
    ("a.csv.gz", b"\x00\x01\x02\x03", "damaged_gzip", 0, "damaged"),
    ("a.csv.zst", b"\x28\xb5\x2f\xfd\x00", "damaged_zstd", 0, "cut short"),
]


@pytest.mark.parametrize(("key", "content", "reason", "row", "words"), WHOLE_FILES)
def test_a_file_that_cannot_be_used_is_rejected_with_reason_and_row(
    tmp_path, *, key, content, reason, row, words
):
    """Each problem of a whole file has its own reason, its row, and words that say what to do."""
    with pytest.raises(FileRejected) as caught:
        read(tmp_path, content, key)
    assert (reason, row, key) == (caught.value.reason, caught.value.row, caught.value.key)
    assert words in caught.value.message


@pytest.mark.parametrize("end", [-1, -4, -20, 40])
def test_a_parquet_file_that_is_cut_short_is_called_damaged(tmp_path, end):
    """A Parquet file without its end says that it is cut short, not that it is no Parquet."""
    with pytest.raises(FileRejected) as caught:
        read(tmp_path, parquet_bytes(tmp_path)[:end], "a.parquet")
    assert caught.value.reason == "damaged_parquet"


def test_text_in_parquet_that_is_not_utf8_is_called_damaged(tmp_path):
    """Bytes that only claim to be text are found before anything computes with them."""
    pq.write_table(pa.table({"id": pa.array([b"\xff"]).view(pa.string())}), tmp_path / "p")
    with pytest.raises(FileRejected) as caught:
        read(tmp_path, (tmp_path / "p").read_bytes(), "a.parquet")
    assert caught.value.reason == "damaged_parquet"


SETTLED = [
    (b"id;n\n1;2\n", {"delimiter": ","}, "wrong_delimiter", 0, '{csv: {delimiter: ";"}}'),
    (b"id\tn\n1\t2\n", {"delimiter": ","}, "wrong_delimiter", 0, '{csv: {delimiter: "\\t"}}'),
    (b"id|n\n", {"delimiter": ";"}, "wrong_delimiter", 0, '{csv: {delimiter: "|"}}'),
    (b"id,n\n1,2\n\n2,\xe9\n", {"encoding": "utf-8"}, "invalid_utf8", 2, "Byte 12 of the file is"),
    (b"i\xe9d,n\n", {"encoding": "utf-8"}, "invalid_utf8", 0, "The header"),
    (b"id,n\n1,\xe9\n", {"encoding": "ascii"}, "invalid_text", 0, "Byte 7 of the file is"),
    (b"id,n\n1,\x81\n", {"encoding": "windows-1252"}, "invalid_text", 0, "Byte 7 of the file is"),
]


@pytest.mark.parametrize(("content", "csv", "reason", "row", "words"), SETTLED)
def test_what_the_job_settles_of_csv_is_not_told_from_the_file(
    tmp_path, *, content, csv, reason, row, words
):
    """A file that is not as the job says is rejected, and what to write is named."""
    with pytest.raises(FileRejected) as caught:
        read(tmp_path, content, "a.csv", csv=csv)
    assert (reason, row) == (caught.value.reason, caught.value.row)
    assert words in caught.value.message


@pytest.mark.parametrize("delimiter", ['"', "\n", ";;", ""])
def test_the_delimiter_can_be_none_of_the_characters_that_csv_is_made_of(delimiter):
    """A quote as delimiter is refused with the configuration."""
    with pytest.raises(ValidationError, match="one character"):
        Source(prefix="in/", csv={"delimiter": delimiter})


@pytest.mark.parametrize("encoding", ["utf8mb4", "idna", "rot13", "hex"])
def test_an_encoding_that_nobody_knows_is_refused_with_the_configuration(encoding):
    """Codecs that are no encodings of text, and slips, are no encodings."""
    with pytest.raises(ValidationError, match="no encoding is called"):
        Source(prefix="in/", csv={"encoding": encoding})


def test_a_single_column_may_have_a_quoted_name_with_a_delimiter_in_it(tmp_path):
    """Only an unquoted header looks like the wrong delimiter."""
    assert ["a;b", "@row"] == read(tmp_path, b'"a;b"\n1\n', "a.csv").frame.columns


BAD_ROWS = [
    (b"3\n", "ragged_row", None, "3", "1 cells where the header has 2"),
    (b"4,5,6\n", "ragged_row", None, "4,5,6", "quotes around a cell"),
    (b'"x\ny",5,6\r\n', "ragged_row", None, '"x\ny",5,6', "3 cells"),
    (b" \n", "ragged_row", None, " ", "1 cells"),
    (b"," * 3000 + b"\n", "ragged_row", None, "," * 2000, "3001 cells"),
    (b'4,"5" pipe"', "stray_quote", None, '4,"5" pipe"', "Write a quote within quotes twice"),
    (b'4,"The "Rock" J"', "stray_quote", None, '4,"The "Rock" J"', "Row 2 has a quote"),
    (
        b'4,"The "Rock", J"',
        "stray_quote",
        None,
        '4,"The "Rock", J"',
        '"Dwayne ""The Rock"" Johnson"',
    ),
    (b'"4"x,5', "stray_quote", None, '"4"x,5', "text behind one"),
    (b'"x\ny "z"",5', "stray_quote", None, '"x\ny "z"",5', "quotes twice"),
    (b'4, "gold"', "stray_quote", None, '4, "gold"', "white space before the quote"),
    (b'\t"4","5"', "stray_quote", None, '\t"4","5"', "white space before the quote"),
]


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize(("line", "reason", "field", "record", "words"), BAD_ROWS)
def test_a_row_that_is_no_csv_is_set_aside_and_the_rest_is_read(
    tmp_path, *, line, reason, field, record, words, ending
):
    """Bad rows keep their number, blank lines have none, and the good rows stay."""
    lines = [b"id,n", b"1,2", b"", line.strip(b"\r\n"), b"7,8", b"", b""]
    table = read(tmp_path, ending.join(lines), "a.csv")
    assert [("1", "2", 1), ("7", "8", 3)] == table.frame.rows()
    ((row, at, value, why, message, text),) = table.bad_rows.rows()
    assert (2, field, None, reason, record) == (row, at, value, why, text)
    assert words in message
    assert table.rows == 3


@pytest.mark.parametrize(
    ("cell", "delimiter", "value"),
    [
        ('5" pipe', ",", '5" pipe'),
        ('5"x7"', ",", '5"x7"'),
        ('"5"" pipe"', ",", '5" pipe'),
        ('" ""gold"" "', ",", ' "gold" '),
        ('"a ""b"", ""c"""', ",", 'a "b", "c"'),
        ('"5"" pipe, "', ",", '5" pipe, '),
        ('="00123"', ",", '="00123"'),
        ('{"a": 1, "b": 2}', "\t", '{"a": 1, "b": 2}'),
        ('"{""a"": 1, ""b"": 2}"', ",", '{"a": 1, "b": 2}'),
        ('\t"gold"', "\t", None),
    ],
)
def test_quotes_that_csv_allows_are_read_as_they_stand(tmp_path, cell, delimiter, value):
    """Inches in a cell without quotes, quotes that are doubled, JSON: all of them are text."""
    names = ["id", "n"] if value is not None else ["id", "n", "z"]
    row = delimiter.join(["1", cell])
    content = "\n".join([delimiter.join(names), row, row]).encode()
    table = read(tmp_path, content, "a.csv", csv={"delimiter": delimiter})
    assert table.bad_rows.is_empty()
    assert [value, value] == table.frame["n"].to_list()
    assert value is not None or ["gold", "gold"] == table.frame["z"].to_list()


@pytest.mark.parametrize("header", ['id,"the "n" of"', 'id, "n"'])
def test_a_header_with_a_stray_quote_is_refused(tmp_path, header):
    """Its names would be others than those that are meant."""
    with pytest.raises(FileRejected) as refused:
        read(tmp_path, f"{header}\n1,2\n".encode(), "a.csv")
    assert ("stray_quote", 0) == (refused.value.reason, refused.value.row)
    assert refused.value.message.startswith("The header has ")


@pytest.mark.parametrize("ragged", [b"", b"9"])
def test_rows_of_nothing_but_delimiters_are_blank_lines(tmp_path, ragged):
    """Spreadsheets leave them behind; like blank lines they have no number, wherever they are."""
    lines = [b"id,n,", b"1,2,", b",,", b' ,"",', b"3,,", b",4,", ragged, b",,", b",,", b""]
    table = read(tmp_path, b"\r\n".join(lines), "a.csv")
    assert [("1", "2", 1), ("3", None, 2), (None, "4", 3)] == table.frame.rows()
    assert [4][: len(ragged)] == table.bad_rows["@row"].to_list()
    alone = read(tmp_path, b"id,n\n,\n,\n", "a.csv")
    assert (0, ["id", "n"]) == (alone.rows, alone.frame.columns[:2])


@pytest.mark.parametrize("blank", [b",", b" ,", b'\t,""', b'"",'])
@pytest.mark.parametrize("rows", [1, 2_000])
def test_blank_rows_are_passed_over_however_many_rows_there_are(tmp_path, blank, rows):
    """In few rows they are looked for in another way than in many."""
    lines = [b"id,n", blank, *[b"1,2"] * rows, b",3", blank, b" x,"]
    table = read(tmp_path, b"\n".join([*lines, b""]), "a.csv")
    assert (rows + 2, [None, " x"]) == (table.rows, table.frame["id"].to_list()[-2:])


JSON_LINES = [
    (b"[1]", "not_an_object", None, "object"),
    (b"1", "not_an_object", None, "object"),
    (b'"x"', "not_an_object", None, "object"),
    (b"null", "not_an_object", None, "object"),
    (b'{"id":', "invalid_json", None, "not valid JSON"),
    (b'{"id":NaN}', "invalid_json", None, "not valid JSON"),
    (b'{"id":"\\ud800"}', "invalid_json", None, "not valid JSON"),
    (b'{"id":1,"id":1}', "duplicate_key", "id", "'id' twice"),
    (b'{"id":1,"id" :2}', "duplicate_key", "id", "'id' twice"),
    (b'{"id":1,"\\u0069d":2}', "duplicate_key", "id", "'id' twice"),
    (b'{"id":{"x":[{"y":1,"y":2}]}}', "duplicate_key", "y", "'y' twice"),
    (b'{"id":' + b"[" * 300 + b"]" * 300 + b"}", "invalid_json", None, "too deeply"),
    (b'{"id":' + b'{"a":' * 300 + b"1" + b"}" * 301, "invalid_json", None, "too deeply"),
]


@pytest.mark.parametrize(("line", "reason", "field", "words"), JSON_LINES)
def test_a_line_that_is_no_row_is_set_aside_and_the_rest_is_read(
    tmp_path, line, reason, field, words
):
    """A bad line of NDJSON keeps its number and its text; the lines around it are read."""
    content = b'{"id":"a"}\n\n' + line + b'\r\n{"id":"b"}\n'
    table = read(tmp_path, content, "a.ndjson")
    assert [("a", 1), ("b", 3)] == table.frame.rows()
    ((row, at, value, why, message, text),) = table.bad_rows.rows()
    assert (2, field, None, reason, line.decode()) == (row, at, value, why, text)
    assert words in message


def test_a_small_file_that_unpacks_to_a_huge_one_is_refused(tmp_path):
    """Unpacking stops at a ratio or a size, and leaves no temporary file."""
    path = tmp_path / "b.csv.gz"
    path.write_bytes(gzip.compress(b"a" * 10_000_000, mtime=0))
    for limits in (UnpackLimits(free_bytes=1_000_000, most_ratio=100), UnpackLimits(5_000_000)):
        with (
            pytest.raises(FileRejected) as caught,
            unpacked(path, "b.csv.gz", "gzip", limits),
        ):
            pytest.fail("it was unpacked")
        assert caught.value.reason == "bomb"
    assert [path] == list(tmp_path.iterdir())


ZST = bytes(pa.Codec("zstd").compress(b"id\n1\n").to_pybytes())
GZ = gzip.compress(b"id\n1\n", mtime=0)
FORMATS = [
    ("a.csv", b"id\n", "auto", ("csv", "none")),
    ("a.CSV.GZ", GZ, "auto", ("csv", "gzip")),
    ("a.csv", GZ, "auto", ("csv", "gzip")),
    ("a.csv.gz", b"id\n", "auto", ("csv", "none")),
    ("a.csv.gz", b"\x00\xff", "auto", ("csv", "gzip")),
    ("a.Parquet", b"id\n", "auto", ("parquet", "none")),
    ("NEW.NDJSON", b"{}", "auto", ("ndjson", "none")),
    ("a.jsonl.zst", ZST, "auto", ("ndjson", "zstd")),
    ("a.json", b"{}", "auto", ("ndjson", "none")),
    ("a.ndjson", b"{}", "csv", ("csv", "none")),
    ("a.parquet", b"id\n", "auto", ("parquet", "none")),
    ("data", b"PAR1....", "auto", ("parquet", "none")),
    ("a.csv", b"PAR1....", "auto", ("parquet", "none")),
    ("data", b'\xef\xbb\xbf {"id":1}', "auto", ("ndjson", "none")),
    ("data", b'\xef\xbb\xbf\xef\xbb\xbf\n{"id":1}', "auto", ("ndjson", "none")),
    ("data", b'[\n  {"id":1},\n', "auto", ("ndjson", "none")),
    ("data", b"[id],[n]\n", "auto", ("csv", "none")),
    ("data", b"id,n\n", "auto", ("csv", "none")),
    ("data", ZST, "auto", (None, "zstd")),
    ("data.gz", GZ, "ndjson", ("ndjson", "gzip")),
]


@pytest.mark.parametrize(("key", "head", "wanted", "expected"), FORMATS)
def test_the_format_is_told_from_configuration_name_and_content(key, head, wanted, expected):
    """The configured format wins, then the name; compression is what the content says."""
    kind, compression = expected
    assert compression == detect_compression(key, head)
    if kind is not None:  # Else only the uncompressed content can tell.
        assert kind == detect_kind(key, b"" if compression != "none" else head, wanted)


def test_a_line_beyond_all_bounds_is_not_read(tmp_path, monkeypatch):
    """A file that is one endless line is refused before it fills the memory."""
    monkeypatch.setattr(ndjson_lines, "LONGEST_LINE", 40)
    path = tmp_path / "a.ndjson"
    path.write_text('{"id": "1"}\n[' + '{"id": "2"},' * 50 + "]")

    with pytest.raises(FileRejected) as refused:
        read_table(path, "a.ndjson", Source(prefix="in/"))
    assert ("not_ndjson", 2) == (refused.value.reason, refused.value.row)


@pytest.mark.parametrize("end", ["", "\xff"])
def test_a_quote_left_open_is_not_read_to_the_end(tmp_path, monkeypatch, end):
    """The rest of a large file behind an open quote is never one cell, whatever is in it."""
    monkeypatch.setattr(csv_records, "LONGEST_CELL", 100)
    path = tmp_path / "a.csv"
    path.write_bytes(('id,n\n1,"x\n' + "2,y\n" * 100).encode() + end.encode("latin-1"))

    with pytest.raises(FileRejected) as refused:
        read_table(path, "a.csv", Source(prefix="in/", csv={"encoding": "utf-8"}))
    assert ("invalid_utf8" if end else "open_quote", 1) == (refused.value.reason, refused.value.row)
