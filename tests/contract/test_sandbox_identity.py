"""Aliases, identify, merge, rename and delete in the local Braze (braze-api.md 9)."""

from __future__ import annotations

from typing import Any

import pytest
from support.sandbox_calls import IDS, post, track

from exchanger.sandbox import Sandbox

NEW, UPDATE = "/users/alias/new", "/users/alias/update"
IDENTIFY, MERGE, DELETE = "/users/identify", "/users/merge", "/users/delete"
RENAME, REMOVE = "/users/external_ids/rename", "/users/external_ids/remove"
TIME = "2026-01-02T03:04:05Z"
LATER = "2026-02-03T04:05:06Z"
MAIL = "s@example.com"
TOO_MANY = "The max number of ids per request was exceeded"


def alias(name: str, label: str = "crm") -> dict[str, str]:
    return {"alias_name": name, "alias_label": label}


def aliases_of(braze: Sandbox) -> dict[str | None, list[str]]:
    """Each profile's aliases as ``label:name``, by external id."""
    return {
        user.get("external_id"): [
            f"{one['alias_label']}:{one['alias_name']}" for one in user.get("user_aliases", ())
        ]
        for user in braze.profiles()
    }


def ids(braze: Sandbox) -> list[str | None]:
    return [user.get("external_id") for user in braze.profiles()]


def reasons(braze: Sandbox, path: str) -> list[str]:
    """Why items of an endpoint had no effect, oldest first."""
    return [one["reason"] for one in braze.writes("skipped") if one["what"] == path]


# --- Aliases ---


@pytest.mark.parametrize(
    ("item", "expected", "reason"),
    [
        (alias("1") | {"external_id": "a"}, {"a": ["crm:1"], "b": ["crm:taken"]}, None),
        (alias("1"), {"a": [], "b": ["crm:taken"], None: ["crm:1"]}, None),
        (alias("taken") | {"external_id": "a"}, {"a": [], "b": ["crm:taken"]},
         "the alias is taken"),
        (alias("taken") | {"external_id": "b"}, {"a": [], "b": ["crm:taken"]},
         "the alias is taken"),
        (alias("1") | {"external_id": "b"}, {"a": [], "b": ["crm:taken"]},
         "the user has another name for that label"),
        (alias("1") | {"external_id": "nobody"}, {"a": [], "b": ["crm:taken"]},
         "no such external id"),
        (alias("TAKEN") | {"external_id": "a"}, {"a": ["crm:TAKEN"], "b": ["crm:taken"]}, None),
    ],
)  # fmt: skip
def test_new_alias(
    braze: Sandbox, item: dict[str, str], expected: dict[Any, list[str]], reason: str | None
) -> None:
    """The answer is the same whether or not something happens; pairs are unique with their case."""
    track(braze, {"external_id": "a"}, {"external_id": "b"})
    post(braze, NEW, {"user_aliases": [alias("taken") | {"external_id": "b"}]})
    answer = (201, {"aliases_processed": 1, "message": "success"})
    assert answer == post(braze, NEW, {"user_aliases": [item]})
    assert expected == aliases_of(braze)
    assert ([] if reason is None else [reason]) == reasons(braze, NEW)
    assert 0 == braze.meter


@pytest.mark.parametrize(
    ("old", "new", "expected", "reason"),
    [
        ("1", "3", ["crm:3"], None),
        ("9", "3", ["crm:1"], "no such alias"),
        ("1", "2", ["crm:1"], "the alias is taken"),
    ],
)
def test_alias_gets_another_name(
    braze: Sandbox, old: str, new: str, expected: list[str], reason: str | None
) -> None:
    """An unknown old pair and a taken new one change nothing, in silence."""
    track(braze, {"external_id": "a"}, {"external_id": "b"})
    both = [alias("1") | {"external_id": "a"}, alias("2") | {"external_id": "b"}]
    post(braze, NEW, {"user_aliases": both})
    item = {"alias_label": "crm", "old_alias_name": old, "new_alias_name": new}
    assert (201, {"message": "success"}) == post(braze, UPDATE, {"alias_updates": [item]})
    assert (expected, ["crm:2"]) == (aliases_of(braze)["a"], aliases_of(braze)["b"])
    assert ([] if reason is None else [reason]) == reasons(braze, UPDATE)
    track(braze, {"user_alias": alias(new if reason is None else "1"), "x": 1})
    assert "1" == braze.raw_attribute("a", "x")


