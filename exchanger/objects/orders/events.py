"""Ecommerce events: what each needs, and how it is spelled (braze-api.md 2.12)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from exchanger.braze.objects import CURRENCIES
from exchanger.braze.orders import (
    ACTIONS,
    ALERTS,
    CART,
    CHANGES,
    EVENTS,
    LINE_PARTS,
    ORDER_IDS,
    ORDER_PARTS,
    PREFIX,
    VIEW,
    Part,
)
from exchanger.config.models import METADATA, PRODUCT, SUM
from exchanger.objects.events import time_faults
from exchanger.objects.parts import Fault, object_of
from exchanger.profiles.frames.columns import ROW_ID
from exchanger.profiles.spelling.json_values import fragment, json_string

if TYPE_CHECKING:
    from datetime import datetime

    from exchanger.profiles.frames.rules import Rule

_AMOUNTS = ("total", "subtotal", "tax", "shipping", "total_discounts", "product.price")
_EVENT = pl.col("event")


@dataclass(frozen=True)
class OrderOptions:
    """
    What holds for all orders of a run.

    Args:
        rules: The parts of an order.
        endpoint: What outboxes call the endpoint.
        create_missing: Profiles that Braze does not have are created.
        id_column: Where the ids of orders stand.
        match_column: Where their profiles stand.
    """

    rules: Sequence[Rule]
    endpoint: str
    create_missing: bool
    id_column: str
    match_column: str


def is_of_line(name: str) -> bool:
    """Return whether a part of an order is said of each of its lines, rather than once."""
    return name.startswith(PRODUCT)


def is_summed(name: str) -> bool:
    """Return whether lines add up to a part of an order."""
    return name.endswith(SUM) and name.removesuffix(SUM) in ORDER_PARTS


def order_faults(rules: Sequence[Rule], now: datetime) -> list[Fault]:
    """Name what makes Braze drop an ecommerce event, as far as one line shows it."""
    by_name = {rule.name: rule for rule in rules}
    faults = [
        Fault("event", "not_an_order_event", ~_among(_EVENT, EVENTS).fill_null(value=False)),
        *time_faults(now),
        *_missing(by_name),
        Fault("currency", "not_a_currency", ~pl.col("currency").is_in([*CURRENCIES])),
    ]
    faults += [
        Fault(name, "negative_amount", (pl.col(name) < 0) & _is_said(name))
        for name in _AMOUNTS
        if name in by_name
    ]
    if "product.quantity" in by_name:
        faults.append(Fault("product.quantity", "negative_pieces", pl.col("product.quantity") < 0))
    if "action" in by_name:
        faults.append(Fault("action", "not_an_action", ~_among(pl.col("action"), ACTIONS)))
    if "product.type" in by_name:
        alerts = [f'"{alert}"' for alert in ALERTS]
        known = pl.col("product.type").list.eval(pl.element().is_in(alerts)).list.all()
        faults.append(Fault("product.type", "not_an_alert", ~known))
    if "discounts" in by_name:
        listed = pl.col("discounts").str.starts_with("[")
        faults.append(Fault("discounts", "not_a_list", ~listed))
    return faults


def _missing(by_name: Mapping[str, Rule]) -> Iterator[Fault]:
    """Yield what finds a part that Braze needs and a line lacks."""
    for name, part in {**ORDER_PARTS, **LINE_PARTS}.items():
        rule = by_name.get(name) or by_name.get(name + SUM)
        needed = _among(_EVENT, part.required)
        if name == "total" and "action" in by_name:
            needed &= ~((_EVENT == CART) & _among(pl.col("action"), CHANGES).fill_null(value=False))
        if rule is None:
            if part.required:
                yield Fault(name, "missing_part", needed)
            continue
        yield Fault(rule.name, "missing_part", needed & pl.col(rule.name).is_null())


def line_text(rules: Sequence[Rule]) -> pl.Expr:
    """Spell the line that each row is, as JSON."""
    own = object_of(rules, PRODUCT + METADATA, ',"metadata":')
    rest = [] if own is None else [own]
    return _object([*_members(LINE_PARTS, rules), *rest])


def product_members(rules: Sequence[Rule]) -> pl.Expr:
    """Spell what a view says of its product, a comma before each member."""
    members = _members(LINE_PARTS, rules)
    return pl.concat_str(pl.lit(""), *members, ignore_nulls=True)


def properties_of(rules: Sequence[Rule], lines: pl.Expr, viewed: pl.Expr) -> pl.Expr:
    """
    Spell the properties of orders.

    Args:
        rules: The parts.
        lines: The lines of an order, with commas in between.
        viewed: What ``product_members`` gave for a view.
    """
    key = _EVENT.replace_strict(
        [*ORDER_IDS], [*ORDER_IDS.values()], default=None, return_dtype=pl.String
    )
    named = pl.concat_str(pl.lit(',"'), key, pl.lit('":'), json_string(pl.col(ROW_ID)))
    is_view = _EVENT == VIEW
    products = pl.when(~is_view).then(pl.concat_str(pl.lit(',"products":['), lines, pl.lit("]")))
    own = object_of(rules, METADATA, ',"metadata":')
    rest = [] if own is None else [own]
    view = pl.when(is_view).then(viewed)
    return _object([named, *_members(ORDER_PARTS, rules), view, products, *rest])


def event_member() -> pl.Expr:
    """Spell the name of an event as Braze knows it."""
    return pl.concat_str(pl.lit(f',"name":"{PREFIX}'), _EVENT, pl.lit('"'))


def _members(parts: Mapping[str, Part], rules: Sequence[Rule]) -> list[pl.Expr]:
    """Spell the parts that there are, where their event may have them."""
    named = {rule.name.removesuffix(SUM): rule for rule in rules}
    spelled: list[pl.Expr] = []
    for name, part in parts.items():
        rule = named.get(name)
        if rule is None:
            continue
        member = pl.lit(f',"{part.key}":') + fragment(rule, pl.col(rule.name))
        spelled.append(pl.when(_among(_EVENT, part.allowed)).then(member))
    return spelled


def _is_said(name: str) -> pl.Expr:
    """Return whether a part goes into the event at all."""
    part = {**ORDER_PARTS, **LINE_PARTS}[name]
    return _among(_EVENT, part.allowed)


def _among(value: pl.Expr, chosen: Sequence[str] | frozenset[str]) -> pl.Expr:
    return value.is_in(sorted(chosen))


def _object(members: Sequence[pl.Expr]) -> pl.Expr:
    """Put members, each with a comma before it, into an object; nulls are left out."""
    listed = pl.concat_str(pl.lit(""), *members, ignore_nulls=True).str.strip_prefix(",")
    return pl.concat_str(pl.lit("{"), listed, pl.lit("}"))
