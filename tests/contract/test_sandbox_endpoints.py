"""What holds for every endpoint of the local Braze: its key, its rate pool, its faults."""

from __future__ import annotations

import http.client
from typing import Any

import pytest
from support.sandbox_calls import call, post, track

from exchanger.sandbox import Sandbox

ALIAS = {"alias_name": "n", "alias_label": "l"}
CATALOG = {"name": "c", "fields": [{"name": "id", "type": "string"}]}
COHORT = {"partner_api_key": "partner-key", "client_secret": "import-key", "cohort_id": "vip"}
GROUP = "GROUP"  # stands for the id of the group of the workspace

# Method, path, permission, pool, a sound body.
ENDPOINTS: list[tuple[str, str, str, str, Any]] = [
    ("POST", "/users/alias/new", "users.alias.new", "identity", {"user_aliases": [ALIAS]}),
    ("POST", "/users/alias/update", "users.alias.update", "identity", {"alias_updates": [
        {"alias_label": "l", "old_alias_name": "n", "new_alias_name": "m"}]}),
    ("POST", "/users/identify", "users.identify", "identity", {"aliases_to_identify": [
        {"external_id": "a", "user_alias": ALIAS}]}),
    ("POST", "/users/merge", "users.merge", "identity", {"merge_updates": [
        {"identifier_to_merge": {"external_id": "a"},
         "identifier_to_keep": {"external_id": "b"}}]}),
    ("POST", "/users/delete", "users.delete", "identity", {"external_ids": ["a"]}),
    ("POST", "/users/external_ids/rename", "users.external_ids.rename", "rename",
     {"external_id_renames": [{"current_external_id": "a", "new_external_id": "c"}]}),
    ("POST", "/users/external_ids/remove", "users.external_ids.remove", "remove",
     {"external_ids": ["old"]}),
    ("POST", "/subscription/status/set", "subscription.status.set", "subscriptions",
     {"subscription_group_id": GROUP, "subscription_state": "subscribed", "external_id": "a"}),
    ("POST", "/v2/subscription/status/set", "subscription.status.set", "subscriptions",
     {"subscription_groups": [{"subscription_group_id": GROUP,
      "subscription_state": "subscribed", "external_ids": ["a"]}]}),
    ("GET", f"/subscription/status/get?subscription_group_id={GROUP}&external_id=a",
     "subscription.status.get", "shared", None),
    ("GET", "/subscription/user/status?external_id=a", "subscription.groups.get", "shared", None),
    ("POST", "/email/status", "email.status", "shared",
     {"email": "m@example.com", "subscription_state": "subscribed"}),
    ("POST", "/email/blocklist", "email.blacklist", "shared", {"email": "m@example.com"}),
    ("POST", "/catalogs", "catalogs.create", "catalogs", {"catalogs": [CATALOG]}),
    ("GET", "/catalogs", "catalogs.get", "catalogs", None),
    ("DELETE", "/catalogs/shop", "catalogs.delete", "catalogs", None),
    ("POST", "/catalogs/shop/items", "catalogs.add_items", "catalog_items",
     {"items": [{"id": "b"}]}),
    ("PATCH", "/catalogs/shop/items", "catalogs.update_items", "catalog_items",
     {"items": [{"id": "a", "n": 1}]}),
    ("PUT", "/catalogs/shop/items", "catalogs.replace_items", "catalog_items",
     {"items": [{"id": "a", "n": 1}]}),
    ("DELETE", "/catalogs/shop/items", "catalogs.delete_items", "catalog_items",
     {"items": [{"id": "a"}]}),
    ("GET", "/catalogs/shop/items", "catalogs.get_items", "catalog_reads", None),
    ("GET", "/catalogs/shop/items/a", "catalogs.get_item", "catalog_reads", None),
    ("POST", "/partners/partner/cohorts", "", "cohorts",
     COHORT | {"name": "Very", "created_at": "2026-01-02"}),
    ("POST", "/partners/partner/cohorts/users", "", "cohorts",
     COHORT | {"cohort_changes": [{"user_ids": ["a"]}]}),
    ("GET", "/custom_attributes", "custom_attributes.get", "listings", None),
]  # fmt: skip
CASES = pytest.mark.parametrize(
    ("method", "path", "permission", "pool", "body"),
    ENDPOINTS,
    ids=[f"{method} {path.partition('?')[0]}" for method, path, *_ in ENDPOINTS],
)
WRITES = pytest.mark.parametrize(
    ("method", "path", "permission", "pool", "body"),
    [case for case in ENDPOINTS if case[0] != "GET"],
    ids=[f"{method} {path}" for method, path, *_ in ENDPOINTS if method != "GET"],
)


