"""Events and purchases of the local Braze (braze-api.md 2.8, 2.9, 13)."""

from __future__ import annotations

from typing import Any

import pytest
from support.sandbox_calls import call, post, track

from exchanger.sandbox import Sandbox
from exchanger.sandbox.times import spell_epoch

TIME = "2026-01-02T03:04:05Z"
SPELT = "2026-01-02T03:04:05.000Z"
EVENT = {"external_id": "a", "name": "Signed up", "time": TIME}
PURCHASE = {
    "external_id": "a", "product_id": "sku", "currency": "USD", "price": 2.5, "time": TIME,
}  # fmt: skip
LONG, LIMIT = "x" * 256, 102_400


def refused(braze: Sandbox, array: str, given: Any) -> str | None:
    """Send one object beside a sound one; return why it was refused."""
    status, answer = track(braze, {"external_id": "sound"}, **{array: [given]})
    assert 201 == status
    return answer["errors"][0]["type"] if "errors" in answer else None


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": None}, "'name' is required"),
        ({"name": LONG}, "'name' is required"),
        ({"name": "$name"}, "'name' is required"),
        ({"time": None}, "'time' is required"),
        ({"time": "01/02/2026"}, "'time' is not valid"),
        ({"time": 1767322800}, "'time' is not valid"),
        ({"time": "2026-01-02T03:04:05:250Z"}, None),
        ({"time": "2026-01-02"}, None),
        ({"app_id": "unknown"}, None),
        ({"properties": {"plan": "gold", "n": 1, "flag": True, "none": None}}, None),
        ({"properties": {"order": {"lines": [{"a": 1}]}}}, None),
        ({"properties": []}, "Invalid 'properties' field"),
        ({"properties": {"time": 1}}, "Invalid 'properties' field"),
        ({"properties": {"event_name": 1}}, "Invalid 'properties' field"),
        ({"properties": {"price": 1}}, None),
        ({"properties": {"$x": 1}}, "Invalid 'properties' field"),
        ({"properties": {"": 1}}, "Invalid 'properties' field"),
        ({"properties": {LONG: 1}}, "Invalid 'properties' field"),
        ({"properties": {"text": LONG}}, "Invalid 'properties' field"),
        ({"properties": {"l": ["x" * LIMIT]}}, "Invalid 'properties' field"),
        ({"properties": {f"p{n}": "x" * 250 for n in range(500)}}, None),
    ],
)
def test_event_is_taken_or_refused(
    braze: Sandbox, changes: dict[str, Any], sentence: str | None
) -> None:
    """Names, times and properties of an event are as documented, or the object is refused."""
    assert sentence == refused(braze, "events", EVENT | changes)
    assert (sentence is None) == ("a" in braze.users())


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"product_id": ""}, "'product_id' is required"),
        ({"product_id": LONG}, "'product_id' is required"),
        ({"currency": "EURO"}, "'currency' must be an ISO 4217 currency"),
        ({"currency": "XYZ"}, "'currency' must be an ISO 4217 currency"),
        ({"price": "2.5"}, "'price' is not valid"),
        ({"price": -2.5}, None),
        ({"quantity": 100}, None),
        ({"quantity": 101}, "'quantity' is not valid"),
        ({"quantity": 0}, "'quantity' is not valid"),
        ({"quantity": 1.5}, "'quantity' is not valid"),
        ({"time": None}, "'time' is required"),
        ({"properties": {"price": 1}}, "Invalid 'properties' field"),
        ({"properties": {"quantity": 1}}, "Invalid 'properties' field"),
        ({"properties": {f"p{n}": "x" * 250 for n in range(250)}}, "Invalid 'properties' field"),
    ],
)
def test_purchase_is_taken_or_refused(
    braze: Sandbox, changes: dict[str, Any], sentence: str | None
) -> None:
    """Currency, price, quantity and properties are as documented, or the object is refused."""
    assert sentence == refused(braze, "purchases", PURCHASE | changes)
    assert (sentence is None) == ("a" in braze.users())


def test_nothing_is_sent_twice_without_counting_twice(braze: Sandbox) -> None:
    """Braze does not deduplicate: the same object again counts again; first and last stay."""
    early = EVENT | {"time": "2025-01-01"}
    track(braze, events=[EVENT, early, EVENT])
    (told,) = braze.users()["a"]["custom_events"]
    assert {"name": "Signed up", "first": "2025-01-01T00:00:00.000Z", "last": SPELT,
            "count": 3} == told  # fmt: skip


def test_a_time_in_the_future_becomes_now(braze: Sandbox) -> None:
    """Nobody is told that the time of an event was replaced."""
    _, answer = track(braze, events=[EVENT | {"time": "2999-01-01"}])
    assert {"message": "success", "events_processed": 1} == answer
    assert braze.users()["a"]["custom_events"][0]["last"] < "2900"


def test_revenue_is_exact_and_a_refund_is_one_more_purchase(braze: Sandbox) -> None:
    """Price times quantity in USD, by fixed rates; a negative price takes away."""
    braze.change(usd_rates={"EUR": 1.1})
    bought = [PURCHASE | {"price": 0.1, "quantity": 3}] * 10
    track(braze, purchases=[*bought, PURCHASE | {"price": 0.2, "currency": "EUR"}])
    assert "3.22" == braze.users()["a"]["total_revenue"].text
    track(braze, purchases=[PURCHASE | {"price": -3.22}])
    assert (0, 32) == (
        braze.users()["a"]["total_revenue"], braze.users()["a"]["purchases"][0]["count"]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("choice", "status", "processed"), [("item", 201, True), ("request", 400, False)]
)
def test_oversized_properties(braze: Sandbox, choice: str, status: int, processed: bool) -> None:
    """They refuse the object, or the whole request where the setting says so."""
    braze.change(oversized_properties=choice)
    big = EVENT | {"properties": {"list": ["x" * LIMIT]}}
    answered, _ = track(braze, {"external_id": "sound"}, events=[big])
    assert (status, processed) == (answered, "sound" in braze.users())


