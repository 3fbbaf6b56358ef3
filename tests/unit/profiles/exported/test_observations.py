from decimal import Decimal

import pytest

from exchanger.profiles.exported.held_rows import fields_to_export, held_form


def test_custom_attributes_are_asked_for_once():
    """Standard attributes have names of their own; those no export gives are not asked for."""
    assert ["external_id", "email", "custom_attributes"] == fields_to_export(
        ["email", "tier", "points", "image_url"]
    )


@pytest.mark.parametrize(
    ("name", "profile", "text"),
    [
        ("email", {"email": "a@x.org"}, '"a@x.org"'),
        ("email", {"custom_attributes": {"email": "other"}}, "null"),
        ("country", {"country": "gb"}, '"GB"'),
        ("country", {}, "null"),
        ("dob", {"dob": "1980-12-21"}, '"1980-12-21"'),
        ("tier", {"custom_attributes": {"tier": "gold"}}, '"gold"'),
        ("tier", {"tier": "top level"}, "null"),
        ("tier", {"custom_attributes": None}, "null"),
        ("tier", {"custom_attributes": {"tier": "  "}}, "null"),
        ("tier", {"custom_attributes": {"tier": []}}, "null"),
        ("tier", {"custom_attributes": {"tier": {"a": None}}}, "null"),
        ("tier", {"custom_attributes": {"tier": False}}, "false"),
        ("tier", {"custom_attributes": {"tier": 0}}, "0"),
        ("tier", {"custom_attributes": {"tier": Decimal("12.30")}}, "12.3"),
        ("tier", {"custom_attributes": {"tier": 12.0}}, "12"),
        ("tier", {"custom_attributes": {"tier": {"b": 1, "a": [1.0]}}}, '{"a":[1],"b":1}'),
        ("seen", {"custom_attributes": {"seen": "2026-09-15"}}, '"2026-09-15T00:00:00.000Z"'),
        ("image_url", {}, None),
    ],
)
def test_an_exported_profile_is_held_as(name, profile, text):
    """A missing key is known to be empty, unless no export ever gives that field."""
    frame = held_form({"a": profile}, [], [name])
    assert [("a", True, text)] == frame.rows()


def test_profiles_that_braze_does_not_know_are_empty_everywhere():
    """An unknown identifier does not exist, and so holds nothing in any field."""
    frame = held_form({}, ["z"], ["country", "tier", "image_url"])
    assert [("z", False, "null", "null", "null")] == frame.rows()


def test_of_an_address_that_several_profiles_have_nothing_is_known():
    """Neither whether the profile that is meant exists nor what it holds."""
    frame = held_form({"a": {"tier": 1}}, ["b"], ["tier"], ["c"])
    assert [("a", True, "null"), ("b", False, "null"), ("c", None, None)] == frame.rows()
