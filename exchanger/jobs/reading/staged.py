"""Files that are applied, whose rows wait to be cast."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import polars as pl

from exchanger.files.raw.table import in_portions
from exchanger.jobs.reading.alike import raw_columns
from exchanger.profiles.frames.columns import FILE, ROW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exchanger.files.formats.read import RawTable
    from exchanger.files.scratch.spill import Spill
    from exchanger.jobs.intake.requests import FileRequest
    from exchanger.profiles.frames.raw_columns import RawColumns
    from exchanger.profiles.frames.rules import Rule
    from exchanger.state.runs.log import ClaimedFile


@dataclass(frozen=True)
class StagedFile:
    """
    One file that is applied.

    Args:
        position: Its place among the files of the run.
        claim: What becomes of it.
        request: What was asked for.
        rules: What is done to its columns; files of the same rules share them.
        repeated: Whether each of its rows was taken up before.
        given_alone: Rows of it that were taken up before by themselves.
    """

    position: int
    claim: ClaimedFile
    request: FileRequest
    rules: list[Rule] = field(default_factory=list)
    repeated: bool = False
    given_alone: tuple[int, ...] = ()


@dataclass(frozen=True)
class StagedFiles:
    """
    Files of the same columns, whose rows wait to be cast together.

    Args:
        files: In order.
        table: Tells the columns; of a single large file, its content.
        cells: The rows of several files.
        places: The position of the file of each of these rows.
        bad: Rows that could not be read, with ``@file``.
    """

    files: list[StagedFile]
    table: RawTable
    cells: Spill | None = None
    places: Spill | None = None
    bad: Spill | None = None

    @property
    def several(self) -> bool:
        """Return whether these are small files, cast together, rather than a large one."""
        return self.cells is not None

    @property
    def size(self) -> int:
        """Bytes of the rows."""
        return (self.table.cells if self.cells is None else self.cells).size

    def pieces(self) -> Iterator[RawColumns]:
        """Yield the rows, in pieces of bounded size; those of a large file are forgotten then."""
        [first, *_] = self.files
        if self.cells is None or self.places is None:
            for piece in self.table.take_pieces():
                rows = chosen_rows(first.request, piece)
                yield raw_columns(self.table, rows, first.claim.key).at(first.position)
            return
        most = self.cells.scratch.bounds.rows_of(self.table.empty.width, self.cells.row_size)
        for frame, places in zip(self.cells.frames(), self.places.frames(), strict=True):
            for at in range(0, max(frame.height, 1), most):
                raw = raw_columns(self.table, frame.slice(at, most), first.claim.key)
                yield replace(raw, files=places[FILE].slice(at, most))

    def bad_pieces(self) -> Iterator[pl.DataFrame]:
        """Yield the rows that could not be read, with ``@file``, in pieces of bounded size."""
        if self.bad is not None:
            yield from in_portions(self.bad.frames(), self.bad.scratch.bounds.rows)
            return
        [file] = self.files
        for rows in self.table.bad_pieces():
            at = pl.lit(file.position, pl.UInt32).alias(FILE)
            yield chosen_rows(file.request, rows).with_columns(at)

    def clear(self) -> None:
        """Forget all rows, and give back their room."""
        self.table.clear()
        for spill in (self.cells, self.places, self.bad):
            if spill is not None:
                spill.clear()


def chosen_rows(request: FileRequest, rows: pl.DataFrame) -> pl.DataFrame:
    """Leave out the rows of a file that are not asked for."""
    return rows if request.rows is None else rows.filter(pl.col(ROW).is_in(request.rows.implode()))
