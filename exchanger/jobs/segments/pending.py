"""
The segment export that a job waits for, remembered in the bucket.

Braze runs one export of a segment at a time and tells nobody where its files are but the one who
asked, so the answer is written down at once and every later run of the job waits for that export.
If the process dies between the answer and the document, the next run is told that an export is
running; it waits for its end and asks anew, as the files of an export whose fields nobody knows
could lack columns.

The document is written conditionally: a process that lost it to another one stops.
"""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from exchanger.config.models import Raw
from exchanger.errors import JobBusy, StorageChanged
from exchanger.files.manifest import spell
from exchanger.outside.s3.bucket import Bucket
from exchanger.profiles.exported.selection import FieldsToExport
from exchanger.state.documents import read_document, to_body, write_over

if TYPE_CHECKING:
    from exchanger.state.names import StateNames

MAX_AGE = timedelta(hours=24)
"""An export that was asked for longer ago is given up."""
MAX_AGE_OF_ADDRESS = timedelta(hours=6)
"""Likewise if it is downloaded: its address works for about four hours (braze-api.md 4.2)."""

_MOST_DISCARDED = 20


@dataclass(frozen=True)
class PendingExport:
    """
    One segment export.

    Args:
        segment_id: Of which segment.
        fields: What was asked for.
        object_prefix: Names it in the keys of its files.
        url: Where it will be to download, if no storage is connected to Braze. It is signed, so it
            is only kept where nothing else leads to the files, and only until it is published.
        requested_at: When it was asked for, by the clock of the host that did.
        asked_at: Likewise, by the clock of the bucket, with which the age of values is told.
        run_id: The run that asked.
        stamp: The last run whose values it shows (``RunLog.settled``), by when it was asked for.
        published: A dataset was made of it, or held values.
        folders: Run folders that were begun; those without a manifest are litter.
        discard: Prefixes of exports that were only asked for to learn that this one was complete.
    """

    segment_id: str
    fields: FieldsToExport
    object_prefix: str
    url: str | None
    requested_at: datetime
    asked_at: datetime
    run_id: str
    stamp: int = 0
    published: bool = False
    folders: tuple[str, ...] = ()
    discard: tuple[str, ...] = ()

    def is_awaited(self, segment_id: str, fields: FieldsToExport, now: datetime) -> bool:
        """Return whether a run that wants these fields waits for this export."""
        most = MAX_AGE_OF_ADDRESS if self.url else MAX_AGE
        asked = (self.segment_id, self.fields) == (segment_id, fields)
        return asked and not self.published and now - self.requested_at < most

    def with_folder(self, folder: str) -> Self:
        """Remember that a run folder was begun."""
        return replace(self, folders=(*self.folders, folder))

    def with_discard(self, object_prefix: str) -> Self:
        """Remember an export whose files nobody wants."""
        return replace(self, discard=(*self.discard[1 - _MOST_DISCARDED :], object_prefix))

    def as_published(self) -> Self:
        """Note that it is a dataset now. Files of discarded exports may still appear."""
        return replace(self, published=True, url=None, folders=())

    def as_used(self, *, raw: Raw, folders: tuple[str, ...] = ()) -> Self:
        """
        Note that all was taken from it that was wanted.

        Args:
            raw: Whether Braze's own files of it are wanted any longer.
            folders: Run folders that are still to be looked at.
        """
        used = replace(self.as_published(), folders=folders)
        # Without storage of the customer's there are no files.
        return used if raw == "keep" or self.url else used.with_discard(self.object_prefix)


class PendingDocument:
    """The document of one job."""

    def __init__(self, bucket: Bucket, names: StateNames, job: str) -> None:
        self._bucket = bucket
        self._key = names.export(job)
        self._job = job
        self._etag: str | None = None

    def load(self) -> PendingExport | None:
        """
        Read the document; None if there is none.

        Raises:
            StateDamaged: It is not what we wrote.
        """
        found = read_document(self._bucket, self._key, _from_content, "unreadable")
        if found is None:
            return None
        pending, self._etag = found
        return pending

    def save(self, pending: PendingExport) -> None:
        """
        Write the document over the version that was read or written last.

        Raises:
            JobBusy: Another process wrote it meanwhile.
        """
        body = to_body(_to_content(pending))
        try:
            self._etag = write_over(self._bucket, self._key, body, self._etag)
        except StorageChanged as error:
            raise JobBusy(self._job) from error


def _to_content(pending: PendingExport) -> dict[str, Any]:
    content = asdict(pending)
    content["requested_at"] = spell(pending.requested_at)
    content["asked_at"] = spell(pending.asked_at)
    return {"nonce": secrets.token_hex(8), **content}


def _from_content(content: dict[str, Any]) -> PendingExport:
    fields = content["fields"]
    return PendingExport(
        segment_id=content["segment_id"],
        fields=FieldsToExport(tuple(fields["fields"]), tuple(fields["custom_attributes"])),
        object_prefix=content["object_prefix"],
        url=content["url"],
        requested_at=datetime.fromisoformat(content["requested_at"]),
        asked_at=datetime.fromisoformat(content["asked_at"]),
        run_id=content["run_id"],
        stamp=content.get("stamp", 0),
        published=content["published"],
        folders=tuple(content["folders"]),
        discard=tuple(content["discard"]),
    )
