"""
How far each job has come in the order of its ``order_by``: by profile and field.

One Delta table for each job and column. A row holds one order of a profile, as what it is
(``integer``, ``float``, ``time`` or ``text``), and in ``for:FIELD`` which fields it counts for, so
that a row that sets many fields costs no more than one. Rows are only appended, until folding keeps
of each field the highest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from exchanger.profiles.frames.columns import ORDER, PROFILE, ordered
from exchanger.profiles.frames.slices import slice_of
from exchanger.state.held.compaction import ROWS_AT_ONCE, Compaction
from exchanger.state.names import table_column

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from exchanger.outside.delta.table import Table
    from exchanger.outside.s3.bucket import Bucket
    from exchanger.state.names import StateNames

_KINDS: dict[type[pl.DataType], str] = {
    pl.Int64: "integer",
    pl.Float64: "float",
    pl.Datetime: "time",
    pl.String: "text",
}
_NUMBERS = ("integer", "float")
_FOR = "for:"
_WRITER = "high_water_marks"


class JobHighWaterMarks:
    """
    How far one job has come in the order of one column.

    Args:
        table: Where it is kept.
        rows_at_once: About how many rows folding may have in memory.
    """

    def __init__(self, table: Table, *, rows_at_once: int = ROWS_AT_ONCE) -> None:
        self._table = table
        self._folding = Compaction(table, folded, rows_at_once=rows_at_once)

    def of(self, profiles: pl.Series, fields: Sequence[str], dtype: pl.DataType) -> pl.DataFrame:
        """
        Read the orders that were applied to some profiles.

        Args:
            profiles: Identifiers, String.
            fields: Attributes.
            dtype: What ``@order`` is now. What was applied as something that does not compare with
                it, before the column changed, is left out.

        Returns:
            A frame of orders as in ``profiles.merging.event_order``; a profile may have more rows.
        """
        rows = self._table.scan_at_once()
        nothing = pl.DataFrame(schema={PROFILE: pl.String(), ORDER: dtype})
        if rows is None:
            return nothing
        present = rows.collect_schema().names()
        kind = _KINDS[dtype.base_type()]
        columns = [c for c in (_NUMBERS if kind in _NUMBERS else (kind,)) if c in present]
        known = {name: column for name in fields if (column := _for(name)) in present}
        if not columns or not known:
            return nothing
        named = pl.LazyFrame({"profile": profiles.unique()}, schema={"profile": pl.String})
        found = (
            rows.join(named, on="profile", how="semi")
            .select(
                pl.col("profile").alias(PROFILE),
                pl.coalesce(columns).alias(ORDER),
                *(pl.col(column).alias(ordered(name)) for name, column in known.items()),
            )
            .filter(pl.col(ORDER).is_not_null())
        )
        return self._table.collect(found, streaming=True)

    def dtype(self) -> pl.DataType | None:
        """Return as what orders were recorded; None if there are none."""
        rows = self._table.scan_at_once()
        schema = pl.Schema() if rows is None else rows.collect_schema()
        return next((schema[kind] for kind in _KINDS.values() if kind in schema), None)

    def last_recorded(self) -> int:
        """Return the last run whose orders are recorded, as the table was read last; 0 if none."""
        return self._table.written(_WRITER, as_known=True) or 0

    def record(self, orders: pl.DataFrame, *, seq: int) -> None:
        """Record the orders that run *seq* applied; once, however often it is called."""
        if orders.height:
            kind = _KINDS[orders[ORDER].dtype.base_type()]
            fields = [name.removeprefix(ordered("")) for name in orders.columns[2:]]
            rows = orders.select(
                slice_of(PROFILE).alias("slice"),
                pl.col(PROFILE).alias("profile"),
                pl.col(ORDER).alias(kind),
                *(pl.col(ordered(name)).alias(_for(name)) for name in fields),
            ).sort("slice", "profile")
            self._table.append(rows, writer=_WRITER, seq=seq)

    def maintain(self, go_on: Callable[[], None]) -> None:
        """
        Fold the table once it is worth it, as ``HeldValues.maintain`` does.

        Args:
            go_on: Asked before every step; what it raises leaves the table as it is.
        """
        self._folding.maintain(go_on)

    def fold(self, go_on: Callable[[], None]) -> bool:
        """Keep of each field of a profile the highest order; readers notice nothing."""
        return self._folding.fold(go_on)


class HighWaterMarks:
    """The orders of all jobs of one connection."""

    def __init__(self, bucket: Bucket, names: StateNames) -> None:
        self._bucket = bucket
        self._names = names

    def by(self, job: str, column: str) -> JobHighWaterMarks:
        """Open those of a job and its column of ``order_by``; another column begins anew."""
        return JobHighWaterMarks(self._bucket.table(self._names.high_water_marks(job, column)))

    def tables(self) -> list[Table]:
        """Open all there are, also those of jobs that are not configured any more."""
        logs = (item.key.partition("/_delta_log/") for item in self._bucket.list(self._folder))
        return [self._bucket.table(name) for name in sorted({n for n, log, _ in logs if log})]

    @property
    def _folder(self) -> str:
        return f"{self._names.prefix}high-water-marks/"


def folded(rows: pl.DataFrame) -> pl.DataFrame:
    """
    Keep of each field of a profile the highest order.

    Numbers compare with each other; what the column was before it changed to another kind stays.

    Args:
        rows: Rows of the table, all that the profiles in it have.

    Returns:
        The table's columns, sorted by slice.
    """
    flags = [name for name in rows.columns if name.startswith(_FOR)]
    kinds = [name for name in _KINDS.values() if name in rows.columns]
    orders = [pl.coalesce(family) for family in _families(kinds)]
    highest = rows.lazy().with_columns(
        pl.when(_any(order == order.filter(flag).max().over("profile") for order in orders))
        .then(flag)
        .alias(flag)
        for flag in flags
    )
    return (
        highest.filter(_any(map(pl.col, flags)))
        .group_by("slice", "profile", *kinds)
        .agg(pl.col(flag).drop_nulls().first() for flag in flags)
        .select("slice", "profile", *kinds, *flags)
        .sort("slice", "profile")
        .collect()
    )


def _families(kinds: Sequence[str]) -> list[list[str]]:
    """Part the kinds into those whose orders compare with each other."""
    numbers = [kind for kind in kinds if kind in _NUMBERS]
    others = [[kind] for kind in kinds if kind not in _NUMBERS]
    return [numbers, *others] if numbers else others


def _any(conditions: Iterable[pl.Expr]) -> pl.Expr:
    every = [condition.fill_null(value=False) for condition in conditions]
    return pl.any_horizontal(pl.lit(value=False), *every)


def _for(field: str) -> str:
    return _FOR + table_column(field)
