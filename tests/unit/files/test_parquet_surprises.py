"""What Parquet files hold that is not what it seems: odd times, and pandas' index."""

from __future__ import annotations

import gzip
import io
import json
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.field_files import take

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
    path = folder / "download"
    path.write_bytes(written(table, **how))
    return read_table(path, "a.parquet", Source(prefix="in/"))


def written(table: pa.Table, **options: object) -> bytes:
    body = io.BytesIO()
    pq.write_table(table, body, **options)
    return body.getvalue()


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


MOST = 2**63 - 1
FOREVER = {
    # Infinity as databases write it, and a unit that somebody mistook.
    "microseconds": (pa.timestamp("us"), MOST),
    "milliseconds": (pa.timestamp("ms"), 1_789_000_000 * 10**9),
    "with a zone": (pa.timestamp("ms", "Europe/Paris"), MOST),
    "days": (pa.date32(), 1_789_000_000),
    "days as milliseconds": (pa.date64(), MOST // 86_400_000 * 86_400_000),
}
FIELDS = [
    ({"at": "set"}, {}),
    ({"at": "highest"}, {}),
    ({"at": {"merge": "set", "type": "date"}}, {}),
    ({"at": {"merge": "set", "type": "string"}}, {"timezone": "Asia/Tokyo"}),
    ({"at": "add"}, {}),
    ({"at": {"merge": "set", "type": "json"}}, {}),
    ({"tier": "set"}, {"order_by": "at"}),
]


OF_KINDS = [(kind, FIELDS[0][0], {}) for kind in FOREVER]
OF_FIELDS = [("milliseconds", *each) for each in FIELDS[1:]]


@pytest.mark.parametrize(
    ("kind", "fields", "source"),
    [*OF_KINDS, *OF_FIELDS, ("days", *FIELDS[3]), ("days", *FIELDS[4])],
)
def test_a_time_beyond_all_calendars_costs_its_own_row(kind, fields, source):
    """Whatever a column is for, the rows around it are read, and the reason is its year."""
    table = pa.table({"customer_id": [*"abcd"], "tier": ["x"] * 4, "at": times(kind)})

    found = take("a.parquet", written(table), fields=fields, source=source)

    assert [(1, "year_out_of_range"), (2, "year_out_of_range")] == found.bad
    assert {"c", "d"} == found.people.keys()


def times(kind: str) -> pa.Array:
    """Write times of which the first two are beyond all calendars, and another is none."""
    dtype, far = FOREVER[kind]
    whole = pa.int32() if pa.types.is_date32(dtype) else pa.int64()
    return pa.array([far, -far, None, 0], whole).cast(dtype)


def test_a_time_beyond_all_calendars_names_nobody():
    """No time is an identifier."""
    table = pa.table({"customer_id": times("microseconds"), "x": ["1"] * 4})
    found = take("a.parquet", written(table), fields={"x": "set"})
    assert [(1, "bad_identifier"), (2, "bad_identifier")] == found.bad[:2]


DEEP = {
    "list": lambda at: pa.ListArray.from_arrays(pa.array([0, 1]), at),
    "struct": lambda at: pa.StructArray.from_arrays([at], ["at"]),
    "list of structs": lambda at: pa.ListArray.from_arrays(
        pa.array([0, 1]), pa.StructArray.from_arrays([at], ["at"])
    ),
}


BEYOND = [
    ("list", pa.array([MOST], pa.timestamp("us"))),
    ("struct", pa.array([-MOST], pa.timestamp("ms", "UTC"))),
    ("struct", pa.array([10**18], pa.timestamp("us"))),  # The year 33658, which Python has not.
    ("list of structs", pa.array([-(10**9)], pa.int32()).cast(pa.date32())),
]


@pytest.mark.parametrize(("kind", "at"), BEYOND)
def test_a_column_with_such_a_time_within_a_value_is_left_out_and_told(kind, at):
    """It is no damage to the file: all other columns are read."""
    table = pa.table({"customer_id": ["a"], "tier": ["x"], "deep": DEEP[kind](at)})
    rest = [{"prefix": "crm_"}]
    found = take("a.parquet", written(table), fields={"tier": "set"}, remaining_fields=rest)
    assert {"a": {"tier": '"x"'}} == found.people
    assert ["deep"] == found.left_out
    needed = take("a.parquet", written(table), fields={"deep": "set"})
    assert "unusable_column" == needed.why
    assert "a time beyond the year 9999. Correct it" in needed.words


def people(*ids: str, **options: object) -> bytes:
    return written(pa.table({"customer_id": [*ids], "tier": ["x"] * len(ids)}), **options)


JOINED = [
    # Alike, so that the rows of the first would come out twice, or in place of those of the last.
    people("a1", "a2") + people("b1", "b2"),
    people("a1", "a2") * 2,
    people("a1") + people("b1", "b2", "b3"),
    people(*map(str, range(99))) + people("b1") + people("c1"),
    people("a1", write_page_index=True) + people("b1", write_page_index=True),
    people() + people(),
]


@pytest.mark.parametrize("body", JOINED)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_files_that_were_joined_are_rejected(body, pack):
    """Their rows cannot be told apart by any reader; no row of one is taken for one of another."""
    found = take("a.parquet", pack(body), fields={"tier": "set"})
    assert "joined_files" == found.why
    assert "one by one" in found.words


@pytest.mark.parametrize("options", [{}, {"write_page_index": True}, {"row_group_size": 2}])
@pytest.mark.parametrize("ids", [[], ["a"], ["PAR1PAR1", "b", "c"]])
def test_one_file_is_one_whatever_is_in_it(options, ids):
    """Indexes of its pages, several groups of rows, and text that looks like a joint."""
    found = take("a.parquet", people(*ids, **options), fields={"tier": "set"})
    assert ("", set(ids)) == (found.why, found.people.keys())


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
