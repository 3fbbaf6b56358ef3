"""
Held values: what we know Braze has, and how recent that knowledge is.

The table is sparse and append-only: a row fills only the columns it speaks of. Reading takes, for
each field, the newest row that speaks of it: by stamp, then observations before deliveries of the
same stamp, then by time.

A cell is null (this row says nothing), the text ``null`` (known empty), ``?`` (no longer certain),
or the canonical JSON text of the value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import polars_hash as plh

from exchanger.files.names import table_column
from exchanger.profiles.columns import EXISTS, PROFILE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from exchanger.outside.tables import Table

SLICES = 1024
"""Values of the column ``slice``: a stable hash of the profile, by which rows are sorted."""

_META = ("slice", "profile", "exists", "stamp", "observed", "at")


def slice_of(profile: str) -> pl.Expr:
    """Place a profile: xxhash64 of the identifier modulo ``SLICES``, the same on every machine."""
    digest = plh.col(profile).nchash.xxhash64()
    return (digest % SLICES).cast(pl.Int32)


class HeldValues:
    """The held values of one connection."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def of(self, profiles: pl.Series, fields: Sequence[str]) -> pl.DataFrame:
        """
        Read what is held for some profiles.

        Args:
            profiles: Identifiers, String.
            fields: Attributes.

        Returns:
            One row for each profile that was ever observed or sent: ``@profile``, ``@exists`` and
            one canonical String column per field; null where the field is unknown.
        """
        rows = self._table.scan()
        if rows is None:
            schema = dict.fromkeys((PROFILE, *fields), pl.String()) | {EXISTS: pl.Boolean()}
            return pl.DataFrame(schema=schema).select(PROFILE, EXISTS, *fields)
        present = set(rows.collect_schema().names())
        wanted = [
            pl.col(table_column(name)).alias(name)
            if table_column(name) in present
            else pl.lit(None, pl.String).alias(name)
            for name in fields
        ]
        named = pl.LazyFrame({PROFILE: profiles.unique()}, schema={PROFILE: pl.String})
        return (
            rows.select(
                pl.col("profile").alias(PROFILE), "exists", "stamp", "observed", "at", *wanted
            )
            .join(named, on=PROFILE, how="semi")
            .sort("stamp", "observed", "at")
            .group_by(PROFILE)
            .agg(
                pl.col("exists").drop_nulls().last().alias(EXISTS),
                *(pl.col(name).drop_nulls().last() for name in fields),
            )
            .collect(engine="streaming")
        )

    def deliver(self, rows: pl.DataFrame, *, seq: int, at: datetime) -> None:
        """
        Record what Braze acknowledged in run *seq*; once, however often it is called.

        Args:
            rows: ``@profile``, ``@exists`` and canonical columns as *of* returns them.
            seq: The run, which is also the stamp.
            at: When the last acknowledgement came.
        """
        if rows.height:
            stamped = _stamped(rows, stamp=seq, observed=False, at=at)
            self._table.append(stamped, writer="deliveries", seq=seq)
            self._table.compact()

    def observe(self, rows: pl.DataFrame, *, stamp: int, at: datetime) -> None:
        """
        Record what Braze was seen to have.

        Args:
            rows: As for *deliver*.
            stamp: The last run whose values this observation is known to include.
            at: When it was asked for.
        """
        if rows.height:
            self._table.add(_stamped(rows, stamp=stamp, observed=True, at=at))


def _stamped(rows: pl.DataFrame, *, stamp: int, observed: bool, at: datetime) -> pl.DataFrame:
    fields = [name for name in rows.columns if name not in (PROFILE, EXISTS)]
    return (
        rows.with_columns(
            slice_of(PROFILE).alias("slice"),
            pl.col(PROFILE).alias("profile"),
            pl.col(EXISTS).alias("exists"),
            pl.lit(stamp, pl.Int64).alias("stamp"),
            pl.lit(observed, pl.Boolean).alias("observed"),
            pl.lit(at).cast(pl.Datetime("us", "UTC")).alias("at"),
        )
        .select(*_META, *(pl.col(name).alias(table_column(name)) for name in fields))
        .sort("slice", "profile")
    )