# --- Identify ---


def test_identify_gives_an_unknown_id_to_the_profile(braze: Sandbox) -> None:
    """The profile keeps everything and becomes identified."""
    track(braze, {"user_alias": alias("1"), "_update_existing_only": False, "x": 1})
    item = {"external_id": "a", "user_alias": alias("1")}
    answer = (201, {"aliases_processed": 1, "message": "success"})
    assert answer == post(braze, IDENTIFY, {"aliases_to_identify": [item]})
    assert ({"a": ["crm:1"]}, "1") == (aliases_of(braze), braze.raw_attribute("a", "x"))


def test_identify_merges_into_a_known_id(braze: Sandbox) -> None:
    """The profile found is merged into the target and gone."""
    track(braze, {"external_id": "a", "x": 1}, {"email": MAIL, "x": 2, "y": 2})
    item = {"external_id": "a", "email": MAIL, "prioritization": ["unidentified"]}
    post(braze, IDENTIFY, {"emails_to_identify": [item]})
    user = braze.users()["a"]
    assert (["a"], MAIL, {"x": 1, "y": 2}) == (ids(braze), user["email"], user["custom_attributes"])


@pytest.mark.parametrize(
    ("array", "item", "reason"),
    [
        ("aliases_to_identify", {"user_alias": alias("ONE")}, "no such alias"),
        ("aliases_to_identify", {"user_alias": alias("one")},
         "the target has an alias of that label"),
        ("emails_to_identify", {"email": "n@example.com", "prioritization": ["unidentified"]},
         "0 users are left"),
        ("emails_to_identify", {"email": MAIL, "prioritization": ["unidentified"]},
         "2 users are left"),
        ("emails_to_identify", {"email": "a@example.com", "prioritization": ["unidentified"]},
         "one of the matches is the target itself"),
        ("phone_numbers_to_identify", {"phone": "+4915112345678", "prioritization":
         ["identified"]}, "0 users are left"),
    ],
)  # fmt: skip
def test_identify_without_effect(
    braze: Sandbox, array: str, item: dict[str, Any], reason: str
) -> None:
    """Each silent case answers success, and changes nobody."""
    track(braze, {"external_id": "a", "email": "a@example.com"}, {"phone": "+4915112345678"},
          {"user_alias": alias("one"), "_update_existing_only": False})  # fmt: skip
    for name in ("u1", "u2"):
        track(braze, {"user_alias": alias(name, "x"), "_update_existing_only": False,
                      "email": MAIL})  # fmt: skip
    post(braze, NEW, {"user_aliases": [alias("own") | {"external_id": "a"}]})
    before = braze.profiles()
    assert 201 == post(braze, IDENTIFY, {array: [item | {"external_id": "a"}]})[0]
    assert ([reason], before) == (reasons(braze, IDENTIFY), braze.profiles())


@pytest.mark.parametrize(
    ("words", "setting", "left"),
    [
        (["unidentified"], "prioritization", 3),
        (["unidentified", "most_recently_updated"], "prioritization", 2),
        (["most_recently_updated"], "prioritization", 2),
        (["unidentified", "most_recently_updated"], "never", 3),
    ],
)
def test_prioritization_narrows(braze: Sandbox, words: list[str], setting: str, left: int) -> None:
    """Each word narrows the matches; something happens only if exactly one is left."""
    braze.change(several_matches=setting)
    track(braze, {"external_id": "a"})
    for name in ("u1", "u2"):
        track(braze, {"user_alias": alias(name), "_update_existing_only": False, "email": MAIL,
                      name: 1})  # fmt: skip
    item = {"external_id": "a", "email": MAIL, "prioritization": words}
    post(braze, IDENTIFY, {"emails_to_identify": [item]})
    assert left == len(ids(braze))
    if left == 2:
        assert {"u2": 1} == braze.users()["a"]["custom_attributes"]


