"""The object in the bucket that holds the rows which did not reach Braze, with the reasons."""

from __future__ import annotations

import polars as pl

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

``row_id`` names the row for good (file version and row number); ``kind`` is ``rejected`` (we did
not accept it) or ``refused`` (Braze did not); ``record`` is the row or the object as JSON or text.
"""


def quarantined(frame: pl.DataFrame) -> pl.DataFrame:
    """Bring a frame into the shape of ``QUARANTINE``; columns it lacks are null."""
    return frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in QUARANTINE.items()
    )


def to_csv(rows: pl.DataFrame) -> bytes:
    """Render a quarantine file, in order of file and row."""
    return rows.sort("file", "row", "field", nulls_last=True).write_csv().encode()


def no_rows() -> pl.DataFrame:
    """Make an empty frame in the shape of ``QUARANTINE``."""
    return pl.DataFrame(schema=QUARANTINE)
