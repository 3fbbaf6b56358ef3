"""Names that mean something to Braze, and what it takes and gives under them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

IDENTIFIERS = frozenset({"external_id", "braze_id", "user_alias", "alias_name", "alias_label"})
"""They name a profile and cannot be set as fields (braze-api.md 2.3)."""

CONTROLS = frozenset({"_update_existing_only", "_merge_objects", "push_token_import"})
"""They steer how Braze reads an object and cannot be set as fields (braze-api.md 2.4)."""

REFUSED = frozenset({"email_subscription_info"})
"""Braze rejects an object that names them (braze-api.md 2.5)."""

STANDARD = frozenset(
    {
        "first_name", "last_name", "email", "phone", "dob", "gender", "country", "language",
        "home_city", "time_zone", "current_location", "date_of_first_session",
        "date_of_last_session", "email_subscribe", "push_subscribe", "subscription_groups",
        "email_open_tracking_disabled", "email_click_tracking_disabled", "marked_email_as_spam_at",
        "image_url", "push_tokens", "facebook", "twitter",
    }
)  # fmt: skip
"""
Attributes that Braze itself defines; every other name is a custom attribute (braze-api.md 2.5).
"""

GENDERS = ("M", "F", "O", "N", "P")
"""What ``gender`` takes, in capitals (braze-api.md 2.5)."""

CONSENT = frozenset({"email_subscribe", "push_subscribe", "subscription_groups"})
"""What a person has agreed to: Braze takes any state over any other (braze-api.md 2.5, 10)."""
UNSUBSCRIBED = "unsubscribed"
"""The state that nobody but the person may leave (braze-api.md 10)."""

NOT_EXPORTED = frozenset(
    {
        "subscription_groups", "current_location", "email_open_tracking_disabled",
        "email_click_tracking_disabled", "image_url", "facebook", "twitter", "push_tokens",
        "date_of_first_session", "date_of_last_session", "marked_email_as_spam_at",
    }
)  # fmt: skip
"""
Standard attributes that no export returns as they are written: what Braze has is unknown
(braze-api.md 2.5, 4.5).
"""

NOT_BILLED = frozenset(
    {
        "external_id", "user_alias", "alias_name", "alias_label", "braze_id", "email_subscribe",
        "push_subscribe", "subscription_groups", "push_tokens", "email_open_tracking_disabled",
        "email_click_tracking_disabled", "marked_email_as_spam_at",
    }
)  # fmt: skip
"""Names under which a value costs no data point (braze-api.md 13)."""

ExportedType = Literal["string", "integer", "float", "date", "datetime", "list", "json"]
"""What a column made of a field of an export is."""
EXPORTED: Mapping[str, ExportedType] = {
    "created_at": "datetime",
    "created_from": "string",
    "external_id": "string",
    "user_aliases": "json",
    "braze_id": "string",
    "random_bucket": "integer",
    "first_name": "string",
    "last_name": "string",
    "email": "string",
    "dob": "date",
    "home_city": "string",
    "country": "string",
    "phone": "string",
    "language": "string",
    "time_zone": "string",
    "last_coordinates": "list",
    "gender": "string",
    "total_revenue": "float",
    "attributed_campaign": "string",
    "attributed_source": "string",
    "attributed_adgroup": "string",
    "attributed_ad": "string",
    "push_subscribe": "string",
    "email_subscribe": "string",
    "custom_attributes": "json",
    "custom_events": "json",
    "purchases": "json",
    "devices": "json",
    "push_tokens": "json",
    "apps": "json",
    "uninstalled_at": "datetime",
    "campaigns_received": "json",
    "canvases_received": "json",
    "cards_clicked": "json",
    "push_opted_in_at": "datetime",
}
"""
What the first step of a path into an exported profile may be, with the type of what is found there
(braze-api.md 4.5).
"""
