"""Event and purchase objects of a track request (braze-api.md 2.8, 2.9)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from exchanger.sandbox import refusals
from exchanger.sandbox.attributes.nested import MAX_TEXT
from exchanger.sandbox.identity.profiles import Profile, Tally
from exchanger.sandbox.json_text import is_number, render
from exchanger.sandbox.refusals import Refusal
from exchanger.sandbox.times import read_time

MAX_QUANTITY = 100
_MAX_EVENT_BYTES = 100 * 1024
_MAX_PURCHASE_BYTES = 50 * 1024
_RESERVED_PROPERTIES = frozenset({"time", "event_name"})


def refuse_event(given: dict[str, Any]) -> Refusal | None:
    """Why an event object is refused, if it is."""
    if not _is_name(given.get("name")):
        return refusals.NO_EVENT_NAME
    if _instant(given) is None:
        return refusals.BAD_TIME
    whole = _are_properties(given.get("properties"), _MAX_EVENT_BYTES)
    return None if whole else refusals.BAD_PROPERTIES


def refuse_purchase(given: dict[str, Any]) -> Refusal | None:
    """Why a purchase object is refused, if it is."""
    currency, quantity = given.get("currency"), given.get("quantity", 1)
    checks = (
        (_is_name(given.get("product_id")), refusals.NO_PRODUCT),
        (isinstance(currency, str) and len(currency) == 3, refusals.BAD_CURRENCY),
        (is_number(given.get("price")), refusals.BAD_PRICE),
        (type(quantity) is int and 1 <= quantity <= MAX_QUANTITY, refusals.BAD_QUANTITY),
        (_instant(given) is not None, refusals.BAD_TIME),
        (_are_properties(given.get("properties"), _MAX_PURCHASE_BYTES), refusals.BAD_PROPERTIES),
    )
    return next((refusal for passed, refusal in checks if not passed), None)


def record_event(profile: Profile, given: dict[str, Any], now: float) -> None:
    """Count an event; a time in the future is replaced by now."""
    _count(profile.events, given["name"], given, now, 1)


def record_purchase(profile: Profile, given: dict[str, Any], now: float) -> None:
    """Count a purchase as *quantity* purchases, and add its revenue."""
    quantity = given.get("quantity", 1)
    _count(profile.purchases, given["product_id"], given, now, quantity)
    profile.revenue += float(given["price"]) * quantity


def _count(
    tallies: dict[str, Tally], name: str, given: dict[str, Any], now: float, count: int
) -> None:
    instant = _instant(given)
    when = now if instant is None else min(instant.timestamp(), now)
    if name in tallies:
        tallies[name].add(when, count)
    else:
        tallies[name] = Tally(count, when, when)


def _instant(given: dict[str, Any]) -> datetime | None:
    text = given.get("time")
    return read_time(text) if isinstance(text, str) else None


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_TEXT


def _are_properties(value: Any, max_bytes: int) -> bool:
    if value is None:
        return True
    if not isinstance(value, dict) or len(render(value)) > max_bytes:
        return False
    return all(
        0 < len(name) <= MAX_TEXT and name[0] != "$" and name not in _RESERVED_PROPERTIES
        for name in value
    )
