"""Files for Braze's Cloud Data Ingestion: an identifier, and the rest as JSON in one column."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from exchanger.config.models import Source
from exchanger.errors import FileRejected
from exchanger.files.formats.read import RawTable, read_table

OBJECTS = ['{"tier": "gold", "points": 5}', '{"points": 12345678901234567, "tags": ["a", "b"]}']


def as_csv(payloads: list[str | None]) -> bytes:
    frame = pl.DataFrame({"EXTERNAL_ID": ["007", "8", "9"][: len(payloads)], "PAYLOAD": payloads})
    return frame.write_csv().encode()


def as_ndjson(payloads: list[str | None], *, nested: bool) -> bytes:
    rows = zip(["007", "8", "9"], payloads, strict=False)
    lines = [
        json.dumps({"EXTERNAL_ID": name, "PAYLOAD": json.loads(text) if nested and text else text})
        for name, text in rows
    ]
    return "\n".join(lines).encode()


def as_parquet(payloads: list[str | None]) -> bytes:
    body = io.BytesIO()
    at = [datetime(2026, 9, 15, tzinfo=UTC)] * len(payloads)
    names = ["007", "8", "9"][: len(payloads)]
    frame = pl.DataFrame({"EXTERNAL_ID": names, "PAYLOAD": payloads, "UPDATED_AT": at})
    frame.write_parquet(body)
    return body.getvalue()


WRITTEN = {
    "csv": as_csv,
    "ndjson": lambda payloads: as_ndjson(payloads, nested=False),
    "nested.ndjson": lambda payloads: as_ndjson(payloads, nested=True),
    "parquet": as_parquet,
}


def read(folder: Path, content: bytes, kind: str, payload: str = "PAYLOAD") -> RawTable:
    path = folder / "download"
    path.write_bytes(content)
    return read_table(path, f"a.{kind}", Source(prefix="in/", payload=payload))


@pytest.mark.parametrize("kind", WRITTEN)
@pytest.mark.parametrize("payload", ["PAYLOAD", "payload"])
def test_the_members_of_the_object_are_columns(tmp_path, kind, payload):
    """Numbers of any length are exact, identifiers are as written, and lists are lists."""
    table = read(tmp_path, WRITTEN[kind](OBJECTS), kind, payload)
    frame = table.frame
    assert ["007", "8"] == frame["EXTERNAL_ID"].to_list()
    assert [5, 12345678901234567] == frame["points"].to_list()
    assert ["gold", None] == frame["tier"].to_list()
    assert [None, '["a","b"]'] == frame["tags"].to_list()
    assert "PAYLOAD" not in frame.columns
    assert [1, 2] == frame["@row"].to_list()


@pytest.mark.parametrize("kind", WRITTEN)
def test_an_empty_cell_says_nothing(tmp_path, kind):
    """The row is one all the same."""
    table = read(tmp_path, WRITTEN[kind]([OBJECTS[0], None]), kind)
    assert ["gold", None] == table.frame["tier"].to_list()


ODD = [
    ("{", "invalid_json"),
    ("[1]", "not_an_object"),
    ('{"a": 1, "a": 2}', "duplicate_key"),
    ('{"EXTERNAL_ID": "9"}', "duplicate_key"),
]


@pytest.mark.parametrize("kind", ["csv", "ndjson", "parquet"])
@pytest.mark.parametrize(("text", "reason"), ODD)
def test_what_is_no_such_object_costs_its_own_row(tmp_path, kind, text, reason):
    """Its number is that in the file; the rows around it are read."""
    table = read(tmp_path, WRITTEN[kind]([OBJECTS[0], text, OBJECTS[1]]), kind)
    assert [(2, reason)] == table.bad_rows.select("@row", "reason").rows()
    assert [1, 3] == table.frame["@row"].to_list()


def test_a_row_that_was_none_before_is_told_beside_the_others(tmp_path):
    """Ragged rows of CSV keep their reason."""
    content = 'EXTERNAL_ID,PAYLOAD\n1,"{""a"": 1}"\n2,x,y\n3,"{""a"": 2}"\n'
    table = read(tmp_path, content.encode(), "csv")
    assert [(2, "ragged_row")] == table.bad_rows.select("@row", "reason").rows()
    assert [1, 2] == table.frame["a"].to_list()


@pytest.mark.parametrize("dtype", [pl.UInt8, pl.UInt32, pl.UInt64, pl.Int16, pl.Float32])
def test_numbers_beside_the_object_stay_numbers(tmp_path, dtype):
    """Whatever width they have in Parquet."""
    body = io.BytesIO()
    frame = pl.DataFrame({"ID": ["7"], "n": pl.Series([5], dtype=dtype), "PAYLOAD": ["{}"]})
    frame.write_parquet(body)
    assert read(tmp_path, body.getvalue(), "parquet").frame["n"].dtype.is_numeric()


def test_a_file_without_the_column_is_rejected(tmp_path):
    """It is none of these files, and nothing is taken for one."""
    with pytest.raises(FileRejected) as caught:
        read(tmp_path, b"id,v\n1,2\n", "csv")
    assert "missing_column" == caught.value.reason
    assert "'payload' of the job's source" in caught.value.message
