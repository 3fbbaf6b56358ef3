"""Whom an object means in the local Braze, and who is looked up (braze-api.md 2.3, 5)."""

from __future__ import annotations

from typing import Any

import pytest
from support.sandbox_calls import IDS, post, track

from exchanger.sandbox import Sandbox

ALIAS = {"alias_name": "n", "alias_label": "l"}
LONG = "é" * 119  # 238 bytes
NEEDS_ID = "'external_id', 'braze_id', 'user_alias', 'email' or 'phone' is required"


def looked_up(braze: Sandbox, **body: Any) -> list[str]:
    _, answer = post(braze, IDS, body | {"fields_to_export": ["external_id", "braze_id"]})
    return [user.get("external_id", "") for user in answer["users"]]


@pytest.mark.parametrize(
    ("identifier", "omitted", "when_false", "when_true"),
    [
        ({"external_id": "a"}, True, True, False),
        ({"user_alias": ALIAS}, False, True, False),
        ({"braze_id": "f" * 24}, False, False, False),
        ({"email": "m@example.com"}, True, True, False),
        ({"phone": "+4915112345678"}, True, True, False),
    ],
)
def test_creation_matrix(
    braze: Sandbox, identifier: dict[str, Any], omitted: bool, when_false: bool, when_true: bool
) -> None:
    """Each identifier creates a profile or not, by ``_update_existing_only``."""
    for flag, created in (
        ({}, omitted),
        ({"_update_existing_only": False}, when_false),
        ({"_update_existing_only": True}, when_true),
    ):
        braze.reset()
        assert 201 == track(braze, identifier | {"x": 1} | flag)[0]
        assert created == bool(braze.profiles())
        assert {"x": 1} == braze.points_by_name() if created else 0 == braze.meter


@pytest.mark.parametrize(
    ("identifier", "sentence"),
    [
        ({"user_alias": {"alias_name": "n"}}, NEEDS_ID),
        ({"user_alias": {"alias_name": "", "alias_label": "l"}}, NEEDS_ID),
        ({"user_alias": {"alias_name": LONG, "alias_label": "l"}},
         "'alias_name' and 'alias_label' of 'user_alias' must not be larger than 236 bytes"),
        ({"phone": "12"}, "The value provided for the 'phone' field is not a valid phone number."),
        ({"email": "no"}, "The value provided for the 'email' field is not a valid email."),
    ],
)  # fmt: skip
def test_identifiers_that_are_none(
    braze: Sandbox, identifier: dict[str, Any], sentence: str
) -> None:
    """An object is refused whose only identifier cannot be one."""
    _, answer = track(braze, identifier)
    assert [sentence] == [error["type"] for error in answer["errors"]]


def test_email_wins_over_phone(braze: Sandbox) -> None:
    """Without a primary identifier the e-mail finds the profile, and the phone is a field."""
    track(braze, {"external_id": "a", "email": "a@example.com"},
          {"external_id": "b", "phone": "+4915112345678"})  # fmt: skip
    track(braze, {"email": "A@Example.com", "phone": "+4915112345678", "x": 1})
    assert ("1", None) == (braze.raw_attribute("a", "x"), braze.raw_attribute("b", "x"))
    assert "+4915112345678" == braze.users()["a"]["phone"]


def test_a_phone_is_one_number_in_several_spellings(braze: Sandbox) -> None:
    """Ten digits are an American number; the field reads back as it was imported."""
    track(braze, {"external_id": "a", "phone": "201 555-1234"})
    track(braze, {"phone": "+12015551234", "x": 1})
    assert "1" == braze.raw_attribute("a", "x")
    track(braze, {"external_id": "b", "phone": "(201) 555-1234"})
    assert "(201) 555-1234" == braze.users()["b"]["phone"]
    assert ["a", "b"] == looked_up(braze, phone="2015551234")


def test_an_external_id_beside_an_email_makes_a_duplicate(braze: Sandbox) -> None:
    """An unknown external id with the e-mail of an e-mail-only profile creates a second one."""
    track(braze, {"email": "m@example.com"})
    track(braze, {"external_id": "a", "email": "m@example.com"})
    assert [None, "a"] == [user.get("external_id") for user in braze.profiles()]


def test_looked_up_by_every_identifier(braze: Sandbox) -> None:
    """External ids, aliases, braze_id, e-mail, phone and device find; several may match one."""
    token = {"app_id": "app", "token": "t", "device_id": "device-1"}
    track(
        braze,
        {"external_id": "a", "email": "s@example.com", "push_tokens": [token]},
        {"external_id": "b", "email": "s@example.com", "phone": "+4915112345678"},
    )
    post(braze, "/users/alias/new", {"user_aliases": [ALIAS | {"external_id": "b"}]})
    assert ["a"] == looked_up(braze, external_ids=["a"])
    assert ["b"] == looked_up(braze, user_aliases=[ALIAS])
    assert ["a"] == looked_up(braze, braze_id=braze.users()["a"]["braze_id"])
    assert ["a", "b"] == looked_up(braze, email_address="S@example.com")
    assert ["b"] == looked_up(braze, phone="+4915112345678")
    assert ["a"] == looked_up(braze, device_id="device-1")
    assert [] == looked_up(braze, email_address="nobody@example.com")


def test_a_new_profile_is_subscribed_to_emails(braze: Sandbox) -> None:
    """Exports and look-ups say so, though nobody set it."""
    track(braze, {"external_id": "a"}, {"external_id": "b", "email_subscribe": "opted_in"})
    body = {"external_ids": ["a", "b"], "fields_to_export": ["email_subscribe"]}
    states = [user["email_subscribe"] for user in post(braze, IDS, body)[1]["users"]]
    assert ["subscribed", "opted_in"] == states
    assert "email_subscribe" not in braze.users()["a"]


def test_what_became_of_each_object(braze: Sandbox) -> None:
    """Per profile it can be seen what was applied, skipped, and dropped in part, and why."""
    track(braze, {"external_id": "a", "long": "x" * 256, "kept": 1},
          {"external_id": "b", "_update_existing_only": True})  # fmt: skip
    told = [(one["outcome"], one["reason"]) for one in braze.writes()]
    assert [
        ("dropped", "a value that Braze does not take"),
        ("applied", ""),
        ("skipped", "no such profile, and it is not to be created"),
    ] == told
    assert {"long": "x" * 256} == braze.writes("dropped")[0]["given"]
