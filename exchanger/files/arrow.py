"""Arrow, as untyped as it comes: its package says that it is typed, but exports nothing so."""

from __future__ import annotations

from importlib import import_module
from typing import Any

pa: Any = import_module("pyarrow")
compute: Any = import_module("pyarrow.compute")
csv: Any = import_module("pyarrow.csv")
parquet: Any = import_module("pyarrow.parquet")
types: Any = pa.types

Table = Any
ChunkedArray = Any
DataType = Any
RecordBatch = Any
ParquetFile = Any
"""Names for what functions take and give, so that their signatures can be read."""

ArrowInvalid: type[Exception] = pa.ArrowInvalid
ArrowException: type[Exception] = pa.ArrowException


def empty_table(schema: Any) -> Table:
    """
    Make a table without rows.

    Arrow's own would look whether pandas is installed, and import it: half a second, and 40 MB.
    """
    return pa.Table.from_batches([], schema=schema)
