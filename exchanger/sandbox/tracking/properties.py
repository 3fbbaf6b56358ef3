"""Properties of events and purchases (braze-api.md 2.8, 2.9)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from exchanger.sandbox.attributes.nested import MAX_TEXT
from exchanger.sandbox.json_text import render

MOST_PROPERTIES = 256
"""Further ones are ignored silently."""
EVENT_BYTES = 102_400
PURCHASE_BYTES = 50 * 1024
RESERVED_OF_EVENTS = frozenset({"time", "event_name"})
RESERVED_OF_PURCHASES = RESERVED_OF_EVENTS | {"product_id", "quantity", "price", "currency"}


def are_sound(properties: Any, reserved: Collection[str]) -> bool:
    """Whether names and texts are what Braze takes; none at all are sound."""
    if properties is None:
        return True
    if not isinstance(properties, dict):
        return False
    return all(
        0 < len(name) <= MAX_TEXT
        and name[0] != "$"
        and name not in reserved
        and not (isinstance(value, str) and len(value) > MAX_TEXT)
        for name, value in properties.items()
    )


def is_oversized(given: dict[str, Any], array: str) -> bool:
    """Whether the properties of an event (once one is nested) or a purchase are too large."""
    properties = given.get("properties")
    if not isinstance(properties, dict) or not properties:
        return False
    if array == "purchases":
        return len(render(properties)) > PURCHASE_BYTES
    nested = any(isinstance(value, dict | list) for value in properties.values())
    return nested and len(render(properties)) > EVENT_BYTES


def kept(properties: dict[str, Any] | None) -> list[str]:
    """Return the names of the properties that Braze keeps: the first 256 that are not null."""
    named = [name for name, value in (properties or {}).items() if value is not None]
    return named[:MOST_PROPERTIES]
