"""The six ecommerce recommended events: their schemas and effects (braze-api.md 2.12)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from exchanger.sandbox.attributes.nested import MAX_TEXT
from exchanger.sandbox.identity.profiles import Profile
from exchanger.sandbox.identity.shop import Shop
from exchanger.sandbox.json_text import is_number, render
from exchanger.sandbox.refusals import BAD_CURRENCY, Refusal
from exchanger.sandbox.settings import SandboxSettings
from exchanger.sandbox.tracking.currencies import in_usd, is_currency

PREFIX = "ecommerce."
MAX_BYTES = 102_400
ACTIONS = ("add", "remove", "replace")
_TYPES = frozenset({"price_drop", "back_in_stock"})


@dataclass(frozen=True)
class EcommerceRefusal(Refusal):
    """A fault of the schema: the event is dropped, while the request may still succeed."""


@dataclass(frozen=True)
class _Kind:
    """What a property must be: its type in words, how to see it, and which values it may have."""

    words: str
    fits: Callable[[Any], bool]
    problem: Callable[[Any], str | None] = lambda _: None


def _text_problem(value: Any) -> str | None:
    return None if value.strip() and len(value) <= MAX_TEXT else "must be 1 to 255 characters"


def _amount_problem(value: Any) -> str | None:
    return None if value >= 0 else "must not be negative"


def _types_problem(value: Any) -> str | None:
    known = all(isinstance(one, str) and one in _TYPES for one in value)
    return None if known else "must hold price_drop and back_in_stock only"


_TEXT = _Kind("a string", lambda value: isinstance(value, str), _text_problem)
_AMOUNT = _Kind("a number", is_number, _amount_problem)
_COUNT = _Kind("an integer", lambda value: type(value) is int, _amount_problem)
_LIST = _Kind("an array", lambda value: isinstance(value, list))
_LINES = _Kind(
    "an array",
    lambda value: isinstance(value, list),
    lambda value: None if value else "must not be empty",
)
_STOCK = _Kind("an array", lambda value: isinstance(value, list), _types_problem)
_OBJECT = _Kind("an object", lambda value: isinstance(value, dict))
_ACTION = _Kind(
    "a string",
    lambda value: isinstance(value, str),
    lambda value: None if value in ACTIONS else "must be add, remove or replace",
)

_LINE_REQUIRED = {
    "product_id": _TEXT, "product_name": _TEXT, "variant_id": _TEXT, "quantity": _COUNT,
    "price": _AMOUNT,
}  # fmt: skip
_LINE_ALLOWED = {"image_url": _TEXT, "product_url": _TEXT, "metadata": _OBJECT}
_ALWAYS = {"currency": _TEXT, "source": _TEXT}
_TOTAL = {"total_value": _AMOUNT}
_PRODUCTS = {"products": _LINES}
_PARTS = {"subtotal_value": _AMOUNT, "tax": _AMOUNT, "shipping": _AMOUNT}
_DISCOUNTS = {"total_discounts": _AMOUNT, "discounts": _LIST}
_METADATA = {"metadata": _OBJECT}
_PRODUCT = {"product_id": _TEXT, "product_name": _TEXT, "variant_id": _TEXT, "price": _AMOUNT}
_ORDER = {"order_id": _TEXT} | _TOTAL | _PRODUCTS | _ALWAYS

Schema = tuple[Mapping[str, _Kind], Mapping[str, _Kind]]
"""The properties that are required, and those that are allowed."""

SCHEMAS: Mapping[str, Schema] = {
    PREFIX + "product_viewed": (
        _PRODUCT | _ALWAYS,
        {"image_url": _TEXT, "product_url": _TEXT, "type": _STOCK} | _METADATA,
    ),
    PREFIX + "cart_updated": (
        {"cart_id": _TEXT} | _TOTAL | _PRODUCTS | _ALWAYS,
        {"action": _ACTION} | _PARTS | _METADATA,
    ),
    PREFIX + "checkout_started": (
        {"checkout_id": _TEXT} | _TOTAL | _PRODUCTS | _ALWAYS,
        {"cart_id": _TEXT} | _PARTS | _METADATA,
    ),
    PREFIX + "order_placed": (_ORDER, {"cart_id": _TEXT} | _PARTS | _DISCOUNTS | _METADATA),
    PREFIX + "order_cancelled": (
        _ORDER | {"cancel_reason": _TEXT},
        _PARTS | _DISCOUNTS | _METADATA,
    ),
    PREFIX + "order_refunded": (_ORDER, _DISCOUNTS | _METADATA),
}
"""By the exact name of the event."""


def refuse(given: dict[str, Any]) -> Refusal | None:
    """Return the first fault of an event: unknown key, missing, type, value, line items."""
    properties = given.get("properties")
    if not isinstance(properties, dict):
        properties = {}
    required, allowed = SCHEMAS[given["name"]]
    if properties.get("action") in ("add", "remove") and "cart_id" in required:
        required = {name: kind for name, kind in required.items() if name != "total_value"}
        allowed = {**allowed, **_TOTAL}
    fault = next(_faults(properties, required, allowed), None)
    if fault is None and not is_currency(properties["currency"]):
        fault = BAD_CURRENCY.sentence
    if fault is None:
        fault = next(_faults_of_lines(properties.get("products", ())), None)
    if fault is None and len(render(properties)) > MAX_BYTES:
        fault = "Invalid 'properties' field"
    return None if fault is None else EcommerceRefusal(fault, fault)


def _faults(
    given: dict[str, Any],
    required: Mapping[str, _Kind],
    allowed: Mapping[str, _Kind],
    place: str = "",
) -> Iterator[str]:
    kinds = {**required, **allowed}
    yield from (f"'{place}{name}' is not allowed" for name in given if name not in kinds)
    yield from (f"'{place}{name}' is required" for name in required if name not in given)
    for name, value in given.items():
        if not kinds[name].fits(value):
            yield f"'{place}{name}' must be {kinds[name].words}"
    for name, value in given.items():
        if problem := kinds[name].problem(value):
            yield f"'{place}{name}' {problem}"


def _faults_of_lines(lines: Any) -> Iterator[str]:
    for number, line in enumerate(lines):
        place = f"products[{number}]"
        if isinstance(line, dict):
            yield from _faults(line, _LINE_REQUIRED, _LINE_ALLOWED, f"{place}.")
        else:
            yield f"'{place}' must be an object"


def record(profile: Profile, given: dict[str, Any], settings: SandboxSettings, now: float) -> None:
    """Let a valid event act on revenue, orders, refunds and carts."""
    name, properties = given["name"].removeprefix(PREFIX), given["properties"]
    if name in ("product_viewed", "checkout_started"):
        return
    shop = profile.shop = profile.shop or Shop()
    if name == "cart_updated":
        cart, action = shop.cart(properties["cart_id"], now), properties.get("action", "replace")
        if action == "replace":
            cart.replace(properties["products"])
        else:
            cart.add(properties["products"], 1 if action == "add" else -1)
        return
    order, value = properties["order_id"], properties["total_value"]
    usd = in_usd(value, properties["currency"], settings.usd_rates)
    if name == "order_cancelled":
        shop.orders -= 1
    elif name == "order_refunded":
        profile.revenue -= usd
        shop.refunds += usd
    elif order not in shop.placed or settings.repeated_order == "counts":
        profile.revenue += usd
        shop.orders += 1
        shop.placed.add(order)
