"""
Held values: what we know Braze has, and how recent that knowledge is.

The table is sparse: a row fills only the columns it speaks of. Reading takes, for each field, the
newest row that speaks of it: by stamp, then observations before deliveries of the same stamp, then
by time. Rows are only appended, until folding makes one of all that a profile has.

A cell is null (this row says nothing), the text ``null`` (known empty), ``?`` (no longer certain),
or the canonical JSON text of the value.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import polars as pl

from exchanger.files.names import field_of
from exchanger.outside.tables import MANY_FILES
from exchanger.profiles.columns import EXISTS, PROFILE
from exchanger.state.held_rows import (
    SLICES,
    columns_for,
    folded,
    held_column,
    newest,
    newest_of_each,
    newest_time,
    stamped,
    time_alone,
    value_alone,
    value_columns,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from datetime import datetime

    from exchanger.outside.tables import Table

MANY_ROWS = 2_000_000
"""So many rows since the last folding, and as many as it left, are worth another one."""
ROWS_AT_ONCE = 2_000_000
"""About how many rows folding has in memory."""

_FOLDED = "folded"


class HeldValues:
    """
    The held values of one connection.

    Args:
        table: Where they are kept.
        rows_at_once: About how many rows folding may have in memory.
    """

    def __init__(self, table: Table, *, rows_at_once: int = ROWS_AT_ONCE) -> None:
        self._table = table
        self._rows_at_once = rows_at_once

    def of(
        self,
        profiles: pl.Series,
        fields: Sequence[str],
        *,
        since: datetime | None = None,
        fresh: Collection[str] = (),
    ) -> pl.DataFrame:
        """
        Read what is held for some profiles.

        Args:
            profiles: Identifiers, String.
            fields: Attributes.
            since: What was learnt before is given as unknown, if it is about a field in *fresh* or
                says that there is no such profile; None: nothing is too old.
            fresh: Some of *fields*.

        Returns:
            One row for each profile that was ever observed or sent: ``@profile``, ``@exists`` and
            one canonical String column per field; null where the field is unknown.
        """
        rows = self._table.scan()
        if rows is None:
            schema = dict.fromkeys((PROFILE, *fields), pl.String()) | {EXISTS: pl.Boolean()}
            return pl.DataFrame(schema=schema).select(PROFILE, EXISTS, *fields)
        present = rows.collect_schema().names()
        columns = {EXISTS: "exists"} | {name: held_column(name) for name in fields}
        known = {name: column for name, column in columns.items() if column in present}
        dated = {} if since is None else {n: c for n, c in known.items() if n in (EXISTS, *fresh)}
        named = pl.LazyFrame({"profile": profiles.unique()}, schema={"profile": pl.String})
        wanted = {name: (newest(column), value_alone(column)) for name, column in known.items()}
        wanted |= {
            _time(name): (newest_time(column, present), time_alone(column, present))
            for name, column in dated.items()
        }
        named_rows = rows.join(named, on="profile", how="semi")
        found = self._table.collect(columns_for(named_rows, wanted), streaming=True)
        return (
            newest_of_each(found, wanted)
            .with_columns(_unless_too_old(name, since) for name in dated)
            .select(
                pl.col(name) if name in (PROFILE, *known) else pl.lit(None, pl.String).alias(name)
                for name in (PROFILE, EXISTS, *fields)
            )
        )

    def fields(self) -> list[str]:
        """List the attributes that anything was ever known of, sorted."""
        rows = self._table.scan()
        columns = [] if rows is None else rows.collect_schema().names()
        return sorted(map(field_of, value_columns(columns)))

    def deliver(self, rows: pl.DataFrame, *, seq: int, at: datetime) -> None:
        """
        Record what Braze acknowledged in run *seq*; once, however often it is called.

        Args:
            rows: ``@profile``, ``@exists`` and canonical columns as *of* returns them.
            seq: The run, which is also the stamp.
            at: When the last acknowledgement came.
        """
        if rows.height:
            new = stamped(rows, stamp=seq, observed=False, at=at)
            self._table.append(new, writer="deliveries", seq=seq)

    def observe(self, rows: pl.DataFrame, *, stamp: int, at: datetime) -> None:
        """
        Record what Braze was seen to have.

        Args:
            rows: As for *deliver*.
            stamp: The last run whose values this observation is known to include.
            at: When it was asked for.
        """
        if rows.height:
            self._table.add(stamped(rows, stamp=stamp, observed=True, at=at))

    def observe_all(self, frames: Iterator[pl.DataFrame], *, stamp: int, at: datetime) -> None:
        """Record many frames as *observe* does one, with one of them in memory at a time."""
        self._table.add_all(stamped(frame, stamp=stamp, observed=True, at=at) for frame in frames)

    def tidy(self, go_on: Callable[[], None]) -> None:
        """
        Fold the table once it holds many more rows than it must, and join its small files.

        Folding costs as much as the table is large, so it waits until as many rows came as the last
        one left: on average a run pays for its own rows.

        Args:
            go_on: Asked before every step; what it raises leaves the table as it is.
        """
        size = self._table.size()
        left = self._table.noted(_FOLDED)
        new = size.rows - left
        if new >= left and (new >= MANY_ROWS or size.files > MANY_FILES):
            self.fold(go_on)
        else:
            self._table.compact()

    def fold(self, go_on: Callable[[], None]) -> bool:
        """
        Make one row of all that a profile has, for every profile; readers notice nothing.

        Memory is bounded: a range of slices is folded at a time.

        Args:
            go_on: As for *tidy*.

        Returns:
            Whether it was done; False if another process wrote to the table meanwhile.
        """
        shares = self._table.size().rows // self._rows_at_once + 1
        bounds = [SLICES * share // shares for share in range(shares + 1)]

        def made(rows: pl.LazyFrame) -> Iterator[pl.DataFrame]:
            for first, end in pairwise(bounds):
                go_on()
                share = rows.filter(pl.col("slice").is_between(first, end, closed="left"))
                yield self._table.collect(folded(share), streaming=True)

        done = self._table.rewrite(made)
        if done:
            self._table.note(_FOLDED, self._table.size().rows)
        return done


def _time(name: str) -> str:
    return f"@time:{name}"


def _unless_too_old(name: str, since: datetime | None) -> pl.Expr:
    """Forget a value, or that a profile is absent, if it was learnt too long ago."""
    value = pl.col(name)
    stays = pl.col(_time(name)) >= since
    return pl.when(stays | value if name == EXISTS else stays).then(value).alias(name)
