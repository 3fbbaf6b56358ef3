"""Nested attributes of the local Braze: merges, operators, what is dropped (braze-api.md 2.13)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from exchanger.sandbox.attributes.values import updated
from exchanger.sandbox.json_text import parse, render
from exchanger.sandbox.settings import SandboxSettings
from exchanger.sandbox.tracking.meter import points_of_value
from exchanger.sandbox.workspace import Workspace

SETTINGS = SandboxSettings()
DOGS = [{"id": 1, "breed": "a", "age": {"y": 1}}, {"id": 4, "breed": "b"}]
LONG = "x" * 256


def after(held: Any, given: Any, *, merge: bool = False, **settings: Any) -> Any:
    """Return the stored value as plain JSON after one write."""
    chosen = SETTINGS.changed(settings)
    made = updated(parse(json.dumps(held)), parse(json.dumps(given)), merge=merge, settings=chosen)
    return json.loads(render(made))


def change(operator: str, key: str, value: Any, **new: Any) -> dict[str, Any]:
    criterion = {"$identifier_key": key, "$identifier_value": value}
    return {operator: [criterion | ({"$new_object": new} if new else {})]}


@pytest.mark.parametrize(
    ("held", "given", "expected"),
    [
        ({"a": 1}, {"b": {"c": {"d": 1}}}, {"a": 1, "b": {"c": {"d": 1}}}),
        ({"a": {"b": {"c": 1, "d": 2}}}, {"a": {"b": {"c": 9}}}, {"a": {"b": {"c": 9, "d": 2}}}),
        ({"a": {"b": 1}}, {"a": 2}, {"a": 2}),
        ({"a": 1}, {"a": {"b": 2}}, {"a": {"b": 2}}),
        ({"a": [1, 2], "b": 1}, {"a": [3]}, {"a": [3], "b": 1}),
        ({"a": [{"x": 1}]}, {"a": [{"y": 1}]}, {"a": [{"y": 1}]}),
        (None, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ([{"x": 1}], {"a": 1}, {"a": 1}),
        ({"a": 1, "b": 2}, {"a": None}, {"a": 1, "b": 2}),
        ({"a": 1}, {"b": {"$time": "2020-05-28"}}, {"a": 1, "b": "2020-05-28T00:00:00.000Z"}),
        ({"a": 1}, {"b": "2020-05-28"}, {"a": 1, "b": "2020-05-28"}),
    ],
)  # fmt: skip
def test_deep_merge(held: Any, given: Any, expected: Any) -> None:
    """Objects merge on all levels, arrays and scalars replace, keys that are not sent stay."""
    assert expected == after(held, given, merge=True)


@pytest.mark.parametrize(
    ("held", "given", "merge", "expected"),
    [
        (DOGS, change("$update", "id", 4, breed="x"), True, [DOGS[0], {"id": 4, "breed": "x"}]),
        (DOGS, change("$update", "id", 1, age={"m": 2}), True,
         [DOGS[0] | {"age": {"y": 1, "m": 2}}, DOGS[1]]),
        (DOGS, change("$update", "id", 4, breed="x"), False, [DOGS[0], {"breed": "x"}]),
        (DOGS, change("$update", "id", "4", breed="x"), True, DOGS),
        (DOGS, change("$update", "id", True, breed="x"), True, DOGS),
        (DOGS, change("$update", "id", 4.0, breed="x"), True, [DOGS[0], {"id": 4, "breed": "x"}]),
        (DOGS, change("$remove", "id", 1), False, [DOGS[1]]),
        (DOGS, change("$remove", "id", 9), False, DOGS),
        (DOGS, {"$add": [{"id": 4}]}, False, [*DOGS, {"id": 4}]),
        ([], {"$add": [{"id": 4}]}, False, [{"id": 4}]),
        (None, {"$add": [{"id": 4}]}, False, [{"id": 4}]),
        (None, change("$remove", "id", 1), False, None),
        (None, change("$update", "id", 1, breed="x"), True, None),
        ({"id": 1}, {"$add": [{"id": 4}]}, False, {"id": 1}),
        (["a"], {"$add": [{"id": 4}]}, False, ["a"]),
        ("text", change("$remove", "id", 1), False, "text"),
        (DOGS, {"$add": [{"id": 4, "breed": None}]}, False, DOGS),
        (DOGS, {"$add": [7]}, False, DOGS),
        (DOGS, {"$add": [{"id": 9}]} | change("$remove", "id", 9), False, DOGS),
        (DOGS, {"$add": [{"id": 9}]} | change("$update", "id", 9, breed="new"), True,
         [*DOGS, {"id": 9, "breed": "new"}]),
        (DOGS, change("$remove", "id", 4) | change("$update", "id", 4, breed="x"), True,
         [DOGS[0]]),
    ],
)  # fmt: skip
def test_operators(held: Any, given: Any, merge: bool, expected: Any) -> None:
    """``$add``, then ``$remove``, then ``$update``; items keep their place, new ones come last."""
    assert expected == after(held, given, merge=merge)


def test_what_an_update_without_merge_replaces() -> None:
    """The item, or by the setting the whole attribute."""
    given = change("$update", "id", 4, breed="x")
    assert [{"breed": "x"}] == after(DOGS, given, update_without_merge="attribute")
    assert DOGS == after(
        DOGS, change("$update", "id", 9, breed="x"), update_without_merge="attribute"
    )


@pytest.mark.parametrize(
    "given",
    [
        {"a": {"b": None}},
        {"a": [1, None]},
        {"a": {"$time": None}},
        {"a": {"$time": "soon"}},
        {"a": LONG},
        {LONG: 1},
        {"a b": 1},
        {"a.b": 1},
        {"$a": 1, "b": 1},
        {"a": {f"k{n}": "x" * 250 for n in range(500)}},
        [{"a": 1}, {"a": None}],
    ],
)
def test_one_bad_part_drops_the_whole_attribute(given: Any) -> None:
    """The attribute stays as it was, with and without merge, and no answer says so."""
    assert {"held": 1} == after({"held": 1}, given) == after({"held": 1}, given, merge=True)


def test_a_time_of_a_far_year_is_left_out_alone() -> None:
    """The rest of the object is stored."""
    given = {"a": {"$time": "3001-01-01"}, "b": {"$time": "2999-01-01"}, "c": 1}
    assert {"b": "2999-01-01T00:00:00.000Z", "c": 1} == after({"held": 1}, given)


@pytest.mark.parametrize(
    ("value", "points"),
    [
        ({"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": {"g": 1, "h": 2}}, 7),
        ([{"a": 1, "b": 2, "c": 3, "d": 4}] * 2, 8),
        ({"a": {"$time": "2020-05-28"}}, 1),
        ({"a": [1, 2, 3]}, 1),
        ({"a": [{"x": 1}, {"x": 1, "y": 2}]}, 3),
        ({}, 0),
        ([], 0),
        ({"$add": [{"a": 1, "b": {"c": 1, "d": 2}}]}, 3),
        (change("$update", "id", 4, breed="x", age=1), 2),
        ({"$remove": change("$remove", "id", 4)["$remove"] * 3}, 3),
        ({"$add": [{"a": 1}]} | change("$remove", "a", 1), 2),
    ],
)
def test_points_are_counted_by_leaf_item_and_criterion(value: Any, points: int) -> None:
    """The keys of inner objects cost nothing of their own; a criterion costs, matched or not."""
    assert points == points_of_value(value)


@pytest.mark.parametrize(("choice", "points"), [(1, 2), (0, 1)])
def test_points_of_increments(choice: int, points: int) -> None:
    """They are free, or cost 1 like any update, as the setting says."""
    space = Workspace(SandboxSettings(increment_points=choice))
    space.track({"attributes": [{"external_id": "a", "n": {"inc": 1}, "x": 1}]})
    assert points == space.meter.total


@pytest.mark.parametrize(
    ("given", "points"),
    [
        ({"date_of_first_session": "2026-01-02"}, 1),
        ({"image_url": "https://example.com/a.png"}, 1),
        ({"current_location": {"longitude": 1.0, "latitude": 2.0}}, 1),
        ({"twitter": {"screen_name": "ada", "id": 7}}, 1),
        ({"twitter": {"id": 7}}, 0),
        ({"facebook": {"id": "7"}}, 0),
        ({"push_subscribe": "opted_in", "email_open_tracking_disabled": True}, 0),
        ({"marked_email_as_spam_at": "2026-01-02"}, 0),
        ({"push_tokens": [{"app_id": "app", "token": "t"}]}, 0),
        ({"user_alias": None, "first_name": None}, 1),
    ],
)
def test_points_of_standard_fields(given: dict[str, Any], points: int) -> None:
    """Those of the billing table cost 1, also for null; states, devices and networks nothing."""
    space = Workspace(SandboxSettings())
    space.track({"attributes": [{"external_id": "a"} | given]})
    assert points == space.meter.total


@pytest.mark.parametrize(
    ("choice", "kept"),
    [
        ("attribute", {"good": {"a": 1}, "n": 1, "list": ["x"]}),
        ("object", {"n": 1, "list": ["x"]}),
    ],
)
def test_what_an_invalid_nested_value_takes_with_it(choice: str, kept: dict[str, Any]) -> None:
    """Its own attribute, or by the setting all nested attributes of the object."""
    space = Workspace(SandboxSettings().changed({"invalid_nested": choice}))
    sent = {"external_id": "a", "good": {"a": 1}, "bad": {"a": None}, "n": 1, "list": ["x"]}
    space.track({"attributes": [sent]})
    assert kept == space.directory.by_external_id["a"].custom
