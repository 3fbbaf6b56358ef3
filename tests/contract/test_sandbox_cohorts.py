"""Cohorts of partners in the local Braze (braze-api.md 11)."""

from __future__ import annotations

from typing import Any

import pytest
from support.sandbox_calls import post, track

from exchanger.sandbox import Sandbox

COHORTS = "/partners/partner/cohorts"
USERS = f"{COHORTS}/users"
KEYS = {"partner_api_key": "partner-key", "client_secret": "import-key", "cohort_id": "vip"}
MADE = KEYS | {"name": "VIP", "created_at": "2026-01-02T03:04:05Z"}
CHANGES = (
    "cohort_changes must be an array of objects each with key user_ids and/or device_ids mapping "
    "to an array of strings, or an aliases object"
)


@pytest.fixture
def vip(braze: Sandbox) -> Sandbox:
    """A workspace with a cohort and two users."""
    track(braze, {"external_id": "a"}, {"external_id": "b"})
    assert 201 == post(braze, COHORTS, MADE, authorization="")[0]
    return braze


def change(braze: Sandbox, *changes: dict[str, Any]) -> tuple[int, Any]:
    return post(braze, USERS, KEYS | {"cohort_changes": list(changes)}, authorization="")


def test_members_come_and_go_in_one_request(vip: Sandbox) -> None:
    """Adds and removes are changes of their own; nobody is created, unknown ids are dropped."""
    assert (201, {"message": "success"}) == change(vip, {"user_ids": ["a", "nobody"]})
    change(vip, {"user_ids": ["b"]}, {"user_ids": ["a"], "should_remove": True})
    assert ({"b"}, {"a", "b"}) == (vip.cohort("partner", "vip"), set(vip.users()))


def test_members_by_alias_and_device(vip: Sandbox) -> None:
    """Aliases find anybody; a device finds who has no external id."""
    alias = {"alias_name": "n", "alias_label": "l"}
    token = {"app_id": "app", "token": "t", "device_id": "device-1"}
    post(vip, "/users/alias/new", {"user_aliases": [alias | {"external_id": "a"}]})
    track(vip, {"external_id": "b", "push_tokens": [token]},
          {"email": "m@example.com", "push_tokens": [token]})  # fmt: skip
    change(vip, {"aliases": [alias], "device_ids": ["device-1"]})
    by_device = [one["braze_id"] for one in vip.profiles() if one.get("email") == "m@example.com"]
    assert {"a", *by_device} == vip.cohort("partner", "vip")
    assert by_device


@pytest.mark.parametrize(
    ("path", "changes", "expected"),
    [
        (USERS, {"partner_api_key": "other"}, (401, "Invalid Partner API key")),
        (USERS, {"client_secret": "other"}, (401, "Invalid client secret")),
        (USERS, {"client_secret": "of-another"},
         (401, "Partner not enabled for client with client secret: of-another")),
        ("/partners/else/cohorts", {}, (401, "Unauthorized access")),
        (USERS, {"cohort_id": 7}, (400, "cohort_id must be a valid string")),
        (COHORTS, {"name": ""}, (400, "name must be a non-empty string")),
        (COHORTS, {"created_at": "soon"},
         (400, "created_at must be a valid time as an ISO-8601 string")),
        (USERS, {"cohort_changes": []}, (400, CHANGES)),
        (USERS, {"cohort_changes": [{"should_remove": True}]}, (400, CHANGES)),
        (USERS, {"cohort_changes": [{"user_ids": "a"}]}, (400, CHANGES)),
        (USERS, {"cohort_changes": [{"user_ids": ["a"] * 600}, {"device_ids": ["d"] * 401}]},
         (400, "Only 1,000 user_ids, device_ids, and aliases are allowed per request")),
    ],
)  # fmt: skip
def test_requests_that_are_refused(
    vip: Sandbox, path: str, changes: dict[str, Any], expected: tuple[int, str]
) -> None:
    """Keys stand in the body and are checked first; each fault has its documented words."""
    vip.change(client_secrets={"import-key": "partner", "of-another": "else"},
               partners={"partner": "partner-key", "else": "else-key"})  # fmt: skip
    status, answer = post(vip, path, MADE | {"cohort_changes": [{"user_ids": ["a"]}]} | changes)
    assert expected == (status, answer["message"])
    assert set() == vip.cohort("partner", "vip")


def test_a_cohort_that_is_still_changing_is_locked(vip: Sandbox) -> None:
    """Another change is a 423 until the one before has taken effect; other cohorts go on."""
    post(vip, COHORTS, MADE | {"cohort_id": "other"})
    vip.change(delays={"cohort": 60})
    assert 201 == change(vip, {"user_ids": ["a"]})[0]
    assert (423, {"message": "Resource locked"}) == change(vip, {"user_ids": ["b"]})
    other = KEYS | {"cohort_id": "other", "cohort_changes": [{"user_ids": ["b"]}]}
    assert 201 == post(vip, USERS, other)[0]
    vip.advance(60)
    assert {"a"} == vip.cohort("partner", "vip")
    assert 201 == change(vip, {"user_ids": ["b"]})[0]


@pytest.mark.parametrize(("partner", "points"), [("hightouch", 2), ("partner", 0)])
def test_assignments_of_some_partners_cost_points(vip: Sandbox, partner: str, points: int) -> None:
    """One for each user who comes, at four partners; who leaves costs nothing."""
    vip.change(partners={partner: "partner-key"}, client_secrets={"import-key": partner})
    post(vip, f"/partners/{partner}/cohorts", MADE)
    given = [{"user_ids": ["a", "b", "nobody"]}, {"user_ids": ["a"], "should_remove": True}]
    post(vip, f"/partners/{partner}/cohorts/users", KEYS | {"cohort_changes": given})
    assert points == vip.meter
