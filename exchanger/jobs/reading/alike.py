"""
Files of the same columns, whose rows are looked at together.

One file is looked at as quickly as hundreds of them: it is the number of questions that takes time,
not that of the rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import polars as pl

from exchanger.errors import FileRejected
from exchanger.files.formats.read import BAD_ROW_SCHEMA, RawTable
from exchanger.profiles.casting.plain_text import is_day_first
from exchanger.profiles.frames.columns import FILE, ROW
from exchanger.profiles.frames.raw_columns import RawColumns
from exchanger.profiles.reading.mapping import day_first_columns, find_types, untyped_columns

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping, Sequence

    from exchanger.config.models import ImportJob
    from exchanger.files.scratch.budget import MemoryBudget
    from exchanger.profiles.frames.type_names import TypeName


def is_small(table: RawTable, bounds: MemoryBudget) -> bool:
    """Return whether a table is so small that others are looked at together with it."""
    return table.rows <= bounds.rows_of(table.empty.width, table.cells.row_size) // 4


def raw_columns(table: RawTable, frame: pl.DataFrame, key: str) -> RawColumns:
    """Return rows of a table as the columns that they are."""
    return RawColumns(
        frame=frame,
        textual=table.textual,
        json_columns=table.json_columns,
        unusable=table.unusable,
        key=key,
        indexes=table.indexes,
        absent=table.absent,
    )


@dataclass(frozen=True)
class AlikeFiles:
    """
    Some files of a run that have the same columns.

    Args:
        layout: Tells the columns apart from those of others.
        table: That of the first one, without its rows.
        numbers: The files, by the numbers that they were given.
        frame: The rows of all.
        files: The number of the file that each row is of.
        bad: The rows that could not be read, with ``@file``.
    """

    layout: Hashable
    table: RawTable
    numbers: Sequence[int]
    frame: pl.DataFrame
    files: pl.Series
    bad: pl.DataFrame

    def columns(self, key: str, number: int | None = None) -> RawColumns:
        """Return the columns of one file, whose cells are looked up if need be; or those of all."""
        if number is None:
            return replace(raw_columns(self.table, self.frame, key), files=self.files)
        empty = raw_columns(self.table, self.table.empty, key)

        def pieces(names: list[str]) -> Iterator[pl.DataFrame]:
            yield self.frame.filter(self.files == number).select(names)

        return replace(empty, pieces=pieces)

    def types(self, job: ImportJob) -> dict[int, dict[str, TypeName]]:
        """Name the types that the cells of each file give to its columns."""
        raw = self.columns("")
        try:
            return find_types(untyped_columns(job, raw), job, raw)
        except FileRejected:
            return {}  # None of them can be used, as whoever settles on rules will say.

    def day_first(
        self, job: ImportJob, types: Mapping[int, Mapping[str, TypeName]]
    ) -> dict[int, frozenset[str]]:
        """Name the columns of each file in which a date shows that the day comes first."""
        told = [pair for found in types.values() for pair in found.items()]
        texts = {column for column, kind in told if kind.type == "string"}
        raw = self.columns("")
        try:
            likely = day_first_columns(job, raw, texts)
        except FileRejected:
            return {}
        found: dict[int, frozenset[str]] = {}
        for column in likely:
            for number in self.files.filter(is_day_first(self.frame[column])).unique():
                found[number] = found.get(number, frozenset()) | {column}
        return found

    def headers_again(self, columns: Sequence[str]) -> dict[int, tuple[str, int]]:
        """Return, of files that have a row which is a header, the column and the first such row."""
        found: dict[int, tuple[str, int]] = {}
        for column in columns if self.table.textual else ():
            if column not in self.frame.columns:
                continue
            again = self.frame[column].str.strip_chars() == column
            if again.any():
                rows = pl.DataFrame([self.files.alias(FILE), self.frame[ROW]]).filter(again)
                first = rows.unique(FILE, keep="first", maintain_order=True)
                found = {file: (column, row) for file, row in first.iter_rows()} | found
        return found


def put_together(tables: Mapping[int, RawTable]) -> list[AlikeFiles]:
    """Put the rows of files of the same columns together, and forget the tables' own."""
    layouts: dict[Hashable, dict[int, RawTable]] = {}
    for number, table in tables.items():
        layouts.setdefault(_layout(table), {})[number] = table
    return [_put_together(layout, alike) for layout, alike in layouts.items()]


def _layout(table: RawTable) -> Hashable:
    return (
        table.textual,
        *table.empty.schema.items(),
        table.json_columns,
        *table.unusable.items(),
        table.indexes,
    )


def _put_together(layout: Hashable, tables: Mapping[int, RawTable]) -> AlikeFiles:
    first = next(iter(tables.values()))
    frames = [piece for table in tables.values() for piece in table.pieces()]
    heights = [table.cells.rows for table in tables.values()]
    of_rows = pl.DataFrame({FILE: [*tables], "rows": heights}, {FILE: pl.UInt32, "rows": pl.UInt32})
    files = of_rows.select(pl.col(FILE).repeat_by("rows").explode()).drop_nulls().to_series()
    bad = [
        rows.with_columns(pl.lit(number, pl.UInt32).alias(FILE))
        for number, table in tables.items()
        if table.bad.rows
        for rows in table.bad_pieces()
    ]
    whole_bad = pl.concat(bad) if bad else pl.DataFrame(schema=BAD_ROW_SCHEMA | {FILE: pl.UInt32})
    together = AlikeFiles(layout, first, [*tables], pl.concat(frames), files, whole_bad)
    for table in tables.values():
        table.clear()
    return together


@dataclass(frozen=True)
class Chosen:
    """
    Which rows of which files are taken, and as what.

    Args:
        positions: The position in the run of each file, by its number.
        rows: Of some files only these rows, by the position.
    """

    positions: Mapping[int, int]
    rows: Mapping[int, pl.Series] = field(default_factory=dict)

    def of(self, files: pl.Series, frame: pl.DataFrame) -> tuple[pl.Series, pl.DataFrame]:
        """Leave out the other rows; ``@file`` becomes the position."""
        places = files.replace_strict(self.positions, default=None, return_dtype=pl.UInt32)
        taken = places.is_not_null()
        for position, rows in self.rows.items():
            taken &= (places != position) | frame[ROW].is_in(rows.implode())
        if taken.all():
            return places, frame
        return places.filter(taken), frame.filter(taken)
