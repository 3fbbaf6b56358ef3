"""Items of a catalog: made, changed, replaced and deleted by files, and only where they differ."""

from __future__ import annotations

import pytest
from support.sandbox_calls import call, post

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


def sent(exchange):
    """The items of every request that changed some, in order."""
    return [body["items"] for body in exchange.braze.bodies(ITEMS)]


def counted(report):
    names = ("read", "applied", "unchanged", "superseded", "rejected")
    return tuple(report[f"rows_{name}"] for name in names)


def test_items_are_made_and_changed_where_they_differ(shop):
    """What is new is made, what changed is sent alone, what did not is not sent at all."""
    shop.configure(catalog=job())
    post(shop.braze, ITEMS, {"items": [{"id": "B_2", "title": "Pan", "open": True}]})
    shop.drop("inbox/a.csv", "sku,title,cost\nA-1,Mug,9.5\nB_2,Pot,\nB_2,Pot,7\n")

    assert (3, 2, 0, 1, 0) == counted(report := shop.ask("run", "catalog"))

    assert 0 == report["data_points"]
    pot = {"id": "B_2", "title": "Pot", "price": 7, "open": True}
    mug = {"id": "A-1", "title": "Mug", "price": 9.5}
    assert {"A-1": mug, "B_2": pot} == shop.braze.catalog("products")
    before = len(sent(shop))

    shop.drop("inbox/b.csv", "sku,title,cost\nA-1,2026-09-15,\nB_2,Pot,7\nC-3,Cup,1\n")
    assert (3, 2, 1, 0, 0) == counted(shop.ask("run", "catalog"))

    cup = {"id": "C-3", "title": "Cup", "price": 1}
    changed = [{"id": "A-1", "title": "2026-09-15", "price": None}]
    assert [changed, [cup], [cup]] == sorted(sent(shop)[before:], key=str)
    items = shop.braze.catalog("products")
    assert {"id": "A-1", "title": "2026-09-15", "price": None} == items["A-1"]
    assert cup == items["C-3"]


def test_items_are_replaced_updated_deleted_and_made_again(shop):
    """What is held follows: a deleted item is made anew, whole, and a replaced one has no rest."""
    shop.configure(
        catalog=job(),
        whole=job(mode="replace", source={"prefix": "whole/"}, fields={"title": "set"}),
        some=job(mode="update", source={"prefix": "some/"}),
        gone=job(mode="delete", source={"prefix": "gone/"}, fields=None, confirm_deletes=True),
    )
    shop.drop("inbox/a.csv", "sku,title,cost\na,A,1\nb,B,2\nc,C,3\n")
    shop.ask("run", "catalog")

    shop.drop("whole/a.csv", "sku,title\na,A\nb,New\n")
    assert (2, 1, 1, 0, 0) == counted(shop.ask("run", "whole"))
    assert {"id": "b", "title": "New"} == shop.braze.catalog("products")["b"]

    shop.drop("gone/a.csv", "sku\nc\nnobody\nc\n")
    report = shop.ask("run", "gone")
    assert (3, 3) == (report["rows_read"], report["rows_applied"] + report["rows_superseded"])
    assert {"a", "b"} == set(shop.braze.catalog("products"))
    shop.drop("gone/b.csv", "sku\nc\n")
    assert (1, 0, 1, 0, 0) == counted(shop.ask("run", "gone"))

    shop.drop("some/a.csv", "sku,title,cost\na,Up,\nz,Z,\n")
    assert 2 == shop.ask("run", "some")["rows_applied"]
    assert {"id": "a", "title": "Up", "price": None} == shop.braze.catalog("products")["a"]
    assert "z" not in shop.braze.catalog("products")

    shop.drop("inbox/b.csv", "sku,title,cost\nb,New,2\nc,C,3\n")
    assert (2, 2, 0, 0, 0) == counted(shop.ask("run", "catalog"))
    assert {"id": "b", "title": "New", "price": 2} == shop.braze.catalog("products")["b"]
    assert {"id": "c", "title": "C", "price": 3} == shop.braze.catalog("products")["c"]