def test_an_unknown_id_in_identify_may_be_an_error(braze: Sandbox) -> None:
    """By the setting it is an item error, which is not fatal."""
    braze.change(unknown_external_id="refused")
    track(braze, {"email": MAIL})
    item = {"external_id": "a", "email": MAIL, "prioritization": ["unidentified"]}
    status, answer = post(braze, IDENTIFY, {"emails_to_identify": [item]})
    error = {"type": "external_id does not exist", "input_array": "emails_to_identify", "index": 0}
    assert (201, [error], [None]) == (status, answer["errors"], ids(braze))


# --- Merge ---


def merge(braze: Sandbox, drop: dict[str, Any], keep: dict[str, Any]) -> tuple[int, Any]:
    item = {"identifier_to_merge": drop, "identifier_to_keep": keep}
    return post(braze, MERGE, {"merge_updates": [item]})


def test_merge_rules_for_each_field(braze: Sandbox) -> None:
    """Own values stay, missing ones come, counts and revenue add up, dates widen."""
    pen = {"product_id": "pen", "currency": "USD", "price": 0.1, "time": TIME}
    track(
        braze,
        {"external_id": "old", "x": 1, "y": 1, "first_name": "Ada", "email": "o@example.com"},
        {"external_id": "new", "x": 2, "z": 2, "first_name": "Eve"},
        events=[{"external_id": "old", "name": "e", "time": TIME},
                {"external_id": "new", "name": "e", "time": LATER}],
        purchases=[pen | {"external_id": "old"}, pen | {"external_id": "new", "price": 0.2}],
    )  # fmt: skip
    post(braze, NEW, {"user_aliases": [
        alias("1") | {"external_id": "old"}, alias("2", "erp") | {"external_id": "old"},
        alias("3") | {"external_id": "new"}]})  # fmt: skip
    bucket = braze.users()["new"]["random_bucket"]
    answer = (202, {"message": "success"})
    assert answer == merge(braze, {"external_id": "old"}, {"external_id": "new"})
    assert {"new": ["crm:3", "erp:2"]} == aliases_of(braze)
    user = braze.users()["new"]
    assert {"x": 2, "z": 2, "y": 1} == user["custom_attributes"]
    assert ("Eve", "o@example.com", bucket) == (
        user["first_name"], user["email"], user["random_bucket"]
    )  # fmt: skip
    assert [{"name": "e", "first": "2026-01-02T03:04:05.000Z", "last": "2026-02-03T04:05:06.000Z",
             "count": 2}] == user["custom_events"]  # fmt: skip
    assert ("0.3", 2) == (user["total_revenue"].text, user["purchases"][0]["count"])
    track(braze, {"email": "o@example.com", "n": 1}, {"user_alias": alias("2", "erp"), "m": 2})
    assert ("1", "2") == (braze.raw_attribute("new", "n"), braze.raw_attribute("new", "m"))
    assert {"users": [], "invalid_user_ids": ["old"], "message": "success"} == post(
        braze, IDS, {"external_ids": ["old"], "fields_to_export": ["email"]}
    )[1]


def test_merge_takes_two_steps(braze: Sandbox) -> None:
    """The merged profile can be found for some minutes more."""
    braze.change(delays={"merge": 60, "merge_removal": 120})
    track(braze, {"external_id": "old", "x": 1}, {"external_id": "new"})
    merge(braze, {"external_id": "old"}, {"external_id": "new"})
    assert braze.raw_attribute("new", "x") is None
    braze.advance(61)
    assert ("1", ["old", "new"]) == (braze.raw_attribute("new", "x"), ids(braze))
    braze.advance(120)
    assert ["new"] == ids(braze)


