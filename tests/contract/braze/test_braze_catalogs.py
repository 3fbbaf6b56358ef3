"""Items of catalogs through the client: what each mode does, whatever Braze leaves open."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest
from support.sandbox_calls import call, post
from support.workspaces import workspace

from exchanger.app.messages.errors import words_for
from exchanger.braze.endpoints import (
    ITEMS_CHANGED,
    ITEMS_DELETED,
    ITEMS_MADE,
    ITEMS_REPLACED,
    endpoint_named,
)
from exchanger.errors import BrazeForbidden, BrazeRefused, BrazeUnreachable

PATH = "/catalogs/shop/items"
FIELDS = [{"name": name, "type": kind} for name, kind in
          (("id", "string"), ("title", "string"), ("price", "number"))]  # fmt: skip


def made(sandbox):
    """Make a catalog with one item."""
    post(sandbox, "/catalogs", {"catalogs": [{"name": "shop", "fields": FIELDS}]})
    post(sandbox, PATH, {"items": [{"id": "a", "title": "A", "price": 1}]})


def body(*items):
    return orjson.dumps({"items": [*items]})


@pytest.mark.parametrize(
    ("endpoint", "after", "requests"),
    [
        (ITEMS_MADE, {"a": {"id": "a", "title": "A", "price": 2}, "b": {"id": "b", "price": 3}}, 2),
        (ITEMS_CHANGED, {"a": {"id": "a", "title": "A", "price": 2}}, 1),
        (ITEMS_REPLACED, {"a": {"id": "a", "price": 2}, "b": {"id": "b", "price": 3}}, 1),
        (ITEMS_DELETED, {}, 1),
    ],
    ids=lambda case: getattr(case, "name", None),
)
async def test_what_each_mode_does_to_items(endpoint, after, requests):
    """Who is there and who is not: one request each, and two where nobody knows."""
    async with workspace() as (braze, sandbox):
        made(sandbox)
        answer = await braze.track(
            body({"id": "a", "price": 2}, {"id": "b", "price": 3}), replace(endpoint, of="shop")
        )
        assert (True, {}) == (answer.accepted, answer.refused)
        assert after == sandbox.catalog("shop")
        assert requests == braze.requests


async def test_a_lost_answer_is_sent_again_and_a_refusal_is_not():
    """All of it is absolute; what the first method did is not undone by a refusal of the second."""
    made_items = replace(ITEMS_MADE, of="shop")
    async with workspace() as (braze, sandbox):
        made(sandbox)
        sandbox.faults(PATH, drop="after")
        answer = await braze.track(body({"id": "b", "price": 3}), made_items)
        assert answer.accepted
        assert {"id": "b", "price": 3} == sandbox.catalog("shop")["b"]
        with pytest.raises(BrazeRefused) as refused:
            await braze.track(body({"id": "c", "price": "cheap"}), made_items)
        assert (400, False) == (refused.value.status, refused.value.uncertain)
        assert "unable-to-coerce-value" in refused.value.detail
        sandbox.faults(PATH, skip=1, status=400, body={"message": "no"})
        with pytest.raises(BrazeRefused) as late:
            await braze.track(body({"id": "d"}), made_items)
        assert late.value.uncertain
        sandbox.faults(PATH, times=50, status=500)
        with pytest.raises(BrazeUnreachable):
            await braze.track(body({"id": "d"}), made_items)


@pytest.mark.parametrize(
    ("endpoint", "lacking"),
    [
        (ITEMS_MADE, "catalogs.add_items"),
        (ITEMS_CHANGED, "catalogs.update_items"),
        (ITEMS_REPLACED, "catalogs.replace_items"),
        (ITEMS_DELETED, "catalogs.delete_items"),
    ],
    ids=lambda case: getattr(case, "name", None),
)
async def test_a_missing_permission_is_told_by_the_method(endpoint, lacking):
    """Of the four permissions of one address, the error names that which is needed."""
    async with workspace() as (braze, sandbox):
        made(sandbox)
        sandbox.give_key("sandbox-key", lacking=[lacking])
        with pytest.raises(BrazeForbidden) as forbidden:
            await braze.track(body({"id": "a"}), replace(endpoint, of="shop"))
        assert lacking in str(words_for(forbidden.value))


async def test_catalogs_and_items_are_looked_up():
    """Each catalog with the types of its fields; of an item that is not there, nothing."""
    async with workspace() as (braze, sandbox):
        made(sandbox)
        (shop,) = await braze.catalogs()
        assert ("shop", {"id": "string", "title": "string", "price": "number"}) == (
            shop.name,
            shop.fields,
        )
        assert {"id": "a", "title": "A", "price": 1} == await braze.catalog_item("shop", "a")
        assert await braze.catalog_item("shop", "b") is None
        assert 200 == call(sandbox, "GET", PATH)[0]


@pytest.mark.parametrize("endpoint", [ITEMS_MADE, ITEMS_DELETED], ids=lambda one: one.name)
def test_an_outbox_names_whose_items_they_are(endpoint):
    """What stands beside an object leads back to where it is sent."""
    of_shop = replace(endpoint, of="shop")
    assert of_shop == endpoint_named(of_shop.in_outbox)
    assert (PATH, f"{endpoint.name}:shop") == (of_shop.address, of_shop.in_outbox)
