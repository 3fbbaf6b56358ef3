"""The book of troubles in the bucket: one small document, written with conditions."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from exchanger.errors import StorageChanged
from exchanger.state.alerts.book import AlertBook
from exchanger.state.documents import read_document, to_body, write_over
from exchanger.state.runs.log import new_nonce

if TYPE_CHECKING:
    from exchanger.outside.s3.bucket import Bucket

Change = Callable[[AlertBook, datetime], AlertBook]
"""Returns the book after a change, of the book as it is and the time."""

_ATTEMPTS = 20
"""How often a change is tried again because another process wrote meanwhile."""


class AlertDocument:
    """The document of one connection."""

    def __init__(self, bucket: Bucket, key: str) -> None:
        self._bucket = bucket
        self._key = key

    def now(self) -> datetime:
        """Return the time by the clock of the bucket."""
        return self._bucket.now()

    def read(self) -> AlertBook:
        """
        Read the book; an empty one before anything was heard.

        Raises:
            StateDamaged: It is something else.
            StorageError: S3 refused or did not answer.
        """
        return self._read()[0]

    def change(self, change: Change) -> AlertBook:
        """
        Change the book; nothing is written where nothing changes.

        Args:
            change: Returns the book after it, of the book as it is and the time.

        Raises:
            StorageChanged: Other processes wrote it again and again.
            StateDamaged: It is something else.
            StorageError: S3 refused or did not answer.
        """
        for _ in range(_ATTEMPTS):
            book, etag = self._read()
            changed = change(book, self.now())
            if changed == book:
                return book
            body = to_body({**changed.to_dict(), "nonce": new_nonce()})
            with suppress(StorageChanged):
                write_over(self._bucket, self._key, body, etag)
                return changed
        raise StorageChanged("write", self._bucket.name, self._key, "others keep writing it")

    def _read(self) -> tuple[AlertBook, str | None]:
        found = read_document(self._bucket, self._key, AlertBook.from_dict, "not a book of alerts")
        return found or (AlertBook(), None)
