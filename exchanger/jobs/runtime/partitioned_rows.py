"""Rows of a run, parted by profile or another key: whatever one of these needs is in one part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from exchanger.profiles.frames.columns import PROFILE
from exchanger.profiles.frames.slices import SLICES, slice_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from exchanger.files.scratch.spill import Scratch

_PART = "@part"


class PartitionedRows:
    """
    Frames of rows, each parted by the slice of the profile, so that parts are ranges of slices.

    Args:
        scratch: Where they are kept.
        count: How many parts; one is not parted at all.
        empty: The columns that every part has.
        key: The column by which they are parted.
    """

    def __init__(
        self, scratch: Scratch, count: int, empty: pl.DataFrame, key: str = PROFILE
    ) -> None:
        self._scratch = scratch
        self._key = key
        self._empty = empty
        self._parts = [scratch.spill() for _ in range(min(count, SLICES))]
        self._waiting = scratch.spill()

    def __len__(self) -> int:
        """Count the parts."""
        return len(self._parts)

    @property
    def schema(self) -> pl.Schema:
        """The columns that every part has."""
        return self._empty.schema

    def whole(self) -> pl.DataFrame:
        """Join all rows; only for few."""
        return _joined([self._empty, *self.frames()])

    def replace(self, number: int, rows: pl.DataFrame) -> None:
        """Put rows in place of those of a part, for the same profiles."""
        self._parts[number].clear()
        self._parts[number].add(rows)

    def add(self, frame: pl.DataFrame) -> None:
        """Take rows: ``@profile`` and any columns, each always of one type."""
        if not set(frame.columns) <= set(self._empty.columns):
            self._empty = _joined([self._empty, frame.clear()])
        if len(self) == 1:
            self._parts[0].add(frame)
            return
        self._waiting.add(frame)
        # Many small files are parted together, lest every part had a crumb of each.
        bounds = self._scratch.bounds
        if self._waiting.rows >= bounds.rows or self._waiting.size >= bounds.size:
            self._part()

    def part(self, number: int) -> pl.DataFrame:
        """
        Join the rows of a part.

        It has all columns that any part has; one that a frame lacks is null there.
        """
        self._part()
        return _joined([self._empty, *self._parts[number].frames()])

    def profiles(self, number: int) -> pl.Series:
        """Name the profiles of a part, as often as it has rows of them."""
        self._part()
        none = self._empty.select(PROFILE)
        return pl.concat([none, *self._parts[number].frames([PROFILE])]).to_series()

    def frames(self) -> Iterator[pl.DataFrame]:
        """Yield all rows, some at a time."""
        self._part()
        for part in self._parts:
            yield from part.frames()

    def change(self, made: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
        """Replace all rows, some at a time, by what is made of them for the same profiles."""
        self._part()
        for part in self._parts:
            part.change(made)

    def rename(self, made: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
        """Replace all rows by what is made of them, whose profiles may be in another part."""
        self._part()
        if len(self) == 1:
            self._parts[0].change(made)
            return
        moved = self._scratch.spill()
        for part in self._parts:
            for frame in part.frames():
                moved.add(made(frame))
            part.clear()
        for frame in moved.frames():
            self._waiting.add(frame)
            self._part()
        moved.clear()

    def clear(self, number: int) -> None:
        """Forget the rows of a part."""
        self._parts[number].clear()

    def _part(self) -> None:
        if not self._waiting.rows:
            return
        rows = _joined([*self._waiting.frames()])
        self._waiting.clear()
        number = (slice_of(self._key) * len(self) // SLICES).alias(_PART)
        parted = rows.with_columns(number).partition_by(_PART, as_dict=True, include_key=False)
        for (part,), frame in parted.items():
            self._parts[part].add(frame)


def _joined(frames: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(frames, how="diagonal")
