"""The table that is made of a CSV file, while its rows are read."""

from __future__ import annotations

from functools import lru_cache

import polars as pl

from exchanger.files.formats.csv.headers import Header, Headers
from exchanger.files.raw.table import (
    ROW,
    BadRow,
    RawTable,
    bad_row_frame,
    is_taken,
    row_numbers,
    taken_names,
)
from exchanger.files.scratch.spill import Scratch


class CsvTable:
    """A table under construction."""

    def __init__(self, scratch: Scratch, header: Header) -> None:
        self.header = header
        self.headers = Headers(header)
        self._chosen = [name for name in header.named if not is_taken(name)]
        self._cells = scratch.spill()
        self._bad = scratch.spill()

    @property
    def rows(self) -> int:
        """The good rows so far."""
        return self._cells.rows

    def add(self, frame: pl.DataFrame, numbers: pl.Series | None = None) -> None:
        """Take good rows, of all columns; without *numbers* none was lost so far."""
        frame.columns = [*self.header.names]
        if numbers is None:
            numbers = row_numbers(frame.height, self.rows)
        if frame.columns != self._chosen:
            frame = frame.select(self._chosen)
        self._cells.add(frame.hstack([numbers.alias(ROW)]))

    def add_bad(self, bad: list[BadRow]) -> None:
        """Take bad rows, and empty the list."""
        self._bad.add(bad_row_frame(bad))
        bad.clear()

    def clear(self) -> None:
        """Begin anew."""
        self._cells.clear()
        self.headers = Headers(self.header)

    def made(self) -> RawTable:
        """Build the table."""
        return RawTable(
            cells=self._cells,
            bad=self._bad,
            empty=_without_rows(*self._chosen),
            textual=True,
            unusable=taken_names(self.header.named),
            notes=self.headers.notes(),
        )


@lru_cache
def _without_rows(*columns: str) -> pl.DataFrame:
    # Once for many small files of the same columns.
    return pl.DataFrame(schema=dict.fromkeys(columns, pl.String()) | {ROW: pl.UInt32()})
