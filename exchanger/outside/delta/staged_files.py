"""
Data files of a Delta table that are written before it is known whether they will count.

They lie beside the table's own files and no version names them, so no reader sees them, until one
commit names them all. What is never committed is litter, which the next sweep of the table takes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import orjson
import polars as pl
from deltalake import Schema
from deltalake.transaction import AddAction

from exchanger.files.scratch.arrow import pa, parquet
from exchanger.files.scratch.frame_file import as_arrow
from exchanger.outside.delta.folders import Folder, Upload

FILE_SIZE = 100 << 20
"""Bytes after which another file is begun, as the library does by default."""
ROWS_IN_A_GROUP = 131_072
"""Small groups of rows: less to hold while they are written, and more to leave out by slice."""


@dataclass(frozen=True)
class PreparedFiles:
    """Files that lie in a table's folder, and the columns that they have."""

    schema: Schema
    actions: tuple[AddAction, ...]


class TableFiles:
    """
    Rows of one schema on their way into a table, written to one file after the other.

    All of it is for one thread at a time.

    Args:
        folder: Of the table.
        path: Names a file of this machine that is not there yet.
        file_size: Bytes after which another file is begun.
    """

    def __init__(
        self, folder: Folder, path: Callable[[], Path], *, file_size: int = FILE_SIZE
    ) -> None:
        self._folder = folder
        self._path = path
        self._file_size = file_size
        self._nonce = uuid4().hex
        self._open: _OpenFile | None = None
        self._stored: list[AddAction] = []
        self._named = False
        self._arrow: Any = None

    @property
    def is_empty(self) -> bool:
        """Whether there is no row."""
        return self._arrow is None

    def add(self, frame: pl.DataFrame) -> None:
        """
        Write more rows, and send what is worth it.

        Args:
            frame: Of the same columns as the first; it may be empty.

        Raises:
            StorageError: It could not be sent.
            OSError: It could not be written here.
        """
        if frame.is_empty():
            return
        rows = as_arrow(frame, self._arrow)
        self._arrow = rows.schema
        if self._open is None:
            name = f"ahead-{self._nonce}-{len(self._stored):05d}.zstd.parquet"
            self._open = _OpenFile(name, self._path(), self._folder.upload(name), self._arrow)
        self._open.add(frame, rows)
        if self._open.size >= self._file_size:
            self._store()

    def finish(self) -> PreparedFiles:
        """
        Send what is left, and say how to name it all; from then on it is not dropped.

        There must be a row.

        Raises:
            StorageError: It could not be sent.
        """
        self._store()
        self._named = True
        return PreparedFiles(Schema.from_arrow(self._arrow), tuple(self._stored))

    def drop(self) -> None:
        """
        Remove everything, unless some version may name it by now.

        Raises:
            StorageError: Something that was sent is still there.
        """
        unfinished, self._open = self._open, None
        if unfinished is not None:
            unfinished.give_up()
        if self._stored and not self._named:
            self._folder.delete([file.path for file in self._stored])

    def _store(self) -> None:
        if self._open is not None:
            self._stored.append(self._open.finish())
            self._open = None


class _OpenFile:
    """One file under construction, and its numbers, by which readers leave it out."""

    def __init__(self, name: str, path: Path, upload: Upload, schema: Any) -> None:
        self._name = name
        self._path = path
        self._upload = upload
        self._rows = 0
        whole = [field.name for field in schema if pa.types.is_integer(field.type)]
        self._numbers = {name: _Numbers() for name in whole}
        # As the library writes its own: most columns are texts that hardly repeat, so building
        # dictionaries takes longer than all else. Readers go by the table's schema, not by Arrow's.
        self._writer = parquet.ParquetWriter(
            path,
            schema,
            compression="zstd",
            use_dictionary=False,
            write_statistics=whole,
            store_schema=False,
        )

    @property
    def size(self) -> int:
        """Bytes by now."""
        return self._path.stat().st_size

    def add(self, frame: pl.DataFrame, rows: Any) -> None:
        self._writer.write_table(rows, row_group_size=ROWS_IN_A_GROUP)
        self._rows += frame.height
        for name, numbers in self._numbers.items():
            numbers.add(frame[name])
        self._upload.grown(self._path)

    def finish(self) -> AddAction:
        """Send the rest; the file of this machine goes."""
        self._writer.close()
        self._upload.finish(self._path)
        numbers = {
            "numRecords": self._rows,
            "minValues": {name: n.least for name, n in self._numbers.items() if n.most is not None},
            "maxValues": {name: n.most for name, n in self._numbers.items() if n.most is not None},
            "nullCount": {name: n.nulls for name, n in self._numbers.items()},
        }
        told = self._path.stat()
        self._path.unlink()
        return AddAction(
            path=self._name,
            size=told.st_size,
            partition_values={},
            modification_time=int(told.st_mtime * 1000),
            data_change=True,
            stats=orjson.dumps(numbers).decode(),
        )

    def give_up(self) -> None:
        """Leave nothing of it behind, also where the disk is full."""
        self._path.unlink(missing_ok=True)
        try:
            self._writer.close()
        finally:
            self._upload.give_up()


class _Numbers:
    """The least and the most of a column of integers, None if all are null."""

    def __init__(self) -> None:
        self.least: int | None = None
        self.most: int | None = None
        self.nulls = 0

    def add(self, column: pl.Series) -> None:
        self.nulls += column.null_count()
        known = pl.Series([self.least, self.most], dtype=column.dtype).append(column)
        self.least, self.most = cast("int | None", known.min()), cast("int | None", known.max())
