"""Items of a catalog: made, changed, replaced and deleted by files, and only where they differ."""

from __future__ import annotations

import pytest
from support.sandbox_calls import post

TYPES = {"id": "string", "title": "string", "price": "number", "open": "boolean", "at": "time",
         "extra": "object", "tags": "array"}  # fmt: skip
ITEMS = "/catalogs/products/items"


def job(**changes):
    """Return a job that upserts titles and prices."""
    usual = {
        "type": "import",
        "object": "catalog_items",
        "catalog": "products",
        "id": "sku",
        "source": {"prefix": "inbox/"},
        "fields": {"title": "set", "price": {"from": "cost", "merge": "clear", "type": "float"}},
    }
    return {key: value for key, value in (usual | changes).items() if value is not None}


@pytest.fixture
def shop(exchange):
    """A connection to a workspace with an empty catalog."""
    fields = [{"name": name, "type": kind} for name, kind in TYPES.items()]
    post(exchange.braze, "/catalogs", {"catalogs": [{"name": "products", "fields": fields}]})
    return exchange


def sent(exchange, since=0):
    """All requests that changed items: the method, and the items."""
    journal = [one for one in exchange.braze.requests if one.path == ITEMS]
    return [(one.method, one.body["items"]) for one in journal[since:]]


def test_items_are_made_and_changed_where_they_differ(shop):
    """What is new is made, what changed is sent alone, what did not is not sent at all."""
    shop.configure(catalog=job())
    shop.drop("inbox/a.csv", "sku,title,cost\nA-1,Mug,9.5\nB_2,Pot,\n")
    first = shop.ask("run", "catalog")
    print(first)
    assert {"A-1": {"id": "A-1", "title": "Mug", "price": 9.5}} == shop.braze.catalog("products")
