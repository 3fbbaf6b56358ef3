"""What reading a file gives: the table as it is in the file, and the rows that are no rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from exchanger.config.names import is_pattern
from exchanger.files.scratch.spill import Spill
from exchanger.notes import Note

ROW = "@row"
RECORD_LENGTH = 2_000
"""Characters of a bad row's text that are kept."""

BAD_ROW_SCHEMA: dict[str, pl.DataType] = {
    ROW: pl.UInt32(),
    "field": pl.String(),
    "value": pl.String(),
    "reason": pl.String(),
    "message": pl.String(),
    "record": pl.String(),
}


@dataclass(frozen=True)
class BadRow:
    """
    One row that cannot be read, while the rest of its file can.

    Args:
        row: The data row, from 1.
        reason: A stable word: ``ragged_row``, ``stray_quote``, ``joined_lines``, ``invalid_json``,
            ``not_an_object`` or ``duplicate_key``.
        message: What is wrong and what to do, in words.
        record: The row's text; cut at 2,000 characters.
        field: The column it is about, if one.
    """

    row: int
    reason: str
    message: str
    record: str
    field: str | None = None

    def cells(self) -> tuple[int, str | None, None, str, str, str]:
        """Spell the row in the order of ``BAD_ROW_SCHEMA``."""
        record = self.record[:RECORD_LENGTH]
        return (self.row, self.field, None, self.reason, self.message, record)


@dataclass(frozen=True)
class ReadAs:
    """
    What was told from a CSV file of how it is written; each is empty if it is as expected.

    Args:
        encoding: Of its text.
        delimiter: Between its cells.
        earlier_encoding: What that of earlier files was, if it was another.
        earlier_delimiter: Likewise.
    """

    encoding: str = ""
    delimiter: str = ""
    earlier_encoding: str = ""
    earlier_delimiter: str = ""


@dataclass(frozen=True)
class RawTable:
    """
    A file's content, before any value is understood.

    Args:
        cells: The rows, as the reader came upon them: the columns as in the file, and ``@row``
            (UInt32, data rows from 1; a header and blank lines are not counted, bad rows are).
        bad: The rows that could not be read, with the columns of ``BAD_ROW_SCHEMA``; ``field`` and
            ``value`` may be null, ``record`` is the row's text.
        empty: A frame of the table's columns without any row.
        textual: Every cell is text exactly as written (CSV), so that types are the caller's to
            infer; an empty cell is null.
        json_columns: Columns whose cells are the JSON text of a value: nested ones, and NDJSON
            columns that hold several types or numbers that no 64-bit type holds exactly.
        unusable: Columns that are in the file but not in the table, each with the reason in
            words. Only a problem if something is mapped from them.
        indexes: Columns by which the program that wrote the file numbers its rows: data only if
            something is mapped from them.
        absent: Columns that the file does not have, and that are empty in all of its rows.
        notes: What is noted of how the file was read.
        layout: What the file has shown of how it is written, to be kept for the next.
        read_as: What of that is to be told.
        finish: Brings a frame of *cells* to some columns of the table, by name.
    """

    cells: Spill
    bad: Spill
    empty: pl.DataFrame
    textual: bool
    json_columns: frozenset[str] = frozenset()
    unusable: Mapping[str, str] = field(default_factory=dict)
    indexes: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    notes: tuple[Note, ...] = ()
    layout: Mapping[str, str] = field(default_factory=dict)
    read_as: ReadAs | None = None
    finish: Callable[[pl.DataFrame, list[str]], pl.DataFrame] = pl.DataFrame.select

    @property
    def rows(self) -> int:
        """Data rows read, the bad ones included."""
        return self.cells.rows + self.bad.rows

    def pieces(self, columns: Collection[str] | None = None) -> Iterator[pl.DataFrame]:
        """
        Yield the rows in pieces of bounded size, each of the same columns and types.

        Args:
            columns: Only these, which the table has; all if None.

        Yields:
            At least one, which has no rows if the table has none.
        """
        names = [name for name in self.empty.columns if columns is None or name in columns]
        yield from self._finished(self.cells.frames(names), names)

    def take_pieces(self) -> Iterator[pl.DataFrame]:
        """Yield all rows as *pieces* does, and forget them on the way, so that others have room."""
        yield from self._finished(self.cells.taken(), self.empty.columns)

    def _finished(self, frames: Iterable[pl.DataFrame], names: list[str]) -> Iterator[pl.DataFrame]:
        most = self.cells.scratch.bounds.rows_of(self.empty.width, self.cells.row_size)
        whole = (self.finish(frame, names) for frame in frames)
        yield from in_portions(whole, most) if self.cells.rows else [self.empty.select(names)]

    def bad_pieces(self) -> Iterator[pl.DataFrame]:
        """Yield the bad rows in pieces of bounded size, in order."""
        yield from in_portions(self.bad.frames(), self.bad.scratch.bounds.rows)

    @property
    def frame(self) -> pl.DataFrame:
        """All rows at once: for a table that is known to be small."""
        return pl.concat([self.empty, *self.pieces()])

    @property
    def bad_rows(self) -> pl.DataFrame:
        """All bad rows at once: for a table that is known to be small."""
        return pl.concat([bad_row_frame([]), *self.bad_pieces()])

    def clear(self) -> None:
        """Forget all rows, and give back their room."""
        self.cells.clear()
        self.bad.clear()


def in_portions(frames: Iterable[pl.DataFrame], most: int) -> Iterator[pl.DataFrame]:
    """Join frames of the same columns, and cut those that are larger, into about *most* rows."""
    waiting: list[pl.DataFrame] = []
    rows = 0
    for frame in frames:
        for part in frame.iter_slices(most):
            if rows and rows + part.height > most:
                yield pl.concat(waiting)
                waiting, rows = [], 0
            waiting.append(part)
            rows += part.height
    if waiting:
        yield pl.concat(waiting)


def bad_row_frame(bad: Sequence[BadRow]) -> pl.DataFrame:
    """Build the frame of bad rows, with ``BAD_ROW_SCHEMA`` even when there are none."""
    return pl.DataFrame([row.cells() for row in bad], schema=BAD_ROW_SCHEMA, orient="row")


def row_numbers(height: int, before: int = 0) -> pl.Series:
    """Build the numbers of rows of which none was lost, after so many *before* them."""
    return pl.int_range(before + 1, before + height + 1, dtype=pl.UInt32, eager=True).alias(ROW)


def taken_names(names: Iterable[str]) -> dict[str, str]:
    """Name the columns that a file cannot bring, with the reason."""
    return {
        name: f"The name {name} means something else to this program; rename the column."
        for name in names
        if is_taken(name)
    }


def is_taken(name: str) -> bool:
    """Return whether a column of the file cannot be in the frame under its name."""
    return name == ROW or is_pattern(name)
