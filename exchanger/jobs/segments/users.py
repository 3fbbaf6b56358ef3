"""Everybody in a segment, as one export shows them: what look-ups would take hours to tell."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

import polars as pl

from exchanger.config.models import Baseline, Raw
from exchanger.errors import ExportEmpty, FileRejected
from exchanger.files.segment_archives import Limits, read_batches
from exchanger.jobs.runtime.cancellation import stoppable
from exchanger.jobs.runtime.report import new_run_id
from exchanger.jobs.segments.collect import archives
from exchanger.jobs.segments.empty import without_users
from exchanger.jobs.segments.pending import PendingDocument
from exchanger.jobs.segments.publish import sweep
from exchanger.jobs.segments.wait import (
    CompleteExport,
    ExportWait,
    find_segment,
)
from exchanger.profiles.exported.held_rows import fields_of_export, held_form, identified
from exchanger.profiles.exported.lines import Row, parse_users
from exchanger.profiles.frames.columns import PROFILE
from exchanger.profiles.frames.slices import slice_of

if TYPE_CHECKING:
    from exchanger.config.models import ImportJob
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.profiles.exported.selection import FieldsToExport
    from exchanger.state.store import ConnectionState

_SLICE = "slice"


def baseline_segment(job: ImportJob) -> Baseline | None:
    """Name the segment from which a job learns what is held; None if it names none."""
    baseline = job.baseline
    named = isinstance(baseline, Baseline) and baseline.segment is not None
    return baseline if named and isinstance(baseline, Baseline) else None


def export_segment(
    context: JobContext,
    state: ConnectionState,
    source: Baseline,
    document: PendingDocument,
    fields: FieldsToExport,
) -> CompleteExport:
    """
    Have Braze export a segment, or wait for the export that an earlier process asked for.

    Args:
        context: The connection.
        state: Tells which runs the export is known to include.
        source: The segment, and how to know that its export is complete.
        document: Remembers what is waited for.
        fields: What to ask for.

    Raises:
        SegmentMissing: No such segment, or several.
        ExportIncomplete: Braze did not complete the export in time; the next call waits for it.
        Stopped: The process was asked to stop; the next call waits for the same export.
    """

    async def exported() -> CompleteExport:
        run_id = new_run_id(context.connection, context.clock.now())
        async with context.braze() as braze:
            segment = find_segment(await braze.segments(), source.segment or "")
            wait = ExportWait(context, braze, source.completion, document, state.runs)
            pending = await wait.requested(segment.id, fields, run_id, fresh=False)
            return await wait.complete(segment, pending)

    return asyncio.run(stoppable(exported(), context.stopping))


def exported_users(context: JobContext, export: CompleteExport) -> Iterator[list[Row]]:
    """
    Read the users of an export, some at a time.

    Raises:
        FileRejected: The export is damaged.
        Stopped: The process was asked to stop.
    """
    context.progress.step("reading the export", len(export.files) or 1)
    with closing(archives(context, export)) as found:
        for key, path in found:
            for lines in read_batches(path, key, Limits()):
                context.go_on()
                yield parse_users(lines, key)
            path.unlink()
            context.progress.advance(1)


@dataclass(frozen=True)
class SegmentUsers:
    """
    A segment export on this machine, as held values.

    Args:
        context: The connection.
        export: The export.
        document: Remembers it.
        complete: Who is absent from it does not exist.
        raw: Whether Braze's own files stay once it has served its purpose.
        fields: What it shows.
        chunks: Files of held values, with the slice of each profile.
    """

    context: JobContext
    export: CompleteExport
    document: PendingDocument
    complete: bool
    raw: Raw
    fields: list[str]
    chunks: list[Path]

    @classmethod
    def exported(
        cls,
        context: JobContext,
        state: ConnectionState,
        source: Baseline,
        name: str,
        fields: list[str],
    ) -> Self:
        """
        Export a segment and bring it onto this machine.

        Args:
            context: The connection.
            state: As for *export_segment*.
            source: As for *export_segment*.
            name: Under which the export is remembered, so that a later call waits for the same.
            fields: Attributes.

        Raises:
            FileRejected: The export is damaged; the next call asks anew.
            ExportEmpty: No user came, which would teach that nobody exists.
            SegmentMissing: As for *export_segment*, also the others.
        """
        document = PendingDocument(context.bucket, state.names, name)
        export = export_segment(context, state, source, document, fields_of_export(fields))
        chunks: list[Path] = []
        rows = 0
        try:
            for users in exported_users(context, export):
                frame = identified(users, fields)
                chunk = context.workdir / f"users-{len(chunks):06d}.parquet"
                sliced = frame.with_columns(slice_of(PROFILE).alias(_SLICE)).sort(_SLICE)
                sliced.write_parquet(chunk, compression="lz4")
                chunks.append(chunk)
                rows += frame.height
            if not rows:
                raise without_users(context, export, may_be_allowed=False)
        except (FileRejected, ExportEmpty):
            document.save(export.pending.as_published())
            raise
        return cls(context, export, document, source.complete, source.raw, fields, chunks)

    @property
    def segment(self) -> str:
        """The segment's name."""
        return self.export.segment.name

    @property
    def stamp(self) -> int:
        """The last run whose values the export is known to include."""
        return self.export.pending.stamp

    @property
    def asked_at(self) -> datetime:
        """When it was asked for."""
        return self.export.pending.asked_at

    def between(self, first: int, end: int) -> pl.DataFrame:
        """Read the users of a range of slices (``HeldValues.slices``): a held frame."""
        if not self.chunks:
            return held_form({}, [], self.fields)
        chosen = pl.col(_SLICE).is_between(first, end, closed="left")
        users = pl.scan_parquet(self.chunks).filter(chosen).drop(_SLICE).collect()
        return users.unique(PROFILE, keep="first", maintain_order=True)

    def absent(self, profiles: pl.Series) -> pl.DataFrame:
        """Build the held frame of profiles that do not exist, as the export lacks them."""
        return held_form({}, profiles.to_list(), self.fields)

    def done(self) -> None:
        """Note that the export has served its purpose, and remove what was left of it."""
        used = self.export.pending.as_used(raw=self.raw)
        self.document.save(used)
        sweep(self.context, used)
