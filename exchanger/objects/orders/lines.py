"""
What becomes of rows that are lines of orders: one event for each order, or none of it.

Frames in, frames out; all lines of an order are in one part, whoever they name. An order is named
by its event and id, and where that happens to one thing several times by its time as well. A line
is named by what it says of its product: of equal lines in one file each counts, and those of
another file are the same again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from exchanger.braze.objects import LONGEST_PROPERTIES
from exchanger.braze.orders import OFTEN
from exchanger.objects.orders.aside import WHY, once, put_aside, rejected_lines
from exchanger.objects.orders.events import (
    OrderOptions,
    event_member,
    is_summed,
    line_text,
    product_members,
    properties_of,
)
from exchanger.objects.rows import in_file_order, numbered
from exchanger.profiles.frames.columns import (
    ENDPOINT,
    FAULTY,
    FILE,
    ITEM,
    LINE,
    LINES,
    OBJECT,
    ORDER_NAME,
    POINTS,
    PROFILE,
    ROW,
    ROW_ID,
    ROWS,
)
from exchanger.profiles.frames.filled import filled
from exchanger.profiles.planning.part import PartPlan, Tally
from exchanger.profiles.planning.payloads import creation
from exchanger.profiles.spelling.json_values import fragment
from exchanger.profiles.spelling.profile_key import are_external_ids, identifier_member

if TYPE_CHECKING:
    from exchanger.braze.endpoints import Endpoint
    from exchanger.config.models import OnUnknown
    from exchanger.objects.rows import RowsInput
    from exchanger.profiles.frames.rules import Rule

_BETWEEN = "\x1f"
"""Stands between the name of an order and that of its line."""
_BELOW = "\n"
"""Stands between the names of lines, which are JSON and have none."""
_NAMED_BY = ("product.id", "product.variant", "product.quantity", "product.price")
"""What tells a line from another one of its order."""
_TEXT, _VIEWED, _PROPERTIES = "@text", "@viewed", "@properties"

_OUTBOX = {
    ITEM: pl.UInt32,
    PROFILE: pl.String,
    ENDPOINT: pl.String,
    OBJECT: pl.String,
    POINTS: pl.UInt32,
    FILE: pl.UInt32,
    ROW: pl.UInt32,
    ROWS: pl.UInt32,
    ROW_ID: pl.String,
    LINES: pl.String,
}


@dataclass(frozen=True)
class Lines:
    """
    Rows are lines of orders, each of which is one object.

    Args:
        endpoints: Where it is sent, by what happens to objects in doubt.
    """

    endpoints: Mapping[OnUnknown, Endpoint]


def named_lines(given: pl.DataFrame, rules: Sequence[Rule]) -> pl.DataFrame:
    """
    Name each line and its order for good.

    Args:
        given: Typed rows, and rejected ones beside them, with ``@faulty``.
        rules: The parts of an order.

    Returns:
        The rows in order, with ``@order_name`` and ``@line``; null where a row is rejected.
    """
    if FAULTY not in given.columns:
        given = given.with_columns(pl.lit(value=False).alias(FAULTY))
    if given.is_empty():
        # There are no rules either where nothing was read.
        return given.with_columns(pl.lit("").alias(name) for name in (ORDER_NAME, LINE))
    by_name = {rule.name: rule for rule in rules}
    time = fragment(by_name["time"], pl.col("time")).str.strip_chars('"')
    often = pl.when(pl.col("event").is_in(sorted(OFTEN))).then(pl.lit(":") + time)
    name = pl.concat_str("event", pl.lit(":"), ROW_ID) + often.fill_null("")
    said = pl.concat_str(
        *(fragment(by_name[part], pl.col(part)) for part in _NAMED_BY if part in by_name),
        separator=",",
        ignore_nulls=True,
    )
    rows = in_file_order(given.with_columns(pl.col(FAULTY).fill_null(value=False)))
    fine = ~pl.col(FAULTY)
    rows = rows.with_columns(pl.when(fine).then(name).alias(ORDER_NAME), said.alias(LINE))
    again = pl.int_range(pl.len()).over(FILE, ORDER_NAME, LINE)
    number = pl.when(again > 0).then(filled("#{}", again + 1)).otherwise(pl.lit(""))
    return rows.with_columns(pl.concat_str(ORDER_NAME, pl.lit(_BETWEEN), LINE, number).alias(LINE))


def names_of(lines: pl.DataFrame) -> pl.Series:
    """Return the names of orders and of their lines, by which a ledger knows them."""
    orders = lines[ORDER_NAME].drop_nulls().unique()
    return pl.concat([orders.alias(ROW_ID), lines[LINE].drop_nulls().alias(ROW_ID)])


def lines_of(orders: pl.DataFrame) -> pl.DataFrame:
    """Return a row for each line that orders were sent with, named by its ``@row_id``."""
    each = orders.with_columns(pl.col(LINES).str.split(_BELOW)).explode(LINES).drop_nulls(LINES)
    return each.with_columns(pl.concat_str(ROW_ID, pl.lit(_BETWEEN), LINES).alias(ROW_ID))


def plan_orders(part: RowsInput, terms: OrderOptions) -> PartPlan:
    """
    Decide which orders are sent, and spell them.

    Args:
        part: *given* as ``named_lines`` returns it; *taken* names orders and lines.
        terms: What holds for all orders.
    """
    rows = part.given
    lines, faulty = rows.filter(~pl.col(FAULTY)), rows.filter(FAULTY)
    if lines.is_empty():
        nothing = numbered(pl.DataFrame(schema=_OUTBOX), part.ready)
        return PartPlan(nothing, None, None, Tally(rows_repeated=part.repeated))
    taken = part.taken.implode()
    was_sent = pl.col(ORDER_NAME).is_in(taken)
    met, new = lines.filter(was_sent), lines.filter(~was_sent)
    late = met.filter(~pl.col(LINE).is_in(taken))
    aside = put_aside(new, faulty, terms)
    # In which order they were looked at says nothing of which line was first.
    fit = _without(new, aside).unique(LINE, keep="first", maintain_order=True)
    orders = _orders(fit, terms)
    unfit = _unfit(orders, terms)
    sent = orders.join(unfit, on=ORDER_NAME, how="anti", maintain_order="left")
    rejected = rejected_lines(new, pl.concat([aside, unfit]), late, terms)
    applied = int(sent[ROWS].sum())
    return PartPlan(
        outbox=numbered(spelled_orders(sent, terms), part.ready),
        contributions=None,
        rejected=rejected,
        tally=Tally(
            rows_rejected=rejected.height,
            rows_repeated=lines.height - applied - rejected.height + part.repeated,
        ),
    )


def _without(lines: pl.DataFrame, aside: pl.DataFrame) -> pl.DataFrame:
    return lines.join(aside, on=ORDER_NAME, how="anti", maintain_order="left")


def _orders(lines: pl.DataFrame, terms: OrderOptions) -> pl.DataFrame:
    """Bring the lines of each order into one row."""
    lines = lines.with_columns(
        line_text(terms.rules).alias(_TEXT), product_members(terms.rules).alias(_VIEWED)
    )
    sums = [rule.name for rule in terms.rules if is_summed(rule.name)]
    name = pl.col(LINE).str.split(_BETWEEN).list.last()
    orders = lines.group_by(ORDER_NAME, maintain_order=True).agg(
        pl.col(PROFILE, ROW_ID, FILE, ROW, _VIEWED).first(),
        *(pl.col(each).drop_nulls().first() for each in once(terms)),
        *(
            pl.when(pl.col(each).count() > 0).then(pl.col(each).cast(pl.Int128).sum()).alias(each)
            for each in sums
        ),
        pl.col(_TEXT).str.join(","),
        name.str.join(_BELOW).alias(LINES),
        pl.len().cast(pl.UInt32).alias(ROWS),
    )
    spelled = properties_of(terms.rules, pl.col(_TEXT), pl.col(_VIEWED))
    return orders.with_columns(spelled.alias(_PROPERTIES))


def _unfit(orders: pl.DataFrame, terms: OrderOptions) -> pl.DataFrame:
    """Find the orders that Braze would not take as a whole, as ``put_aside`` does."""
    sums = [pl.col(rule.name) < 0 for rule in terms.rules if is_summed(rule.name)]
    negative = pl.any_horizontal(pl.lit(value=False), *sums).fill_null(value=False)
    large = pl.col(_PROPERTIES).str.len_bytes() > LONGEST_PROPERTIES
    why = (
        pl.when(negative).then(pl.lit("negative_total")).when(large).then(pl.lit("order_too_large"))
    )
    return orders.select(ORDER_NAME, why.alias(WHY)).drop_nulls(WHY)


def spelled_orders(orders: pl.DataFrame, terms: OrderOptions) -> pl.DataFrame:
    """Spell each order as one event, in the shape of an outbox, with ``@row_id`` and ``@lines``."""
    keys = orders[PROFILE]
    plain = are_external_ids(keys)
    time = next(rule for rule in terms.rules if rule.name == "time")
    rendered = pl.concat_str(
        pl.lit("{"),
        identifier_member(keys, plain=plain),
        *creation(update_only=not terms.create_missing, plain=plain),
        event_member(),
        pl.lit(',"time":') + fragment(time, pl.col("time")),
        pl.lit(',"properties":') + pl.col(_PROPERTIES),
        pl.lit("}"),
        ignore_nulls=True,
    )
    return orders.select(
        pl.lit(None, pl.UInt32).alias(ITEM),
        PROFILE,
        pl.lit(terms.endpoint).alias(ENDPOINT),
        rendered.alias(OBJECT),
        pl.lit(0, pl.UInt32).alias(POINTS),
        FILE,
        ROW,
        ROWS,
        pl.col(ORDER_NAME).alias(ROW_ID),
        LINES,
    ).cast(pl.Schema(_OUTBOX))
