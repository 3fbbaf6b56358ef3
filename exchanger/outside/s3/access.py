"""How a bucket is reached: its client, its clock, its errors in our words, and patience."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar

from propcache.api import cached_property

from exchanger.config.models import S3Config
from exchanger.errors import StorageCorrupt
from exchanger.outside.aws import open_session, redactor_of
from exchanger.outside.clock import Clock
from exchanger.outside.s3.client import open_client
from exchanger.outside.s3.errors import as_storage_errors
from exchanger.outside.store_codes import StorageConflict

if TYPE_CHECKING:
    from boto3.session import Session
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")

ATTEMPTS = 5
"""How often a torn body is read again, or a write that met another one is sent again."""

_FIRST_PAUSE = 0.2


class BucketAccess:
    """
    What everything that is done with a bucket needs. Safe to use from several threads.

    Args:
        config: Where it is and whose credentials to use.
        clock: Time, for the pauses between attempts of our own.
    """

    def __init__(self, config: S3Config, clock: Clock) -> None:
        self.clock = clock
        self._config = config
        self.clean = redactor_of(config).clean
        """Take the bucket's secrets out of a text."""
        self._opening = threading.RLock()
        self._started: datetime | None = None

    @cached_property
    def session(self) -> Session:
        """Open boto3's session, whose credentials renew themselves."""
        return open_session(self._config)

    @property
    def client(self) -> S3Client:
        """Return the one client of all threads, opened when it is first needed."""
        with self._opening:
            return self._shared_client

    @cached_property
    def _shared_client(self) -> S3Client:
        client = open_client(self._config, self.session)
        client.meta.events.register("after-call.s3", self._note_time)
        return client

    def now(self) -> datetime:
        """
        Return the time of day by the clock of the store, in UTC: all hosts agree on it.

        It is taken from the first answer, which is true to the second, and counted on from there;
        the clock of this host counts where no answer came yet, or none is dated.
        """
        if self._started is None:
            return self.clock.now()
        return self._started + timedelta(seconds=self.clock.monotonic())

    def _note_time(self, parsed: dict[str, Any], **_: object) -> None:
        """Note when the store's time stood at this clock's zero."""
        if self._started is not None:
            return
        headers = parsed.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        with suppress(ValueError):
            told = parsedate_to_datetime(str(headers.get("date", ""))).astimezone(UTC)
            self._started = told - timedelta(seconds=self.clock.monotonic())

    def typed(self, action: str, key: str) -> AbstractContextManager[None]:
        """Return a context in which what boto3 raises is raised as a ``StorageError``."""
        return as_storage_errors(action, self._config.bucket, key, self.clean)

    def again(self, once: Callable[[], T]) -> T:
        """Repeat what boto3 does not: torn bodies, and writes that met another write."""
        for attempt in range(1, ATTEMPTS):
            try:
                return once()
            except (StorageCorrupt, StorageConflict):
                self.clock.sleep(_FIRST_PAUSE * 2 ** (attempt - 1))
        return once()
