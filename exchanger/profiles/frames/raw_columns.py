"""The columns of one file as they were read, before anything is decided about them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from exchanger.profiles.frames import columns
from exchanger.profiles.frames.wrapped_text import without_empty_formula, without_guard


@dataclass(frozen=True)
class RawColumns:
    """
    One file's cells, or a piece of them; or those of several files of the same columns.

    Args:
        frame: The columns as in the file, plus ``@row`` (UInt32). CSV: all String. Without rows if
            the file comes in pieces.
        textual: Every cell is text that somebody has yet to read as a type (CSV).
        json_columns: String columns whose cells are JSON texts (nested or mixed values).
        unusable: Columns that cannot be used, with why.
        key: The file's key in the bucket, for messages.
        indexes: Columns by which the program that wrote the file numbers its rows.
        absent: Columns that the file does not have, and that are empty in all of its rows.
        files: Of several files, the position of each row's file in the run.
        pieces: Gives the rows of some columns piece by piece, as often as asked; None if all of
            them are in the frame.
    """

    frame: pl.DataFrame
    textual: bool = False
    json_columns: frozenset[str] = frozenset()
    unusable: Mapping[str, str] = field(default_factory=dict)
    key: str = ""
    indexes: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    files: pl.Series | None = None
    pieces: Callable[[list[str]], Iterator[pl.DataFrame]] | None = None

    def at(self, file: int | None) -> RawColumns:
        """Return the same cells as of the file at a position; those of several have their own."""
        if self.files is not None:
            return self
        position = pl.Series(columns.FILE, [file], pl.UInt32)
        return replace(self, files=position.new_from_index(0, self.frame.height))

    def of_files(self, positions: Sequence[int]) -> RawColumns:
        """Return the cells of some of several files."""
        if self.files is None:
            return self
        ours = self.files.is_in(positions)
        return replace(self, frame=self.frame.filter(ours), files=self.files.filter(ours))

    @property
    def places(self) -> pl.DataFrame:
        """``@file`` and ``@row`` of every row."""
        rows = self.frame.select(columns.ROW)
        return rows if self.files is None else rows.select(self.files.alias(columns.FILE), pl.all())

    @property
    def names(self) -> list[str]:
        """The usable columns, in the file's order."""
        return [
            name for name in self.frame.columns if name != columns.ROW and name not in self.unusable
        ]

    def cells(self, column: str) -> Iterator[pl.Series]:
        """Yield all cells of a column, piece by piece."""
        pieces = iter([self.frame]) if self.pieces is None else self.pieces([column])
        return (piece[column] for piece in pieces)


def _as_it_is(cells: pl.Series) -> pl.Series:
    return cells


_FIRST = 4_096
"""Cells of a large file that are looked at first: mostly they show what a column is not."""


@dataclass(frozen=True)
class FilledCells:
    """
    The cells of a column, with empty text made null; may be gone through many times.

    Args:
        raw: The file.
        column: The column's name.
        nulls: Texts that mean null.
        spelled: What text of CSV is read as, where types are told from it.
    """

    raw: RawColumns
    column: str
    nulls: tuple[str, ...]
    spelled: Callable[[pl.Series], pl.Series] = _as_it_is

    def __iter__(self) -> Iterator[pl.Series]:
        nulls = nulls_of(self.raw, self.column, self.nulls)
        for cells in self._portions():
            if self.raw.textual and cells.dtype == pl.String:
                # A formula that is text stays one, so that its column is text.
                bare = without_empty(without_empty_formula(without_guard(cells)), nulls)
                yield self.spelled(bare)
            else:
                yield without_empty(cells, nulls)

    def _portions(self) -> Iterator[pl.Series]:
        """Yield the cells, of a large file a few first: who has seen enough asks for no others."""
        pieces = self.raw.cells(self.column)
        if self.raw.pieces is not None:
            first = next(pieces)
            yield first.head(_FIRST)
            if len(first) > _FIRST:
                yield first.slice(_FIRST)
        yield from pieces


def nulls_of(raw: RawColumns, column: str, nulls: tuple[str, ...]) -> tuple[str, ...]:
    """Spell the texts that mean null as the cells of a column do, which may be JSON texts."""
    if column not in raw.json_columns:
        return nulls
    return (*nulls, *(json.dumps(text, ensure_ascii=False) for text in nulls))


def without_empty(cells: pl.Series, nulls: tuple[str, ...]) -> pl.Series:
    """
    Turn empty text into null: nothing, white space alone, and the texts that mean null.

    Lists and other types come back as they are: what is empty in them is known only once they are
    cast. Categories become text.
    """
    if isinstance(cells.dtype, pl.Categorical | pl.Enum | pl.Null):
        cells = cells.cast(pl.String)
    if cells.dtype != pl.String:
        return cells
    cell = pl.col("cell")
    empty = cell.str.strip_chars() == ""
    if nulls:
        empty |= cell.is_in(list(nulls))
    return cells.to_frame("cell").select(pl.when(~empty).then(cell)).to_series()
