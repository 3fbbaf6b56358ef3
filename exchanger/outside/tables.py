"""
Delta Lake tables: the only place that imports ``deltalake``.

An application transaction of Delta does not deduplicate by itself, so *append* looks first and
commits with the very handle it looked through: a competitor's commit of the same transaction then
raises, and looking again tells whether it was ours.

A rewrite likewise goes through the handle that was read, and without the library's retries: those
would keep files that somebody joined meanwhile beside the rewritten ones, so rows would be there
twice.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl
import structlog
from deltalake import (
    CommitProperties,
    DeltaTable,
    Transaction,
    WriterProperties,
    write_deltalake,
)
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from exchanger.errors import (
    StorageChanged,
    StorageDenied,
    StorageError,
    StorageMissing,
    StorageUnreachable,
)
from exchanger.files.arrow import pa
from exchanger.outside.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Sequence

log = structlog.get_logger()

MANY_FILES = 48
"""A table of more files than that is slow to open and to read."""
KEPT_HOURS = 7 * 24
"""How long files stay that no version names any more: longer than any run reads them."""

T = TypeVar("T")

_ATTEMPTS = 8
_READINGS = 5
_FIRST_PAUSE = 0.05
_STYLING = re.compile(r"\x1b\[[0-9;]*m")
_DENIED = (
    "AccessDenied",
    "ExpiredToken",
    "InvalidAccessKeyId",
    "403 Forbidden",
    "401 Unauthorized",
)
_SECRET_OPTIONS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_ROWS_IN_A_GROUP = 131_072
_CONFIGURATION = {"delta.checkpointInterval": "20"}
"""Who opens a table reads every commit since the last checkpoint, one request each."""


@dataclass(frozen=True)
class TableSize:
    """How many files and rows the newest version of a table has."""

    files: int
    rows: int


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

    Raises:
        StorageError: By all methods, once trying again has not helped.
    """

    def __init__(
        self,
        uri: str,
        storage_options: Mapping[str, str] | Callable[[], dict[str, str]],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.uri = uri
        self._sleep = sleep
        self._options: Callable[[], dict[str, str]] = (
            storage_options if callable(storage_options) else lambda: dict(storage_options)
        )
        self._kept: tuple[dict[str, str], DeltaTable] | None = None

    def open(self) -> DeltaTable | None:
        """Open the newest version; None if nothing was ever appended."""

        def once() -> DeltaTable | None:
            with self._typed("open"):
                try:
                    return DeltaTable(self.uri, storage_options=self._options())
                except TableNotFoundError:
                    return None

        return self._again(once)

    def _current(self) -> DeltaTable | None:
        """
        Bring the handle of the last call to the newest version: opening anew reads the whole log.

        Nobody may read rows lazily through it, as it moves on.
        """
        kept, self._kept = self._kept, None
        options = self._options()
        table = None
        if kept is not None and kept[0] == options:
            table = kept[1]
            try:
                table.update_incremental()
            except (DeltaError, OSError):
                # Opening says what is wrong, if it still is.
                table = None
        if table is None:
            table = self.open()
        if table is not None:
            self._kept = (options, table)
        return table

    def scan(self) -> pl.LazyFrame | None:
        """Read the newest version lazily, pinned as it is now; None if there is no table."""
        table = self.open()
        return None if table is None else pl.scan_delta(table)

    def collect(self, rows: pl.LazyFrame, *, streaming: bool = False) -> pl.DataFrame:
        """
        Carry out a query over what *scan* gave; reading is tried again as all else is.

        Args:
            rows: The query.
            streaming: In pieces, for what may be larger than memory.
        """

        def once() -> pl.DataFrame:
            with self._typed("read"):
                return rows.collect(engine="streaming" if streaming else "auto")

        # The library itself asks for many seconds already.
        return self._again(once, attempts=2)

    def append(self, frame: pl.DataFrame, *, writer: str, seq: int) -> bool:
        """
        Append rows once for this *writer* and *seq*, however often it is called.

        New columns are added to the table.

        Returns:
            Whether this call appended them; False if they were there already.

        Raises:
            StorageChanged: Others kept writing the table.
            DeltaError: The table could not be written after all attempts.
        """
        for attempt in range(_ATTEMPTS):
            table = self._current()
            if table is not None and _written(table, writer) >= seq:
                return False
            try:
                self._write(table, frame, [Transaction(writer, seq)])
            except (DeltaError, StorageChanged, StorageUnreachable):
                # Contention, or a commit whose answer was lost: looking again tells which.
                if attempt == _ATTEMPTS - 1:
                    raise
                self._sleep(_FIRST_PAUSE * 2**attempt)
            else:
                return True
        return False

    def add(self, frame: pl.DataFrame) -> None:
        """Append rows that may be there twice without harm."""
        self._again(lambda: self._write(self._current(), frame, []))

    def add_all(self, frames: Iterator[pl.DataFrame]) -> None:
        """
        Append frames as one commit, with one of them in memory at a time.

        Args:
            frames: Of one schema. Rows may be there twice without harm. What iterating raises
                leaves the table as it is.
        """
        raised: list[Exception] = []
        frames = _noting(frames, raised)
        first = next(frames, None)
        if first is None:
            return
        try:
            self._write(self.open(), _stream(first, frames), [])
        except DeltaError:
            if raised:
                raise raised[0] from None
            raise

    def size(self) -> TableSize:
        """Count files and rows from the log alone; nothing of them is read."""
        table = self._current()
        if table is None:
            return TableSize(0, 0)
        files = pl.DataFrame(table.get_add_actions(flatten=True))
        return TableSize(files.height, int(files["num_records"].sum()))

    def compact(self) -> None:
        """Join small files once enough have piled up; appends beside it lose nothing."""
        table = self._current()
        if table is not None and len(table.file_uris()) > MANY_FILES:
            with self._typed("compact"):
                table.optimize.compact()
                _sweep(table)

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
        table = self.open()
        if table is None:
            return False
        raised: list[Exception] = []
        frames = _noting(made(pl.scan_delta(table)), raised)
        try:
            first = next(frames, None)
            if first is None:
                return False
            with self._typed("rewrite"):
                self._overwrite(table, _stream(first, frames))
                _sweep(table)
        except (DeltaError, StorageError) as error:
            if raised:
                raise raised[0] from None
            log.warning("table.not_rewritten", table=self.uri, error=str(error))
            return False
        return True

    def noted(self, name: str) -> int:
        """Read the number that was noted last under a name; 0 if there is none."""
        table = self._current()
        return 0 if table is None else max(_written(table, name), 0)

    def note(self, name: str, number: int) -> None:
        """Note a number in the table's log, under a name that is no writer's."""
        table = self._current()
        if table is not None:
            marks = CommitProperties(app_transactions=[Transaction(name, number)])
            table.create_write_transaction([], "append", table.schema(), commit_properties=marks)

    def _overwrite(self, table: DeltaTable, rows: Any) -> None:
        write_deltalake(
            table,
            rows,
            mode="overwrite",
            schema_mode="merge",
            commit_properties=CommitProperties(max_commit_retries=0),
            writer_properties=WriterProperties(
                compression="ZSTD", max_row_group_size=_ROWS_IN_A_GROUP
            ),
        )

    def _write(self, table: DeltaTable | None, frame: Any, marks: Sequence[Transaction]) -> None:
        properties = CommitProperties(app_transactions=list(marks)) if marks else None
        kept, self._kept = self._kept, None
        with self._typed("write"):
            if table is None:
                write_deltalake(
                    self.uri,
                    frame,
                    mode="error",
                    storage_options=self._options(),
                    configuration=_CONFIGURATION,
                    commit_properties=properties,
                )
            else:
                write_deltalake(
                    table,
                    frame,
                    mode="append",
                    schema_mode="merge",
                    commit_properties=properties,
                )
        # After a failure the handle is not kept: it is opened anew.
        self._kept = kept

    @contextmanager
    def _typed(self, action: str) -> Iterator[None]:
        """Raise what the store did wrong as the ``StorageError`` that it is."""
        kind: type[StorageError] = StorageUnreachable
        try:
            yield
        except CommitFailedError as error:
            raise self._error(StorageChanged, action, error) from error
        except OSError as error:
            if any(code in str(error) for code in _DENIED):
                kind = StorageDenied
            elif isinstance(error, FileNotFoundError):
                kind = StorageMissing
            raise self._error(kind, action, error) from error

    def _error(self, kind: type[StorageError], action: str, error: Exception) -> StorageError:
        words = " ".join(_STYLING.sub("", str(error)).split())
        bucket, _, key = self.uri.removeprefix("s3://").partition("/")
        return kind(action, bucket, key, self._redactor().clean(words))

    def _again(self, once: Callable[[], T], attempts: int = _READINGS) -> T:
        """Try again what may be done twice: the library does so for requests, not torn bodies."""
        for attempt in range(attempts - 1):
            try:
                return once()
            except (StorageChanged, StorageUnreachable):
                self._sleep(_FIRST_PAUSE * 2**attempt)
        return once()

    def _redactor(self) -> Redactor:
        return Redactor(value for name, value in self._options().items() if name in _SECRET_OPTIONS)


def _stream(first: pl.DataFrame, rest: Iterator[pl.DataFrame]) -> Any:
    """Hand frames to Delta one by one, as it asks for them."""
    batches = (batch for frame in chain([first], rest) for batch in frame.to_arrow().to_batches())
    return pa.RecordBatchReader.from_batches(first.to_arrow().schema, batches)


def _noting(frames: Iterator[pl.DataFrame], raised: list[Exception]) -> Iterator[pl.DataFrame]:
    """Keep what iterating raises: on its way through Delta it would become a text."""
    try:
        yield from frames
    except Exception as error:
        raised.append(error)
        raise


def _sweep(table: DeltaTable) -> None:
    """Remove files that no version of the last days names."""
    table.update_incremental()
    table.vacuum(retention_hours=KEPT_HOURS, dry_run=False)
