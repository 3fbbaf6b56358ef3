"""
From the archives of an export to its users on this machine, in bounded memory.

An archive is fetched while the one before is unpacked and parsed, and that while what came before
is looked at and put away.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from exchanger.files.scratch.prefetch import prefetch
from exchanger.files.scratch.spill import Scratch, Spill
from exchanger.files.segment_archives import Limits, read_batches
from exchanger.jobs.runtime.context import JobContext
from exchanger.jobs.segments.wait import CompleteExport
from exchanger.profiles.exported.column_types import Observed, observe
from exchanger.profiles.exported.lines import LineReader
from exchanger.profiles.exported.names import Renamed, name_remaining
from exchanger.profiles.exported.selection import Selection
from exchanger.profiles.frames.columns import PROFILE, ROW


@dataclass
class Chunks:
    """
    An entire export as frames of cells (``profiles.exported.cells``).

    Args:
        frames: The frames, in order.
        rows: Users in all frames.
        observed: What was seen of each column, in the order of first sight.
        remaining: Custom attributes that no column named, and the column of each in the frames.
        names: What the columns of the frames are called in the dataset, where not the same.
        renamed: Custom attributes that are not called as asked for, as the name was taken.
        textual_ids: All users have a ``braze_id`` that is text, or none.
    """

    frames: Spill
    rows: int = 0
    observed: dict[str, Observed] = field(default_factory=dict)
    remaining: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    renamed: list[Renamed] = field(default_factory=list)
    textual_ids: bool = True

    def add(self, frame: pl.DataFrame, selection: Selection) -> None:
        """Note what a frame has, and keep it."""
        named = {column.name: column for column in selection.columns}
        for name in frame.columns[1:]:
            before = self.observed.get(name, Observed())
            self.observed[name] = observe(frame[name], named.get(name), before)
        self.textual_ids &= frame.schema[PROFILE] in (pl.String, pl.Null)
        self.frames.add(frame)
        self.rows += frame.height

    def name_columns(self, selection: Selection) -> None:
        """Settle what the remaining columns are called, once all are known."""
        users = {name: self.observed[column].filled for name, column in self.remaining.items()}
        named = [PROFILE, ROW, *(column.name for column in selection.columns)]
        columns, self.renamed = name_remaining(named, selection.remaining_prefix or "", users)
        self.names = {column: columns[name] for name, column in self.remaining.items()}


def collect(
    context: JobContext, export: CompleteExport, selection: Selection, limits: Limits | None = None
) -> Chunks:
    """
    Read every archive of an export.

    Raises:
        FileRejected: An archive is damaged.
        StorageError: An archive is gone, changed, or cannot be read.
        Stopped: The process was asked to stop.
    """
    context.progress.step("reading the export", len(export.files) or 1)
    reader = LineReader(selection)
    chunks = Chunks(
        Scratch(context.workdir, context.bounds).spill(),
        observed={column.name: Observed() for column in selection.columns},
    )
    with closing(prefetch(_parsed(context, export, reader, limits or Limits()))) as frames:
        for frame in frames:
            if frame is None:
                context.progress.advance(1)
            else:
                chunks.add(frame, selection)
    chunks.remaining = reader.remaining
    chunks.name_columns(selection)
    return chunks


def _parsed(
    context: JobContext, export: CompleteExport, reader: LineReader, limits: Limits
) -> Iterator[pl.DataFrame | None]:
    """Parse archive after archive; None: the end of one."""
    with closing(archives(context, export)) as found:
        for key, path in found:
            for lines in read_batches(path, key, limits):
                context.go_on()
                yield reader.read(lines, key)
            path.unlink()
            yield None


def archives(context: JobContext, export: CompleteExport) -> Generator[tuple[str, Path]]:
    """
    Bring the archives of an export onto this machine, each while the one before is in use.

    Who may not come to the end closes it (``contextlib.closing``).

    Yields:
        The key, for messages, and the file; the caller removes it.

    Raises:
        StorageError: An archive is gone, changed, or cannot be read.
    """
    return prefetch(_fetched(context, export))


def _fetched(context: JobContext, export: CompleteExport) -> Iterator[tuple[str, Path]]:
    if export.archive is not None:
        yield export.pending.object_prefix, export.archive
    for number, found in enumerate(export.files):
        context.go_on()
        path = context.workdir / f"archive-{number:06d}"
        context.bucket.download(found.key, found.etag, path)
        yield found.key, path
