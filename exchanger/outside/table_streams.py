"""Frames on their way to a table, one or two in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from itertools import chain
from typing import Any

import polars as pl

from exchanger.files.arrow import pa
from exchanger.files.bounds import Bounds

_BATCH = Bounds(rows=32_768, size=8 << 20)
"""Delta asks for several batches before it writes the first: they are in memory all together."""


def stream(first: pl.DataFrame, rest: Iterator[pl.DataFrame]) -> Any:
    """Hand frames to Delta one by one, as it asks for them."""
    batches = (
        batch
        for frame in chain([first], rest)
        for batch in frame.to_arrow().to_batches(max_chunksize=_rows_of(frame))
    )
    return pa.RecordBatchReader.from_batches(first.to_arrow().schema, batches)


def _rows_of(frame: pl.DataFrame) -> int:
    size = int(frame.estimated_size()) // max(frame.height, 1)
    return _BATCH.rows_of(frame.width, size)


def ahead(frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Make the next frame while the one before is written: each of both takes a core."""
    with ThreadPoolExecutor(max_workers=1) as thread:

        def made() -> pl.DataFrame | None:
            return next(frames, None)

        coming = thread.submit(copy_context().run, made)
        while (frame := coming.result()) is not None:
            coming = thread.submit(copy_context().run, made)
            yield frame


def noting(frames: Iterator[pl.DataFrame], raised: list[Exception]) -> Iterator[pl.DataFrame]:
    """Keep what iterating raises: on its way through Delta it would become a text."""
    try:
        yield from frames
    except Exception as error:
        raised.append(error)
        raise
