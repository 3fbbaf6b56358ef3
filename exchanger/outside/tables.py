"""
Delta Lake tables: the only place that imports ``deltalake``.

An application transaction of Delta does not deduplicate by itself, so *append* looks first and
commits with the very handle it looked through: a competitor's commit of the same transaction then
raises, and looking again tells whether it was ours.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import polars as pl
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake
from deltalake.exceptions import DeltaError, TableNotFoundError

from exchanger.errors import StorageDenied, StorageError, StorageUnreachable
from exchanger.outside.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

_ATTEMPTS = 8
_READINGS = 5
_FIRST_PAUSE = 0.05
_FILES_BEFORE_COMPACTION = 48
_STYLING = re.compile(r"\x1b\[[0-9;]*m")
_DENIED = (
    "AccessDenied",
    "ExpiredToken",
    "InvalidAccessKeyId",
    "403 Forbidden",
    "401 Unauthorized",
)
_SECRET_OPTIONS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


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

    def open(self) -> DeltaTable | None:
        """Open the newest version; None if nothing was ever appended."""

        def once() -> DeltaTable | None:
            with self._typed("open"):
                try:
                    return DeltaTable(self.uri, storage_options=self._options())
                except TableNotFoundError:
                    return None

        return self._again(once)

    def scan(self) -> pl.LazyFrame | None:
        """Read the newest version lazily, pinned as it is now; None if there is no table."""
        table = self.open()
        return None if table is None else pl.scan_delta(table)

    def append(self, frame: pl.DataFrame, *, writer: str, seq: int) -> bool:
        """
        Append rows once for this *writer* and *seq*, however often it is called.

        New columns are added to the table.

        Returns:
            Whether this call appended them; False if they were there already.

        Raises:
            DeltaError: The table could not be written after all attempts.
        """
        for attempt in range(_ATTEMPTS):
            table = self.open()
            if table is not None and _written(table, writer) >= seq:
                return False
            try:
                self._write(table, frame, [Transaction(writer, seq)])
            except (DeltaError, StorageUnreachable):
                # Contention, or a commit whose answer was lost: looking again tells which.
                if attempt == _ATTEMPTS - 1:
                    raise
                self._sleep(_FIRST_PAUSE * 2**attempt)
            else:
                return True
        return False

    def add(self, frame: pl.DataFrame) -> None:
        """Append rows that may be there twice without harm."""
        self._again(lambda: self._write(self.open(), frame, []))

    def compact(self) -> None:
        """Join small files once enough have piled up; appends beside it lose nothing."""
        table = self.open()
        if table is not None and len(table.file_uris()) > _FILES_BEFORE_COMPACTION:
            with self._typed("compact"):
                table.optimize.compact()

    def _write(
        self, table: DeltaTable | None, frame: pl.DataFrame, marks: Sequence[Transaction]
    ) -> None:
        properties = CommitProperties(app_transactions=list(marks)) if marks else None
        with self._typed("write"):
            if table is None:
                write_deltalake(
                    self.uri,
                    frame,
                    mode="error",
                    storage_options=self._options(),
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

    @contextmanager
    def _typed(self, action: str) -> Iterator[None]:
        """Raise what the store did wrong as the ``StorageError`` that it is."""
        try:
            yield
        except OSError as error:
            words = " ".join(_STYLING.sub("", str(error)).split())
            kind: type[StorageError] = StorageUnreachable
            if any(code in words for code in _DENIED):
                kind = StorageDenied
            bucket, _, key = self.uri.removeprefix("s3://").partition("/")
            raise kind(action, bucket, key, self._redactor().clean(words)) from error

    def _again(self, once: Callable[[], T]) -> T:
        """Try again what may be done twice: the library does so for requests, not torn bodies."""
        for attempt in range(_READINGS - 1):
            try:
                return once()
            except StorageUnreachable:
                self._sleep(_FIRST_PAUSE * 2**attempt)
        return once()

    def _redactor(self) -> Redactor:
        return Redactor(value for name, value in self._options().items() if name in _SECRET_OPTIONS)
