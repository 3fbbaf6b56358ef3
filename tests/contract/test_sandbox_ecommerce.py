"""Ecommerce recommended events of the local Braze (braze-api.md 2.12)."""

from __future__ import annotations

from typing import Any

import pytest
from support.sandbox_calls import track

from exchanger.sandbox import Sandbox

TIME = "2026-01-02T03:04:05Z"
DAY = 24 * 3600
LINE = {"product_id": "p", "product_name": "Pen", "variant_id": "v", "quantity": 2, "price": 1.5}
CURRENCY = "'currency' must be an ISO 4217 currency"
BASE = {"currency": "USD", "source": "web"}
LINES = BASE | {"products": [LINE], "total_value": 3}
SOUND: dict[str, dict[str, Any]] = {
    "product_viewed": BASE
    | {"product_id": "p", "product_name": "Pen", "variant_id": "v", "price": 1.5},
    "cart_updated": LINES | {"cart_id": "c"},
    "checkout_started": LINES | {"checkout_id": "k"},
    "order_placed": LINES | {"order_id": "o"},
    "order_cancelled": LINES | {"order_id": "o", "cancel_reason": "late"},
    "order_refunded": LINES | {"order_id": "o"},
}


def event(name: str, **changes: Any) -> dict[str, Any]:
    """Build a sound event with some properties changed, or taken away by ``None``."""
    given = {key: value for key, value in (SOUND[name] | changes).items() if value is not None}
    return {"external_id": "a", "name": f"ecommerce.{name}", "time": TIME, "properties": given}


def faults(braze: Sandbox, given: dict[str, Any]) -> list[str]:
    status, answer = track(braze, events=[given])
    assert (201, "success") == (status, answer["message"])
    return [error["type"] for error in answer.get("errors", ())]


@pytest.mark.parametrize("name", SOUND)
def test_each_event_is_taken_and_costs_nothing(braze: Sandbox, name: str) -> None:
    """A sound event of each kind is on the profile by its full name, without a data point."""
    assert [] == faults(braze, event(name, metadata={"own": [1, {"x": "y"}]}))
    assert [f"ecommerce.{name}"] == [one["name"] for one in braze.users()["a"]["custom_events"]]
    assert (0, None) == (braze.meter, braze.users()["a"].get("purchases"))


@pytest.mark.parametrize("name", SOUND)
def test_each_required_property_is_missed(braze: Sandbox, name: str) -> None:
    """Without any one of its properties an event is dropped, and the answer names it."""
    for key in SOUND[name]:
        assert [f"'{key}' is required"] == faults(braze, event(name, **{key: None}))
    assert {} == braze.users()


@pytest.mark.parametrize(
    ("name", "changes", "sentence"),
    [
        ("order_placed", {"gift_wrapped": True}, "'gift_wrapped' is not allowed"),
        ("order_placed", {"gift_wrapped": True, "order_id": None}, "'gift_wrapped' is not allowed"),
        ("order_placed", {"total_value": "3"}, "'total_value' must be a number"),
        ("order_placed", {"total_value": True}, "'total_value' must be a number"),
        ("order_placed", {"total_value": -1}, "'total_value' must not be negative"),
        ("order_placed", {"currency": "usd"}, CURRENCY),
        ("order_placed", {"order_id": 7}, "'order_id' must be a string"),
        ("order_placed", {"order_id": " "}, "'order_id' must be 1 to 255 characters"),
        ("order_placed", {"source": "x" * 256}, "'source' must be 1 to 255 characters"),
        ("order_placed", {"products": []}, "'products' must not be empty"),
        ("order_placed", {"products": "none"}, "'products' must be an array"),
        ("order_placed", {"products": ["p"]}, "'products[0]' must be an object"),
        ("order_placed", {"products": [LINE, LINE | {"size": 3}]},
         "'products[1].size' is not allowed"),
        ("order_placed", {"products": [{k: v for k, v in LINE.items() if k != "variant_id"}]},
         "'products[0].variant_id' is required"),
        ("order_placed", {"products": [LINE | {"quantity": 1.5}]},
         "'products[0].quantity' must be an integer"),
        ("order_placed", {"products": [LINE | {"metadata": {"free": 1}}]}, None),
        ("order_placed", {"discounts": [{"code": "x"}], "total_discounts": 1, "tax": 0}, None),
        ("order_placed", {"cancel_reason": "x"}, "'cancel_reason' is not allowed"),
        ("order_refunded", {"tax": 1}, "'tax' is not allowed"),
        ("cart_updated", {"action": "empty"}, "'action' must be add, remove or replace"),
        ("cart_updated", {"action": "add", "total_value": None}, None),
        ("cart_updated", {"action": "replace", "total_value": None},
         "'total_value' is required"),
        ("product_viewed", {"type": ["price_drop"]}, None),
        ("product_viewed", {"type": ["sale"]},
         "'type' must hold price_drop and back_in_stock only"),
        ("product_viewed", {"products": [LINE]}, "'products' is not allowed"),
    ],
)  # fmt: skip
def test_schema(braze: Sandbox, name: str, changes: dict[str, Any], sentence: str | None) -> None:
    """The first fault drops the event: unknown key, missing, type, value, then line items."""
    assert ([] if sentence is None else [sentence]) == faults(braze, event(name, **changes))
    assert (sentence is None) == ("a" in braze.users())


