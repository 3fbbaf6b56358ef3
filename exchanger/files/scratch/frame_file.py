"""Frames of one schema in one Parquet file on this machine, written and read one by one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import polars as pl

from exchanger.files.scratch.arrow import (
    ArrowException,
    ParquetFile,
    RecordBatch,
    Table,
    empty_table,
    open_parquet,
    pa,
    parquet,
)

_WORTH_A_THREAD = 20_000
"""Rows that take longer to write than it takes to begin a thread."""


class FrameWriter:
    """
    Writes frames after one another; each becomes a group of rows, to be read back alone.

    A large frame is written in a thread while the caller makes the next one; no other waits. In a
    ``with`` block, nothing stays open where something fails before it is closed.

    Args:
        path: The file.
        grown: Told, perhaps by that thread, whenever the file has become longer; what is in it by
            then changes no more.
        stored: Whether it will leave this machine, so that it is worth the time to make it small.
    """

    def __init__(
        self, path: Path, grown: Callable[[Path], None] | None = None, *, stored: bool = True
    ) -> None:
        self.path = path
        self._compression = "zstd" if stored else "none"
        self.rows = 0
        self._grown = grown
        self._writer: Any = None
        self._schema: Any = None
        self._thread: ThreadPoolExecutor | None = None
        self._under_way: Future[None] | None = None

    def append(self, frame: pl.DataFrame) -> None:
        """
        Write one more frame, of the same columns as the first; it may be empty.

        Raises:
            OSError: This frame or the one before could not be written.
        """
        if self._writer is None:
            self._schema = as_arrow(frame.clear()).schema
            # Without dictionaries it is hardly larger, and read in half the time. It is sent while
            # it is written, so small is quick.
            self._writer = parquet.ParquetWriter(
                self.path,
                self._schema,
                compression=self._compression,
                use_dictionary=False,
                write_statistics=False,
            )
        if frame.height:
            self._wait()
            if frame.height < _WORTH_A_THREAD:
                self._write(frame)
            else:
                self._thread = self._thread or ThreadPoolExecutor(1, "frames")
                self._under_way = self._thread.submit(self._write, frame)
            self.rows += frame.height

    def close(self) -> FrameFile:
        """Finish the file; at least one frame must have been appended."""
        try:
            self._wait()
            self._writer.close()
        finally:
            self.stop()
        return FrameFile(self.path)

    def stop(self) -> None:
        """Wait for what is under way, whatever becomes of it; a file not closed is of no use."""
        if self._thread is not None:
            self._thread.shutdown()
        if self._writer is not None:
            with suppress(OSError, ArrowException):  # It has nobody to tell any more.
                self._writer.close()
            # Where the end of a file cannot be written, Arrow leaves it open.
            self._writer.file_handle.close()

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """End, whatever happened."""
        self.stop()

    def _write(self, frame: pl.DataFrame) -> None:
        rows = as_arrow(frame, self._schema)
        self._writer.write_table(rows, row_group_size=rows.num_rows)
        if self._grown is not None:
            self._grown(self.path)

    def _wait(self) -> None:
        """Wait for the frame before, and raise what it raised."""
        before, self._under_way = self._under_way, None
        if before is not None:
            before.result()


def _groups(file: ParquetFile, columns: list[str] | None) -> Iterator[Table]:
    """Read the groups of rows of a file."""
    for group in range(file.num_row_groups):
        yield file.read_row_group(group, columns=columns)


def _portions(file: ParquetFile, columns: list[str] | None, rows: int) -> Iterator[Table]:
    """
    Join what follows one another as long as it fits.

    Frames are ranges of slices, and so are the rows of held values that are made of a portion:
    who looks for some slices later finds them in fewer places if portions keep to frames.
    """
    waiting: list[RecordBatch] = []
    for group in range(file.num_row_groups):
        for batch in file.iter_batches(rows, row_groups=[group], columns=columns):
            if waiting and sum(map(len, waiting)) + len(batch) > rows:
                yield pa.Table.from_batches(waiting)
                waiting = []
            waiting.append(batch)
    if waiting:
        yield pa.Table.from_batches(waiting)


def as_arrow(frame: pl.DataFrame, schema: Any = None) -> Table:
    """
    Convert a frame to a table, with text as polars keeps it, rather than copied together.

    Args:
        frame: The rows.
        schema: Cast to this one; None: as they are. Nothing is cast that has it already, as
            Arrow would load its functions for that, and numpy, which takes an eighth of a second.
    """
    rows = frame.to_arrow(compat_level=pl.CompatLevel.newest())
    return rows if schema is None or rows.schema == schema else rows.cast(schema)


class FrameFile:
    """A Parquet file of frames."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with open_parquet(path) as file:
            self.rows = int(file.metadata.num_rows)
            groups = [file.metadata.row_group(at) for at in range(file.num_row_groups)]
            size = sum(int(group.total_byte_size) for group in groups)
            self.row_size = size // max(self.rows, 1)
            """Bytes of a row before it was compressed, on average."""
            self.columns: list[str] = file.schema_arrow.names
            self._empty = pl.DataFrame(pl.from_arrow(empty_table(file.schema_arrow)))

    def frames(
        self, columns: Collection[str] | None = None, *, rows: int | None = None
    ) -> Iterator[pl.DataFrame]:
        """
        Read the frames, one in memory at a time.

        Args:
            columns: Only these; all if None.
            rows: In portions of so many rows at most: small frames joined, large ones divided. No
                portion has a part of a frame and a part of another, if both are large.

        Yields:
            None that is empty.
        """
        chosen = None if columns is None else [name for name in self.columns if name in columns]
        with open_parquet(self.path) as file:
            tables = _groups(file, chosen) if rows is None else _portions(file, chosen, rows)
            for table in tables:
                yield pl.DataFrame(pl.from_arrow(table))

    def empty(self) -> pl.DataFrame:
        """Build an empty frame of the file's columns."""
        return self._empty

    def remove(self) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)
