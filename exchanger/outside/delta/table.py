"""
Delta Lake tables: only this module and those named ``table_...`` beside it import ``deltalake``.

An application transaction of Delta does not deduplicate by itself, so *append* looks first and
commits with the very handle it looked through: a competitor's commit of the same transaction then
raises, and looking again tells whether it was ours.

A rewrite likewise goes through the handle that was read, and without the library's retries: those
would keep files that somebody joined meanwhile beside the rewritten ones, so rows would be there
twice.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl
import structlog
from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.exceptions import DeltaError

from exchanger.errors import (
    StorageChanged,
    StorageError,
    StorageUnreachable,
    TableUnusable,
)
from exchanger.files.scratch.prefetch import prefetch
from exchanger.outside.delta.folders import Folder, LocalFolder
from exchanger.outside.delta.handle import FIRST_PAUSE, TableHandle, fed
from exchanger.outside.delta.staged_files import TableFiles
from exchanger.outside.delta.writing import (
    as_it_was,
    closed_after,
    name_files,
    noting,
    overwrite,
    replace_share,
    stream,
    sweep,
    sweep_replaced,
    widen,
    write,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchanger.outside.delta.staged_files import PreparedFiles

log = structlog.get_logger()

MANY_FILES = 48
"""A table of more files than that is slow to open and to read."""

_ATTEMPTS = 8


@dataclass(frozen=True)
class TableSize:
    """
    How large the newest version of a table is.

    Args:
        files: Files.
        rows: Rows in them.
        size: Bytes of the files, compressed.
    """

    files: int
    rows: int
    size: int


class TableVersion(NamedTuple):
    """A version of a table: which table it is, as that may be begun anew, and a number."""

    table: str
    number: int


NO_TABLE = TableVersion("", 0)


def _version_of(table: DeltaTable) -> TableVersion:
    return TableVersion(str(table.metadata().id), int(table.version()))


def _written(table: DeltaTable, writer: str) -> int:
    version = table.transaction_version(writer)
    return -1 if version is None else version


class Table:
    """
    One Delta table, appended to exactly once for each sequence number.

    Args:
        uri: ``s3://bucket/prefix`` or a local folder.
        storage_options: For S3: endpoint, region and credentials; empty for a local folder. Or
            what gives them: it is asked each time, as temporary credentials expire.
        sleep: Waits so many seconds between attempts.
        folder: Where its files lie; needed for S3.

    Raises:
        StorageError: By all methods, once trying again has not helped.
    """

    def __init__(
        self,
        uri: str,
        storage_options: Mapping[str, str] | Callable[[], dict[str, str]],
        sleep: Callable[[float], None] = time.sleep,
        folder: Folder | None = None,
    ) -> None:
        self.uri = uri
        self._folder = folder or LocalFolder(Path(uri))
        options: Callable[[], dict[str, str]] = (
            storage_options if callable(storage_options) else lambda: dict(storage_options)
        )
        self._handle = TableHandle(uri, options, sleep)
        # Moved on by a read, a write that has looked would take what others wrote for seen.
        self._writing = threading.Lock()
        self._read: tuple[int, pl.DataFrame] | None = None
        self._least: tuple[TableVersion, Exception] | None = None
        self.is_lost = False
        """Whether it was found that the table of which a version is demanded is gone."""

    def open(self) -> DeltaTable | None:
        """Open the newest version; None if nothing was ever appended."""
        return self._demanded(self._handle.open())

    def open_ahead(self) -> None:
        """Begin to open it in a thread; for whoever holds the lease, and will use it."""
        self._handle.open_ahead()

    def version(self) -> TableVersion:
        """Return the version of the table as it was read or written last."""
        table = self._handle.last()
        return NO_TABLE if table is None else _version_of(table)

    def demand(self, version: TableVersion, otherwise: Exception) -> None:
        """
        Read nothing, from now on, of a version that is older than one which was there.

        A table that was begun anew since, as that one was gone, is no older one.

        Args:
            version: That one.
            otherwise: What is raised.
        """
        self._least = version, otherwise

    def _demanded(self, table: DeltaTable | None) -> DeltaTable | None:
        if self._least is None:
            return table
        least, otherwise = self._least
        found = NO_TABLE if table is None else _version_of(table)
        self.is_lost |= found.table != least.table
        if found.table == least.table and found.number < least.number:
            raise otherwise
        return table

    def scan(self) -> pl.LazyFrame | None:
        """Read the newest version lazily, pinned as it is now; None if there is no table."""
        table = self.open()
        return None if table is None else pl.scan_delta(table)

    def scan_at_once(self) -> pl.LazyFrame | None:
        """Read as *scan* does, but pinned only until the table is used again; cheaper."""
        table = self._to_read()
        return None if table is None else pl.scan_delta(table)

    def rows(self) -> pl.DataFrame | None:
        """Return all rows of the newest version, as read or written before if none came since."""
        table = self._to_read()
        if table is None:
            return None
        version = table.version()
        if self._read is None or self._read[0] != version:
            self._read = version, self.collect(pl.scan_delta(table))
        return self._read[1]

    def written(self, writer: str, *, as_known: bool = False) -> int | None:
        """
        Return the last sequence number that a writer has appended; None if there is no table.

        Args:
            writer: As for *append*.
            as_known: Of the table as it was read or written last.
        """
        table = self._handle.last() if as_known else self._to_read()
        return None if table is None else max(_written(table, writer), 0)

    def collect(self, rows: pl.LazyFrame, *, streaming: bool = False) -> pl.DataFrame:
        """
        Carry out a query over what *scan* gave; reading is tried again as all else is.

        Args:
            rows: The query.
            streaming: In pieces, for what may be larger than memory.
        """

        def once() -> pl.DataFrame:
            with self._handle.typed("read"):
                return rows.collect(engine="streaming" if streaming else "auto")

        # The library itself asks for many seconds already.
        return self._handle.again(once, attempts=2)

    def append(self, frame: pl.DataFrame, *, writer: str, seq: int) -> bool:
        """
        Append rows once for this *writer* and *seq*, however often it is called.

        New columns are added to the table.

        Returns:
            Whether this call appended them; False if they were there already.

        Raises:
            StorageChanged: Others kept writing the table.
            TableUnusable: The table could not be written after all attempts.
        """
        marks = [Transaction(writer, seq)]

        def once(table: DeltaTable | None) -> bool:
            before = None if table is None else table.version()
            self._write(table, frame, marks)
            self._note_rows(before, frame)
            return True

        return self._append_once(once, writer, seq)

    def append_all(
        self, made: Callable[[], Iterator[pl.DataFrame]], *, writer: str, seq: int
    ) -> bool:
        """
        Append frames as *append* does one, as one commit, with two of them in memory at a time.

        Args:
            made: Makes the frames, of one schema; asked once for each attempt. What it raises
                leaves the table as it is. Without any frame nothing is appended.
            writer: As for *append*.
            seq: As for *append*.
        """
        marks = [Transaction(writer, seq)]
        return self._append_once(lambda at: self._write_all(at, made(), marks), writer, seq)

    def prepare(self, path: Callable[[], Path]) -> TableFiles:
        """
        Begin to write rows that *append_files* may append later.

        Args:
            path: Names a file of this machine that is not there yet.
        """
        return TableFiles(self._folder, path)

    def append_files(self, files: TableFiles, *, writer: str, seq: int) -> bool:
        """
        Append prepared rows as *append* does a frame; without any row nothing is appended.

        Args:
            files: Made by *prepare*; they must not be committed again under another *seq*.
            writer: As for *append*.
            seq: As for *append*.
        """
        if files.is_empty:
            return False
        prepared = files.finish()

        def once(table: DeltaTable | None) -> bool:
            if table is not None and self._widen(table, prepared):
                # That commit took no notice of a competitor's transaction, so look again.
                table = self._handle.current()
                if table is not None and _written(table, writer) >= seq:
                    return False
            self._name(table, prepared, [Transaction(writer, seq)])
            return True

        return self._append_once(once, writer, seq)

    def _append_once(
        self, once: Callable[[DeltaTable | None], bool], writer: str, seq: int
    ) -> bool:
        with self._writing:
            for attempt in count():
                table = self._handle.current()
                if table is not None and _written(table, writer) >= seq:
                    break
                try:
                    return once(table)
                except (DeltaError, StorageChanged, StorageUnreachable, TableUnusable):
                    # Contention, or a commit whose answer was lost: looking again tells which.
                    if attempt == _ATTEMPTS - 1:
                        raise
                    self._handle.sleep(FIRST_PAUSE * 2**attempt)
        return False

    def add(self, frame: pl.DataFrame) -> None:
        """Append rows that may be there twice without harm."""
        with self._writing:
            self._handle.again(lambda: self._write(self._handle.current(), frame, []))

    def add_all(self, frames: Iterator[pl.DataFrame]) -> None:
        """
        Append frames as one commit, with two of them in memory at a time.

        Args:
            frames: Of one schema. Rows may be there twice without harm. What iterating raises
                leaves the table as it is. It must open no table, as *fed* says.
        """
        self._write_all(self._handle.open(), frames, [])

    def size(self, *, as_known: bool = False) -> TableSize:
        """
        Count files, rows and bytes from the log alone; nothing of them is read.

        Args:
            as_known: Of the version that was read or written last, without looking for a newer one.
        """
        table = self._handle.last() if as_known else self._handle.current()
        if table is None:
            return TableSize(0, 0, 0)
        with self._handle.typed("read"):
            files = pl.DataFrame(table.get_add_actions(flatten=True))
        rows, size = files.select(pl.col("num_records", "size_bytes").sum()).row(0)
        return TableSize(files.height, rows, size)

    def compact(self) -> None:
        """Join small files once enough have piled up; appends beside it lose nothing."""
        with self._writing:
            table = self._handle.last()
            if table is not None and len(table.file_uris()) > MANY_FILES:
                with self._handle.typed("compact"):
                    table.optimize.compact()
                    sweep(table)

    def rewrite(self, made: Callable[[pl.LazyFrame], Iterator[pl.DataFrame]]) -> bool:
        """
        Replace all rows by what is made of them, as one commit: readers see all of it or nothing.

        What was noted for writers, and so what was appended once, stays noted.

        Args:
            made: From the rows to frames of one schema; one of them is in memory at a time. What
                it raises leaves the table as it is.

        Returns:
            Whether it was replaced; False if there is nothing, or another process committed
            meanwhile, or the table could not be written: the table is as it was then.
        """
        table = self._handle.open()
        if table is None:
            return False
        raised: list[Exception] = []
        try:
            with closed_after(noting(made(pl.scan_delta(table)), raised)) as frames:
                first = next(frames, None)
                if first is None:
                    return False
                with self._handle.typed("rewrite"), as_it_was(raised):
                    overwrite(table, stream(first, frames))
                    sweep(table)
        except (DeltaError, StorageError) as error:
            if raised:
                raise raised[0] from None
            log.warning("table.not_rewritten", table=self.uri, error=str(error))
            return False
        return True

    def cut(self, share: str, made: Callable[[pl.LazyFrame], pl.DataFrame]) -> None:
        """
        Replace the rows of a share for good: files with what was replaced are gone at once.

        Who reads an earlier version at that moment gets an error, and reads again.

        Args:
            share: A condition of SQL; it stands in the table's log.
            made: From all rows to those that take the place of the share.

        Raises:
            StorageChanged: Others kept writing the table.
        """
        for attempt in range(_ATTEMPTS):
            table = self._handle.open()
            if table is None:
                return
            try:
                with self._handle.typed("rewrite"):
                    replace_share(table, made(pl.scan_delta(table)), share)
                    sweep_replaced(table)
            except (DeltaError, StorageChanged, StorageUnreachable):
                if attempt == _ATTEMPTS - 1:
                    raise
                self._handle.sleep(FIRST_PAUSE * 2**attempt)
            else:
                return

    def noted(self, name: str) -> int:
        """Read the number that was noted last under a name; 0 if there is none."""
        table = self._handle.current()
        return 0 if table is None else max(_written(table, name), 0)

    def note(self, name: str, number: int) -> None:
        """Note a number in the table's log, under a name that is no writer's."""
        table = self._handle.current()
        if table is not None:
            marks = CommitProperties(app_transactions=[Transaction(name, number)])
            with self._handle.typed("write"):
                table.create_write_transaction(
                    [], "append", table.schema(), commit_properties=marks
                )

    def _to_read(self) -> DeltaTable | None:
        """Bring the handle to the newest version; open another one while somebody writes."""
        if not self._writing.acquire(blocking=False):
            return self.open()
        try:
            return self._demanded(self._handle.current())
        finally:
            self._writing.release()

    def _note_rows(self, before: int | None, frame: pl.DataFrame) -> None:
        """Remember rows that were appended to all that are known, if nobody else wrote any."""
        known, table = self._read, self._handle.last()
        if known is None or table is None or known[0] != before or known[1].schema != frame.schema:
            return
        if table.version() == known[0] + 1:
            self._read = table.version(), pl.concat([known[1], frame])

    def _write_all(
        self,
        table: DeltaTable | None,
        frames: Iterator[pl.DataFrame],
        marks: Sequence[Transaction],
    ) -> bool:
        """Write frames as one commit; False if there are none."""
        raised: list[Exception] = []
        with closed_after(prefetch(noting(fed(frames), raised))) as coming:
            first = next(coming, None)
            if first is None:
                return False
            with as_it_was(raised):
                self._write(table, stream(first, coming), marks)
            return True

    def _write(self, table: DeltaTable | None, frame: Any, marks: Sequence[Transaction]) -> None:
        write(self._handle, table, frame, marks)

    def _widen(self, table: DeltaTable, files: PreparedFiles) -> bool:
        return widen(self._handle, table, files.schema)

    def _name(
        self, table: DeltaTable | None, files: PreparedFiles, marks: Sequence[Transaction]
    ) -> None:
        name_files(self._handle, table, files, marks)
