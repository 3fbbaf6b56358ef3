"""Arrow, as untyped as it comes: its package says that it is typed, but exports nothing so."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

pa: Any = import_module("pyarrow")
csv: Any = import_module("pyarrow.csv")
parquet: Any = import_module("pyarrow.parquet")
types: Any = pa.types

Table = Any
ChunkedArray = Any
DataType = Any
RecordBatch = Any
ParquetFile = Any
"""Names for what functions take and give, so that their signatures can be read."""

_BUFFER = 1 << 20
"""Bytes of a column that are read from disk at a time."""


def compute() -> Any:
    """Load Arrow's functions over columns: a thousand are made when they are loaded."""
    return import_module("pyarrow.compute")


ArrowInvalid: type[Exception] = pa.ArrowInvalid
ArrowException: type[Exception] = pa.ArrowException


def empty_table(schema: Any) -> Table:
    """
    Build a table without rows.

    Arrow's own would look whether pandas is installed, and import it: half a second, and 40 MB.
    """
    return pa.Table.from_batches([], schema=schema)


def release_memory() -> None:
    """Return to the system what Arrow has let go of, and would keep for what it reads next."""
    pa.default_memory_pool().release_unused()


def open_parquet(path: Path) -> ParquetFile:
    """
    Open a Parquet file to be read in portions, with only a little of each column in memory.

    Left to itself, Arrow reads all columns of a group of rows at once, and keeps those of all
    groups until the last row was given out: a file as large as memory could not be read.

    Timestamps of 96 bits would become nanoseconds, of which 64 bits hold the years 1677 to 2262:
    all others came out as years within. Microseconds hold every date.
    """
    return parquet.ParquetFile(
        path, buffer_size=_BUFFER, pre_buffer=False, coerce_int96_timestamp_unit="us"
    )
