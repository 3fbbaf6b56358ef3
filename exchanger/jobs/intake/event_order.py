"""
A file that comes late does not undo what a newer row has set: order beyond a single run.

Only for jobs with ``order_by``; others read and keep nothing of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from exchanger.jobs.runtime.one_moment import demand_order_of_now
from exchanger.notes import Note, noted
from exchanger.profiles.frames.columns import FILE, ORDER, ORDERED, PROFILE, wanted
from exchanger.profiles.merging.event_order import GIVING_WAY, overtaken, silenced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchanger.files.scratch.spill import Scratch, Spill
    from exchanger.jobs.intake.batch import InputBatch
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.profiles.frames.rules import Rule

ORDERS_SCHEMA = {PROFILE: pl.String(), ORDER: pl.String()}


class ReachedOrders:
    """The orders that earlier runs applied to the profiles of a run, part by part."""

    def __init__(self) -> None:
        self._parts: dict[int, Spill] = {}

    def add(self, number: int, orders: pl.DataFrame, scratch: Scratch) -> None:
        """Keep those of a part."""
        self._parts[number] = scratch.spill()
        self._parts[number].add(orders)

    def of(self, number: int) -> pl.DataFrame | None:
        """Return those of a part; None without ``order_by``."""
        return pl.concat(self._parts[number].frames()) if number in self._parts else None


def leave_out_late_rows(
    call: ImportContext, batch: InputBatch, rules: Sequence[Rule]
) -> tuple[InputBatch, ReachedOrders]:
    """
    Take out of the rows of a run what is older than what earlier runs applied.

    Args:
        call: The job; nothing is written.
        batch: Its rows are replaced, a part after the other.
        rules: The fields.

    Returns:
        The batch, with rows that have nothing left to say counted and noted; the orders.
    """
    found = ReachedOrders()
    if ORDER not in batch.given.schema:
        return batch, found
    late: list[pl.DataFrame] = []
    gone = 0
    for number in range(len(batch.given)):
        call.context.go_on()
        given = batch.given.part(number)
        applied = applied_orders(call, given, rules)
        left = silenced(given, overtaken(given, applied, rules))
        batch.given.replace(number, left.rows)
        gone += left.gone.height
        found.add(number, applied, batch.scratch)
        fields = left.overtaken.columns[2:]
        late.append(
            left.overtaken.group_by(FILE).agg(
                pl.len().alias("@rows"), *(pl.col(name).any() for name in fields)
            )
        )
    # Each part names the fields of its own late rows alone.
    notes = (*batch.notes, *_notes(call, batch, pl.concat(late, how="diagonal")))
    return replace(batch, superseded=batch.superseded + gone, notes=notes), found


def applied_orders(call: ImportContext, given: pl.DataFrame, rules: Sequence[Rule]) -> pl.DataFrame:
    """
    Read the orders that earlier runs of a job applied to the profiles of some rows.

    Raises:
        TableOlder: They are of an earlier moment.
    """
    column = call.job.source.order_by or ""
    fields = [rule.name for rule in rules if rule.merge in GIVING_WAY]
    orders = call.state.high_water_marks.by(call.name, column)
    applied = orders.of(given[PROFILE], fields, given[ORDER].dtype)
    demand_order_of_now(call.state, call.name, column, orders)
    return applied


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
    # What was to change of somebody may have been sent in several objects.
    failed = failed.group_by(PROFILE).agg(pl.all().drop_nulls().first())
    beside = orders.join(failed, on=PROFILE, how="left", maintain_order="left")
    kept = beside.with_columns(
        pl.when(pl.col(change).is_null()).then(flag).alias(flag)
        for flag, change in zip(flags, changed, strict=True)
    )
    return kept.filter(pl.any_horizontal(pl.lit(value=False), *flags)).select(orders.columns)


def _notes(call: ImportContext, batch: InputBatch, late: pl.DataFrame) -> list[Note]:
    """Note for each file how many of its rows came late, and for which fields."""
    fields = late.columns[2:]
    counts = late.group_by(FILE).agg(
        pl.col("@rows").sum(), *(pl.col(name).any() for name in fields)
    )
    return [
        noted(
            "rows_late",
            rows=row["@rows"],
            order_by=call.job.source.order_by,
            fields=[name for name in fields if row[name]],
        ).about(batch.files[row[FILE]].key)
        for row in counts.sort(FILE).iter_rows(named=True)
    ]
