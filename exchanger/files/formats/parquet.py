"""
Reading Parquet: the file's own types, as far as they can be attribute values.

Arrow reads, because it answers a damaged file with an error; nested types become JSON text.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import polars as pl

from exchanger.errors import FileRejected
from exchanger.files.formats.detect import PARQUET_MAGIC
from exchanger.files.formats.json_exact import dump_exactly
from exchanger.files.raw.arrow_types import (
    has_no_spelling,
    is_nested,
    plain_type,
    within_calendars,
)
from exchanger.files.raw.column_names import (
    column_names,
    is_nameless,
    nameless_note,
    trimmed_note,
)
from exchanger.files.raw.pandas_index import index_columns
from exchanger.files.raw.table import (
    RawTable,
    is_taken,
    row_numbers,
    taken_names,
)
from exchanger.files.scratch.arrow import (
    ArrowException,
    ArrowInvalid,
    ChunkedArray,
    DataType,
    ParquetFile,
    RecordBatch,
    Table,
    empty_table,
    open_parquet,
    pa,
)
from exchanger.files.scratch.prefetch import prefetch
from exchanger.files.scratch.spill import Scratch, Spill

# Arrow's own errors, and the plain ones it raises for broken metadata and text.
_DAMAGE = (ArrowException, OSError, ValueError, KeyError, TypeError, OverflowError)
_FIRST_ROWS = 5_000
_SMALLEST = 12
"""Bytes that a Parquet file has at least: its beginning, a footer and its length, its end."""


def read_parquet(path: Path, key: str, scratch: Scratch) -> RawTable:
    """
    Read a Parquet file.

    Integers, floats, decimals up to 38 digits, booleans, dates, timestamps (with a zone: in UTC)
    and lists of those keep their type. Dictionaries and times of day become String, columns
    without any type String nulls; structs and lists of lists or structs become JSON text. A
    column of any other type (binary, map, duration, interval) is named in ``unusable``.

    Args:
        path: The file.
        key: Its name for errors.
        scratch: Where its rows are kept.

    Raises:
        FileRejected: ``empty_file``, ``not_parquet``, ``damaged_parquet``, ``joined_files``, or
            as ``column_names``.
    """
    _check_magic(path, key)
    cells = scratch.spill()
    try:
        return _read(path, key, cells)
    except _DAMAGE as error:
        cells.clear()
        raise _damaged(key, str(error)) from error


def _read(path: Path, key: str, cells: Spill) -> RawTable:
    with open_parquet(path) as file:
        _check_single(path, key, file)
        schema = file.schema_arrow
        # By position: names in the file may differ in nothing but what is taken off.
        types = dict(zip(column_names(schema.names, key, nameless=True), schema.types, strict=True))
        written = dict(zip(types, schema.names, strict=True))
        named = [name for name in types if not is_nameless(name)]
        plain = {name: plain_type(types[name]) for name in named if not is_taken(name)}
        usable = {name: dtype for name, dtype in plain.items() if dtype is not None}
        names = {text: name for name, text in written.items() if name in usable}
        height = file.metadata.num_rows
        rows = cells.scratch.bounds.rows_of(
            len(names), _row_size(file, names, usable, cells.scratch)
        )
        with closing(prefetch(_batches(file, rows, names))) as batches:
            for batch in batches:
                _add(batch, usable, cells)
        if not names and not cells.rows:
            cells.add(pl.DataFrame([row_numbers(height)]))
        if cells.rows != height:
            raise _damaged(key, f"it promises {height} rows and holds {cells.rows}")
        empty = _frame(empty_table(schema).rename_columns([*types]), usable, 0)
    unusable = taken_names(named)
    for name in plain:
        if name not in usable:
            unusable[name] = _unusable(name, types[name])
    return RawTable(
        cells=cells,
        bad=cells.scratch.spill(),
        empty=empty,
        textual=False,
        json_columns=frozenset(name for name, dtype in usable.items() if is_nested(dtype)),
        unusable=unusable,
        indexes=index_columns(schema),
        notes=trimmed_note(schema.names) + nameless_note([*types]),
    )


def _batches(file: ParquetFile, rows: int, names: dict[str, str]) -> Iterator[RecordBatch]:
    """Read some columns, by their names in the file, and name them as they are used."""
    for batch in file.iter_batches(rows, columns=[*names]):
        yield batch.rename_columns([names.get(text, text) for text in batch.schema.names])


def _row_size(
    file: ParquetFile, names: dict[str, str], columns: dict[str, DataType], scratch: Scratch
) -> int:
    """
    Return the bytes of a row in memory, from the first rows; 0 if there are few rows anyway.

    What the file says of its size is that of the encoded values, which may be far less.
    """
    if file.metadata.num_rows <= _FIRST_ROWS:
        return 0
    first = scratch.spill()
    _add(next(_batches(file, _FIRST_ROWS, names)), dict(columns), first)
    size = first.row_size
    first.clear()
    return size


def _add(batch: RecordBatch, usable: dict[str, DataType], cells: Spill) -> None:
    """Keep some rows; columns with a value that no attribute can be are usable no more."""
    # Bytes that are not UTF-8, or places outside a dictionary, would break what follows.
    batch.validate(full=True)
    table = pa.Table.from_batches([batch])
    plain = {name: _plain(table.column(name), dtype) for name, dtype in usable.items()}
    for name, cell in plain.items():
        if cell is None:
            del usable[name]
    good = pa.table({name: cell for name, cell in plain.items() if cell is not None})
    if table.num_rows:
        cells.add(_frame(good, usable, table.num_rows, cells.rows))


def _frame(table: Table, usable: dict[str, DataType], height: int, before: int = 0) -> pl.DataFrame:
    series = [
        _as_json(name, table.column(name))
        if is_nested(dtype)
        else _series(name, _cast(table.column(name), dtype))
        for name, dtype in usable.items()
    ]
    return pl.DataFrame([*series, row_numbers(height, before)])


def _plain(column: ChunkedArray, dtype: DataType) -> ChunkedArray | None:
    """Cast a column to its plain type; None if a value of it cannot be an attribute's."""
    if is_nested(dtype) and has_no_spelling(column):
        return None
    try:
        if isinstance(column.type, pa.BaseExtensionType):
            column = column.cast(column.type.storage_type)
        near = column if is_nested(dtype) else within_calendars(column)
        return near if near is None else _cast(near, dtype)
    except ArrowInvalid:
        return None


