"""
What runs changed: of each profile the values before, and those that were wanted.

One Delta table for each month, so that what is old goes as a whole. A row is what one run did to
one profile, kept wide and sparse as held values are: two columns for each field, filled for those
alone of which the run spoke. Long rows, one for each field, would repeat the profile and cost up
to two thirds more to write; reading makes them. Rows are only appended, in the order of the
outbox: of a large run that is by slice, so most of a table is left out when a profile is read.
What the last runs changed is not there yet: their plans say it (``jobs/history/changed_rows.py``).

A cell is null (the run did not speak of it; before: unknown), ``null`` (empty), or canonical text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from exchanger.profiles.frames.columns import BEFORE, FILE, PROFILE, ROW, WANTED
from exchanger.profiles.frames.slices import SLICES, slice_of
from exchanger.state.held.reading import rows_of
from exchanger.state.names import field_of, table_column

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from exchanger.outside.delta.table import Table
    from exchanger.outside.s3.bucket import Bucket
    from exchanger.state.names import StateNames

CHANGES = pl.Schema(
    {
        "seq": pl.Int64,
        PROFILE: pl.String,
        "field": pl.String,
        "before": pl.String,
        "wanted": pl.String,
        "outcome": pl.String,
        FILE: pl.UInt32,
        ROW: pl.UInt32,
    }
)
"""
One row for each field of a profile that a run meant to change. ``@file`` is the position of the
file in the run, and ``@row`` the last row of the profile in it.
"""
ACCEPTED, UNSEEN = "accepted", "unseen"
"""Braze took it; it took it, and may not have such a profile."""
IN_DOUBT, DROPPED = "in_doubt", "dropped"
"""It was sent, and nobody knows whether Braze took it; it was not sent, as a person dropped it."""
SHADOW = "shadow"
"""What is told in place of ``dropped`` where the job was in shadow."""
TAKEN = (ACCEPTED, UNSEEN)
"""Outcomes of what Braze accepted; others are ``refused`` and ``withheld``, as it answered."""
_WRITER = "changes"
_ROWS_AT_ONCE = 65_536
"""Profiles of a run that are read at once."""


def month_of(at: datetime) -> str:
    """Name the table that has what was answered at a time, which all who settle a run know."""
    return f"{at:%Y-%m}"


def months_between(first: str, end: str) -> list[str]:
    """List the months from one to before another, in order; they may be the same."""
    begin, stop = ((int(y) * 12 + int(m) - 1) for y, m in (t.split("-") for t in (first, end)))
    return [f"{number // 12:04d}-{number % 12 + 1:02d}" for number in range(begin, stop)]


class Changes:
    """The changes of one connection."""

    def __init__(self, bucket: Bucket, names: StateNames) -> None:
        self._bucket = bucket
        self._names = names
        self._tables: dict[str, Table] = {}

    def record(self, made: Callable[[], Iterator[pl.DataFrame]], *, seq: int, at: datetime) -> None:
        """
        Record what run *seq* did; once, however often it is called, and run by run in their order.

        Args:
            made: Makes frames, two of which are in memory: ``@profile``, ``@file``, ``@row``,
                ``outcome``, and per field ``before:NAME`` and ``wanted:NAME``.
            seq: The run.
            at: When its last acknowledgement came.
        """

        def rows() -> Iterator[pl.DataFrame]:
            for frame in made():
                if frame.height:
                    yield _table_rows(frame, seq)

        self._table(month_of(at)).append_all(rows, writer=_WRITER, seq=seq)

    def recorded(self, month: str) -> int:
        """Return the last run that is recorded in a month; 0 if none is."""
        return self._table(month).noted(_WRITER)

    def of_profiles(
        self, profiles: pl.Series, *, month: str, after: int = 0
    ) -> pl.DataFrame | None:
        """
        Read what runs of a month did to some profiles.

        Args:
            profiles: Identifiers, String.
            month: Of the table.
            after: Only runs of a higher number.

        Returns:
            ``CHANGES``, by run; None if there is no such table.
        """
        table = self._table(month)
        rows = table.scan_at_once()
        if rows is None:
            return None
        near = rows_of(rows.filter(pl.col("seq") > after), profiles)
        return _long(table.collect(near, streaming=True)).sort("seq", PROFILE, "field")

    def of_run(self, seq: int, *, at: datetime, objects: int) -> Iterator[pl.DataFrame]:
        """
        Read what a run did, some profiles at a time.

        Args:
            seq: The run.
            at: When its last acknowledgement came.
            objects: How many objects it had.

        Yields:
            ``CHANGES``.
        """
        table = self._table(month_of(at))
        rows = table.scan()
        if rows is None:
            return
        theirs = rows.filter(pl.col("seq") == seq)
        shares = min(objects // _ROWS_AT_ONCE + 1, SLICES)
        for share in range(shares):
            first, end = SLICES * share // shares, SLICES * (share + 1) // shares
            near = theirs.filter(pl.col("slice").is_between(first, end, closed="left"))
            yield _long(table.collect(near, streaming=True))

    def maintain(self, at: datetime) -> None:
        """Join the small files of a month once there are many."""
        self._table(month_of(at)).compact()

    def objects(self, month: str) -> Iterable[str]:
        """Name all objects of a month."""
        return (item.key for item in self._bucket.list(f"{self._names.changes(month)}/"))

    def months(self) -> list[str]:
        """List the months that there is a table of, in order."""
        folder = self._names.changes("")
        keys = (item.key.removeprefix(folder) for item in self._bucket.list(folder))
        return sorted({key.partition("/")[0] for key in keys})

    def tables(self) -> list[Table]:
        """Open the tables of all months."""
        return [self._table(month) for month in self.months()]

    def _table(self, month: str) -> Table:
        if month not in self._tables:
            self._tables[month] = self._bucket.table(self._names.changes(month))
        return self._tables[month]


def long_rows(rows: pl.DataFrame, seq: int) -> pl.DataFrame:
    """Return rows as *Changes.record* takes them as they are read: ``CHANGES``."""
    return _long(_table_rows(rows, seq))


def _table_rows(rows: pl.DataFrame, seq: int) -> pl.DataFrame:
    """Name the columns as the table does, which knows no numbers without a sign."""
    sides = [name for name in rows.columns if name.startswith((BEFORE, WANTED))]
    return rows.select(
        slice_of(PROFILE).alias("slice"),
        pl.lit(seq, pl.Int64).alias("seq"),
        pl.col(PROFILE).alias("profile"),
        "outcome",
        pl.col(FILE).cast(pl.Int64).alias("file"),
        pl.col(ROW).cast(pl.Int64).alias("row"),
        *(pl.col(name).alias(_column(name)) for name in sides),
    )


def _column(name: str) -> str:
    side, _, field = name.partition(":")
    return f"{side}:{table_column(field)}"


def _long(rows: pl.DataFrame) -> pl.DataFrame:
    """Build a row for each field of which a row speaks."""
    columns = [name for name in rows.columns if name.startswith(WANTED)]
    parts = [_of_field(rows, column) for column in columns]
    return pl.concat([pl.DataFrame(schema=CHANGES), *parts])


def _of_field(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    said = rows.filter(pl.col(column).is_not_null())
    name = column.removeprefix(WANTED)
    return said.select(
        "seq",
        pl.col("profile").alias(PROFILE),
        pl.lit(field_of(name)).alias("field"),
        pl.col(BEFORE + name).alias("before"),
        pl.col(column).alias("wanted"),
        "outcome",
        pl.col("file").cast(pl.UInt32).alias(FILE),
        pl.col("row").cast(pl.UInt32).alias(ROW),
    )
