"""One user: what is stored, and how exports and look-ups print it (braze-api.md 4.5)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from exchanger.sandbox.identity.shop import Shop
from exchanger.sandbox.json_text import number_of
from exchanger.sandbox.times import spell_epoch

EXPORT_FIELDS = frozenset(
    {
        "created_at", "created_from", "external_id", "user_aliases", "braze_id", "random_bucket",
        "first_name", "last_name", "email", "home_city", "dob", "country", "phone", "language",
        "time_zone", "last_coordinates", "gender", "total_revenue", "attributed_campaign",
        "attributed_source", "attributed_adgroup", "attributed_ad", "push_subscribe",
        "email_subscribe", "custom_attributes", "custom_events", "purchases", "devices",
        "push_tokens", "apps", "uninstalled_at", "campaigns_received", "canvases_received",
        "cards_clicked", "push_opted_in_at",
    }
)  # fmt: skip


FLAGS = frozenset(
    {"control_group", "marked_for_deletion", "test_user", "invalid_phone", "hard_bounced"}
)
"""What a profile can be marked as, in the dashboard or by what happened to it."""


@dataclass(slots=True)
class Tally:
    """How often something happened, and when first and last (epoch seconds)."""

    count: int
    first: float
    last: float

    def add(self, when: float, count: int = 1) -> None:
        """Count it again."""
        self.count += count
        self.first = min(self.first, when)
        self.last = max(self.last, when)


@dataclass(slots=True, eq=False)
class Profile:
    """
    A user profile.

    Args:
        braze_id: 24 hexadecimal digits.
        random_bucket: 0 to 9999.
        created_at: Epoch seconds.
        external_id: If the user is identified.
        aliases: Alias label to alias name.
        standard: Standard fields that are set, as stored.
        custom: Custom attributes that are set, as stored.
        events: Custom events by name.
        purchases: Purchases by product.
        revenue: Sum of all purchases and orders, in USD.
        touched: Position in the workspace's sequence of updates; the highest is the newest.
        updated_at: What ``user_last_updated_at`` of an export is compared with: epoch seconds.
        subscriptions: Subscription group to ``subscribed`` or ``unsubscribed``.
        shop: Orders and carts, if there were any.
        flags: Some of ``FLAGS``.
    """

    braze_id: str
    random_bucket: int
    created_at: float
    external_id: str | None = None
    aliases: dict[str, str] = field(default_factory=dict)
    standard: dict[str, Any] = field(default_factory=dict)
    custom: dict[str, Any] = field(default_factory=dict)
    events: dict[str, Tally] = field(default_factory=dict)
    purchases: dict[str, Tally] = field(default_factory=dict)
    revenue: Decimal = Decimal(0)
    touched: int = 0
    updated_at: float = 0.0
    subscriptions: dict[str, str] = field(default_factory=dict)
    shop: Shop | None = None
    flags: frozenset[str] = frozenset()

    def exported(
        self,
        fields: Collection[str],
        *,
        only_custom: Collection[str] | None = None,
        created_at_style: str = "iso",
    ) -> dict[str, Any]:
        """
        The object of one export line: what is null or empty is left out.

        Args:
            fields: Names of the fields wanted; unknown ones give nothing.
            only_custom: The custom attributes wanted if ``custom_attributes`` is not in *fields*.
            created_at_style: ``iso`` or ``utc``.
        """
        line = {name: self._field(name, created_at_style) for name in fields}
        if only_custom is not None and "custom_attributes" not in fields:
            line["custom_attributes"] = _filled(
                {name: self.custom[name] for name in only_custom if name in self.custom}
            )
        return _filled(line)

    def inspected(self) -> dict[str, Any]:
        """Everything known of the profile, including what no export shows."""
        told = self.exported(sorted(EXPORT_FIELDS - _UNLESS_SET)) | {
            name: value
            for name, value in self.standard.items()
            if name not in EXPORT_FIELDS - _UNLESS_SET
        }
        if self.subscriptions:
            told["subscription_groups"] = [
                {"subscription_group_id": group, "subscription_state": state}
                for group, state in self.subscriptions.items()
            ]
        if self.shop is not None:
            told |= self.shop.inspected()
        return told | ({"flags": sorted(self.flags)} if self.flags else {})

    def _field(self, name: str, created_at_style: str) -> Any:
        if name in _COMPUTED:
            return getattr(self, name)
        if name in EXPORT_FIELDS and name in self.standard:
            return self.standard[name]
        return self._derived(name, created_at_style)

    def _derived(self, name: str, created_at_style: str) -> Any:
        if name == "custom_attributes":
            return _filled(self.custom)
        if name == "created_at":
            spelt = spell_epoch(self.created_at)
            return spelt if created_at_style == "iso" else f"{spelt[:10]} {spelt[11:-1]} UTC"
        if name == "user_aliases":
            return [
                {"alias_name": alias, "alias_label": label} for label, alias in self.aliases.items()
            ]
        if name == "last_coordinates" and "current_location" in self.standard:
            location = self.standard["current_location"]
            return [location["longitude"], location["latitude"]]
        if name in ("custom_events", "purchases"):
            return _tallies(self.events if name == "custom_events" else self.purchases)
        told = {"created_from": "rest_api", "email_subscribe": "subscribed"}
        return number_of(self.revenue) if name == "total_revenue" else told.get(name)


_COMPUTED = frozenset({"external_id", "braze_id", "random_bucket"})
_UNLESS_SET = frozenset({"email_subscribe"})
"""Exports have a value even if nobody set one; whoever looks inside wants to know what was set."""


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in values.items()
        if value is not None and not (isinstance(value, str | list | dict) and not value)
    }


def _tallies(tallies: dict[str, Tally]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "first": spell_epoch(tally.first),
            "last": spell_epoch(tally.last),
            "count": tally.count,
        }
        for name, tally in tallies.items()
    ]
