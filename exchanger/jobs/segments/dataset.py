"""
From the archives of an export to the parts of a dataset, in bounded memory.

Two passes: the first writes all values as JSON text into chunks on this machine and notes what
types they have, the second casts chunk after chunk to the types that hold over the entire export.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from exchanger.config.models import Target
from exchanger.files.manifest import Part, RunFolder
from exchanger.files.segment_archives import Limits, read_batches
from exchanger.files.write import LocalPart, PartWriter
from exchanger.jobs.runtime.context import JobContext
from exchanger.jobs.segments.wait import CompleteExport
from exchanger.profiles.exported.column_types import (
    Observed,
    SettledColumn,
    observe,
    settled,
    typed,
)
from exchanger.profiles.exported.lines import LineReader
from exchanger.profiles.exported.names import Renamed, name_remaining
from exchanger.profiles.exported.selection import Selection
from exchanger.profiles.frames.columns import FILE, PROFILE, ROW

_IDS_AT_ONCE = 4_000_000


@dataclass
class Chunks:
    """
    An entire export as JSON text.

    Args:
        paths: Parquet files on this machine, in order.
        rows: Users in all of them.
        observed: What was seen of each column, in the order of first sight.
        remaining: Custom attributes that no column named, and the column of each in the files.
        names: What the columns of the files are called in the dataset, where that is not the same.
        renamed: Custom attributes that are not called as asked for, as the name was taken.
    """

    paths: list[Path] = field(default_factory=list)
    rows: int = 0
    observed: dict[str, Observed] = field(default_factory=dict)
    remaining: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    renamed: list[Renamed] = field(default_factory=list)


@dataclass(frozen=True)
class Dataset:
    """What was written: parts in the bucket, columns, and users left out as duplicates."""

    parts: tuple[Part, ...]
    columns: tuple[SettledColumn, ...]
    duplicates: int


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
    named = {column.name: column for column in selection.columns}
    chunks = Chunks(observed={column.name: Observed() for column in selection.columns})
    for key, path in archives(context, export):
        for lines in read_batches(path, key, limits or Limits()):
            context.go_on()
            frame = reader.read(lines, key)
            for name in frame.columns[1:]:
                before = chunks.observed.get(name, Observed())
                chunks.observed[name] = observe(frame[name], named.get(name), before)
            chunk = context.workdir / f"chunk-{len(chunks.paths):06d}.parquet"
            frame.write_parquet(chunk, compression="lz4", statistics=False)
            chunks.paths.append(chunk)
            chunks.rows += len(frame)
        path.unlink()
        context.progress.advance(1)
    chunks.remaining = reader.remaining
    _name_columns(chunks, selection)
    return chunks


def _name_columns(chunks: Chunks, selection: Selection) -> None:
    users = {name: chunks.observed[column].filled for name, column in chunks.remaining.items()}
    named = [PROFILE, ROW, *(column.name for column in selection.columns)]
    columns, chunks.renamed = name_remaining(named, selection.remaining_prefix or "", users)
    chunks.names = {column: columns[name] for name, column in chunks.remaining.items()}


def archives(context: JobContext, export: CompleteExport) -> Iterator[tuple[str, Path]]:
    """
    Bring the archives of an export onto this machine, one after the other.

    Yields:
        The key, for messages, and the file; the caller removes it.

    Raises:
        StorageError: An archive is gone, changed, or cannot be read.
    """
    if export.archive is not None:
        yield export.pending.object_prefix, export.archive
    for found in export.files:
        context.go_on()
        path = context.workdir / "archive"
        context.bucket.download(found.key, found.etag, path)
        yield found.key, path


def settle_columns(selection: Selection, chunks: Chunks) -> tuple[SettledColumn, ...]:
    """Settle the columns: the named ones in their order, then the remaining ones by name."""
    named = [settled(one.name, one, chunks.observed[one.name]) for one in selection.columns]
    remaining = sorted((name, column) for column, name in chunks.names.items())
    rest = [settled(name, None, chunks.observed[column]) for name, column in remaining]
    return (*named, *rest)


def write_dataset(
    context: JobContext,
    chunks: Chunks,
    columns: tuple[SettledColumn, ...],
    target: Target,
    folder: RunFolder,
) -> Dataset:
    """
    Cast the chunks and write them as parts into the run's folder of the bucket.

    Of users that were exported more than once the first stays. Chunks and parts on this machine
    are removed as soon as they are done with.

    Raises:
        Stopped: The process was asked to stop; what was written is litter.
    """
    context.progress.step("writing the dataset", chunks.rows)
    repeated = _repeated(context, chunks)
    schema = pl.Schema({column.name: column.type.dtype for column in columns})
    as_json = frozenset(column.name for column in columns if column.type.type == "json")
    most = target.rows_per_part
    parts: list[Part] = []
    with PartWriter(context.workdir, target.format, schema, as_json, most) as writer:
        for index, path in enumerate(chunks.paths):
            context.go_on()
            frame = pl.read_parquet(path).rename(chunks.names, strict=False)
            frame = _cast(frame, columns, repeated.get(index))
            parts += [_uploaded(context, folder, part) for part in writer.append(frame)]
            context.progress.advance(len(frame))
            path.unlink()
        parts += [_uploaded(context, folder, part) for part in writer.finish()]
    return Dataset(tuple(parts), columns, sum(map(len, repeated.values())))


def _cast(
    frame: pl.DataFrame, columns: tuple[SettledColumn, ...], repeated: list[int] | None
) -> pl.DataFrame:
    if repeated:
        frame = frame.with_row_index(ROW).filter(~pl.col(ROW).is_in(repeated))
    absent = [column.name for column in columns if column.name not in frame.columns]
    frame = frame.with_columns(pl.lit(None, pl.String).alias(name) for name in absent)
    return frame.select(typed(pl.col(c.name), c.type).alias(c.name) for c in columns)


def _repeated(context: JobContext, chunks: Chunks) -> dict[int, list[int]]:
    """
    Find the rows whose ``braze_id`` came before: chunk to row positions.

    Memory is bounded by looking at one share of the ids after the other.
    """
    shares = 1 + chunks.rows // _IDS_AT_ONCE
    found: dict[int, list[int]] = {}
    for share in range(shares):
        context.go_on()
        ids = pl.concat(
            [_ids(i, p, share, shares) for i, p in enumerate(chunks.paths)] or [_NO_IDS]
        )
        again = ids.collect().filter(~pl.col(PROFILE).is_first_distinct())
        for index, row in again.select(FILE, ROW).iter_rows():
            found.setdefault(index, []).append(row)
    return found


_NO_IDS = pl.LazyFrame(schema={ROW: pl.UInt32, PROFILE: pl.String, FILE: pl.UInt32})


def _ids(index: int, path: Path, share: int, shares: int) -> pl.LazyFrame:
    ids = pl.scan_parquet(path).select(PROFILE).with_row_index(ROW)
    mine = pl.col(PROFILE).is_not_null() & (pl.col(PROFILE).hash() % shares == share)
    return ids.filter(mine).with_columns(pl.lit(index, pl.UInt32).alias(FILE))


def _uploaded(context: JobContext, folder: RunFolder, part: LocalPart) -> Part:
    context.go_on()
    key = folder.part(part.path.name)
    done = context.bucket.upload(key, part.path)
    part.path.unlink()
    return Part(key, part.rows, done.size, done.sha256)
