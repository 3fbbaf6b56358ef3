"""Names of columns: what nobody sees around them is taken off, in every format."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from exchanger.app.messages.notes.words import in_words
from exchanger.config.models import ImportJob, Source
from exchanger.config.names import INVISIBLE, trimmed
from exchanger.errors import FileRejected
from exchanger.files.formats.read import RawTable, read_table
from exchanger.notes import noted

BOM = "\ufeff"
KINDS = ["csv", "ndjson", "parquet"]


def packed(kind: str, names: list[str], cells: list[str]) -> bytes:
    """Write one row under some names."""
    if kind == "csv":
        return (",".join(names) + "\n" + ",".join(cells) + "\n").encode()
    if kind == "ndjson":
        pairs = zip(names, cells, strict=True)
        members = ", ".join(f"{json.dumps(n)}: {json.dumps(c)}" for n, c in pairs)
        return f"{{{members}}}\n".encode()
    body = io.BytesIO()
    pq.write_table(pa.table([pa.array([c]) for c in cells], names=names), body)
    return body.getvalue()


def read(folder: Path, kind: str, content: bytes) -> RawTable:
    path = folder / "download"
    path.write_bytes(content)
    return read_table(path, f"a.{kind}", Source(prefix="in/"))


AROUND = [
    " ",
    "  ",
    "\t",
    "\u00a0",
    "\u200b",
    "\u200e",
    "\u2060",
    BOM,
    BOM + BOM,
    "\u3000",
    "\u00ad",
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("around", AROUND)
def test_names_are_taken_without_what_nobody_sees_around_them(tmp_path, kind, around):
    """White space and invisible signs before and behind a name are no part of it; told."""
    written = ["customer_id", f"{around}first name", f"city{around}"]
    table = read(tmp_path, kind, packed(kind, written, ["a1", "Ada", "Lyon"]))

    assert ["customer_id", "first name", "city", "@row"] == table.frame.columns
    assert [("a1", "Ada", "Lyon", 1)] == table.frame.rows()
    (note,) = table.notes
    assert all(repr(name) in in_words(note) for name in written[1:])


@pytest.mark.parametrize("kind", KINDS)
def test_two_names_that_are_the_same_once_trimmed_are_refused_or_rejected(tmp_path, kind):
    """Nobody can tell which of both is meant; the words show both as they stand."""
    content = packed(kind, ["id", "tier", "tier\u200b"], ["a", "b", "c"])
    if kind == "ndjson":
        table = read(tmp_path, kind, b'{"id":"x","tier":"y"}\n' + content)
        assert ["duplicate_key"] == table.bad_rows["reason"].to_list()
        assert [("x", "y", 1)] == table.frame.rows()
        return
    with pytest.raises(FileRejected) as refused:
        read(tmp_path, kind, content)
    assert ("duplicate_column", "tier") == (refused.value.reason, refused.value.column)
    assert r"'tier' and 'tier\u200b'" in refused.value.message


def test_keys_of_different_lines_are_one_column(tmp_path):
    """A key with a space behind it in one line, and without in the next, names one column."""
    content = b'{"id":1,"tier ":"a"}\n{"id":2,"tier":"b"}\n{" id":3,"\\u200btier":"c"}\n'
    table = read(tmp_path, "ndjson", content)
    assert {"id": [1, 2, 3], "tier": ["a", "b", "c"]} == table.frame.drop("@row").to_dict(
        as_series=False
    )


@pytest.mark.parametrize("head", ["customer_id,tier", '"customer_id","tier"'])
@pytest.mark.parametrize("marks", [1, 2, 3])
def test_any_number_of_byte_order_marks_is_passed_over(tmp_path, head, marks):
    """Each program that a file went through may have put one in front."""
    table = read(tmp_path, "csv", (BOM * marks + head + "\na,b\n").encode())
    assert ["customer_id", "tier", "@row"] == table.frame.columns
    assert [("a", "b", 1)] == table.frame.rows()
    lines = read(tmp_path, "ndjson", (BOM * marks + '{"id":1}\n' + BOM + '{"id":2}').encode())
    assert [1, 2] == lines.frame["id"].to_list()
    assert 0 == lines.bad.rows


def test_a_name_of_invisible_signs_is_no_name(tmp_path):
    """What shows nothing names nothing: of NDJSON, where somebody wrote it, it is a slip."""
    with pytest.raises(FileRejected) as refused:
        read(tmp_path, "ndjson", packed("ndjson", ["id", "\u200b"], ["a", "b"]))
    assert "empty_column_name" == refused.value.reason


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("name", ["", " ", "\u200b"])
def test_a_column_without_a_name_is_left_out_and_told(tmp_path, kind, name):
    """The index that pandas writes is one: nothing can be mapped from it, and all else is read."""
    table = read(tmp_path, kind, packed(kind, [name, "id"], ["0", "a"]))
    assert [("a", 1)] == table.frame.rows()
    assert ["id", "@row"] == table.frame.columns
    assert noted("columns_nameless", positions=[1]) in table.notes


def test_names_are_trimmed_of_signs_that_show_nothing_and_no_others():
    """Letters, marks on letters and signs like @ and # stay, wherever they stand."""
    assert "a b" == trimmed(INVISIBLE + "a b" + INVISIBLE)
    for name in ("é", "e\u0301", "@x", "#", "_x_", "日本", "'x'", "🙂", "❤\ufe0f"):
        assert name == trimmed(name)


