"""Purchases: an object for each row (braze-api.md 2.9)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from exchanger.braze.objects import CURRENCIES, LONGEST_PURCHASE_PROPERTIES, MOST_PIECES
from exchanger.objects.events import time_faults
from exchanger.objects.parts import Fault, is_larger, members_of

if TYPE_CHECKING:
    from datetime import datetime

    from exchanger.profiles.frames.rules import Rule

_KEYS = {
    "product": "product_id",
    "currency": "currency",
    "price": "price",
    "quantity": "quantity",
    "time": "time",
}


def purchase_faults(rules: Sequence[Rule], now: datetime) -> list[Fault]:
    """Name what makes Braze refuse a purchase, or take it for another one."""
    currency = pl.col("currency")
    pieces = _pieces(rules)
    return [
        Fault("product", "no_product", pl.col("product").is_null()),
        Fault("price", "no_price", pl.col("price").is_null()),
        Fault("currency", "no_currency", currency.is_null()),
        Fault("currency", "not_a_currency", ~currency.is_in([*CURRENCIES])),
        Fault("quantity", "bad_quantity", ~pieces.is_between(1, MOST_PIECES)),
        *time_faults(now),
        Fault("properties", "too_large", is_larger(rules, LONGEST_PURCHASE_PROPERTIES)),
    ]


def purchase_members(rules: Sequence[Rule]) -> list[pl.Expr]:
    """Spell what a purchase says beside who it is about."""
    return members_of(rules, _KEYS)


def purchase_points(rules: Sequence[Rule]) -> pl.Expr:
    """Count the data points of each purchase: one for each piece (braze-api.md 13)."""
    return _pieces(rules)


def _pieces(rules: Sequence[Rule]) -> pl.Expr:
    if any(rule.name == "quantity" for rule in rules):
        return pl.col("quantity").fill_null(1)
    return pl.lit(1, pl.Int64)
