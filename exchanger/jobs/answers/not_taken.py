"""What a run did not take of its files: for each file and reason how many rows, and the first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from exchanger.errors import StorageMissing
from exchanger.state.runs.log import new_nonce
from exchanger.state.runs.quarantine import BETWEEN, FAULT, as_it_was

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from exchanger.jobs.runtime.context import JobContext
    from exchanger.state.runs.log import RunDocument

EXAMPLES = 5
"""Rows that are shown of each reason."""
_SHOWN = 200
"""Characters of a value, and of what is said of it, that are shown."""
_BY = ("file", "kind", "reason", "field")
_EXAMPLE = ("row", "value", "message")
_NOTHING = pl.DataFrame(
    schema={
        **dict.fromkeys(_BY, pl.String()),
        "rows": pl.UInt32(),
        "examples": pl.List(
            pl.Struct({"row": pl.Int64(), "value": pl.String(), "message": pl.String()})
        ),
    }
)
_AT_ONCE = 50_000
"""Rows of a quarantine file that are looked at together."""


def not_taken(context: JobContext, run: RunDocument) -> Mapping[str, list[dict[str, Any]]]:
    """
    Read the quarantine of a run, and what was left out of rows, a part of it at a time.

    Returns:
        By file, for each reason and column how many rows, and the first of them; most rows first.
        Nothing of a run without, or whose quarantine is not kept any more.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for key in filter(None, (run.report.get("quarantine"), run.report.get("warnings"))):
        for file, reasons in _fetched(context, key).items():
            found.setdefault(file, []).extend(reasons)
    return found


def _fetched(context: JobContext, key: str) -> Mapping[str, list[dict[str, Any]]]:
    path = context.workdir / f"{new_nonce()}.csv"
    try:
        context.bucket.download(key, context.bucket.head(key).etag, path)
        return reasons_by_file(path)
    except StorageMissing:
        return {}
    finally:
        path.unlink(missing_ok=True)


def reasons_by_file(path: Path) -> Mapping[str, list[dict[str, Any]]]:
    """Count the rows of a quarantine file by file and reason, as *not_taken* returns it."""
    total = _NOTHING
    lines = pl.scan_csv(path, infer_schema=False).select("file", "row", "kind", *FAULT)
    for batch in lines.collect_batches(chunk_size=_AT_ONCE, maintain_order=True):
        faults = _faults(batch)
        counted = faults.group_by(_BY, maintain_order=True).agg(
            pl.len().alias("rows"), pl.struct(_EXAMPLE).head(EXAMPLES).alias("examples")
        )
        total = (
            pl.concat([total, counted], how="vertical_relaxed")
            .group_by(_BY, maintain_order=True)
            .agg(pl.col("rows").sum(), pl.col("examples").explode().head(EXAMPLES))
        )
    found: dict[str, list[dict[str, Any]]] = {}
    for one in total.sort("rows", descending=True, maintain_order=True).to_dicts():
        found.setdefault(one.pop("file"), []).append(one)
    return found


def _faults(lines: pl.DataFrame) -> pl.DataFrame:
    """Part the faults of each row again; what cannot be told apart is left out."""
    parted = lines.with_columns(pl.col("reason").str.split(BETWEEN).alias("reason"))
    count = pl.col("reason").list.len()
    for name in ("field", "value", "message"):
        cells = as_it_was(pl.col(name)).str.split(BETWEEN)
        same = cells.list.len() == count
        nothing = pl.lit(None, pl.String).repeat_by(count)
        parted = parted.with_columns(pl.when(same).then(cells).otherwise(nothing).alias(name))
    apart = parted.explode("reason", "field", "value", "message")
    return apart.with_columns(
        pl.col("row").cast(pl.Int64, strict=False),
        pl.when(pl.col("field") != "").then("field").alias("field"),
        pl.col("value").str.head(_SHOWN),
        pl.col("message").str.head(2 * _SHOWN),
    )