def test_what_a_catalog_does_not_take_is_told_and_nothing_is_lost(shop):
    """A row at fault is rejected alone; a catalog or a field that is not there stops the run."""
    shop.configure(catalog=job(catalog="product"))
    shop.drop("inbox/a.csv", f"sku,title,cost\na b,A,1\n,B,1\nc,{'x' * 5001},1\nd,D,4\n")
    missing = shop.call("run", "catalog")
    assert 3 == missing.returncode
    assert "no catalog 'product'; did you mean 'products'?" in missing.stderr

    shop.configure(catalog=job(fields={"titel": {"from": "title"}, "open": {"from": "cost"}}))
    differs = shop.call("run", "catalog")
    assert 3 == differs.returncode
    assert "no field 'titel'; did you mean 'title'?" in differs.stderr
    assert "'open' is of type boolean, and the job's values are of type integer" in differs.stderr
    assert [] == sent(shop)

    shop.configure(catalog=job())
    report = shop.ask("run", "catalog", code=4)
    assert (4, 1, 0, 0, 3) == counted(report)
    reasons = [(1, "bad_item_id"), (2, "no_identifier"), (3, "item_too_long")]
    assert reasons == shop.rejected(report)
    assert {"d"} == set(shop.braze.catalog("products"))


@pytest.mark.nightly
def test_refused_items_are_given_again(shop):
    """What Braze refuses waits in quarantine, by its id, and never undoes what is newer."""
    gone = job(mode="delete", source={"prefix": "gone/"}, fields=None, confirm_deletes=True)
    shop.configure(catalog=job(), gone=gone)
    shop.braze.change(catalog_bytes=0)
    shop.drop("inbox/a.csv", "sku,title,cost\na,A,1\nb,B,2\n")
    refused = shop.ask("run", "catalog", code=4)
    assert (2, 0) == (refused["rows_refused"], refused["rows_applied"])
    assert "company-size-limit" in shop.quarantined(refused)[0]["message"]
    assert "item products a" == shop.quarantined(refused)[0]["profile"]
    shop.braze.change(catalog_bytes=1_000_000)
    assert 2 == shop.ask("retry", refused["run_id"])["rows_applied"]
    assert {"id": "b", "title": "B", "price": 2} == shop.braze.catalog("products")["b"]

    shop.braze.faults(ITEMS, times=3, status=400, body={"message": "no"})
    shop.drop("gone/a.csv", "sku\na\nb\n")
    refused = shop.ask("run", "gone", code=4)
    assert 2 == refused["rows_refused"]
    shop.drop("inbox/b.csv", "sku,title,cost\na,New,1\n")
    shop.ask("run", "catalog")
    shop.configure(catalog=job(), gone=job(source={"prefix": "gone/"}))
    assert "no longer deletes items" in shop.call("retry", refused["run_id"]).stderr
    shop.configure(catalog=job(), gone=gone)
    assert 1 == shop.ask("retry", refused["run_id"])["rows_applied"]
    assert {"a": {"id": "a", "title": "New", "price": 1}} == shop.braze.catalog("products")


def test_what_braze_lost_is_seen_in_a_sample_and_sent_again(shop):
    """Braze tells nothing of an item after it has queued a request, so a few are looked at."""
    shop.connection["braze"]["grace"] = "0s"
    shop.configure(catalog=job(fields=None, remaining_fields={"merge": "set"}))
    checked = shop.call("check", "--connect")
    assert 0 == checked.returncode, checked.stdout + checked.stderr
    assert "find the catalog 'products'" in checked.stdout
    rows = "sku,title,price,tags,at\na,A,1.50,,2026-09-15\nb,B,2,,\nc,C,3,,\n"
    shop.drop("inbox/a.csv", rows)
    shop.ask("run", "catalog")
    first = shop.braze.catalog("products")
    assert {"id": "a", "title": "A", "price": 1.5, "at": "2026-09-15T00:00:00.000Z"} == first["a"]

    call(shop.braze, "DELETE", ITEMS, {"items": [{"id": "b"}]})
    call(shop.braze, "PATCH", ITEMS, {"items": [{"id": "c", "title": "Other"}]})
    shop.drop("inbox/b.csv", rows + "d,D,4,,\n")
    report = shop.ask("run", "catalog")

    assert {"code": "items_differ", "items": 2, "looked_at": 3} in report["facts"]
    assert (4, 3, 1, 0, 0) == counted(report)
    assert {**first, "d": {"id": "d", "title": "D", "price": 4}} == shop.braze.catalog("products")
