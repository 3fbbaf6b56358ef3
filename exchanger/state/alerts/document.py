"""The book of troubles in the bucket: one small document, written with conditions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from exchanger.errors import StateDamaged, StorageChanged, StorageMissing
from exchanger.state.alerts.book import AlertBook
from exchanger.state.documents import from_body, to_body
from exchanger.state.runs.log import new_nonce

if TYPE_CHECKING:
    from exchanger.outside.s3.bucket import Bucket

Change = Callable[[AlertBook, datetime], AlertBook]
"""Returns the book after a change, of the book as it is and the time."""

_ATTEMPTS = 20
"""How often a change is tried again because another process wrote meanwhile."""


class AlertDocument:
    """
    The document of one connection.

    Args:
        bucket: Where it is.
        key: Its key.
    """

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
            if changed == book or self._write(changed, etag):
                return changed
        raise StorageChanged("write", self._bucket.name, self._key, "others keep writing it")

    def _read(self) -> tuple[AlertBook, str | None]:
        try:
            body, etag = self._bucket.read(self._key)
        except StorageMissing:
            return AlertBook(), None
        try:
            return AlertBook.from_dict(from_body(body, self._key)), etag
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StateDamaged(self._key, f"not a book of alerts: {error}") from error

    def _write(self, book: AlertBook, etag: str | None) -> bool:
        body = to_body({**book.to_dict(), "nonce": new_nonce()})
        try:
            self._bucket.write(self._key, body, if_match=etag, if_none_match=etag is None)
        except StorageChanged:
            # The answer to our own first attempt may have been lost on the way.
            return self._bucket.read(self._key)[0] == body
        return True
