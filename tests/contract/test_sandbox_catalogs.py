"""Catalogs of the local Braze (braze-api.md 16)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from support.sandbox_calls import call, post

from exchanger.sandbox import Sandbox

ITEMS = "/catalogs/shop/items"
OK = (202, {"message": "success"})
TYPES = {"id": "string", "title": "string", "price": "number", "open": "boolean", "at": "time",
         "place": "geo", "extra": "object", "tags": "array"}  # fmt: skip
FIELDS = [{"name": name, "type": kind} for name, kind in TYPES.items()]


@pytest.fixture
def shop(braze: Sandbox) -> Sandbox:
    """A workspace with a catalog that has a field of each type."""
    assert 201 == create(braze)[0]
    return braze


def create(braze: Sandbox, **changes: Any) -> tuple[int, Any]:
    given = {"name": "shop", "description": "What we sell", "fields": FIELDS} | changes
    return post(braze, "/catalogs", {"catalogs": [given]})


def write(braze: Sandbox, method: str, *items: Any) -> tuple[int, Any]:
    status, _, answer = call(braze, method, ITEMS, {"items": list(items)})
    return status, answer


def fault(answered: tuple[int, Any]) -> tuple[int, str]:
    status, answer = answered
    (error,) = answer["errors"]
    assert {"id", "message", "parameters", "parameter_values"} == set(error)
    return status, error["id"]


def test_catalogs_are_created_listed_and_deleted(braze: Sandbox) -> None:
    """A catalog shows its fields and how many items it has, until it is deleted."""
    status, made = create(braze)
    assert (201, "success", FIELDS) == (status, made["message"], made["catalogs"][0]["fields"])
    write(braze, "POST", {"id": "a"})
    (listed,) = call(braze, "GET", "/catalogs")[2]["catalogs"]
    assert ("shop", 1) == (listed["name"], listed["num_items"])
    assert 200 == call(braze, "DELETE", "/catalogs/shop")[0]
    assert 404 == call(braze, "DELETE", "/catalogs/shop")[0]
    assert [] == call(braze, "GET", "/catalogs")[2]["catalogs"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"name": "a b"}, "invalid-catalog-name"),
        ({"name": "x" * 251}, "catalog-name-too-large"),
        ({"name": "shop"}, "catalog-name-already-exists"),
        ({"description": "x" * 251}, "description-too-long"),
        ({"fields": []}, "invalid-fields"),
        ({"fields": [{"name": "id", "type": "number"}]}, "id-not-first-column"),
        ({"fields": [{"name": "title", "type": "string"}]}, "id-not-first-column"),
        ({"fields": [FIELDS[0], FIELDS[0]]}, "field-names-not-unique"),
        ({"fields": [FIELDS[0], {"name": "a.b", "type": "string"}]}, "invalid-field-names"),
        ({"fields": [FIELDS[0], {"name": "x" * 251, "type": "string"}]}, "field-names-too-large"),
        ({"fields": [FIELDS[0], {"name": "a", "type": "text"}]}, "invalid-field-types"),
        ({"fields": [FIELDS[0]] * 501}, "too-many-fields"),
    ],
)
def test_a_catalog_that_cannot_be(shop: Sandbox, changes: dict[str, Any], error: str) -> None:
    """Names and fields have rules, each with an error of its own."""
    given = {"name": "other"} | changes
    assert (400, error) == fault(create(shop, **given))
    assert 1 == len(call(shop, "GET", "/catalogs")[2]["catalogs"])


def test_one_catalog_per_request(braze: Sandbox) -> None:
    """Two are refused, and so is none."""
    one = {"name": "a", "fields": FIELDS}
    assert (400, "too-many-catalog-atoms") == fault(
        post(braze, "/catalogs", {"catalogs": [one, one]})
    )
    assert (400, "catalog-array-invalid") == fault(post(braze, "/catalogs", {"catalogs": []}))


@pytest.mark.parametrize(
    ("method", "conflicts", "expected", "skipped"),
    [
        ("POST", "ignored", {"a": {"id": "a", "title": "A", "price": 1}, "b": {"id": "b",
         "price": 2}}, ["the item exists"]),
        ("POST", "written", {"a": {"id": "a", "price": 2}, "b": {"id": "b", "price": 2}}, []),
        ("PATCH", "ignored", {"a": {"id": "a", "title": "A", "price": 2}}, ["no such item"]),
        ("PATCH", "written", {"a": {"id": "a", "title": "A", "price": 2}, "b": {"id": "b",
         "price": 2}}, []),
        ("PUT", "ignored", {"a": {"id": "a", "price": 2}, "b": {"id": "b", "price": 2}}, []),
    ],
)  # fmt: skip
def test_ways_to_write(
    shop: Sandbox, method: str, conflicts: str, expected: dict[str, Any], skipped: list[str]
) -> None:
    """POST creates, PATCH changes what is there, PUT replaces; of conflicts nobody is told."""
    write(shop, "POST", {"id": "a", "title": "A", "price": 1})
    shop.change(catalog_conflicts=conflicts)
    assert OK == write(shop, method, {"id": "a", "price": 2}, {"id": "b", "price": 2})
    assert expected == shop.catalog("shop")
    assert skipped == [one["reason"] for one in shop.writes("skipped")]
    assert 0 == shop.meter


def test_items_are_deleted(shop: Sandbox) -> None:
    """By ids alone; one that is not there is no fault."""
    write(shop, "POST", {"id": "a"}, {"id": "b"})
    assert OK == write(shop, "DELETE", {"id": "a"}, {"id": "nobody"})
    assert {"b"} == set(shop.catalog("shop"))


def test_members_of_an_array_come_and_go_by_patch_alone(shop: Sandbox) -> None:
    """``$add`` and ``$remove`` are a fault elsewhere."""
    write(shop, "POST", {"id": "a", "tags": ["x", "y"]})
    change = {"id": "a", "tags": {"$add": ["z"], "$remove": ["x"]}}
    assert OK == write(shop, "PATCH", change)
    assert ["y", "z"] == shop.catalog("shop")["a"]["tags"]
    assert (400, "unable-to-coerce-value") == fault(write(shop, "PUT", change))


@pytest.mark.parametrize(
    ("field", "given", "stored"),
    [
        ("title", 12, "12"),
        ("title", True, "true"),
        ("title", None, None),
        ("price", "12.5", 12.5),
        ("open", "TRUE", True),
        ("at", "2022-11-02T09:03:19.967Z", "2022-11-02T09:03:19.967Z"),
        ("at", 1667379799, "2022-11-02T09:03:19.000Z"),
        ("place", [13.4, 52.5], [13.4, 52.5]),
        ("extra", {"a": {"b": [1]}}, {"a": {"b": [1]}}),
        ("tags", ["a", "a"], ["a", "a"]),
    ],
)
def test_values_are_made_to_fit(shop: Sandbox, field: str, given: Any, stored: Any) -> None:
    """What works for the type of the field is stored as that type."""
    assert OK == write(shop, "PUT", {"id": "a", field: given})
    assert stored == shop.catalog("shop")["a"][field]


def nested(depth: int) -> Any:
    return {"a": nested(depth - 1)} if depth else {}


@pytest.mark.parametrize(
    ("item", "error"),
    [
        ({"title": "no id"}, "items-missing-ids"),
        ({"id": 7}, "ids-not-strings"),
        ({"id": "x" * 251}, "ids-too-large"),
        ({"id": "a b"}, "invalid-ids"),
        ({"id": "sound"}, "ids-not-unique"),
        ({"id": "a", "size": 1}, "invalid-fields"),
        ({"id": "a", "price": "cheap"}, "unable-to-coerce-value"),
        ({"id": "a", "open": "maybe"}, "unable-to-coerce-value"),
        ({"id": "a", "at": "soon"}, "unable-to-coerce-value"),
        ({"id": "a", "place": [52.5]}, "unable-to-coerce-value"),
        ({"id": "a", "place": [13.4, 95]}, "unable-to-coerce-value"),
        ({"id": "a", "tags": [1]}, "unable-to-coerce-value"),
        ({"id": "a", "tags": ["x"] * 101}, "unable-to-coerce-value"),
        ({"id": "a", "title": {"x": 1}}, "unable-to-coerce-value"),
        ({"id": "a", "title": "x" * 5001}, "items-too-large"),
        ({"id": "a", "extra": {"a.b": 1}}, "invalid-keys-in-value-object"),
        ({"id": "a", "extra": {"a": [{"$b": 1}]}}, "invalid-keys-in-value-object"),
        ({"id": "a", "extra": nested(60)}, "too-deep-nesting-in-value-object"),
        ("a", "item-array-invalid"),
    ],
)
def test_one_bad_item_refuses_the_request(shop: Sandbox, item: Any, error: str) -> None:
    """No index is told, and nothing of the request is written."""
    assert (400, error) == fault(write(shop, "PUT", {"id": "sound"}, item))
    assert {} == shop.catalog("shop")


def test_requests_that_cannot_be(shop: Sandbox) -> None:
    """Too many items, none, an unknown catalog, and a company that is full."""
    many = [{"id": str(n)} for n in range(51)]
    assert (400, "request-includes-too-many-items") == fault(write(shop, "PUT", *many))
    assert (400, "item-array-invalid") == fault(write(shop, "PUT"))
    unknown = call(shop, "PUT", "/catalogs/none/items", {"items": many[:1]})
    assert (404, "catalog-not-found") == fault((unknown[0], unknown[2]))
    assert (["catalog_name"], ["none"]) == (
        unknown[2]["errors"][0]["parameters"], unknown[2]["errors"][0]["parameter_values"]
    )  # fmt: skip
    shop.change(catalog_bytes=0)
    full = "company-size-limit-already-reached"
    assert (400, full) == fault(write(shop, "PUT", {"id": "a"}))


def test_items_show_later(shop: Sandbox) -> None:
    """A 202 is no promise: with a delay the item is there afterwards."""
    shop.change(delays={"catalog": 60})
    write(shop, "POST", {"id": "a"})
    status, _, answer = call(shop, "GET", f"{ITEMS}/a")
    assert (404, "item-not-found") == fault((status, answer))
    shop.advance(60)
    assert {"items": [{"id": "a"}], "message": "success"} == call(shop, "GET", f"{ITEMS}/a")[2]


def test_items_are_read_in_pages(shop: Sandbox) -> None:
    """50 a page by the header Link, which names no further page on the last one."""
    for start in range(0, 120, 40):
        write(shop, "PUT", *({"id": f"i{n}"} for n in range(start, start + 40)))
    path, seen, rels = ITEMS, [], []
    while path:
        status, headers, answer = call(shop, "GET", path)
        seen += [item["id"] for item in answer["items"]]
        links = {
            rel: target
            for target, rel in re.findall(r'<([^>]+)>; rel="(\w+)"', headers.get("link", ""))
        }
        rels.append(sorted(links))
        path = links.get("next", "")
    assert [f"i{n}" for n in range(120)] == seen
    assert [["next"], ["next", "prev"], ["prev"]] == rels
    status, _, answer = call(shop, "GET", f"{ITEMS}?cursor=nonsense")
    assert (400, "invalid-cursor") == fault((status, answer))
