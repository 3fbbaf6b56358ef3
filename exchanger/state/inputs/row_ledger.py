"""
Which rows each job has taken up, by the name that its ``row_id`` gives them.

One Delta table for each job. An id is there once its row was accepted by Braze, or may have been:
then it is in doubt until a person has it given again. Rows are only appended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from exchanger.profiles.frames.columns import ROW_ID
from exchanger.profiles.frames.slices import slice_of
from exchanger.state.held.reading import rows_around

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from exchanger.outside.delta.table import Table

_WRITER = "row_ledger"
DOUBT = "in_doubt"
"""Boolean column: nobody knows whether Braze took the row."""


class RowLedger:
    """The rows that one job has taken up."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def taken(self, ids: pl.Series, *, surely: bool = False) -> pl.Series:
        """
        Choose the ids that were taken up before.

        Args:
            ids: String.
            surely: Leave out those that are in doubt.

        Returns:
            These, in any order and some of them twice. Very rarely, one that nobody asked for, so
            look among them for those that were meant.
        """
        nothing = ids.clear().alias(ROW_ID)
        rows = self._table.scan_at_once()
        if rows is None or ids.is_empty():
            return nothing
        found = rows_around(rows, ids, "id")
        if surely:
            found = found.filter(~pl.col(DOUBT))
        found = found.select("id")
        return self._table.collect(found, streaming=True).to_series().alias(ROW_ID)

    def last_recorded(self) -> int:
        """Return the last run whose rows are recorded; 0 if none are."""
        return self._table.written(_WRITER) or 0

    def record(self, made: Callable[[], Iterator[pl.DataFrame]], *, seq: int) -> None:
        """
        Record the rows that run *seq* took up; once, however often it is called.

        Args:
            made: Makes frames of ``@row_id`` and ``in_doubt``, two of which are in memory.
            seq: The run.
        """

        def kept() -> Iterator[pl.DataFrame]:
            for rows in made():
                yield rows.select(
                    slice_of(ROW_ID).alias("slice"),
                    pl.col(ROW_ID).alias("id"),
                    pl.lit(seq, pl.Int64).alias("seq"),
                    DOUBT,
                ).sort("slice", "id")

        self._table.append_all(kept, writer=_WRITER, seq=seq)

    def maintain(self) -> None:
        """Join the table's small files once there are many."""
        self._table.compact()
