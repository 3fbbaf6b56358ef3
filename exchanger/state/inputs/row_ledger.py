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

if TYPE_CHECKING:
    from exchanger.outside.delta.table import Table

DOUBT = "in_doubt"
"""Boolean column: nobody knows whether Braze took the row."""


class RowLedger:
    """
    The rows that one job has taken up.

    Args:
        table: Where they are kept.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def taken(self, ids: pl.Series, *, surely: bool = False) -> pl.Series:
        """
        Choose the ids that were taken up before.

        Args:
            ids: String.
            surely: Leave out those that are in doubt.
        """
        nothing = ids.clear().alias(ROW_ID)
        rows = self._table.scan_at_once()
        if rows is None or ids.is_empty():
            return nothing
        named = ids.unique().alias("id").to_frame()
        slices = named.select(slice_of("id")).to_series()
        first, last = pl.lit(slices.min(), pl.Int32), pl.lit(slices.max(), pl.Int32)
        found = rows.filter(pl.col("slice").is_between(first, last))
        if surely:
            found = found.filter(~pl.col(DOUBT))
        found = found.join(named.lazy(), on="id", how="semi").select("id")
        return self._table.collect(found, streaming=True).to_series().unique().alias(ROW_ID)

    def record(self, rows: pl.DataFrame, *, seq: int) -> None:
        """
        Record the rows that run *seq* took up; once, however often it is called.

        Args:
            rows: ``@row_id`` and ``in_doubt``.
            seq: The run.
        """
        if rows.height:
            kept = rows.select(
                slice_of(ROW_ID).alias("slice"),
                pl.col(ROW_ID).alias("id"),
                pl.lit(seq, pl.Int64).alias("seq"),
                DOUBT,
            ).sort("slice", "id")
            self._table.append(kept, writer="row_ledger", seq=seq)

    def maintain(self) -> None:
        """Join the table's small files once there are many."""
        self._table.compact()
