"""Which orders are put aside as one of their lines cannot be sent, and in which words."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from exchanger.braze.orders import OFTEN, VIEW
from exchanger.objects.orders.events import OrderOptions, is_of_line, is_summed
from exchanger.profiles.frames.columns import FILE, LINE, ORDER_NAME, PROFILE, ROW, ROW_ID
from exchanger.profiles.merging.unmergeable import record_of
from exchanger.profiles.spelling.profile_key import shown
from exchanger.profiles.validation.messages import REJECTED, Place, rejections_of

WHY = "@why"
"""String: a reason, or the name of the part on which the lines of an order disagree."""
_AGAIN = "@again"


def once(terms: OrderOptions) -> list[str]:
    """Name the parts that an order has once."""
    names = [rule.name for rule in terms.rules]
    return [name for name in names if not is_of_line(name) and not is_summed(name)]


def put_aside(new: pl.DataFrame, faulty: pl.DataFrame, terms: OrderOptions) -> pl.DataFrame:
    """
    Find the orders that are not sent, as far as their single lines show it.

    Returns:
        ``@order_name`` and ``@why``: a reason, or the name of the part on which lines disagree.
    """
    why = [pl.DataFrame(schema={ORDER_NAME: pl.String, WHY: pl.String})]
    if not faulty.is_empty():
        beside = _beside(new, faulty)
        why.append(beside.select(ORDER_NAME, pl.lit("faulty_line").alias(WHY)))
    parts = [
        PROFILE,
        *(rule.name for rule in terms.rules if rule.column and rule.name in once(terms)),
    ]
    several = new.filter(pl.len().over(ORDER_NAME) > 1)
    if not several.is_empty():
        differ = several.group_by(ORDER_NAME, maintain_order=True).agg(
            *((pl.col(name).drop_nulls().n_unique() > 1).alias(name) for name in parts),
            ((pl.col("event").first() == VIEW) & (pl.col(LINE).n_unique() > 1)).alias(_AGAIN),
        )
        for name, word in [*((name, name) for name in parts), (_AGAIN, "several_views")]:
            named = differ.filter(name).select(ORDER_NAME, pl.lit(word).alias(WHY))
            why.append(named)
    return pl.concat(why).unique(ORDER_NAME, keep="first", maintain_order=True)


def _beside(new: pl.DataFrame, faulty: pl.DataFrame) -> pl.DataFrame:
    """Find the lines of orders of which another line is at fault, as far as that one says."""
    marks = faulty.select(
        ROW_ID, pl.col("event").alias("@event"), pl.col("time").alias("@time")
    ).drop_nulls(ROW_ID)
    met = new.select(ROW_ID, ORDER_NAME, "event", "time").unique()
    met = met.join(marks, on=ROW_ID, maintain_order="left")
    same_event = pl.col("event") == pl.col("@event").fill_null(pl.col("event"))
    same_time = pl.col("time") == pl.col("@time").fill_null(pl.col("time"))
    return met.filter(same_event & (same_time | ~pl.col("event").is_in(sorted(OFTEN))))


def rejected_lines(
    new: pl.DataFrame, why: pl.DataFrame, late: pl.DataFrame, terms: OrderOptions
) -> pl.DataFrame:
    """
    Put into words why lines are not sent, each with its cells.

    Args:
        new: Lines of orders that were not sent before.
        why: Orders of them that are put aside, and why.
        late: Further lines of orders that were sent.
        terms: What holds for all orders.
    """
    late = late.with_columns(pl.lit("late_line").alias(WHY))
    bad = pl.concat([new.join(why, on=ORDER_NAME, maintain_order="left"), late])
    record = record_of(bad, terms.rules, {terms.id_column: pl.col(ROW_ID)})
    kept = bad.select(FILE, ROW, pl.col(PROFILE).alias("profile"), record.alias("record"))
    said = pl.concat([pl.DataFrame(schema=REJECTED), *_worded(bad, terms)])
    return said.join(kept, on=[FILE, ROW], maintain_order="left")


def _worded(bad: pl.DataFrame, terms: OrderOptions) -> Iterator[pl.DataFrame]:
    columns = {rule.name: rule.column for rule in terms.rules} | {PROFILE: terms.match_column}
    for (why,), rows in bad.group_by(WHY, maintain_order=True):
        column = columns.get(str(why))
        if column is None:
            place, reason, value = Place("id", terms.id_column), str(why), pl.col(ROW_ID)
        else:
            named = "match" if why == PROFILE else str(why)
            place, reason, value = Place(named, column), "lines_disagree", pl.col(str(why))
            value = shown(value) if why == PROFILE else value
        cells = rows.select(FILE, ROW, value.alias("value"), pl.lit(reason).alias("reason"))
        yield rejections_of(cells, place)