def test_an_inexact_name_is_an_ordinary_event(braze: Sandbox) -> None:
    """It is stored, billed, and not looked at."""
    given = {"external_id": "a", "name": "ecommerce.OrderPlaced", "time": TIME}
    assert [] == faults(braze, given)
    assert {"event:ecommerce.OrderPlaced": 1} == braze.points_by_name()


@pytest.mark.parametrize(("choice", "status"), [("dropped", 201), ("refused", 400)])
def test_a_request_with_nothing_but_ecommerce_faults(
    braze: Sandbox, choice: str, status: int
) -> None:
    """It succeeds without them, or is refused like any other, as the setting says."""
    braze.change(ecommerce_faults=choice)
    answered, answer = track(braze, events=[event("order_placed", source=None)])
    assert (status, 1) == (answered, len(answer["errors"]))
    assert 400 == track(braze, events=[{"external_id": "a", "name": "", "time": TIME}])[0]


def test_orders_and_revenue(braze: Sandbox) -> None:
    """Orders count, revenue grows by their total in USD, and a refund takes its part back."""
    braze.change(usd_rates={"EUR": 1.1})
    track(braze, events=[event("order_placed", order_id="1", total_value=10, currency="EUR"),
                         event("order_placed", order_id="2", total_value=5)])  # fmt: skip
    track(braze, events=[event("order_cancelled", order_id="2", total_value=5),
                         event("order_refunded", order_id="1", total_value=0.5)])  # fmt: skip
    user = braze.users()["a"]
    assert (15.5, 1, 0.5) == (user["total_revenue"], user["orders"], user["refund_value"])


@pytest.mark.parametrize(("choice", "orders"), [("counts", 2), ("ignored", 1)])
def test_an_order_that_comes_again(braze: Sandbox, choice: str, orders: int) -> None:
    """Whether Braze knows an order again is open: it counts again, unless the setting says no."""
    braze.change(repeated_order=choice)
    track(braze, events=[event("order_placed")] * 2)
    user = braze.users()["a"]
    assert (orders, 3 * orders) == (user["orders"], user["total_revenue"])


def test_carts(braze: Sandbox) -> None:
    """A whole cart replaces; changes add and take away; a line at 0 goes; 30 days, and it goes."""
    other = LINE | {"variant_id": "w", "quantity": 1}

    def quantities() -> dict[str, int]:
        cart = braze.users()["a"]["carts"].get("c", [])
        return {line["variant_id"]: line["quantity"] for line in cart}

    track(braze, events=[event("cart_updated", products=[LINE, other])])
    assert {"v": 2, "w": 1} == quantities()
    track(braze, events=[event("cart_updated", action="add", products=[LINE], total_value=None)])
    track(braze, events=[event("cart_updated", action="remove", products=[other])])
    assert {"v": 4} == quantities()
    track(braze, events=[event("cart_updated", action="replace", products=[other])])
    assert {"w": 1} == quantities()
    braze.advance(30 * DAY)
    assert {} == quantities()
