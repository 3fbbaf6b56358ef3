"""
Reading Parquet: the file's own types, as far as they can be attribute values.

Arrow reads, because it answers a damaged file with an error; nested types become JSON text.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import polars as pl

from exchanger.errors import FileRejected
from exchanger.files.arrow import (
    ArrowException,
    ArrowInvalid,
    ChunkedArray,
    DataType,
    pa,
    parquet,
)
from exchanger.files.arrow_types import has_not_finite, is_nested, plain_type
from exchanger.files.formats import PARQUET_MAGIC
from exchanger.files.json_text import dump_exactly
from exchanger.files.raw import (
    ROW,
    RawTable,
    bad_row_frame,
    check_names,
    is_wanted,
    row_numbers,
    taken_names,
)

# Arrow's own errors, and the plain ones it raises for broken metadata and text.
_DAMAGE = (ArrowException, OSError, ValueError, KeyError, TypeError, OverflowError)


def read_parquet(path: Path, key: str, columns: Collection[str] | None) -> RawTable:
    """
    Read a Parquet file; only the columns that are asked for are read from disk.

    Integers, floats, decimals up to 38 digits, booleans, dates, timestamps (with a zone: in UTC)
    and lists of those keep their type. Dictionaries and times of day become String, columns
    without any type String nulls; structs and lists of lists or structs become JSON text. A
    column of any other type (binary, map, duration, interval) is named in ``unusable``.

    Args:
        path: The file.
        key: Its name for errors.
        columns: The columns to put into the frame; None for all.

    Raises:
        FileRejected: ``empty_file``, ``not_parquet``, ``damaged_parquet``, or as ``check_names``.
    """
    _check_magic(path, key)
    try:
        return _read(path, key, columns)
    except _DAMAGE as error:
        raise _damaged(key, str(error)) from error


def _read(path: Path, key: str, columns: Collection[str] | None) -> RawTable:
    with pa.memory_map(str(path)) as content, parquet.ParquetFile(content) as file:
        schema = file.schema_arrow
        check_names(schema.names, key)
        plain = {
            name: plain_type(schema.field(name).type)
            for name in schema.names
            if is_wanted(name, columns)
        }
        readable = [name for name, dtype in plain.items() if dtype is not None]
        table = file.read(columns=readable)
        # Bytes that are not UTF-8, or places outside a dictionary, would break what follows.
        table.validate(full=True)
        cells = {name: _plain(table.column(name), plain[name]) for name in readable}
        height = file.metadata.num_rows
        if readable and table.num_rows != height:
            raise _damaged(key, f"it promises {height} rows and holds {table.num_rows}")
    unusable = taken_names() if ROW in schema.names else {}
    for name in plain:
        if cells.get(name) is None:
            unusable[name] = _unusable(name, schema.field(name).type)
    return _raw_table({n: cell for n, cell in cells.items() if cell is not None}, height, unusable)


def _plain(column: ChunkedArray, dtype: DataType) -> ChunkedArray | None:
    """Cast a column to its plain type; None if a value of it cannot be an attribute's."""
    if is_nested(dtype) and has_not_finite(column):
        return None
    try:
        return column if column.type == dtype else column.cast(dtype)
    except ArrowInvalid:
        return None


def _unusable(name: str, dtype: DataType) -> str:
    return (
        f"Column {name!r} holds {dtype}, or values of it, that no attribute can be. "
        "Write it as text, numbers, dates or lists of those."
    )


def _raw_table(cells: dict[str, ChunkedArray], height: int, unusable: dict[str, str]) -> RawTable:
    nested = frozenset(name for name, cell in cells.items() if is_nested(cell.type))
    series = [
        _as_json(name, cell) if name in nested else pl.Series(name, pl.from_arrow(cell))
        for name, cell in cells.items()
    ]
    return RawTable(
        frame=pl.DataFrame([*series, row_numbers(height)]),
        bad_rows=bad_row_frame([]),
        textual=False,
        json_columns=nested,
        unusable=unusable,
    )


def _as_json(name: str, cell: ChunkedArray) -> pl.Series:
    # Row by row, as polars' own encoder spells decimals as text and not-a-number as null.
    values = pl.Series(pl.from_arrow(cell)).to_list()
    texts = [None if value is None else dump_exactly(value) for value in values]
    return pl.Series(name, texts, dtype=pl.String)


def _check_magic(path: Path, key: str) -> None:
    with path.open("rb") as file:
        head = file.read(4)
        size = file.seek(0, 2)
        file.seek(max(0, size - 4))
        tail = file.read()
    if not size:
        message = "The file is empty (0 bytes). Was it uploaded whole?"
        raise FileRejected(key, "empty_file", message)
    if head != PARQUET_MAGIC:
        message = (
            "This is not a Parquet file (it does not begin with PAR1). Correct its name, "
            "or set source.format to what it is."
        )
        raise FileRejected(key, "not_parquet", message)
    if tail != PARQUET_MAGIC:
        raise _damaged(key, "it does not end with PAR1, so its end is missing")


def _damaged(key: str, detail: str) -> FileRejected:
    message = f"The Parquet file is cut short or damaged ({detail}). Write it and drop it again."
    return FileRejected(key, "damaged_parquet", message)
