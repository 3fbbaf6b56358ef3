"""Event and purchase objects of a track request (braze-api.md 2.8, 2.9)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from exchanger.sandbox import refusals
from exchanger.sandbox.attributes.nested import MAX_TEXT
from exchanger.sandbox.identity.profiles import Profile, Tally
from exchanger.sandbox.json_text import is_number
from exchanger.sandbox.refusals import Refusal
from exchanger.sandbox.settings import SandboxSettings
from exchanger.sandbox.times import read_iso_time
from exchanger.sandbox.tracking import ecommerce
from exchanger.sandbox.tracking.currencies import in_usd, is_currency
from exchanger.sandbox.tracking.properties import (
    RESERVED_OF_EVENTS,
    RESERVED_OF_PURCHASES,
    are_sound,
    is_oversized,
)

MAX_QUANTITY = 100


def refuse_event(given: dict[str, Any]) -> Refusal | None:
    """Return why an event object is refused, if it is."""
    name, properties = given.get("name"), given.get("properties")
    if not _is_name(name) or str(name).startswith("$"):
        return refusals.NO_EVENT_NAME
    if refusal := _refuse_time(given):
        return refusal
    if name in ecommerce.SCHEMAS:
        return ecommerce.refuse(given)
    sound = are_sound(properties, RESERVED_OF_EVENTS) and not is_oversized(given, "events")
    return None if sound else refusals.BAD_PROPERTIES


def refuse_purchase(given: dict[str, Any]) -> Refusal | None:
    """Return why a purchase object is refused, if it is."""
    quantity = given.get("quantity", 1)
    if not _is_name(given.get("product_id")):
        return refusals.NO_PRODUCT
    if not is_currency(given.get("currency")):
        return refusals.BAD_CURRENCY
    if not is_number(given.get("price")):
        return refusals.BAD_PRICE
    if type(quantity) is not int or not 1 <= quantity <= MAX_QUANTITY:
        return refusals.BAD_QUANTITY
    if refusal := _refuse_time(given):
        return refusal
    sound = are_sound(given.get("properties"), RESERVED_OF_PURCHASES)
    return None if sound and not is_oversized(given, "purchases") else refusals.BAD_PROPERTIES


def record_event(
    profile: Profile, given: dict[str, Any], settings: SandboxSettings, now: float
) -> None:
    """Count an event; a time in the future is replaced by now."""
    _count(profile.events, given["name"], given, now, 1)
    if given["name"] in ecommerce.SCHEMAS:
        ecommerce.record(profile, given, settings, now)


def record_purchase(
    profile: Profile, given: dict[str, Any], settings: SandboxSettings, now: float
) -> None:
    """Count a purchase as *quantity* purchases, and add its revenue in USD."""
    quantity = given.get("quantity", 1)
    _count(profile.purchases, given["product_id"], given, now, quantity)
    profile.revenue += in_usd(given["price"], given["currency"], settings.usd_rates) * quantity


def _count(
    tallies: dict[str, Tally], name: str, given: dict[str, Any], now: float, count: int
) -> None:
    instant = _instant(given)
    when = now if instant is None else min(instant.timestamp(), now)
    if name in tallies:
        tallies[name].add(when, count)
    else:
        tallies[name] = Tally(count, when, when)


def _refuse_time(given: dict[str, Any]) -> Refusal | None:
    if given.get("time") is None:
        return refusals.NO_TIME
    return None if _instant(given) else refusals.BAD_TIME


def _instant(given: dict[str, Any]) -> datetime | None:
    text = given["time"]
    return read_iso_time(text) if isinstance(text, str) else None


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_TEXT
