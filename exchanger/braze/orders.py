"""What Braze demands of ecommerce recommended events (braze-api.md 2.12)."""

from __future__ import annotations

from dataclasses import dataclass

PREFIX = "ecommerce."
"""Goes before the name of each."""
VIEW = "product_viewed"
"""Is about one product, where all others have a list of them."""
CART = "cart_updated"
ORDER_IDS = {
    "cart_updated": "cart_id",
    "checkout_started": "checkout_id",
    "order_placed": "order_id",
    "order_cancelled": "order_id",
    "order_refunded": "order_id",
}
"""By which property each names what it is about; a view names nothing."""
OFTEN = frozenset({CART, "order_refunded"})
"""What happens to one thing several times: carts grow, orders are refunded in parts."""
ACTIONS = ("add", "remove", "replace")
"""What the lines of a cart do to it."""
CHANGES = ("add", "remove")
"""Of these, what needs no total."""
ALERTS = ("price_drop", "back_in_stock")
"""What ``type`` of a product may hold."""

_ORDERS = frozenset({"order_placed", "order_cancelled", "order_refunded"})
_WITH_LINES = _ORDERS | {"cart_updated", "checkout_started"}
EVENTS = _WITH_LINES | {VIEW}
"""All of them."""
_PRICED = _WITH_LINES - {"order_refunded"}
_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Part:
    """
    One property of these events, or of a line.

    Args:
        key: Its name in Braze.
        required: Events that Braze drops without it.
        optional: Events that may have it. Braze drops all others that do.
    """

    key: str
    required: frozenset[str]
    optional: frozenset[str] = _NONE

    @property
    def allowed(self) -> frozenset[str]:
        """Events that may have it."""
        return self.required | self.optional


ORDER_PARTS = {
    "currency": Part("currency", EVENTS),
    "source": Part("source", EVENTS),
    "total": Part("total_value", _WITH_LINES),
    "subtotal": Part("subtotal_value", _NONE, _PRICED),
    "tax": Part("tax", _NONE, _PRICED),
    "shipping": Part("shipping", _NONE, _PRICED),
    "total_discounts": Part("total_discounts", _NONE, _ORDERS),
    "discounts": Part("discounts", _NONE, _ORDERS),
    "cart_id": Part("cart_id", _NONE, frozenset({"checkout_started", "order_placed"})),
    "action": Part("action", _NONE, frozenset({CART})),
    "cancel_reason": Part("cancel_reason", frozenset({"order_cancelled"})),
}
"""Properties that an event has once, by what a job calls them."""
LINE_PARTS = {
    "product.id": Part("product_id", EVENTS),
    "product.name": Part("product_name", EVENTS),
    "product.variant": Part("variant_id", EVENTS),
    "product.quantity": Part("quantity", _WITH_LINES),
    "product.price": Part("price", EVENTS),
    "product.image_url": Part("image_url", _NONE, EVENTS),
    "product.product_url": Part("product_url", _NONE, EVENTS),
    "product.type": Part("type", _NONE, frozenset({VIEW})),
}
"""Properties of a line; a view has them itself."""
