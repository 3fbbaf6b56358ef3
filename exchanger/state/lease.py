"""
One writer per connection: an object in the bucket that says who, until when, and how often before.

Nobody compares clocks of two hosts. Whether a lease is over is told by S3's clock alone: the time
of its answer minus the time the object was written. The holder counts on a clock of its own that
goes on in suspend, from before its renewal was sent, and stops sending well before the end. The
object is never deleted: a release writes it as free, so that fencing numbers only grow.
"""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import structlog

from exchanger.errors import (
    LeaseLost,
    StorageChanged,
    StorageError,
    StorageMissing,
)
from exchanger.state.documents import read_document, to_body, write_over
from exchanger.state.runs.log import new_nonce

if TYPE_CHECKING:
    from typing import Self

    from exchanger.outside.clock import Clock
    from exchanger.outside.s3.bucket import Bucket

log = structlog.get_logger()

MARGIN = 1 / 3
"""Share of the lease before its end in which nothing may begin: no request outlasts it."""
_CLOCK_STEP = 2.0
"""Seconds: S3 tells times in whole seconds, at both ends."""


@dataclass(frozen=True)
class LeaseDocument:
    """
    The lease as stored.

    Args:
        holder: Who holds it, for people.
        fence: Grows with every holder; what an earlier holder still writes can be told by it.
        nonce: Drawn by the holder.
        counter: Grows with every renewal, so that no two bodies are equal.
        seconds: How long it lasts from when it was written.
        free: It was released.
    """

    holder: str
    fence: int
    nonce: str
    counter: int
    seconds: float
    free: bool


@dataclass(frozen=True)
class Busy:
    """Somebody else holds the lease, for about so many seconds more."""

    holder: str
    seconds: float


class Lease:
    """
    The lease of one connection, as one process sees it.

    Args:
        bucket: Where it is kept.
        key: Its object.
        clock: Time that goes on in suspend.
        holder: Who we are, for people.
        seconds: How long a lease lasts without renewal.
    """

    def __init__(
        self, bucket: Bucket, key: str, *, clock: Clock, holder: str, seconds: float
    ) -> None:
        self._bucket = bucket
        self._key = key
        self._clock = clock
        self._mine = LeaseDocument(holder, 0, new_nonce(), 0, seconds, free=False)
        self._etag = ""
        self._until = 0.0
        self._lock = threading.Lock()
        self.took_over = False
        """The lease before ours ended without being released: its holder may still be alive."""

    @property
    def fence(self) -> int:
        """Our fencing number."""
        return self._mine.fence

    def take(self) -> Busy | None:
        """
        Take the lease if it is free or over.

        Returns:
            None once it is ours; otherwise who holds it.

        Raises:
            StorageError: S3 refused or did not answer.
        """
        found = self._found()
        if found is None:
            return self._write_as(1, "")
        document, etag = found
        if not document.free:
            left = document.seconds + _CLOCK_STEP - self._age(etag)
            if left > 0:
                return Busy(document.holder, left)
        self.took_over = not document.free
        return self._write_as(document.fence + 1, etag)

    def renew(self) -> None:
        """
        Write the lease anew. What fails is no renewal: the old end stays.

        Raises:
            LeaseLost: Somebody else has written it.
        """
        with self._lock:
            before = self._clock.monotonic()
            try:
                self._put_mine(free=False)
            except StorageChanged as error:
                self._until = 0.0
                raise LeaseLost(self._mine.holder) from error
            except StorageError as error:
                log.warning("lease.not_renewed", error=str(error))
                return
            self._until = before + self._mine.seconds

    def check(self) -> None:
        """
        Check that whatever begins now ends while the lease is ours.

        Raises:
            LeaseLost: That cannot be proved.
        """
        if self._clock.monotonic() >= self._until - self._mine.seconds * MARGIN:
            raise LeaseLost(self._mine.holder)

    def release(self) -> None:
        """Write the lease as free. If that fails, it ends by itself."""
        with self._lock:
            self._until = 0.0
            try:
                self._put_mine(free=True)
            except StorageError as error:
                log.warning("lease.not_released", error=str(error))

    def _write_as(self, fence: int, etag: str) -> Busy | None:
        before = self._clock.monotonic()
        document = replace(self._mine, fence=fence, counter=1)
        try:
            self._etag = self._put(document, etag)
        except StorageChanged:
            found = self._found()
            return Busy(found[0].holder if found else "another process", document.seconds)
        self._mine = document
        self._until = before + document.seconds
        log.info("lease.taken", fence=fence, took_over=self.took_over)
        return None

    def _put_mine(self, *, free: bool) -> None:
        """
        Write the lease that is ours anew.

        No two attempts are equal, even if one fails: what an earlier one wrote, whose answer never
        came, is older than it looks, and is written over.
        """
        self._mine = replace(self._mine, counter=self._mine.counter + 1)
        document = replace(self._mine, free=free)
        try:
            self._etag = self._put(document, self._etag)
        except StorageChanged:
            found = self._found()
            if found is None or found[0].nonce != document.nonce or found[0].free:
                raise
            self._etag = self._put(document, found[1])

    def _put(self, document: LeaseDocument, etag: str) -> str:
        """Write, and tell a lost answer of our own from somebody else's write."""
        return write_over(self._bucket, self._key, to_body(asdict(document)), etag or None)

    def _age(self, etag: str) -> float:
        """Return for how many seconds, by S3's clock, the lease has been as it was read."""
        try:
            info = self._bucket.head(self._key)
        except StorageMissing:
            return 0.0
        return info.age.total_seconds() if info.age and info.etag == etag else 0.0

    def _found(self) -> tuple[LeaseDocument, str] | None:
        """Read the lease and its ETag; None if there is none."""
        return read_document(
            self._bucket, self._key, lambda content: LeaseDocument(**content), "not a lease"
        )


class KeptLease:
    """
    Renews a lease in the background while the context is open, and releases it at the end.

    Args:
        lease: A lease that is ours.
        every: Seconds between renewals.
    """

    def __init__(self, lease: Lease, every: float) -> None:
        self._lease = lease
        self._every = every
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._lease.release()

    def _keep(self) -> None:
        while not self._ended.wait(self._every):
            try:
                self._lease.renew()
            except LeaseLost:
                # Whoever sends next finds out by ``check``.
                log.warning("lease.lost")
                return