def test_columns_in_a_job_are_compared_as_those_in_files():
    """Whoever copies a name with its spaces from a file means the same column."""
    job = ImportJob.model_validate(
        {
            "type": "import",
            "source": {"prefix": "in/", "order_by": " at"},
            "match": [{"external_id": " customer_id "}],
            "fields": {"tier": {"from": "tier\u200b"}},
        }
    )
    found = (job.source.order_by, job.match[0].external_id, job.fields["tier"].from_)
    assert ("at", "customer_id", "tier") == found


LISTS = [
    '[\n  {"customer_id":"k7"},\n  {"customer_id":"k8"}\n]',
    '[{"customer_id":"k7"},\n{"customer_id":"k8"}]',
    '[\r\n{"customer_id":"k7"}\r\n]\r\n',
    '[\n  {"customer_id":"k7"},\n  {"customer_id":"k8"}\n',
    '{"customer_id":"k7"},\n{"customer_id":"k8"}\n',
    BOM + "[\n" + '{"customer_id":"k7"},\n' * 3000 + '{"customer_id":"k8"}\n]',
    '{"customer_id":"k0"}\n[\n{"customer_id":"k7"},\n{"customer_id":"k8"}\n]',
]
OBJECTS = [
    '{\n  "customer_id": "k7",\n  "home":\n    {"customer_id": "k8"}\n}\n',
    '{"data": [\n{"customer_id":"k7"},\n{"customer_id":"k8"}\n]}',
    '{"customer_id": "k7", "home":\n{"customer_id": "k8"}\n}\n{"customer_id":"k9"}\n',
    '{\n"customer_id": "k7"\n}\n{\n"customer_id": "k8"\n}\n',
    '{"n": 1}\n{"data": [\n' + '{"customer_id":"k7"},\n' * 300_000 + '{"customer_id":"k8"}\n]}',
]


@pytest.mark.parametrize("content", LISTS)
def test_a_list_over_lines_is_refused_as_a_whole(tmp_path, content):
    """Its last member has no comma behind it; that one alone is never taken."""
    with pytest.raises(FileRejected) as refused:
        read(tmp_path, "ndjson", content.encode())
    assert "not_ndjson" == refused.value.reason
    assert "a list" in refused.value.message


@pytest.mark.parametrize("content", OBJECTS)
def test_objects_over_lines_are_refused_as_a_whole(tmp_path, content):
    """An object within another, on a line of its own, is no row."""
    with pytest.raises(FileRejected) as refused:
        read(tmp_path, "ndjson", content.encode())
    assert "not_ndjson" == refused.value.reason
    assert "several lines" in refused.value.message


BROKEN = [
    '{"customer_id":',
    '{"customer_id":"x","tags":[',
    '{"customer_id":"x',
    '["customer_id"',
    '[{"customer_id":"x"}',
    '{"customer_id":"x"},',
    '{"customer_id":"x"} {',
]


@pytest.mark.parametrize("line", BROKEN)
@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_line_that_is_cut_short_rejects_itself_alone(tmp_path, line, at):
    """A broken line costs no other row, wherever it stands."""
    if line.endswith(","):
        at = max(at, 1)  # At the beginning, it is a list without its brackets.
    lines = ['{"customer_id":"a"}', '{"customer_id":"b"}']
    lines.insert(at, line)
    table = read(tmp_path, "ndjson", "\n".join(lines).encode())
    assert ["a", "b"] == table.frame["customer_id"].to_list()
    assert [at + 1] == table.bad_rows["@row"].to_list()
