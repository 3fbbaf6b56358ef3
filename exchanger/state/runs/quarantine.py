"""The object in the bucket that holds the rows which did not reach Braze, with the reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from exchanger.profiles.frames.columns import FILE, ROW
from exchanger.profiles.frames.filled import filled
from exchanger.profiles.spelling.profile_key import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchanger.state.runs.log import ClaimedFile

QUARANTINE = {
    "row_id": pl.String(),
    "file": pl.String(),
    "row": pl.UInt32(),
    "profile": pl.String(),
    "kind": pl.String(),
    "field": pl.String(),
    "value": pl.String(),
    "reason": pl.String(),
    "message": pl.String(),
    "record": pl.String(),
}
"""
Columns of a quarantine file.

``row_id`` names the row for good: its file version and row number, or the run that owes it and the
number there; of a corrected row, also the version of the file that it was corrected in. ``kind``
is ``rejected`` (we did not accept it) or ``refused`` (Braze did not); in a file of its own
``dropped`` (a value was left out, and the rest of its row applied);
``record`` is the row or the object as JSON or text. A frame has a row for each fault, the CSV file
a line for each row.
"""
FAULT = ("field", "value", "reason", "message")
"""Columns that tell one fault of a row."""
DROPPED = "dropped"
"""What the kind of a value is called that was left out."""
_LINE = "@line"
BETWEEN = " | "
"""Stands in the CSV file between several faults of a row."""

_BYTE_ORDER_MARK = "\ufeff"
_RUNS_IN_SPREADSHEETS = r"^'*[=+\-@\t\r\n\u{FF1D}\u{FF0B}\u{FF0D}\u{FF20}]"
"""
Beginnings of cells that a spreadsheet would run, or drop: signs, also of full width, and white
space before them. Apostrophes before these count as well, so that undoing one is exact.
"""


def quarantined(frame: pl.DataFrame, files: Sequence[ClaimedFile], kind: str) -> pl.DataFrame:
    """
    Bring rows into the shape of ``QUARANTINE``; columns that the frame lacks are null.

    Args:
        frame: ``@file`` and ``@row``, and columns of ``QUARANTINE`` by their names there.
        files: The run's files, to which ``@file`` refers.
        kind: ``rejected``, ``refused`` or ``dropped``.
    """
    named = pl.DataFrame(
        {
            FILE: range(len(files)),
            "file": [file.key for file in files],
            "source": [source_of(file) for file in files],
        },
        schema={FILE: pl.UInt32, "file": pl.String, "source": pl.String},
    )
    rows = frame.join(named, on=FILE, how="left", maintain_order="left").with_columns(
        filled("{}/{}", "source", pl.col(ROW).fill_null(0)).alias("row_id"),
        pl.col(ROW).alias("row"),
        pl.lit(kind).alias("kind"),
    )
    return rows.select(
        (pl.col(name) if name in rows.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in QUARANTINE.items()
    )


def source_of(file: ClaimedFile) -> str:
    """Name what a row id begins with: the file's version, or the run that owes its rows."""
    if file.refused_in:
        return f"run-{file.refused_in}"
    return f"{file.etag}+{file.correction}" if file.correction else file.etag


def to_csv(rows: pl.DataFrame, *, header: bool = True) -> bytes:
    """
    Render a quarantine file, or a part of it, in order of file and row, a line for each row.

    The faults of a row are joined, in the same order in each column; of values that were left out,
    each has a line. It begins with a byte order mark, without which spreadsheets garble names, and
    what they would run has an apostrophe in front: take it away where a sign follows, and the cell
    is what it was.
    """
    ordered = rows.sort("file", "row", "field", nulls_last=True, maintain_order=True)
    each = pl.when(pl.col("kind") == DROPPED).then("field").alias(_LINE)
    joined = ordered.group_by("file", "row", "row_id", "kind", each, maintain_order=True).agg(
        pl.col("profile", "record").drop_nulls().first(), *map(_joined, FAULT)
    )
    named = joined.with_columns(shown(pl.col("profile")))
    told = named.select(
        harmless(name) if dtype == pl.String else name for name, dtype in QUARANTINE.items()
    )
    mark = _BYTE_ORDER_MARK if header else ""
    return (mark + told.write_csv(include_header=header)).encode()


def _joined(name: str) -> pl.Expr:
    text = pl.col(name).fill_null("").str.join(BETWEEN)
    return pl.when(pl.col(name).count() > 0).then(text).alias(name)


def harmless(name: str) -> pl.Expr:
    """Put an apostrophe before each cell of a column that a spreadsheet would run, or drop."""
    cell = pl.col(name)
    marked = (
        pl.when(cell.str.contains(_RUNS_IN_SPREADSHEETS)).then(filled("'{}", cell)).otherwise(cell)
    )
    return marked.alias(name)


def as_it_was(cell: pl.Expr) -> pl.Expr:
    """Take away again what *to_csv* put before a cell, if it did."""
    return pl.when(cell.str.contains(_RUNS_IN_SPREADSHEETS)).then(cell.str.slice(1)).otherwise(cell)


def no_rows() -> pl.DataFrame:
    """Build an empty frame in the shape of ``QUARANTINE``."""
    return pl.DataFrame(schema=QUARANTINE)
