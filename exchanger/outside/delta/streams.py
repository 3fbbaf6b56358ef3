"""Frames on their way to a table, one by one."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from typing import Any

import polars as pl

from exchanger.files.scratch.arrow import pa
from exchanger.files.scratch.budget import MemoryBudget

_BATCH = MemoryBudget(rows=32_768, size=8 << 20)
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


def noting(frames: Iterator[pl.DataFrame], raised: list[Exception]) -> Generator[pl.DataFrame]:
    """Keep what iterating raises: on its way through Delta it would become a text."""
    try:
        yield from frames
    except Exception as error:
        raised.append(error)
        raise


@contextmanager
def closed_after(
    frames: Generator[pl.DataFrame],
) -> Iterator[Generator[pl.DataFrame]]:
    """Use frames, and leave nothing of what makes them open, whatever becomes of the write."""
    try:
        yield frames
    finally:
        # Delta may still be at the next one in a thread of its own, and lets go of it after that.
        with suppress(ValueError):
            frames.close()
