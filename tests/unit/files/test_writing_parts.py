"""Parts of a dataset, read back."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest

from exchanger.files.write import PartWriter

FRAME = pl.DataFrame(
    {
        "s": ['a"b,\n', "", None, "é", "plain"],
        "i": [1, None, 2**62, 4, 5],
        "f": [1.0, 1e22, None, 0.1, -0.5],
        "b": [True, False, None, True, None],
        "l": [["a", 'b"'], [], None, ["c"], [None]],
        "j": ['{"a":[1,2.50]}', None, '"x"', "[]", "12345678901234567890123"],
        "d": [date(2020, 1, 1), None, None, None, None],
        "t": [datetime(2020, 1, 1, 1, 2, 3, 4000, tzinfo=UTC), None, None, None, None],
        "m": [Decimal("1.20"), None, None, Decimal("3.00"), None],
    },
    schema_overrides={"m": pl.Decimal(38, 2), "t": pl.Datetime("ms", "UTC")},
)


def written(folder, format_, rows_per_part=2, frames=(FRAME,)):
    writer = PartWriter(folder, format_, FRAME.schema, frozenset({"j"}), rows_per_part)
    parts = [part for frame in frames for part in writer.append(frame)]
    return parts + list(writer.finish())


@pytest.mark.parametrize("format_", ["parquet", "csv", "ndjson"])
def test_parts_are_filled_across_frames(tmp_path, format_):
    """Every part but the last has the rows asked for, however the frames were cut."""
    frames = [FRAME.head(1), FRAME.slice(1, 3), FRAME.head(0), FRAME.tail(1)]
    parts = written(tmp_path, format_, frames=frames)
    assert [2, 2, 1] == [part.rows for part in parts]
    assert [f"part-0000{n}.{format_}" for n in range(3)] == [part.path.name for part in parts]


def test_parquet_is_read_back_as_it_was(tmp_path):
    """Parquet keeps every value and type."""
    parts = written(tmp_path, "parquet")
    assert pl.concat(pl.read_parquet(part.path) for part in parts).equals(FRAME)


def test_csv_tells_null_from_empty_and_spells_times_in_iso(tmp_path):
    """CSV has a header in each part, nothing for null, ISO times, and JSON for lists."""
    parts = written(tmp_path, "csv")
    assert {",".join(FRAME.columns)} == {p.path.read_text().splitlines()[0] for p in parts}
    read = pl.concat(pl.read_csv(p.path, infer_schema=False) for p in parts)
    assert FRAME["s"].to_list() == read["s"].to_list()
    assert "2020-01-01T01:02:03.004Z" == read["t"][0]
    assert ['["a","b\\""]', "[]", None, '["c"]', "[null]"] == read["l"].to_list()
    assert FRAME["j"].to_list() == read["j"].to_list()
    assert FRAME["f"].to_list() == read["f"].cast(pl.Float64).to_list()
    assert b'"",' in parts[0].path.read_bytes()


def test_ndjson_has_values_of_their_own_type(tmp_path):
    """NDJSON writes JSON columns and lists as values, numbers with their digits, and nulls."""
    lines = [line for p in written(tmp_path, "ndjson") for line in p.path.read_text().splitlines()]
    rows = [json.loads(line, parse_float=Decimal) for line in lines]
    assert FRAME.columns == list(rows[0])
    assert FRAME["s"].to_list() == [row["s"] for row in rows]
    assert FRAME["l"].to_list() == [row["l"] for row in rows]
    assert FRAME["m"].to_list() == [row["m"] for row in rows]
    expected = [{"a": [1, Decimal("2.50")]}, None, "x", [], 12345678901234567890123]
    assert expected == [row["j"] for row in rows]
    assert ("2020-01-01", "2020-01-01T01:02:03.004Z") == (rows[0]["d"], rows[0]["t"])


@pytest.mark.parametrize(
    ("format_", "body"), [("csv", b"s,i,f,b,l,j,d,t,m\n"), ("ndjson", b""), ("parquet", None)]
)
def test_a_dataset_without_rows_has_one_part_with_its_schema(tmp_path, format_, body):
    """Nothing to write still makes a part that says which columns there would be."""
    (part,) = written(tmp_path, format_, frames=())
    assert 0 == part.rows
    if body is None:
        assert FRAME.schema == pl.read_parquet(part.path).schema
    else:
        assert body == part.path.read_bytes()
