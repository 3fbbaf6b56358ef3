"""What Parquet files hold that is not what it seems: times of 96 bits, and pandas' index."""

from __future__ import annotations

import io
import json
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from exchanger.config.models import Source
from exchanger.files.formats.read import RawTable, read_table

TIMES = [
    datetime(9999, 12, 31, 23, 59, 59, 999999),  # noqa: DTZ001 - as such files have them
    datetime(1, 1, 1),  # noqa: DTZ001
    datetime(2300, 1, 1),  # noqa: DTZ001
    datetime(1677, 9, 21),  # noqa: DTZ001
    datetime(1969, 12, 31, 23, 59, 59, 999999),  # noqa: DTZ001
    datetime(2026, 9, 15, 8, 30, 0, 123456),  # noqa: DTZ001
    None,
]
AT = pa.timestamp("us")
TYPES = {
    "top": (AT, lambda at: at),
    "list": (pa.list_(AT), lambda at: [at]),
    "large": (pa.large_list(AT), lambda at: [at, at]),
    "struct": (pa.struct([("at", AT)]), lambda at: {"at": at}),
    "deep": (pa.list_(pa.struct([("at", pa.list_(AT))])), lambda at: [{"at": [at]}]),
}


def read(folder: Path, table: pa.Table, **how: object) -> RawTable:
    body = io.BytesIO()
    pq.write_table(table, body, **how)
    path = folder / "download"
    path.write_bytes(body.getvalue())
    return read_table(path, "a.parquet", Source(prefix="in/"))


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("store_schema", [True, False])
def test_times_of_96_bits_come_out_as_microseconds_give_them(tmp_path, kind, store_schema):
    """Years that nanoseconds cannot hold are the years that were written, also in lists."""
    dtype, made = TYPES[kind]
    table = pa.table({"id": range(len(TIMES)), "at": pa.array(map(made, TIMES), dtype)})
    old = read(tmp_path, table, use_deprecated_int96_timestamps=True, store_schema=store_schema)
    new = read(tmp_path, table)

    assert new.frame["at"].to_list() == old.frame["at"].to_list()
    assert new.json_columns == old.json_columns


def with_pandas(table: pa.Table, index: object) -> pa.Table:
    """Add what pandas says of a table."""
    told = index if isinstance(index, str) else json.dumps({"index_columns": index})
    return table.replace_schema_metadata({b"pandas": told.encode()})


INDEXES = [
    (["__index_level_0__"], {"__index_level_0__"}),
    (["id", "month "], {"id", "month"}),
    ([{"kind": "range", "name": None, "start": 0, "stop": 4, "step": 1}], set()),
    ([], set()),
    (None, set()),
    ("not json", set()),
    ("[1]", set()),
    ("{}", set()),
]


@pytest.mark.parametrize(("index", "found"), INDEXES)
def test_the_index_is_what_pandas_says_it_is(tmp_path, index, found):
    """Columns of the index are named; metadata that says something else says nothing."""
    table = pa.table({"id": ["a"], "month ": [9], "__index_level_0__": [3]})
    raw = read(tmp_path, with_pandas(table, index))
    assert found == raw.indexes
    assert [("a", 9, 3, 1)] == raw.frame.rows()
