"""
Rows of the file ledger, found by a key or by a content.

A run asks for every file that it takes. It names them first, so that all are found in one pass over
the table, however many rows that has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Row = dict[str, Any]
"""A row of the ledger, by column."""


class FoundRows:
    """
    Rows of the table, each found by a hash, or once for many.

    Args:
        rows: Columns as in the table.
    """

    def __init__(self, rows: pl.DataFrame) -> None:
        self.rows = rows
        self._hashes: dict[str, pl.Series] = {}
        self._known: dict[str, dict[str, Sequence[Row]]] = {}

    def look_up(self, column: str, values: Iterable[str]) -> None:
        """Find the rows of many values of a column at once, and keep them for *where*."""
        known = self._known.setdefault(column, {})
        missing = [value for value in dict.fromkeys(values) if value not in known]
        if not missing:
            return
        known.update(dict.fromkeys(missing, ()))
        found = self.rows.filter(pl.col(column).is_in(pl.Series(missing).implode()))
        for row in found.iter_rows(named=True):
            known[row[column]] = [*known[row[column]], row]

    def where(self, column: str, value: str) -> Sequence[Row]:
        """List the rows in which a column of texts has a value."""
        known = self._known.get(column, {}).get(value)
        return self.narrowed(column, value).to_dicts() if known is None else known

    def narrowed(self, column: str, value: str) -> pl.DataFrame:
        """Return the rows in which a column of texts has a value, as a frame."""
        if column not in self._hashes:
            self._hashes[column] = self.rows[column].hash()
        alike = self._hashes[column] == pl.Series([value]).hash()[0]
        found: pl.DataFrame = self.rows[alike.arg_true()]
        return found.filter(pl.col(column) == value)


class MadeRows:
    """
    Rows of files of a run in the making, in the order in which it takes them.

    Only ever added to, so that snapshots share them: each looks at the first so many.
    """

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self._rows: list[Row] = []
        self._places: dict[tuple[str, str], list[int]] = {}
        for row in rows:
            self.add(row)

    def __len__(self) -> int:
        """Count the rows."""
        return len(self._rows)

    def add(self, row: Row) -> None:
        """Add the row of one more file."""
        for column in ("key", "sha256"):
            self._places.setdefault((column, row[column]), []).append(len(self._rows))
        self._rows.append(row)

    def first(self, count: int) -> list[Row]:
        """Return the first so many rows."""
        return self._rows[:count]

    def where(self, column: str, value: str, count: int) -> list[Row]:
        """List those of the first so many rows in which ``key`` or ``sha256`` has a value."""
        places = self._places.get((column, value), ())
        return [self._rows[place] for place in places if place < count]
