"""
What other rows of its own run say after a row that was rejected there.

A rejected row that can be used by now comes late even within its run: rows after it, in its file or
in a later one, have been applied since. What they speak of is theirs. Under ``order_by`` these are
the rows of equal order alone: of others, the order that was applied tells which is newer.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import polars as pl

from exchanger.jobs.intake.requests import FileRequest
from exchanger.jobs.quarantine.read import as_corrected, rejected_rows
from exchanger.jobs.quarantine.refused import as_order
from exchanger.jobs.reading.read import read_files
from exchanger.profiles.frames.columns import FILE, ORDER, PROFILE, ROW, said
from exchanger.state.runs.log import LEFT_OUT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchanger.jobs.intake.batch import InputBatch
    from exchanger.jobs.quarantine.read import QuarantinedRows
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.profiles.frames.rules import Rule
    from exchanger.state.runs.log import RunDocument

_NOT_READ = ("rejected", *LEFT_OUT)
_PLACE = "@place"
"""Position of a row's file in the run that read it first, and its row number, as one number."""


def rows_after(
    call: ImportContext,
    first: RunDocument,
    retries: Sequence[RunDocument],
    batch: InputBatch,
    found: QuarantinedRows,
) -> pl.DataFrame:
    """
    Read the rows that a run has used, from the first file on of which a row is given again.

    Rows that a person corrected since stand where the rejected ones did.

    Args:
        call: The job, by whose configuration of today they are read.
        first: The run that read the rows first.
        retries: The runs that gave rows of it again, the last one first.
        batch: What is given again.
        found: Where it came from.

    Returns:
        Given rows with ``@place``; with ``@order``, of the type that the batch has, if they were
        applied in this order. None of files that are not in the bucket any more.
    """
    places = _places(first)
    again = [
        (places[file.key, file.etag], file.rows)
        for file in found.requests
        if file.rows is not None and (file.key, file.etag) in places
    ]
    starts = [place for place, _ in again]
    if not starts:
        return pl.DataFrame(schema={PROFILE: pl.String, _PLACE: pl.Int64})
    files = [file for file in first.files[min(starts) :] if file.outcome not in _NOT_READ]
    requests = [FileRequest(file.key, file.etag, "in_full", kept=file.kept) for file in files]
    whole = read_files(call, [*requests, *_corrected(call, first, retries)])
    used = _placed(whole.given.whole(), whole, places)
    if ORDER in used.columns and ORDER in batch.given.schema:
        used = used.with_columns(as_order(used[ORDER], batch.given.schema[ORDER]))
    if first.order_by != (call.job.source.order_by or ""):
        used = used.drop(ORDER, strict=False)  # They were applied as they stood.
    given_again = [place * 2**32 + rows.cast(pl.Int64) for place, rows in again]
    return used.filter(~pl.col(_PLACE).is_in(pl.concat(given_again).implode()))


def _corrected(
    call: ImportContext, first: RunDocument, retries: Sequence[RunDocument]
) -> list[FileRequest]:
    """Name the rows that a person has corrected since, of what the run before had rejected."""
    found = []
    for run, before in pairwise([*retries, first]):
        for file in run.files:
            if file.correction:
                rows = rejected_rows(call, before, file.key)["row"]
                correction = as_corrected(file, rows)
                found.append(
                    FileRequest(
                        file.key,
                        file.etag,
                        "in_full",
                        kept=file.kept,
                        rows=rows,
                        correction=correction,
                    )
                )
    return found


def overtaken_in_own_run(
    frame: pl.DataFrame,
    rules: Sequence[Rule],
    first: RunDocument,
    batch: InputBatch,
    used: pl.DataFrame,
) -> pl.DataFrame:
    """
    Return which cells of a frame rows after them have spoken of.

    Args:
        frame: Given rows of a batch, all of one file.
        rules: Fields in which an old row would undo a newer one.
        first: The run that read these rows first.
        batch: Where the frame is from; what is owed by a run is not compared.
        used: As *rows_after* made it.

    Returns:
        A Boolean column for each of these fields that the frame has, row by row.
    """
    names = [rule.name for rule in rules if rule.name in frame.columns]
    placed = _placed(frame, batch, _places(first))
    ordered = ORDER in used.columns and ORDER in frame.columns
    alike = [PROFILE, ORDER] if ordered else [PROFILE]
    latest = [
        used.filter(_speaks(name, used))
        .group_by(alike)
        .agg(pl.col(_PLACE).max().alias(f"@latest:{name}"))
        if name in used.columns
        else used.select(*alike, pl.col(_PLACE).alias(f"@latest:{name}")).clear()
        for name in names
    ]
    for each in latest:
        placed = placed.join(each, on=alike, how="left", maintain_order="left", nulls_equal=True)
    return placed.select(
        (pl.col(f"@latest:{name}") > pl.col(_PLACE)).fill_null(value=False).alias(name)
        for name in names
    )


def _places(first: RunDocument) -> dict[tuple[str, str], int]:
    return {(file.key, file.etag): position for position, file in enumerate(first.files)}


def _placed(
    frame: pl.DataFrame, batch: InputBatch, places: dict[tuple[str, str], int]
) -> pl.DataFrame:
    """Put the place beside each row; null where it is not known, or Braze had refused the row."""
    known = [None if file.refused_in else places.get((file.key, file.etag)) for file in batch.files]
    named = pl.DataFrame(
        {FILE: range(len(known)), "@first": known}, schema={FILE: pl.UInt32, "@first": pl.Int64}
    )
    place = pl.col("@first") * 2**32 + pl.col(ROW).cast(pl.Int64)
    return frame.join(named, on=FILE, how="left", maintain_order="left").with_columns(
        place.alias(_PLACE)
    )


def _speaks(name: str, frame: pl.DataFrame) -> pl.Expr:
    if said(name) in frame.columns:
        return pl.col(said(name)).fill_null(value=False)
    return pl.col(name).is_not_null()
