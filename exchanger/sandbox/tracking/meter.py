"""Data points: what Braze's older contracts bill (braze-api.md 13)."""

from __future__ import annotations

from collections import Counter
from typing import Any

from exchanger.sandbox.attributes.standard_fields import STANDARD_FIELDS
from exchanger.sandbox.attributes.values import (
    is_array_operation,
    is_increment,
    is_object_operation,
)
from exchanger.sandbox.settings import SandboxSettings
from exchanger.sandbox.tracking.ecommerce import SCHEMAS
from exchanger.sandbox.tracking.properties import kept

CONTROL_KEYS = frozenset(
    {
        "external_id", "user_alias", "alias_name", "alias_label", "braze_id",
        "_update_existing_only", "_merge_objects", "push_token_import",
    }
)  # fmt: skip
BILLED_STANDARD_FIELDS = frozenset(
    {
        "first_name", "last_name", "email", "gender", "dob", "home_city", "time_zone", "phone",
        "current_location", "country", "language", "date_of_first_session",
        "date_of_last_session", "image_url",
    }
)  # fmt: skip
BILLED_PARTNERS = frozenset({"amplitude", "mixpanel", "hightouch", "appsflyer"})
"""Partners whose assignments to a cohort cost a data point each."""


def points_of_value(value: Any, points_of_increment: int = 1) -> int:
    """
    Return the data points of setting one custom attribute, whether or not it changes.

    A scalar, a null and an array of scalars cost 1; an added or removed member 1 each; an object
    and the objects of an array 1 for each leaf; a criterion of ``$remove`` 1.
    """
    if isinstance(value, dict):
        return points_of_increment if is_increment(value) else _points_of_object(value)
    return _leaves(value)


def _points_of_object(value: dict[str, Any]) -> int:
    if is_array_operation(value):
        return sum(len(members) for members in value.values())
    if not is_object_operation(value):
        return _leaves(value)
    updates = value.get("$update") or []
    return (
        sum(_leaves(element) for element in value.get("$add") or [])
        + len(value.get("$remove") or [])
        + sum(_leaves(update.get("$new_object")) for update in updates if isinstance(update, dict))
    )


def _leaves(value: Any) -> int:
    if isinstance(value, dict):
        return 1 if "$time" in value else sum(_leaves(member) for member in value.values())
    if isinstance(value, list):
        nested = [member for member in value if isinstance(member, dict)]
        return sum(_leaves(member) for member in nested) if nested else min(1, len(value))
    return 1


class Meter:
    """
    Counts data points, in total and by what they are for.

    That is an attribute, ``event:NAME``, ``purchase:PRODUCT`` or ``cohort:ID``.
    """

    def __init__(self) -> None:
        self.by_name: Counter[str] = Counter()

    @property
    def total(self) -> int:
        """All data points so far."""
        return self.by_name.total()

    def attributes(self, given: dict[str, Any], settings: SandboxSettings) -> None:
        """Count an attributes object that was applied."""
        looked_up_by = _contact_identifier(given)
        for name, value in given.items():
            if name in CONTROL_KEYS or name in settings.blocklist or name == looked_up_by:
                continue
            if name not in STANDARD_FIELDS:
                plain = not isinstance(value, dict | list)
                points = 1 if plain else points_of_value(value, settings.increment_points)
                if points:
                    self.by_name[name] += points
            elif name in BILLED_STANDARD_FIELDS or _names_a_user_of_x(name, value):
                self.by_name[name] += 1

    def happened(self, kind: str, given: dict[str, Any], settings: SandboxSettings) -> None:
        """Count an event or a purchase, and its properties by which segments can ask for."""
        name = given["name"] if kind == "event" else given["product_id"]
        if kind == "event" and name in SCHEMAS:
            return
        units = given.get("quantity", 1) if settings.purchase_points == "unit" else 1
        segmented = settings.segmented_properties.get(name, ())
        asked = sum(one in segmented for one in kept(given.get("properties")))
        self.by_name[f"{kind}:{name}"] += (units if kind == "purchase" else 1) + asked

    def assigned(self, partner: str, cohort_id: str, count: int) -> None:
        """Count users who were assigned to a cohort."""
        if count and partner in BILLED_PARTNERS:
            self.by_name[f"cohort:{cohort_id}"] += count


def _names_a_user_of_x(name: str, value: Any) -> bool:
    return name == "twitter" and isinstance(value, dict) and bool(value.get("screen_name"))


def _contact_identifier(given: dict[str, Any]) -> str | None:
    """Return the contact field that only found the profile, and so sets nothing."""
    if any(given.get(name) for name in ("external_id", "user_alias", "braze_id")):
        return None
    return next((name for name in ("email", "phone") if given.get(name)), None)