@pytest.fixture
def ready(braze: Sandbox) -> Sandbox:
    """A workspace in which every request of the table has something to change."""
    track(braze, {"external_id": "a", "x": 1}, {"external_id": "b", "email": "m@example.com"},
          {"external_id": "old"},
          {"user_alias": ALIAS, "_update_existing_only": False})  # fmt: skip
    post(braze, "/users/external_ids/rename", {"external_id_renames": [
        {"current_external_id": "old", "new_external_id": "new"}]})  # fmt: skip
    braze.add_subscription_group("News")
    fields = [*CATALOG["fields"], {"name": "n", "type": "number"}]
    post(braze, "/catalogs", {"catalogs": [{"name": "shop", "fields": fields}]})
    post(braze, "/catalogs/shop/items", {"items": [{"id": "a"}]})
    post(braze, "/partners/partner/cohorts", COHORT | {"name": "VIP", "created_at": "2026-01-02"})
    return braze


def send(
    braze: Sandbox, method: str, path: str, body: Any, **headers: str
) -> tuple[int, dict[str, str], Any]:
    group = braze.add_subscription_group("News")
    made = _named(body, group)
    if path == "/users/alias/new":
        made = {"user_aliases": [{"alias_name": "fresh", "alias_label": "l"}]}
    return call(braze, method, path.replace(GROUP, group), made, **headers)


def _named(body: Any, group: str) -> Any:
    if isinstance(body, dict):
        return {key: _named(value, group) for key, value in body.items()}
    if isinstance(body, list):
        return [_named(value, group) for value in body]
    return group if body == GROUP else body


def shown(braze: Sandbox) -> Any:
    """Everything that a request of the table could change."""
    scene = braze._workspace.scene
    return (
        braze.profiles(),
        {name: (one.fields, dict(one.items)) for name, one in scene.catalogs.known.items()},
        {key: (one.name, set(one.members)) for key, one in scene.cohorts.known.items()},
        set(scene.directory.deprecated),
    )


@CASES
def test_permission_and_pool(
    ready: Sandbox, *, method: str, path: str, permission: str, pool: str, body: Any
) -> None:
    """A key without the permission is refused; the pool counts, refuses, and tells its limit."""
    if permission:
        ready.give_key("weak", lacking={permission})
        assert 403 == send(ready, method, path, body)[0]
        ready.give_key("strong")
    limit = {"shared_requests": 7} if pool == "shared" else {"pool_requests": {pool: 7}}
    ready.change(**limit)
    ready._workspace.limits._counts.clear()
    status, headers, _ = send(ready, method, path, body)
    assert (2, "7", "6") == (
        status // 100, headers["x-ratelimit-limit"], headers["x-ratelimit-remaining"]
    )  # fmt: skip
    ready.change(**{name: {pool: 1} if name == "pool_requests" else 1 for name in limit})
    before = shown(ready)
    assert 429 == send(ready, method, path, body)[0]
    assert before == shown(ready)


@WRITES
def test_every_write_does_something(
    ready: Sandbox, *, method: str, path: str, permission: str, pool: str, body: Any
) -> None:
    """The table below is worth asking: each of its requests changes what is held."""
    before = shown(ready)
    assert 2 == send(ready, method, path, body)[0] // 100
    assert before != shown(ready)


