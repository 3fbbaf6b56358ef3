"""Names that mean something to Braze (braze-api.md 2.3, 2.4, 2.5, 4.5)."""

from __future__ import annotations

IDENTIFIERS = frozenset({"external_id", "braze_id", "user_alias", "alias_name", "alias_label"})
"""They name a profile and cannot be set as fields."""

CONTROLS = frozenset({"_update_existing_only", "_merge_objects", "push_token_import"})
"""They steer how Braze reads an object and cannot be set as fields."""

REFUSED = frozenset({"email_subscription_info"})
"""Braze rejects an object that names them."""

STANDARD = frozenset(
    {
        "first_name", "last_name", "email", "phone", "dob", "gender", "country", "language",
        "home_city", "time_zone", "current_location", "date_of_first_session",
        "date_of_last_session", "email_subscribe", "push_subscribe", "subscription_groups",
        "email_open_tracking_disabled", "email_click_tracking_disabled", "marked_email_as_spam_at",
        "image_url", "push_tokens", "facebook", "twitter",
    }
)  # fmt: skip
"""Attributes that Braze itself defines; every other name is a custom attribute."""

NOT_EXPORTED = frozenset(
    {
        "subscription_groups", "current_location", "email_open_tracking_disabled",
        "email_click_tracking_disabled", "image_url", "facebook", "twitter", "push_tokens",
        "date_of_first_session", "date_of_last_session", "marked_email_as_spam_at",
    }
)  # fmt: skip
"""Standard attributes that no export returns as they are written: what Braze has is unknown."""

EXPORTED = frozenset(
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
"""What the first step of a path into an exported profile may be."""