@pytest.mark.parametrize(
    ("marks", "drop", "reason"),
    [
        ({"old": "control_group"}, {"external_id": "old"}, "in the global control group"),
        ({"new": "control_group"}, {"external_id": "old"}, "in the global control group"),
        ({"old": "marked_for_deletion"}, {"external_id": "old"}, "marked for deletion"),
        ({"old": "invalid_phone", "new": "invalid_phone"}, {"external_id": "old"},
         "both phones are invalid"),
        ({}, {"external_id": "new"}, "both are the same user"),
        ({}, {"external_id": "nobody"}, "0 users to merge, 1 to keep"),
        ({}, {"email": MAIL, "prioritization": ["identified"]}, "2 users to merge, 1 to keep"),
    ],
)  # fmt: skip
def test_merge_without_effect(
    braze: Sandbox, marks: dict[str, str], drop: dict[str, Any], reason: str
) -> None:
    """Each silent case answers success, and changes nobody."""
    contact = {"email": MAIL, "phone": "+4915112345678"}
    track(braze, {"external_id": "old"} | contact, {"external_id": "new"} | contact)
    for external_id, flag in marks.items():
        braze.mark(external_id, flag)
    before = braze.profiles()
    assert 202 == merge(braze, drop, {"external_id": "new"})[0]
    assert ([reason], before) == (reasons(braze, MERGE), braze.profiles())


def test_invalid_phones_of_which_one_is_sound_merge(braze: Sandbox) -> None:
    """Only two invalid phones are in the way."""
    track(braze, {"external_id": "old", "phone": "1"}, {"external_id": "new"})
    merge(braze, {"external_id": "old"}, {"external_id": "new"})
    assert ["new"] == ids(braze)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "'merge_updates' must be an array of objects"),
        ({"merge_updates": [{"identifier_to_merge": {"external_id": "a"},
                             "identifier_to_keep": {"external_id": "b"}}] * 51},
         "a single request may not contain more than 50 merge updates"),
        ({"merge_updates": [{"identifier_to_merge": {"external_id": "a"}}]},
         "'merge_updates' must only have 'identifier_to_merge' and 'identifier_to_keep'"),
        ({"merge_updates": [{"identifier_to_merge": {"braze_id": "a"},
                             "identifier_to_keep": {"external_id": "b"}}]},
         ("identifiers must be objects with an 'external_id' property that is a string, "
          "'user_alias' property that is an object, 'email' property that is a string, or 'phone' "
          "property that is a string")),
    ],
)  # fmt: skip
def test_merge_that_is_malformed(braze: Sandbox, body: dict[str, Any], message: str) -> None:
    """Four faults refuse the request with the documented words."""
    assert (400, {"message": message}) == post(braze, MERGE, body)


# --- Rename and remove ---


def rename(braze: Sandbox, *pairs: tuple[str, str]) -> tuple[int, Any]:
    items = [{"current_external_id": old, "new_external_id": new} for old, new in pairs]
    return post(braze, RENAME, {"external_id_renames": items})


def test_rename_keeps_the_old_id_until_it_is_removed(braze: Sandbox) -> None:
    """Writes and look-ups by either id reach the profile; the new one is told."""
    track(braze, {"external_id": "old"})
    expected = {"message": "success", "external_ids": ["new"], "rename_errors": []}
    assert (201, expected) == rename(braze, ("old", "new"))
    track(braze, {"external_id": "old", "x": 1})
    assert (["new"], "1") == (ids(braze), braze.raw_attribute("new", "x"))
    found = {"external_ids": ["old"], "fields_to_export": ["external_id"]}
    assert {"users": [{"external_id": "new"}], "message": "success"} == post(braze, IDS, found)[1]
    body = {"external_ids": ["old", "new", "x"]}
    no = "external_id is not a deprecated external_id"
    removed = {"message": "success", "removed_ids": ["old"], "removal_errors": [[1, no], [2, no]]}
    assert (201, removed) == post(braze, REMOVE, body)
    assert ["old"] == post(braze, IDS, found)[1]["invalid_user_ids"]
    track(braze, {"external_id": "old"})
    assert ["new", "old"] == ids(braze)


@pytest.mark.parametrize(
    ("pair", "problem"),
    [
        (("a", "b"), "new_external_id is already in use"),
        (("a", "former"), "new_external_id is already in use"),
        (("a", "a"), "new_external_id must differ from current_external_id"),
        (("former", "x"), "current_external_id is not a primary external_id"),
        (("nobody", "x"), "current_external_id is not a primary external_id"),
        (("a", ""), "current_external_id and new_external_id must be external ids"),
    ],
)
def test_rename_that_is_refused(braze: Sandbox, pair: tuple[str, str], problem: str) -> None:
    """Each item stands for itself: the error names its index, the others are renamed."""
    track(braze, {"external_id": "a"}, {"external_id": "former"}, {"external_id": "c"})
    rename(braze, ("former", "b"))
    expected = {"message": "success", "external_ids": ["d"], "rename_errors": [[0, problem]]}
    assert (201, expected) == rename(braze, pair, ("c", "d"))
    assert ["a", "b", "d"] == ids(braze)


