"""Orders, refunds and carts of a profile, from ecommerce events (braze-api.md 2.12)."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from exchanger.sandbox.json_text import number_of

CART_LIFETIME = 30 * 24 * 3600.0
"""Seconds that a cart is kept without an update."""

Line = tuple[str, str]
"""Product and variant."""


@dataclass
class Cart:
    """
    One cart.

    Args:
        updated_at: Epoch seconds.
        lines: Its line items with absolute quantities.
    """

    updated_at: float
    lines: dict[Line, dict[str, Any]] = field(default_factory=dict)

    def replace(self, products: list[dict[str, Any]]) -> None:
        """Take the line items as the whole cart."""
        self.lines = {_line(product): dict(product) for product in products}

    def add(self, products: list[dict[str, Any]], sign: int) -> None:
        """Add the quantities, or with a negative *sign* take them away; a line at 0 goes."""
        for product in products:
            line = _line(product)
            held = self.lines.get(line, {"quantity": 0})
            quantity = held["quantity"] + sign * product["quantity"]
            if quantity > 0:
                self.lines[line] = product | {"quantity": quantity}
            else:
                self.lines.pop(line, None)


@dataclass
class Shop:
    """
    What no export shows.

    Args:
        orders: How many orders count.
        refunds: What was refunded, in USD.
        carts: By id.
        placed: Ids of the orders that were placed.
    """

    orders: int = 0
    refunds: Decimal = Decimal(0)
    carts: dict[str, Cart] = field(default_factory=dict)
    placed: set[str] = field(default_factory=set)

    def cart(self, cart_id: str, now: float) -> Cart:
        """Return a cart that is updated now, an empty one if it is new or too old."""
        cart = self.carts.get(cart_id)
        if cart is None or now >= cart.updated_at + CART_LIFETIME:
            cart = self.carts[cart_id] = Cart(now)
        cart.updated_at = now
        return cart

    def forget_carts(self, now: float) -> None:
        """Forget the carts that were not updated for 30 days."""
        self.carts = {
            name: cart for name, cart in self.carts.items() if now < cart.updated_at + CART_LIFETIME
        }

    def take_over(self, other: Shop) -> None:
        """Add what another profile had; of a cart that both have, this one's stays."""
        self.orders += other.orders
        self.refunds += other.refunds
        self.carts = other.carts | self.carts
        self.placed |= other.placed

    def inspected(self) -> dict[str, Any]:
        """Return it as JSON can carry it."""
        return {
            "orders": self.orders,
            "refund_value": number_of(self.refunds),
            "carts": {name: list(cart.lines.values()) for name, cart in self.carts.items()},
        }


def _line(product: dict[str, Any]) -> Line:
    return product["product_id"], product["variant_id"]
