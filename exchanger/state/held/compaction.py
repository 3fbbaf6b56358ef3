"""
Tables that are only appended to, and folded as they grow: few rows of a profile remain.

Their rows have a column ``slice``, a stable hash of the profile, by which they are sorted.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import polars as pl

from exchanger.outside.delta.table import MANY_FILES
from exchanger.profiles.frames.slices import SLICES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from exchanger.outside.delta.table import Table

MANY_ROWS = 2_000_000
"""So many rows since the last folding, and as many as it left, are worth another one."""
ROWS_AT_ONCE = 300_000
"""About how many rows folding has in memory."""
SIZE_AT_ONCE = 48 << 20
"""Bytes of files with these rows: of long rows fewer are taken. Rows of ten fields take 12 MB."""
ROWS_LOOKED_AT = 30_000
"""About how many rows tell whether profiles have several."""

_FOLDED = "folded"


class Compaction:
    """
    How one table is folded, and when.

    Args:
        table: Of sparse rows by profile.
        folded: Makes few rows of all rows that the profiles in a frame have; of one schema
            whatever they are. Readers must not notice.
        rows_at_once: About how many rows may be in memory.
    """

    def __init__(
        self,
        table: Table,
        folded: Callable[[pl.DataFrame], pl.DataFrame],
        *,
        rows_at_once: int = ROWS_AT_ONCE,
    ) -> None:
        self._table = table
        self._folded = folded
        self._rows_at_once = rows_at_once

    def maintain(self, go_on: Callable[[], None]) -> None:
        """
        Fold the table once it holds many more rows than it must, and join its small files.

        Folding costs as much as the table is large, so it waits until as many rows came as the last
        one left: on average a run pays for its own rows.

        Args:
            go_on: Asked before every step; what it raises leaves the table as it is.
        """
        known = self._table.size(as_known=True)
        if known.rows < MANY_ROWS and known.files <= MANY_FILES:
            return
        size = self._table.size()
        left = self._table.noted(_FOLDED)
        new = size.rows - left
        if new < left or (new < MANY_ROWS and size.files <= MANY_FILES):
            self._table.compact()
        elif self._repeats():
            self.fold(go_on)
        else:
            self._table.note(_FOLDED, size.rows)
            self._table.compact()

    def _repeats(self) -> bool:
        """
        Return whether a quarter of the rows or more would go.

        Told from the first slices, one at least: they are hashes, so as good as any others. After a
        first load there is one row of each profile, and folding would only copy them.
        """
        rows = self._table.scan()
        if rows is None:
            return False
        end = max(SLICES // (self._table.size().rows // ROWS_LOOKED_AT + 1), 1)
        share = rows.filter(pl.col("slice") < end)
        profiles = self._table.collect(share.select("profile"), streaming=True).to_series()
        return profiles.n_unique() * 4 <= len(profiles) * 3

    def slices(self) -> list[tuple[int, int]]:
        """Part all profiles into ranges of slices (first, end) that fit into memory."""
        size = self._table.size()
        shares = max(size.rows // self._rows_at_once, size.size // SIZE_AT_ONCE) + 1
        bounds = [SLICES * share // shares for share in range(shares + 1)]
        return list(pairwise(bounds))

    def fold(self, go_on: Callable[[], None]) -> bool:
        """
        Fold the table, as one commit.

        Memory is bounded: a range of slices is folded at a time.

        Returns:
            Whether it was done; False if another process wrote to the table meanwhile.
        """
        ranges = self.slices()

        def made(rows: pl.LazyFrame) -> Iterator[pl.DataFrame]:
            for first, end in ranges:
                go_on()
                share = rows.filter(pl.col("slice").is_between(first, end, closed="left"))
                yield self._folded(self._table.collect(share, streaming=True))

        done = self._table.rewrite(made)
        if done:
            self._table.note(_FOLDED, self._table.size().rows)
        return done
