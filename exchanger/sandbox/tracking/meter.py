"""Data points: what Braze's older contracts bill (braze-api.md 13)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

from exchanger.sandbox.attributes.standard_fields import STANDARD_FIELDS
from exchanger.sandbox.attributes.values import is_array_operation, is_object_operation

CONTROL_KEYS = frozenset(
    {
        "external_id", "user_alias", "alias_name", "alias_label", "braze_id",
        "_update_existing_only", "_merge_objects", "push_token_import",
    }
)  # fmt: skip
BILLED_STANDARD_FIELDS = frozenset(
    {
        "first_name", "last_name", "email", "gender", "dob", "home_city", "time_zone", "phone",
        "current_location", "country", "language",
    }
)  # fmt: skip


def points_of_value(value: Any) -> int:
    """
    The data points of setting one custom attribute, whether or not it changes.

    A scalar, a null and a whole array cost 1; an added or removed member 1 each; an object every
    key in it at every depth; an array of objects the same for each element.
    """
    if isinstance(value, dict):
        return max(1, _points_of_object(value))
    if isinstance(value, list):
        return max(1, sum(_keys(element) for element in value if isinstance(element, dict)))
    return 1


def _points_of_object(value: dict[str, Any]) -> int:
    if is_array_operation(value):
        return sum(len(members) for members in value.values())
    if not is_object_operation(value):
        return _keys(value)
    updates = value.get("$update") or []
    return (
        sum(_keys(element) for element in value.get("$add") or [])
        + len(value.get("$remove") or [])
        + sum(_keys(update.get("$new_object")) for update in updates if isinstance(update, dict))
    )


def _keys(value: Any) -> int:
    if isinstance(value, dict):
        if "$time" in value:
            return 0
        return len(value) + sum(_keys(member) for member in value.values())
    if isinstance(value, list):
        return sum(_keys(member) for member in value)
    return 0


class Meter:
    """Counts data points, in total and by attribute, event (``event:NAME``) and purchase."""

    def __init__(self) -> None:
        self.by_name: Counter[str] = Counter()

    @property
    def total(self) -> int:
        """All data points so far."""
        return self.by_name.total()

    def attributes(self, given: dict[str, Any], blocklist: Collection[str]) -> None:
        """Count an attributes object that was applied."""
        looked_up_by = _contact_identifier(given)
        for name, value in given.items():
            if name in CONTROL_KEYS or name in blocklist or name == looked_up_by:
                continue
            if name not in STANDARD_FIELDS:
                plain = not isinstance(value, dict | list)
                self.by_name[name] += 1 if plain else points_of_value(value)
            elif name in BILLED_STANDARD_FIELDS:
                self.by_name[name] += 1

    def happened(self, kind: str, name: str, count: int = 1) -> None:
        """Count an event or a purchase."""
        self.by_name[f"{kind}:{name}"] += count


def _contact_identifier(given: dict[str, Any]) -> str | None:
    """The contact field that only found the profile, and so sets nothing."""
    if any(given.get(name) for name in ("external_id", "user_alias", "braze_id")):
        return None
    return next((name for name in ("email", "phone") if given.get(name)), None)
