"""Puts rows that a person has corrected in place of the rejected ones that they name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from exchanger.errors import FileRejected
from exchanger.files.raw.table import BAD_ROW_SCHEMA
from exchanger.jobs.intake.requests import PlacedRows
from exchanger.profiles.frames.columns import PROFILE, REJECTED_COLUMNS, ROW

if TYPE_CHECKING:
    from exchanger.files.raw.table import RawTable
    from exchanger.files.scratch.spill import Spill
    from exchanger.jobs.intake.requests import FileRequest

_NAME = REJECTED_COLUMNS[0]
_NUMBER = r"^[\s\"]*(\d{1,9})(?:\.0)?[\s\"]*$"
"""A number of a row, also as programs write it that take it for a decimal: 17.0, not 17.000."""
_WHY = {
    "no_row_number": (
        "Its _row does not name a row. Leave the column _row as it is in the rejected rows."
    ),
    "row_twice": "Several rows here name row {} in _row, and only one can stand for it.",
    "row_not_rejected": "Row {} was not rejected there, so nothing can stand for it.",
    "row_given_again": "Row {} was given again before, and counts as it was given then.",
    "rows_missing": (
        "Row {} was put aside together with other rows of the same profile, as all of them replace "
        "what an earlier version of the file gave. Drop all of them at once."
    ),
}
_NOT_NAMED = (
    "The column _row is missing, which says for which rejected row each row here stands. Correct "
    "the rejected rows as they lie beside the folder, and leave that column."
)


def place_rows(
    table: RawTable, request: FileRequest, sha256: str
) -> tuple[RawTable, FileRequest, PlacedRows | None]:
    """
    Put the rows of a table in place of those that they name, in the order of these.

    Args:
        table: What was read; it is changed.
        request: What was asked for; None comes back where these are no corrected rows.
        sha256: Of its content.

    Returns:
        The table, the request for what there is of its rows, and what these are.

    Raises:
        FileRejected: Nothing says for which rows they stand.
    """
    correction, still = request.correction, request.rows
    if correction is None or still is None:
        return table, request, None
    if _NAME not in table.empty.columns:
        raise FileRejected(request.kept, "no_row_numbers", _NOT_NAMED, column=_NAME)
    named = pl.concat(list(table.pieces([ROW, _NAME])))
    judged = judge_rows(named, still, correction.read, correction.together)
    strange = pl.concat([_strange(judged), *table.bad_pieces()])
    fit = judged.filter(pl.col("reason").is_null())
    _move(table.cells, fit)
    table.bad.clear()
    placed = replace(
        table,
        empty=table.empty.drop(REJECTED_COLUMNS, strict=False),
        json_columns=table.json_columns - {*REJECTED_COLUMNS},
        notes=(),
        # How a spreadsheet writes is nothing that the files of the job have to go by.
        layout={},
        read_as=None,
    )
    given = request
    if request.corrected is None:
        there = pl.col("row").is_in(fit["row"].implode())
        given = replace(request, corrected=correction.together.filter(there)[PROFILE].unique())
    return placed, given, PlacedRows(fit["row"], strange, sha256)


def judge_rows(
    named: pl.DataFrame, still: pl.Series, read: pl.Series, together: pl.DataFrame
) -> pl.DataFrame:
    """
    Decide for which rejected row each row of a file stands, once.

    Args:
        named: ``@row``, its place in the file, and ``_row``, the row that it names, of any type.
        still: The rows that are still to be given.
        read: All that were rejected in the run that the file is about.
        together: ``row`` and ``profile`` of rows that can only be given with all of the profile.

    Returns:
        ``@row``, ``_row`` as text, ``row``, and ``reason``: null where it stands for that row.
    """
    text = pl.col(_NAME).cast(pl.String)
    number = text.str.extract(_NUMBER).cast(pl.UInt32)
    rows = named.select(ROW, text, number.alias("row"))
    row = pl.col("row")
    reason = (
        pl.when(row.is_null())
        .then(pl.lit("no_row_number"))
        .when(~row.is_in(read.implode()))
        .then(pl.lit("row_not_rejected"))
        .when(row.is_duplicated())
        .then(pl.lit("row_twice"))
        .when(~row.is_in(still.implode()))
        .then(pl.lit("row_given_again"))
    )
    judged = rows.with_columns(reason.alias("reason"))
    fit = judged.filter(pl.col("reason").is_null())["row"]
    missing = together.filter(~pl.col("row").is_in(fit.implode()))[PROFILE]
    torn = together.filter(pl.col(PROFILE).is_in(missing.implode()))["row"]
    apart = pl.col("reason").is_null() & row.is_in(torn.implode())
    return judged.with_columns(
        reason=pl.when(apart).then(pl.lit("rows_missing")).otherwise("reason")
    )


def _strange(judged: pl.DataFrame) -> pl.DataFrame:
    """Describe the rows that stand for none."""
    rows = judged.filter(pl.col("reason").is_not_null())
    said = pl.col("reason").replace_strict(_WHY, return_dtype=pl.String)
    number = pl.col("row").cast(pl.String).fill_null("")
    told = {
        ROW: pl.col(ROW).cast(pl.UInt32),
        "field": pl.lit(_NAME),
        "value": pl.col(_NAME),
        "reason": pl.col("reason"),
        "message": said.str.replace("{}", number, literal=True),
        "record": pl.lit(None, pl.String),
    }
    return rows.select(each.alias(name) for name, each in told.items()).cast(BAD_ROW_SCHEMA)  # type: ignore[arg-type]


def _move(cells: Spill, fit: pl.DataFrame) -> None:
    """Leave the rows that fit, numbered as the ones that they stand for, and in their order."""
    place = pl.col(ROW).replace_strict(fit[ROW], fit["row"], default=None, return_dtype=pl.UInt32)

    def moved(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.with_columns(place).drop_nulls(ROW).sort(ROW)

    cells.change(moved)
    if not fit["row"].is_sorted():
        whole = pl.concat(list(cells.frames()), how="diagonal_relaxed").sort(ROW)
        cells.clear()
        cells.add(whole)
