"""
From the users of an export to the parts of a dataset, in bounded memory.

Types hold over the entire export, so nothing is written before all of it was seen. What has its
type already, as most has, is taken as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import polars as pl

from exchanger.config.models import Target
from exchanger.files.manifest import Part, RunFolder
from exchanger.files.scratch.prefetch import prefetch
from exchanger.files.write import LocalPart, PartWriter
from exchanger.jobs.runtime.context import JobContext
from exchanger.jobs.segments.collect import Chunks
from exchanger.profiles.exported.cells import json_texts, no_cells
from exchanger.profiles.exported.column_types import SettledColumn, settled, typed_cells
from exchanger.profiles.exported.selection import Selection
from exchanger.profiles.frames.columns import FILE, PROFILE, ROW

_IDS_AT_ONCE = 2_000_000
_NO_HASHES = pl.Series([], dtype=pl.UInt64)
_ROWS_AT_ONCE = 65_536
_SIZE_AT_ONCE = 32 << 20


@dataclass(frozen=True)
class Dataset:
    """What was written: parts in the bucket, columns, and users left out as duplicates."""

    parts: tuple[Part, ...]
    columns: tuple[SettledColumn, ...]
    duplicates: int


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
    with (
        PartWriter(context.workdir, target.format, schema, as_json, most) as writer,
        closing(prefetch(_portions(_typed(context, chunks, columns, repeated)))) as portions,
    ):
        for frame in portions:
            context.go_on()
            parts += [_uploaded(context, folder, part) for part in writer.append(frame)]
            context.progress.advance(frame.height)
        parts += [_uploaded(context, folder, part) for part in writer.finish()]
    chunks.frames.clear()
    return Dataset(tuple(parts), columns, sum(map(len, repeated.values())))


def _typed(
    context: JobContext,
    chunks: Chunks,
    columns: tuple[SettledColumn, ...],
    repeated: dict[int, list[int]],
) -> Iterator[pl.DataFrame]:
    """Bring frame after frame to the settled types."""
    for index, kept in enumerate(chunks.frames.frames()):
        context.go_on()
        frame = kept.rename(chunks.names, strict=False)
        if index in repeated:
            frame = frame.filter(~pl.int_range(pl.len()).is_in(repeated[index]))
        nothing = no_cells(frame.height)
        yield pl.DataFrame(
            [
                typed_cells(frame.get_column(column.name, default=nothing), column.type).alias(
                    column.name
                )
                for column in columns
            ]
        )


def _portions(frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Join small frames: each that is written costs time, and becomes a group of rows."""
    waiting: list[pl.DataFrame] = []
    rows = size = 0
    for frame in frames:
        waiting.append(frame)
        rows += frame.height
        size += int(frame.estimated_size())
        if rows >= _ROWS_AT_ONCE or size >= _SIZE_AT_ONCE:
            yield pl.concat(waiting, rechunk=False)
            waiting, rows, size = [], 0, 0
    if waiting:
        yield pl.concat(waiting, rechunk=False)


def _repeated(context: JobContext, chunks: Chunks) -> dict[int, list[int]]:
    """
    Find the rows whose ``braze_id`` came before: number of the frame to row positions.

    Memory is bounded by looking at the hashes of one share of the ids after the other; only ids of
    which the hash comes again are compared.
    """
    shares = 1 + chunks.rows // _IDS_AT_ONCE
    found: dict[int, list[int]] = {}
    for share in range(shares):
        hashes = [_NO_HASHES]
        for ids in _ids(chunks):
            context.go_on()
            hashed = ids.hash()
            hashes.append(hashed.filter((hashed % shares == share) & ids.is_not_null()))
        every = pl.concat(hashes)
        again = every.filter(~every.is_first_distinct()).unique()
        if len(again):
            _note_repeated(chunks, again, found)
    return found


def _note_repeated(chunks: Chunks, hashes: pl.Series, found: dict[int, list[int]]) -> None:
    in_doubt = [
        pl.DataFrame({FILE: index, PROFILE: ids})
        .with_row_index(ROW)
        .filter(pl.col(PROFILE).hash().is_in(hashes.implode()) & pl.col(PROFILE).is_not_null())
        for index, ids in enumerate(_ids(chunks))
    ]
    again = pl.concat(in_doubt).filter(~pl.col(PROFILE).is_first_distinct())
    for index, row in again.select(FILE, ROW).iter_rows():
        found.setdefault(index, []).append(row)


def _ids(chunks: Chunks) -> Iterator[pl.Series]:
    """Read the ids of each frame: as text if all of them are, else as JSON text."""
    for frame in chunks.frames.frames([PROFILE]):
        kept = frame[PROFILE]
        yield kept.cast(pl.String) if chunks.textual_ids else json_texts(kept)


def _uploaded(context: JobContext, folder: RunFolder, part: LocalPart) -> Part:
    context.go_on()
    key = folder.part(part.path.name)
    done = context.bucket.upload(key, part.path)
    part.path.unlink()
    return Part(key, part.rows, done.size, done.sha256)
