"""
A file that comes late does not undo what a newer row has set: order beyond a single run.

Only for jobs with ``order_by``; others read and keep nothing of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from exchanger.profiles.columns import FILE, ORDER, ORDERED, PROFILE, wanted
from exchanger.profiles.ordering import (
    GIVING_WAY,
    Silenced,
    news,
    orders_of,
    overtaken,
    silenced,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchanger.jobs.call import ImportCall
    from exchanger.jobs.reading import Reading
    from exchanger.profiles.rules import Rule

ORDERS_SCHEMA = {PROFILE: pl.String(), ORDER: pl.String()}
_NAMED = 4
"""Fields that a note names."""


@dataclass(frozen=True)
class RowsInOrder:
    """
    The rows of a run that no earlier run has overtaken.

    Args:
        given: The given frame.
        applied: The orders that earlier runs applied to its profiles; None without ``order_by``.
    """

    given: pl.DataFrame
    applied: pl.DataFrame | None = None

    def orders(
        self, rules: Sequence[Rule], chosen: pl.DataFrame, sent: pl.DataFrame
    ) -> pl.DataFrame:
        """
        Tell how far the run takes the order, once Braze has accepted it.

        Args:
            rules: The fields.
            chosen: The profiles that can be merged, and that Braze is not known to lack.
            sent: The profiles that get an object. Of these everything is told, so that what Braze
                refuses can be given again in its order; of others what is new.
        """
        if self.applied is None:
            return pl.DataFrame(schema=ORDERS_SCHEMA)
        rows = self.given.join(chosen, on=PROFILE, how="semi", maintain_order="left")
        every = orders_of(rows, rules)
        told = every.join(sent, on=PROFILE, how="semi", maintain_order="left")
        idle = every.join(sent, on=PROFILE, how="anti", maintain_order="left")
        return pl.concat([told, news(idle, self.applied)])


def rows_in_order(call: ImportCall, reading: Reading, rules: Sequence[Rule]) -> RowsInOrder:
    """
    Take out of the rows of a run what is older than what earlier runs applied.

    Args:
        call: The job; nothing is written.
        reading: Rows that have nothing left to say are counted here, and noted.
        rules: The fields.
    """
    given = reading.given()
    if ORDER not in given.columns:
        return RowsInOrder(given)
    applied = applied_orders(call, given, rules)
    left = silenced(given, overtaken(given, applied, rules))
    reading.superseded += left.gone.height
    reading.notes += _notes(call, reading, left)
    return RowsInOrder(left.rows, applied)


def applied_orders(call: ImportCall, given: pl.DataFrame, rules: Sequence[Rule]) -> pl.DataFrame:
    """Read the orders that earlier runs of a job applied to the profiles of some rows."""
    column = call.job.source.order_by or ""
    fields = [rule.name for rule in rules if rule.merge in GIVING_WAY]
    orders = call.state.orders.by(call.name, column)
    return orders.of(given[PROFILE], fields, given[ORDER].dtype)


def without_unaccepted(orders: pl.DataFrame, answered: pl.DataFrame) -> pl.DataFrame:
    """
    Leave out of the orders of a run what Braze has not accepted.

    A field that did not change needs no answer: Braze has had its value before.

    Args:
        orders: As planned.
        answered: The outbox with ``outcome``; null where there is none.
    """
    flags = [name for name in orders.columns if name.startswith(ORDERED)]
    changed = [wanted(flag.removeprefix(ORDERED)) for flag in flags]
    failed = answered.filter(pl.col("outcome").ne_missing("ok")).select(PROFILE, *changed)
    beside = orders.join(failed, on=PROFILE, how="left", maintain_order="left")
    kept = beside.with_columns(
        pl.when(pl.col(change).is_null()).then(flag).alias(flag)
        for flag, change in zip(flags, changed, strict=True)
    )
    return kept.filter(pl.any_horizontal(pl.lit(value=False), *flags)).select(orders.columns)


def _notes(call: ImportCall, reading: Reading, left: Silenced) -> list[str]:
    """Say for each file how many of its rows came late, and for which fields."""
    fields = left.overtaken.columns[2:]
    counts = left.overtaken.group_by(FILE).agg(
        pl.len().alias("@rows"), *(pl.col(name).any() for name in fields)
    )
    return [
        f"{reading.files[row[FILE]].key}: {row['@rows']:,} rows are older by "
        f"{call.job.source.order_by!r} than rows that were applied before. What they say of "
        f"{_listed([name for name in fields if row[name]])} was left out."
        for row in counts.sort(FILE).iter_rows(named=True)
    ]


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    return f"{shown} and {len(names) - _NAMED} more" if len(names) > _NAMED else shown