def _series(name: str, column: ChunkedArray) -> pl.Series:
    """Hand a column to polars, by way of a table, for which it needs no functions of Arrow's."""
    return pl.DataFrame(pl.from_arrow(pa.table({name: column}))).to_series()


def _cast(column: ChunkedArray, dtype: DataType) -> ChunkedArray:
    """Cast a column of another type; Arrow loads all its functions for it, and numpy with them."""
    return column if column.type == dtype else column.cast(dtype)


def _unusable(name: str, dtype: DataType) -> str:
    if plain_type(dtype) is None:
        what = f"holds {dtype}, which no attribute can be. Write it"
    else:
        what = (
            f"holds {dtype} with a value that no attribute can be, such as NaN or a time beyond "
            "the year 9999. Correct it, or write the column"
        )
    return f"Column {name!r} {what} as text, numbers, dates or lists of those."


def _as_json(name: str, cell: ChunkedArray) -> pl.Series:
    # Row by row, as polars' own encoder spells decimals as text and not-a-number as null.
    values = _series(name, cell).to_list()
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


def _check_single(path: Path, key: str, file: ParquetFile) -> None:
    """
    Refuse several files that stand behind each other, as ``cat`` writes them.

    Readers believe the footer of the last one, and look for its rows in the first one: where both
    are laid out alike, rows of the first come out, and all others are lost.
    """
    groups = file.metadata.num_row_groups
    last = file.metadata.row_group(groups - 1) if groups else None
    chunks = [last.column(at) for at in range(last.num_columns)] if last else []
    ends = [
        (chunk.dictionary_page_offset or chunk.data_page_offset) + chunk.total_compressed_size
        for chunk in chunks
    ]
    with path.open("rb") as raw, mmap.mmap(raw.fileno(), 0, access=mmap.ACCESS_READ) as content:
        footer = _length_before(content, len(content) - len(PARQUET_MAGIC))
        behind_rows = len(content) - 8 - footer - max(ends, default=len(PARQUET_MAGIC))
        # Of one file, nothing stands there but what helps to skip pages.
        if behind_rows >= _SMALLEST and _has_joint(content):
            message = (
                "Several Parquet files stand behind each other in this one, as 'cat' joins files, "
                "and only the rows of one could be read. Drop them one by one."
            )
            raise FileRejected(key, "joined_files", message)


def _has_joint(content: mmap.mmap) -> bool:
    """Return whether the end of a file and the beginning of another are in a content."""
    at = content.find(PARQUET_MAGIC * 2)
    while at >= 0:
        # Text may look alike, but no such length stands before it.
        if _SMALLEST < _length_before(content, at) <= at - 8:
            return True
        at = content.find(PARQUET_MAGIC * 2, at + 1)
    return False


def _length_before(content: mmap.mmap, at: int) -> int:
    return int.from_bytes(content[at - 4 : at], "little")


def _damaged(key: str, detail: str) -> FileRejected:
    message = f"The Parquet file is cut short or damaged ({detail}). Write it and drop it again."
    return FileRejected(key, "damaged_parquet", message)
