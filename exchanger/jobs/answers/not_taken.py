"""What a run did not take of its files: for each file and reason how many rows, and the first."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import polars as pl

from exchanger.errors import StorageMissing
from exchanger.state.runs.log import new_nonce
from exchanger.state.runs.quarantine import BETWEEN, FAULT, as_it_was

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from exchanger.jobs.runtime.context import JobContext

EXAMPLES = 5
"""Rows that are shown of each reason."""
SHOWN = 200
"""Characters of a value, and of what is said of it, that are shown."""
COUNTED = "counted"
"""Of the rows of a reason, those that count for it: a row with several reasons counts for one."""
_LINE = "@line"
_BY = ("file", "kind", "reason", "field")
_EXAMPLE = ("row", "value", "message", "record")
_NOTHING = pl.DataFrame(
    schema={
        **dict.fromkeys(_BY, pl.String()),
        "rows": pl.UInt32(),
        COUNTED: pl.UInt32(),
        "examples": pl.List(
            pl.Struct({"row": pl.Int64(), **dict.fromkeys(_EXAMPLE[1:], pl.String())})
        ),
    }
)
_AT_ONCE = 50_000
"""Rows of a quarantine file that are looked at together."""


@contextmanager
def kept_rows(
    context: JobContext, key: str | None, left: Mapping[str, bytes] | None = None
) -> Iterator[Path | None]:
    """
    Fetch what a run has put aside until the context closes; None where nothing is kept of it.

    Args:
        context: The outside.
        key: Where it is.
        left: What will be there in a moment, by its key.
    """
    path = context.workdir / f"{new_nonce()}.csv"
    try:
        with suppress(StorageMissing):
            if key and left and key in left:
                path.write_bytes(left[key])
            elif key:
                context.bucket.download(key, context.bucket.head(key).etag, path)
        yield path if path.exists() else None
    finally:
        path.unlink(missing_ok=True)


def reasons_by_file(paths: Iterable[Path | None]) -> Mapping[str, list[dict[str, Any]]]:
    """
    Count the rows of quarantine files by file and reason, a part of them at a time.

    Returns:
        By file, for each reason and column how many rows, and the first of them, with all their
        cells (``record``), of which no report tells; most rows first.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for path in filter(None, paths):
        for one in _reasons(path).to_dicts():
            found.setdefault(one.pop("file"), []).append(one)
    return found


def _reasons(path: Path) -> pl.DataFrame:
    total = _NOTHING
    lines = pl.scan_csv(path, infer_schema=False).select("file", "row", "kind", "record", *FAULT)
    for batch in lines.collect_batches(chunk_size=_AT_ONCE, maintain_order=True):
        faults = _faults(batch)
        counted = faults.group_by(_BY, maintain_order=True).agg(
            pl.len().alias("rows"),
            pl.col(COUNTED).sum().cast(pl.UInt32),
            pl.struct(_EXAMPLE).head(EXAMPLES).alias("examples"),
        )
        total = (
            pl.concat([total, counted], how="vertical_relaxed")
            .group_by(_BY, maintain_order=True)
            .agg(pl.col("rows", COUNTED).sum(), pl.col("examples").explode().head(EXAMPLES))
        )
    return total.sort("rows", descending=True, maintain_order=True)


def _faults(lines: pl.DataFrame) -> pl.DataFrame:
    """
    Part the faults of each row again; what cannot be told apart is left out.

    A row may be refused several times over, as several objects: that is one row all the same, and
    in doubt only if none was refused.
    """
    parted = lines.with_columns(pl.col("reason").str.split(BETWEEN).alias("reason"))
    parted = parted.with_row_index(_LINE)
    count = pl.col("reason").list.len()
    for name in ("field", "value", "message"):
        cells = as_it_was(pl.col(name)).str.split(BETWEEN)
        same = cells.list.len() == count
        nothing = pl.lit(None, pl.String).repeat_by(count)
        parted = parted.with_columns(pl.when(same).then(cells).otherwise(nothing).alias(name))
    apart = parted.explode("reason", "field", "value", "message")
    each = apart.unique((_LINE, "reason", "field"), keep="first", maintain_order=True)
    each = each.sort(pl.col("reason") == "in_doubt", maintain_order=True)
    return each.with_columns(
        pl.col(_LINE).is_first_distinct().alias(COUNTED),
        pl.col("row").cast(pl.Int64, strict=False),
        pl.when(pl.col("field") != "").then("field").alias("field"),
        pl.col("value").str.head(SHOWN),
        pl.col("message").str.head(2 * SHOWN),
        as_it_was(pl.col("record")),
    )
