"""
How many requests of the clock hour the processes of a connection have reserved, in one document.

Requests are reserved in blocks before they are sent, so the document is written rarely and the
count is never too low; what a process did not send it returns, and what a killed process had
reserved is lost to that hour. S3's clock tells which hour it is: nobody compares clocks of two
hosts. Every change demands the version that was read, so no two processes reserve the same.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import structlog

from exchanger.errors import StateDamaged, StorageChanged, StorageError, StorageMissing
from exchanger.outside.braze.rate_limit import HOUR, Quota
from exchanger.state.documents import from_body, to_body, write_over
from exchanger.state.runs.log import new_nonce

if TYPE_CHECKING:
    from exchanger.outside.clock import Clock
    from exchanger.outside.s3.bucket import Bucket

log = structlog.get_logger()

BLOCKS = 20
"""Blocks in an hour's limit: so often at most a delivery stops to reserve, but for the last one."""
_CLOCK_STEP = 1.0
"""Seconds: S3 tells times in whole seconds."""


@dataclass(frozen=True)
class _Hour:
    """
    The document.

    Args:
        hour: Which clock hour, counted from 1970 in UTC.
        reserved: Requests that were reserved in it.
        nonce: Makes bodies and ETags unique.
    """

    hour: int = 0
    reserved: int = 0
    nonce: str = ""


class HourlyQuotas:
    """
    The clock hour of one connection.

    Args:
        bucket: Where it is counted.
        key: The document.
        limit: Requests in a clock hour.
        clock: Only used where the store does not say what time it is.
    """

    def __init__(self, bucket: Bucket, key: str, limit: int, *, clock: Clock) -> None:
        self._bucket = bucket
        self._key = key
        self._limit = limit
        self._clock = clock
        self._mine = _Hour()

    def reserve(self) -> Quota:
        """
        Take a block out of what is left of this hour.

        Raises:
            StorageError: S3 refused or did not answer: who cannot count does not send.
        """
        block = max(self._limit // BLOCKS, 1)
        while True:
            found, etag, now = self._read()
            # A server of the store whose clock is behind does not begin an old hour anew.
            hour = max(int(now // HOUR), found.hour)
            reserved = found.reserved if found.hour == hour else 0
            requests = min(block, self._limit - reserved)
            left = (hour + 1) * HOUR - now
            if requests <= 0:
                return Quota(0, left + _CLOCK_STEP)
            if self._write(_Hour(hour, reserved + requests), etag):
                return Quota(requests, left - _CLOCK_STEP)

    def give_back(self, requests: int) -> None:
        """Return requests of the newest block; if that fails, they are lost to this hour."""
        try:
            while True:
                found, etag, _ = self._read()
                if found.hour != self._mine.hour:
                    return
                if self._write(replace(found, reserved=found.reserved - requests), etag):
                    return
        except StorageError as error:
            log.warning("hour.not_given_back", requests=requests, error=str(error))

    def _read(self) -> tuple[_Hour, str | None, float]:
        """Read the document, its ETag, and the time by S3's clock in seconds."""
        while True:
            try:
                seen = self._bucket.head(self._key)
                body, etag = self._bucket.read(self._key, seen.etag)
            except StorageMissing:
                # The answer about an object also tells the time, so there must be one.
                self._write(_Hour(), None)
                continue
            except StorageChanged:
                continue
            now = seen.seen_at or self._clock.now()
            return _parsed(body, self._key), etag, now.timestamp()

    def _write(self, hour: _Hour, etag: str | None) -> bool:
        """Write the document unless somebody else did; tell whether it is ours."""
        new = replace(hour, nonce=new_nonce())
        try:
            write_over(self._bucket, self._key, to_body(asdict(new)), etag)
        except StorageChanged:
            return False
        self._mine = new
        return True


def _parsed(body: bytes, key: str) -> _Hour:
    try:
        return _Hour(**from_body(body, key))
    except (ValueError, TypeError) as error:
        raise StateDamaged(key, f"not a count of requests: {error}") from error
