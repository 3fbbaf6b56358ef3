"""The object in the bucket that holds the rows which did not reach Braze, with the reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from exchanger.profiles.columns import FILE, ROW

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchanger.state.runs import ClaimedFile

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
number there. ``kind`` is ``rejected`` (we did not accept it) or ``refused`` (Braze did not);
``record`` is the row or the object as JSON or text.
"""


def quarantined(frame: pl.DataFrame, files: Sequence[ClaimedFile], kind: str) -> pl.DataFrame:
    """
    Bring rows into the shape of ``QUARANTINE``; columns that the frame lacks are null.

    Args:
        frame: ``@file`` and ``@row``, and columns of ``QUARANTINE`` by their names there.
        files: The run's files, to which ``@file`` refers.
        kind: ``rejected`` or ``refused``.
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
        pl.format("{}/{}", "source", pl.col(ROW).fill_null(0)).alias("row_id"),
        pl.col(ROW).alias("row"),
        pl.lit(kind).alias("kind"),
    )
    return rows.select(
        (pl.col(name) if name in rows.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in QUARANTINE.items()
    )


def source_of(file: ClaimedFile) -> str:
    """Name what a row id begins with: the file's version, or the run that owes its rows."""
    return f"run-{file.owed_by}" if file.owed_by else file.etag


def to_csv(rows: pl.DataFrame) -> bytes:
    """Render a quarantine file, in order of file and row."""
    return rows.sort("file", "row", "field", nulls_last=True).write_csv().encode()


def no_rows() -> pl.DataFrame:
    """Make an empty frame in the shape of ``QUARANTINE``."""
    return pl.DataFrame(schema=QUARANTINE)
