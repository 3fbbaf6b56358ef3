"""The files of a segment export in the bucket, and whether more are to come."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from exchanger.jobs.runtime.context import JobContext
from exchanger.outside.s3.bucket import ObjectInfo

_A_DAY = timedelta(days=1)

Version = tuple[str, str, int]


def files_of(
    context: JobContext, segment_id: str, object_prefixes: Collection[str], requested_at: datetime
) -> list[ObjectInfo]:
    """
    List the files that some exports of a segment have written so far, in key order.

    The folder before ``object_prefix`` is a date that Braze chooses, not before the request's,
    and there may be several (braze-api.md 4.4).
    """
    below = f"{context.export_root}/{segment_id}/"
    start = f"{below}{requested_at - _A_DAY:%Y-%m-%d}"
    listed = context.bucket.list(below, start)
    wanted = frozenset(object_prefixes)
    return [found for found in listed if not wanted.isdisjoint(found.key.split("/")[:-1])]


def watched_folder(context: JobContext, segment_id: str) -> str:
    """Name the folder in which the files of a segment's exports are awaited."""
    return f"s3://{context.bucket.name}/{context.export_root}/{segment_id}/"


class QuietWatch:
    """Tells for how long a listing has not changed."""

    def __init__(self) -> None:
        self._last: list[Version] | None = None
        self._since = 0.0

    def see(self, files: list[ObjectInfo], now: float) -> float:
        """
        Look at a listing.

        Args:
            files: What is there.
            now: Seconds of a clock that only goes forward.

        Returns:
            Seconds since the last change that was seen; 0 at first.
        """
        versions = [(found.key, found.etag, found.size) for found in files]
        if versions != self._last:
            self._last, self._since = versions, now
        return now - self._since