@pytest.mark.parametrize(
    ("given", "identifier"),
    [
        ({"email": "m@example.com"}, {"email": "m@example.com"}),
        ({"phone": "+4915112345678"}, {"phone": "+4915112345678"}),
        ({"user_alias": {"alias_name": "n", "alias_label": "l"}}, None),
        (
            {"user_alias": {"alias_name": "n", "alias_label": "l"}, "_update_existing_only": False},
            {"user_aliases": [{"alias_name": "n", "alias_label": "l"}]},
        ),
        ({"external_id": "b", "_update_existing_only": True}, None),
        ({"braze_id": "f" * 24}, None),
    ],
)
def test_an_event_creates_who_it_names(
    braze: Sandbox, given: dict[str, Any], identifier: dict[str, Any] | None
) -> None:
    """By the matrix of attributes; a skipped object is told by no answer, and costs nothing."""
    happened = {"name": "e", "time": TIME} | given
    assert {"message": "success", "events_processed": 1} == track(braze, events=[happened])[1]
    made = braze.profiles()
    assert (identifier is not None) == bool(made) == bool(braze.meter)
    assert ["skipped" if identifier is None else "applied"] == [
        one["outcome"] for one in braze.writes()
    ]
    for name, value in (identifier or {}).items():
        assert value == made[0][name]


@pytest.mark.parametrize(
    ("choice", "counted"),
    [("counted", {"events_processed": 1}), ("left_out", {"events_processed": 0})],
)
def test_whether_a_skipped_object_counts_as_processed(
    braze: Sandbox, choice: str, counted: dict[str, int]
) -> None:
    """Undocumented, so a setting chooses."""
    braze.change(update_only_skips=choice)
    skipped = EVENT | {"external_id": "nobody", "_update_existing_only": True}
    assert {"message": "success"} | counted == track(braze, events=[skipped])[1]


@pytest.mark.parametrize(
    ("settings", "points"),
    [
        ({}, {"event:Signed up": 1, "purchase:sku": 3}),
        ({"purchase_points": "object"}, {"event:Signed up": 1, "purchase:sku": 1}),
        ({"segmented_properties": {"Signed up": ["plan", "other"], "sku": ["plan"]}},
         {"event:Signed up": 2, "purchase:sku": 4}),
        ({"blocklist": ["Signed up"]}, {"purchase:sku": 3}),
    ],
)  # fmt: skip
def test_events_and_purchases_cost_points(
    braze: Sandbox, settings: dict[str, Any], points: dict[str, int]
) -> None:
    """One each, a purchase one per unit or object, and one per property made for segments."""
    braze.change(**settings)
    named = {"properties": {"plan": "gold", "none": None}}
    track(braze, events=[EVENT | named], purchases=[PURCHASE | named | {"quantity": 3}])
    assert points == braze.points_by_name()


def test_refused_objects_cost_nothing(braze: Sandbox) -> None:
    """What is not on the profile is not on the bill."""
    track(braze, {"external_id": "b"}, events=[EVENT | {"name": ""}])
    assert 0 == braze.meter


def test_the_clock_of_a_profile_moves_as_the_setting_says(braze: Sandbox) -> None:
    """Writes of attributes move it; events too where it is said; values that stay, or not."""
    braze.add_segment("all")
    segment = call(braze, "GET", "/segments/list")[2]["segments"][0]["id"]

    def exported() -> int:
        since = spell_epoch(braze._workspace.now() - 1)
        body = {
            "segment_id": segment, "fields_to_export": ["braze_id"], "user_last_updated_at": since
        }  # fmt: skip
        assert 201 == post(braze, "/users/export/segment", body)[0]
        found = [len(one.files) for one in braze._exporter.exports if one.state == "running"]
        post(braze, "/export/segment/cancel", {"segment_id": segment})
        return sum(found)

    braze.change(seconds_per_file=60)
    track(braze, {"external_id": "a", "x": 1})
    assert 1 == exported()
    for setting, sent, moved in (
        ("writes", {"events": [EVENT]}, 0),
        ("everything", {"events": [EVENT]}, 1),
        ("writes", {"attributes": [{"external_id": "a", "x": 1}]}, 1),
        ("changes", {"attributes": [{"external_id": "a", "x": 1}]}, 0),
        ("changes", {"attributes": [{"external_id": "a", "x": 2}]}, 1),
    ):
        braze.advance(100)
        braze.change(clock_moves=setting)
        track(braze, **sent)
        assert (setting, moved) == (setting, exported())


def test_an_export_since_no_time_is_refused(braze: Sandbox) -> None:
    """An unreadable ``user_last_updated_at`` is a 400."""
    body = {
        "segment_id": braze.add_segment("all"), "fields_to_export": ["braze_id"],
        "user_last_updated_at": "lately",
    }  # fmt: skip
    expected = {"message": "'user_last_updated_at' must be a valid datetime"}
    assert (400, expected) == post(braze, "/users/export/segment", body)
