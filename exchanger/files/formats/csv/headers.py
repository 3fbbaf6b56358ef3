"""
The header of a CSV file, and headers that come again further down.

Files that were joined (``cat``, several gzip members, sheets pasted below each other) bring the
header of each. It names columns there too, and is no row; if it names them in another order, the
rows after it are in that order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from propcache.api import cached_property

from exchanger.config.names import INVISIBLE
from exchanger.files.raw.column_names import (
    in_place_of_name,
    is_nameless,
    nameless_note,
    trimmed_note,
)
from exchanger.notes import Note, noted

# Behind a byte-order mark in the middle of a file, quotes are a part of the cell.
_AROUND = INVISIBLE + '"'
FEW = 1_000
"""Cells that are sooner looked at one by one than asked for: there may be many such files."""
_NONE = pl.DataFrame(schema={"at": pl.UInt32})


@dataclass(frozen=True)
class Header:
    """
    The names of a file's columns.

    Args:
        written: As they stand in the file.
        names: As they are used, in the same order.
        ends: The last one has no name, and its cells are empty: rows end with a delimiter.
    """

    written: list[str]
    names: list[str]
    ends: bool = False

    @property
    def named(self) -> list[str]:
        """The columns that have a name."""
        return [name for name in self.names if not is_nameless(name)]

    def fits(self, batch: Any) -> bool:
        """Return whether rows have these columns, and nothing behind the last delimiter."""
        if batch.schema.names != self.written:
            return False
        return not self.ends or batch.column(len(self.written) - 1).null_count == batch.num_rows

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.names)

    def places(self, cells: Sequence[str | None]) -> list[int] | None:
        """
        Return where each column stands from a record on; None if it is no header but a row.

        Args:
            cells: The record's, as many as there are columns.
        """
        again = [
            (cell or "").strip(_AROUND) or in_place_of_name(at) for at, cell in enumerate(cells)
        ]
        if again[0] not in self._known:
            return None
        if sorted(again) != sorted(self.names):
            return None
        return [again.index(name) for name in self.names]

    def is_joint(self, cells: Sequence[str]) -> bool:
        """
        Return whether a row ends where the header of a joined file begins, on the same line.

        Of a single column that is known only by a name that nobody's value ends with: some_name.
        """
        last, first = len(self.names) - 1, self.names[0]
        if len(cells) != 2 * last + 1 or (not last and "_" not in first):
            return False
        written = [cell.strip(_AROUND) for cell in cells[last:]]
        return written[1:] == self.names[1:] and written[0].endswith(first) and written[0] != first

    def may_join(self, cells: pl.Series) -> bool:
        """Return whether a cell of a single column may be such a joint."""
        return "_" in self.names[0] and bool(cells.str.ends_with(self.names[0]).any())

    def _may_begin(self, cells: pl.Series) -> bool:
        """Return whether any of a few cells names a column."""
        return any(cell is not None and cell.strip(_AROUND) in self._known for cell in cells)

    def again_in(self, frame: pl.DataFrame) -> pl.DataFrame:
        """
        Return the rows of a frame that may be headers: each of their cells names a column.

        Their positions are in a column ``at``; the others are numbered from 0.
        """
        first = next(at for at, name in enumerate(self.names) if not is_nameless(name))
        if frame.height <= FEW and not self._may_begin(frame.to_series(first)):
            return _NONE
        names = pl.Series(self.named).implode()
        rows = frame.rename(dict(zip(frame.columns, map(str, range(frame.width)), strict=True)))
        rows = rows.with_row_index("at")
        for cell, name in zip(rows.columns[1:], self.names, strict=True):
            if is_nameless(name):
                continue
            if rows.is_empty():
                break
            # The first of these is far cheaper, and leaves little.
            rows = rows.filter(pl.col(cell).str.contains_any(names))
            rows = rows.filter(pl.col(cell).str.strip_chars(_AROUND).is_in(names))
        return rows


@dataclass
class Headers:
    """
    The headers of one file, as they are come upon.

    Args:
        first: The one at its beginning.
        again: How many came later.
        reordered: The first row after one that names the columns in another order; 0 if none does.
    """

    first: Header
    again: int = 0
    reordered: int = 0

    def notes(self) -> tuple[Note, ...]:
        """Note what is odd with the headers."""
        notes = trimmed_note(self.first.written)
        notes += nameless_note(self.first.names[: -1 if self.first.ends else None])
        if self.again:
            notes += (noted("header_again", times=self.again),)
        if self.reordered:
            notes += (noted("columns_reordered", row=self.reordered),)
        return notes