@WRITES
@pytest.mark.parametrize(
    ("fault", "status", "at_once", "in_the_end"),
    [
        ({"status": 503}, 503, False, False),
        ({"status": 500, "applied": True}, 500, True, True),
        ({"status": 429}, 429, False, False),
        ({"drop": "before"}, None, False, False),
        ({"drop": "after"}, None, True, True),
        ({"truncate": True}, None, True, True),
        ({"drop": "after", "late": 60}, None, False, True),
    ],
    ids=["503", "500 applied", "429", "lost before", "lost after", "truncated", "lost between"],
)
def test_every_fault_hits_every_endpoint(
    ready: Sandbox,
    *,
    method: str,
    path: str,
    permission: str,
    pool: str,
    body: Any,
    fault: dict[str, Any],
    status: int | None,
    at_once: bool,
    in_the_end: bool,
) -> None:
    """An answer may be lost before acceptance, between it and the effect, and afterwards."""
    before = shown(ready)
    ready.faults(path, **fault)
    if status is None:
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            send(ready, method, path, body)
    else:
        assert status == send(ready, method, path, body)[0]
    if path not in ("/catalogs", "/catalogs/shop", "/partners/partner/cohorts"):
        assert at_once == (before != shown(ready))
    ready.advance(61)
    assert in_the_end == (before != shown(ready))


def test_an_answer_of_track_is_lost_between_acceptance_and_effect(braze: Sandbox) -> None:
    """What was accepted is applied once its time has come, though nobody was told."""
    braze.faults("/users/track", drop="after", late=60)
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        track(braze, {"external_id": "a"})
    assert {} == braze.users()
    braze.advance(60)
    assert {"a"} == set(braze.users())


def test_custom_attributes_are_listed(braze: Sandbox) -> None:
    """By name with their type, 50 a page; arrays with how many members they hold."""
    given = {"flag": True, "n": 1, "text": "x", "at": "2026-01-02", "list": [1],
             "object": {"a": 1}, "objects": [{"a": 1}]}  # fmt: skip
    track(braze, {"external_id": "a"} | given, {"external_id": "b"} | {f"z{n}": 1
          for n in range(60)})  # fmt: skip
    _, headers, answer = call(braze, "GET", "/custom_attributes")
    kinds = {one["name"]: one["data_type"] for one in answer["attributes"]}
    assert 50 == len(kinds)
    assert {
        "at": "Time",
        "flag": "Boolean",
        "list": "Array",
        "n": "Number",
        "object": "Object",
        "objects": "Object Array",
        "text": "String",
    } == {name: kinds[name] for name in given}
    assert 500 == next(x["array_length"] for x in answer["attributes"] if x["name"] == "list")
    following = headers["link"].partition("<")[2].partition(">")[0]
    _, headers, answer = call(braze, "GET", following)
    assert (17, True) == (len(answer["attributes"]), 'rel="next"' not in headers["link"])
    assert 400 == call(braze, "GET", "/custom_attributes?cursor=x")[0]


def test_inside_over_http(braze: Sandbox) -> None:
    """Groups, marks and answers to opt-ins are arranged, and catalogs and writes seen, by HTTP."""
    track(braze, {"external_id": "a", "phone": "+4915112345678"})
    group = {"name": "SMS", "channel": "sms"}
    made = post(braze, "/sandbox/subscription-groups", group)[1]
    assert group == {name: made[name] for name in group}
    assert 400 == post(braze, "/sandbox/subscription-groups", group | {"channel": "fax"})[0]
    post(braze, "/subscription/status/set", {
        "subscription_group_id": made["id"], "subscription_state": "subscribed",
        "phone": "+4915112345678", "use_double_opt_in_logic": True})  # fmt: skip
    agreed = post(braze, "/sandbox/opt-ins", {"subscription_group_id": made["id"]})
    assert (200, {"agreed": 1}) == agreed
    marked = post(braze, "/sandbox/marks", {"external_id": "a", "flags": ["test_user"]})
    assert (200, {"flags": ["test_user"]}) == marked
    assert 400 == post(braze, "/sandbox/marks", {"external_id": "a", "flags": ["famous"]})[0]
    assert ["test_user"] == call(braze, "GET", "/sandbox/users/a")[2]["flags"]
    post(braze, "/catalogs", {"catalogs": [CATALOG]})
    assert "c" == call(braze, "GET", "/sandbox/catalogs/c")[2]["catalog"]["name"]
    assert 404 == call(braze, "GET", "/sandbox/catalogs/none")[0]
    assert {"cohorts": []} == call(braze, "GET", "/sandbox/cohorts")[2]
    writes = call(braze, "GET", "/sandbox/writes?outcome=applied")[2]
    assert {"what": "attributes", "outcome": "applied", "count": 1} in writes["counts"]
    assert "attributes" == writes["writes"][0]["what"]
