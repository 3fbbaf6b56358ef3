"""
From a configured segment to an export that is complete.

Braze announces nothing that can be relied on (braze-api.md 4.3 and 4.4). What can be known: files
that no longer change, and, since Braze refuses a second export of a segment while one runs, that a
new request is taken. With ``confirm`` both are demanded. The new request's export is cancelled, and
what it still writes is removed later.

No files at all may mean an empty segment, or an export that failed without a word. So then the
confirming export is let run: if it brings files, the first one failed.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from exchanger.braze.endpoints import EXPORT_SEGMENT
from exchanger.config.models import Completion
from exchanger.errors import BrazeError, ExportIncomplete, ExportRunning, SegmentMissing
from exchanger.jobs.runtime.context import JobContext
from exchanger.jobs.segments.files import QuietWatch, files_of, watched_folder
from exchanger.jobs.segments.pending import PendingDocument, PendingExport
from exchanger.outside.braze.answers import Segment
from exchanger.outside.s3.bucket import ObjectInfo
from exchanger.profiles.exported.selection import BRAZE_ID, FieldsToExport
from exchanger.state.runs.log import RunLog

if TYPE_CHECKING:
    from exchanger.outside.braze.client import Braze

log = structlog.get_logger()

_SLICE = 1.0
_SLOWEST = 60.0


@dataclass(frozen=True)
class CompleteExport:
    """
    A segment export, all of it.

    Args:
        segment: Of which segment.
        pending: What is remembered of it.
        files: Its files in the bucket.
        archive: Its one file on this machine, if it was downloaded.
    """

    segment: Segment
    pending: PendingExport
    files: list[ObjectInfo]
    archive: Path | None = None


class Waiting:
    """
    Waiting that ends: by a deadline, or because the process is to stop.

    Args:
        context: Its clock and its stop.
        seconds: Until the deadline.
    """

    def __init__(self, context: JobContext, seconds: float) -> None:
        self._context = context
        self._deadline = context.clock.monotonic() + seconds
        self._allowed = seconds
        self.empty_folder = ""
        """Where files are awaited, while there are none."""

    async def pause(self, seconds: float) -> None:
        """
        Wait.

        Raises:
            ExportIncomplete: The deadline has passed.
            Stopped: The process was asked to stop; the export goes on and is waited for again.
        """
        clock = self._context.clock
        until = clock.monotonic() + seconds
        while (rest := until - clock.monotonic()) > 0:
            self._context.go_on()
            if clock.monotonic() >= self._deadline:
                detail = f"not complete after {self._allowed:g} s"
                raise ExportIncomplete(EXPORT_SEGMENT, 0, detail, empty_folder=self.empty_folder)
            await clock.wait(min(rest, _SLICE))


def find_segment(segments: list[Segment], wanted: str) -> Segment:
    """
    Find a segment by its id, else by its exact name.

    Raises:
        SegmentMissing: There is none, or there are several of that name.
    """
    by_id = [segment for segment in segments if segment.id == wanted]
    named = [segment for segment in segments if segment.name == wanted]
    if len(named) > 1 and not by_id:
        raise SegmentMissing(wanted, [], [segment.id for segment in named])
    for segment in by_id or named:
        return segment
    names = [segment.name for segment in segments]
    near = difflib.get_close_matches(wanted, names, n=5)
    raise SegmentMissing(wanted, sorted(names), near=near)


class ExportWait:
    """
    One job's wait for one export.

    Args:
        context: The connection.
        braze: Its open workspace.
        completion: How to know that an export is complete.
        document: What is remembered of its exports.
        runs: The runs of the connection, by which observations are dated.
    """

    def __init__(
        self,
        context: JobContext,
        braze: Braze,
        completion: Completion,
        document: PendingDocument,
        runs: RunLog,
    ) -> None:
        self._context = context
        self._braze = braze
        self._completion = completion
        self._document = document
        self._runs = runs
        self._poll = completion.poll.total_seconds()
        self._waiting = Waiting(context, completion.timeout.total_seconds())

    async def requested(
        self, segment_id: str, fields: FieldsToExport, run_id: str, *, fresh: bool
    ) -> PendingExport:
        """
        Find the export to wait for: the one that an earlier run asked for, else a new one.

        While Braze answers that an export of the segment is running, it is asked again, unless the
        document shows meanwhile that another process of this job began it.
        """
        while True:
            known = self._document.load()
            now = self._context.clock.now()
            if known and not fresh and known.is_awaited(segment_id, fields, now):
                log.info("export.resumed", object_prefix=known.object_prefix)
                return known
            try:
                return await self._ask(segment_id, fields, run_id, known)
            except ExportRunning:
                self._context.progress.step("waiting for another export of the segment")
                await self._waiting.pause(self._poll)

    async def _ask(
        self, segment_id: str, fields: FieldsToExport, run_id: str, known: PendingExport | None
    ) -> PendingExport:
        now = self._context.clock.now()
        # What Braze says of requests, it says of profiles: of exports it promises nothing.
        stamp = self._runs.settled(self._context.grace)
        asked_at = self._context.bucket.now()
        attributes = fields.custom_attributes or None
        started = await self._braze.export_segment(segment_id, fields.fields, attributes)
        pending = PendingExport(
            segment_id=segment_id,
            fields=fields,
            object_prefix=started.object_prefix,
            url=started.url,
            requested_at=now,
            asked_at=asked_at,
            run_id=run_id,
            stamp=stamp,
            folders=known.folders if known else (),
            discard=known.discard if known and known.segment_id == segment_id else (),
        )
        self._document.save(pending)
        log.info("export.requested", object_prefix=started.object_prefix)
        return pending

    async def complete(self, segment: Segment, pending: PendingExport) -> CompleteExport:
        """
        Wait until an export is complete.

        Raises:
            ExportIncomplete: It was not in time, or it failed.
            Stopped: The process was asked to stop; the export goes on and is waited for again.
        """
        self._context.progress.step("waiting for the export")
        if pending.url:
            archive = await self._downloaded(pending.url)
            return CompleteExport(segment, pending, [], archive)
        watch = QuietWatch()
        quiet = self._completion.quiet.total_seconds()
        while True:
            files = self._files(pending)
            self._waiting.empty_folder = "" if files else watched_folder(self._context, segment.id)
            still = watch.see(files, self._context.clock.monotonic()) >= quiet
            if still and not self._completion.confirm and files:
                return CompleteExport(segment, pending, files)
            if still and self._completion.confirm and (known := await self._confirmed(pending)):
                return await self._closed(segment, known)
            await self._waiting.pause(self._poll)

    async def _downloaded(self, url: str) -> Path:
        path = self._context.workdir / "export.archive"
        pause = self._poll
        while not await self._braze.download(url, path):
            await self._waiting.pause(pause)
            pause = min(pause * 1.5, max(_SLOWEST, self._poll))
        return path

    async def _confirmed(self, pending: PendingExport) -> PendingExport | None:
        """Ask for the least that can be asked for: if it is taken, no export was running."""
        try:
            started = await self._braze.export_segment(pending.segment_id, [BRAZE_ID])
        except ExportRunning:
            return None
        pending = pending.with_discard(started.object_prefix)
        self._document.save(pending)
        return pending

    async def _closed(self, segment: Segment, pending: PendingExport) -> CompleteExport:
        # Nothing was running any more when Braze took the request, so what is listed now is all.
        files = self._files(pending)
        if not files:
            pending = await self._proven_empty(pending)
        await self._cancel(pending.segment_id)
        return CompleteExport(segment, pending, files)

    async def _proven_empty(self, pending: PendingExport) -> PendingExport:
        second = pending.discard[-1]
        known: PendingExport | None = None
        while known is None:
            await self._waiting.pause(self._poll)
            known = await self._confirmed(pending)
        if files_of(self._context, pending.segment_id, [second], pending.requested_at):
            await self._cancel(pending.segment_id)
            # Given up, so that the next run asks anew.
            self._document.save(replace(known, published=True))
            detail = "it ended without a file, although the segment has users"
            raise ExportIncomplete(EXPORT_SEGMENT, 0, detail)
        return known

    async def _cancel(self, segment_id: str) -> None:
        try:
            taken = await self._braze.cancel_export(segment_id)
        except BrazeError as error:
            # Perhaps not there at all (braze-api.md 4.3): the files are removed later.
            log.info("export.not_cancelled", status=error.status)
        else:
            log.debug("export.confirmation_cancelled", taken=taken)

    def _files(self, pending: PendingExport) -> list[ObjectInfo]:
        context = self._context
        return files_of(context, pending.segment_id, [pending.object_prefix], pending.requested_at)