# --- Delete ---


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ({"external_ids": ["a", "nobody"]}, ["b", "new"]),
        ({"external_ids": ["old"]}, ["a", "b"]),
        ({"user_aliases": [alias("1")]}, ["b", "new"]),
        ({"email_addresses": [{"email": MAIL, "prioritization": ["identified"]}]},
         ["a", "b", "new"]),
        ({"email_addresses": [{"email": MAIL, "prioritization": ["most_recently_updated"]}]},
         ["a", "new"]),
        ({"phone_numbers": [{"phone": "+4915112345678", "prioritization": ["identified"]}]},
         ["a", "b"]),
    ],
)  # fmt: skip
def test_delete(braze: Sandbox, body: dict[str, Any], left: list[str]) -> None:
    """Who is named is gone, by any identifier; an ambiguous e-mail deletes nobody."""
    track(braze, {"external_id": "a", "email": MAIL}, {"external_id": "b", "email": MAIL},
          {"external_id": "old", "phone": "+4915112345678"})  # fmt: skip
    rename(braze, ("old", "new"))
    post(braze, NEW, {"user_aliases": [alias("1") | {"external_id": "a"}]})
    items = next(iter(body.values()))
    answer = (200, {"deleted": len(items), "message": "success"})
    assert answer == post(braze, DELETE, body)
    assert left == ids(braze)


def test_deleted_users_show_for_a_while(braze: Sandbox) -> None:
    """With a delay they are found until it is over; who comes again is somebody new."""
    braze.change(delays={"delete": 300}, delete_status=201)
    track(braze, {"external_id": "a", "x": 1})
    before = braze.users()["a"]["braze_id"]
    assert 201 == post(braze, DELETE, {"braze_ids": [before]})[0]
    assert ["a"] == ids(braze)
    braze.advance(300)
    track(braze, {"external_id": "a"})
    assert before != braze.users()["a"]["braze_id"]
    assert "custom_attributes" not in braze.users()["a"]


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        (DELETE, {}, None),
        (DELETE, {"external_ids": ["a"], "braze_ids": ["b"]}, None),
        (DELETE, {"external_ids": ["a"] * 51}, TOO_MANY),
        (DELETE, {"email_addresses": [MAIL]}, None),
        (DELETE, {"email_addresses": [{"email": MAIL}]}, None),
        (DELETE, {"email_addresses": [{"email": MAIL, "prioritization":
                  ["least_recently_updated"]}]}, None),
        (NEW, {"user_aliases": []}, None),
        (NEW, {"user_aliases": [alias("1")] * 51}, TOO_MANY),
        (NEW, {"user_aliases": [alias("")]}, None),
        (NEW, {"user_aliases": [alias("x" * 237)]}, None),
        (UPDATE, {"alias_updates": [{"alias_label": "crm", "old_alias_name": "1"}]}, None),
        (IDENTIFY, {}, None),
        (IDENTIFY, {"emails_to_identify": [{"external_id": "a", "email": MAIL}]}, None),
        (IDENTIFY, {"emails_to_identify": [{"external_id": "a", "email": MAIL,
                    "prioritization": ["identified", "unidentified"]}]}, None),
        (IDENTIFY, {"aliases_to_identify": [{"external_id": "a", "user_alias": alias("1")}] * 51},
         TOO_MANY),
        (RENAME, {"external_id_renames": []}, None),
        (RENAME, {"external_id_renames": [{}] * 51}, TOO_MANY),
        (REMOVE, {"external_ids": []}, None),
    ],
)  # fmt: skip
def test_requests_that_are_malformed(
    braze: Sandbox, path: str, body: dict[str, Any], message: str | None
) -> None:
    """A missing key, none or too many items refuse the request as a whole."""
    status, answer = post(braze, path, body)
    assert 400 == status
    assert message in (None, answer["message"])
