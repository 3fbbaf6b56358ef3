"""What the bucket says about objects."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any


@dataclass(frozen=True)
class ObjectInfo:
    """
    One version of one object.

    Args:
        key: Its key.
        etag: Its ETag, without quotes.
        size: Bytes.
        last_modified: When S3 says it was written, in UTC, to the second.
        seen_at: When S3 gave this answer, by S3's own clock; None if the store does not say.
    """

    key: str
    etag: str
    size: int
    last_modified: datetime
    seen_at: datetime | None = None

    @property
    def age(self) -> timedelta | None:
        """How old the object was, by S3's clock alone; None if the store does not say."""
        return self.seen_at - self.last_modified if self.seen_at else None


@dataclass(frozen=True)
class UploadedObject:
    """What an upload made: the ETag without quotes, the content's hex SHA-256, the bytes."""

    etag: str
    sha256: str
    size: int


def date_of(answer: Any) -> datetime | None:
    """Read when S3 gave an answer, by its own clock; None if the store does not say."""
    date = answer["ResponseMetadata"].get("HTTPHeaders", {}).get("date")
    return parsedate_to_datetime(date) if date else None
