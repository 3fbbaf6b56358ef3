"""
Writes the quarantine file of a run, and beside it what was left out of rows that were applied.

Rows are put in order a part at a time.
"""

from __future__ import annotations

from contextlib import closing
from itertools import pairwise
from typing import TYPE_CHECKING

import polars as pl

from exchanger.files.scratch.frame_file import FrameWriter
from exchanger.jobs.runtime.artifacts import fetched
from exchanger.objects.people.obstacles import NO_EFFECT
from exchanger.profiles.frames.columns import FILE, OBJECT, PROFILE, ROW
from exchanger.state.runs.acknowledgements import IN_DOUBT, NOT_SENT
from exchanger.state.runs.quarantine import no_rows, quarantined, to_csv

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from pathlib import Path

    from exchanger.files.scratch.frame_file import FrameFile
    from exchanger.files.scratch.spill import Scratch, Spill
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.jobs.runtime.report import RunReport
    from exchanger.state.runs.log import RunDocument
    from exchanger.state.store import ConnectionState


def write_quarantine(
    context: JobContext, state: ConnectionState, run: RunDocument, report: RunReport, refused: Spill
) -> None:
    """
    Write what was rejected and refused, in order of file and row; no file if that is nothing.

    Args:
        context: The outside.
        state: Names the file.
        run: The run.
        report: Gets the file's key.
        refused: Refused rows of the outbox, with ``reason``.
    """
    if not run.rejected and not refused.rows:
        return
    report.quarantine = state.names.quarantine(run.job, run.seq)
    with closing(_parts(context, run, refused)) as parts:
        _store(context, report.quarantine, parts, refused.scratch)


def write_dropped(
    context: JobContext,
    state: ConnectionState,
    run: RunDocument,
    report: RunReport,
    scratch: Scratch,
) -> None:
    """
    Write which values were left out while the rest of their rows was applied, a line for each.

    Args:
        context: The outside.
        state: Names the file.
        run: The run.
        report: Gets the file's key.
        scratch: Room for it.
    """
    if not run.dropped:
        return
    report.warnings = state.names.dropped(run.job, run.seq)
    with fetched(context, run.dropped) as dropped:
        _store(context, report.warnings, dropped.frames(), scratch)


def _store(context: JobContext, key: str, parts: Iterable[pl.DataFrame], scratch: Scratch) -> None:
    size = 0.0
    with FrameWriter(scratch.path()) as writer:
        writer.append(no_rows())
        for part in parts:
            writer.append(part)
            size += part.estimated_size()
        rows = writer.close()
    path = scratch.path()
    _write(path, rows, scratch.bounds.rows_of(1, int(size) // max(rows.rows, 1)))
    context.bucket.upload(key, path, content_type="text/csv; charset=utf-8")
    path.unlink()
    rows.remove()


def _parts(context: JobContext, run: RunDocument, refused: Spill) -> Generator[pl.DataFrame]:
    if run.rejected:
        with fetched(context, run.rejected) as rejected:
            yield from rejected.frames()
    for part in refused.frames():
        yield _refused_rows(run, part)


def _write(path: Path, rows: FrameFile, most: int) -> None:
    with path.open("wb") as file:
        for number, part in enumerate(_ordered(rows, most)):
            file.write(to_csv(part, header=number == 0))


def _ordered(rows: FrameFile, most: int) -> Iterator[pl.DataFrame]:
    """Yield the rows of one range of places after the other, about *most* of them at a time."""
    if rows.rows <= most:
        yield pl.concat([rows.empty(), *rows.frames()])
        return
    keys = pl.concat(part.unique() for part in rows.frames(["file"])).to_series().unique().sort()
    places = pl.concat(part.select(_place(keys)) for part in rows.frames(["file", "row"]))
    firsts = places.to_series().sort().gather_every(most).unique().sort().to_list()
    for first, end in pairwise([*firsts, None]):
        within = _place(keys) >= first
        if end is not None:
            within &= _place(keys) < end
        yield pl.concat([rows.empty(), *(part.filter(within) for part in rows.frames())])


def _place(keys: pl.Series) -> pl.Expr:
    """Number the rows by file, then row; those without a row come last in their file."""
    position = pl.int_range(keys.len(), dtype=pl.Int64, eager=True)
    file = pl.col("file").replace_strict(keys, position, return_dtype=pl.Int64)
    return file * 2**33 + pl.col("row").cast(pl.Int64).fill_null(2**32)


def _refused_rows(run: RunDocument, refused: pl.DataFrame) -> pl.DataFrame:
    """Put refused objects into the shape of quarantine; the row is the last that named them."""
    rows = refused.select(
        FILE,
        ROW,
        pl.col(PROFILE).alias("profile"),
        pl.when(pl.col("reason") == NOT_SENT)
        .then(pl.lit("canary"))
        .when(pl.col("outcome") == "withheld")
        .then(pl.lit("changed_by_others"))
        .when(pl.col("outcome") == NO_EFFECT)
        .then(pl.lit(NO_EFFECT))
        .when(pl.col("reason") == IN_DOUBT)
        .then(pl.lit("in_doubt"))
        .otherwise(pl.lit("refused_by_braze"))
        .alias("reason"),
        pl.col("reason").alias("message"),
        pl.col(OBJECT).alias("record"),
    )
    return quarantined(rows, run.files, "refused")
