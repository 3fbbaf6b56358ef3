"""Names that Braze has given a meaning of its own (braze-api.md 2.3 to 2.5)."""

IDENTIFIERS = frozenset({"external_id", "user_alias", "alias_name", "alias_label", "braze_id"})
"""They name the profile an object is about, so they can never be written as one of its fields."""

CONTROL_KEYS = frozenset({"_update_existing_only", "_merge_objects", "push_token_import"})
"""They tell Braze how to read an object, and are no fields of a profile."""

STANDARD_ATTRIBUTES = frozenset(
    {
        "first_name",
        "last_name",
        "email",
        "phone",
        "dob",
        "gender",
        "country",
        "language",
        "home_city",
        "time_zone",
        "current_location",
        "date_of_first_session",
        "date_of_last_session",
        "email_subscribe",
        "push_subscribe",
        "subscription_groups",
        "email_open_tracking_disabled",
        "email_click_tracking_disabled",
        "marked_email_as_spam_at",
        "image_url",
        "push_tokens",
        "facebook",
        "twitter",
        "email_subscription_info",
    }
)
"""Profile fields with a format of their own; case counts: ``Email`` is a custom attribute."""
