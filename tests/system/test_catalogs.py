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


@pytest.mark.nightly
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


PLACES = "/catalogs/places/items"


@pytest.fixture
def mall(shop):
    """A second catalog beside the first, with other fields, and a job of both."""
    fields = [{"name": name, "type": kind} for name, kind in
              {"id": "string", "title": "string", "city": "string"}.items()]  # fmt: skip
    post(shop.braze, "/catalogs", {"catalogs": [{"name": "places", "fields": fields}]})
    shop.connection["braze"]["grace"] = "0s"
    return shop


def both(**changes):
    """Return a job whose rows name their catalogs."""
    return job(catalog={"from": "kind"}, fields=None, remaining_fields={"merge": "set"}, **changes)


@pytest.mark.nightly
def test_a_column_names_the_catalog_of_each_item(mall):
    """Two items of one id are two; each catalog is asked for the fields that its rows fill."""
    mall.configure(mall=both())
    head = "kind,sku,title,price,city\n"
    mall.drop("inbox/a.csv", head + "products,a,Mug,1,\nplaces,a,Oslo,,Oslo\nplaces,b,Rome,,Rome\n")
    assert 4 == mall.ask("plan", "mall")["sending"]["requests"]

    assert (3, 3, 0, 0, 0) == counted(mall.ask("run", "mall"))

    assert {"a": {"id": "a", "title": "Mug", "price": 1}} == mall.braze.catalog("products")
    oslo = {"id": "a", "title": "Oslo", "city": "Oslo"}
    assert oslo == mall.braze.catalog("places")["a"]
    mall.drop("inbox/b.csv", head + "products,a,Mug,2,\nplaces,a,Oslo,,Oslo\nplaces,b,Roma,,\n")
    assert (3, 2, 1, 0, 0) == counted(mall.ask("run", "mall"))
    assert [[{"id": "a", "price": 2}]] == sent(mall)[2:]
    assert {"id": "b", "title": "Roma", "city": "Rome"} == mall.braze.catalog("places")["b"]

    call(mall.braze, "DELETE", PLACES, {"items": [{"id": "b"}]})
    mall.drop("inbox/c.csv", head + "places,b,Roma,,Rome\nproducts,a,Mug,2,\n")
    report = mall.ask("run", "mall")
    assert {"code": "items_differ", "items": 1, "looked_at": 2} in report["facts"]
    assert (2, 1, 1, 0, 0) == counted(report)
    assert {"id": "b", "title": "Roma", "city": "Rome"} == mall.braze.catalog("places")["b"]


def test_a_row_whose_catalog_does_not_take_it_is_rejected_alone(mall):
    """An unknown catalog, none at all, no name of one, and a field that it lacks: each its row."""
    mall.configure(mall=both())
    mall.drop(
        "inbox/a.csv",
        "kind,sku,title,price,city\nproducts,a,Mug,1,\nshops,b,B,1,\n,c,C,1,\na shop,d,D,1,\n"
        "places,e,E,7,Oslo\nplaces,f,F,,Rome\n",
    )
    report = mall.ask("run", "mall", code=4)
    reasons = ["no_such_catalog", "no_catalog", "bad_catalog", "no_such_field"]
    assert [*enumerate(reasons, 2)] == mall.rejected(report)
    rows = mall.quarantined(report)
    assert 'Row 2, column kind: "shops" is no catalog in Braze.' in rows[0]["message"]
    assert "the catalog 'places', which lacks this field" in rows[3]["message"]
    assert '"sku":"e"' in rows[3]["record"]
    assert {"a"} == set(mall.braze.catalog("products"))
    assert {"f": {"id": "f", "title": "F", "city": "Rome"}} == mall.braze.catalog("places")


@pytest.mark.nightly
def test_a_rejected_row_is_told_by_its_catalog_and_given_again(mall):
    """Once there is such a catalog, its rows are compared with it."""
    mall.configure(mall=both())
    mall.drop("inbox/a.csv", "kind,sku,title,price\nshops,b,B,1\nplaces,e,E,7\nplaces,f,F,\n")
    report = mall.ask("run", "mall", code=4)
    fields = [{"name": "id", "type": "string"}, {"name": "title", "type": "string"},
              {"name": "price", "type": "boolean"}]  # fmt: skip
    post(mall.braze, "/catalogs", {"catalogs": [{"name": "shops", "fields": fields}]})
    again = mall.ask("retry", report["run_id"], code=4)
    assert (1, "other_field_type") == mall.rejected(again)[0]
    told = mall.ask("explain", "mall", "f", "--catalog", "places")
    assert {"fields.title"} == {one["field"] for one in told["held"]}
    assert 2 == mall.call("explain", "mall", "f").returncode
    put_aside = mall.ask("explain", "mall", "e", "--catalog", "places")["put_aside"]
    assert {"no_such_field"} == {row["reason"] for row in put_aside}


@pytest.mark.nightly
def test_items_of_several_catalogs_are_replaced_and_deleted(mall):
    """What is held follows in each catalog, also of what another job wrote there."""
    whole = both(mode="replace", source={"prefix": "whole/"})
    gone = job(catalog={"from": "kind"}, mode="delete", source={"prefix": "gone/"}, fields=None,
               confirm_deletes=True)  # fmt: skip
    one = job(source={"prefix": "one/"}, fields={"open": {"type": "boolean"}})
    mall.configure(mall=whole, gone=gone, one=one)
    mall.drop("one/a.csv", "sku,open\na,true\nb,true\n")
    mall.ask("run", "one")
    rows = "kind,sku,title,city\nproducts,a,Mug,\nplaces,a,Oslo,Oslo\nplaces,b,Rome,\n"
    mall.drop("whole/a.csv", rows)
    assert 3 == mall.ask("run", "mall")["rows_applied"]
    assert {"id": "a", "title": "Mug"} == mall.braze.catalog("products")["a"]
    assert {"id": "b", "title": "Rome"} == mall.braze.catalog("places")["b"]
    mall.drop("whole/b.csv", rows.replace("Oslo,Oslo", "Oslo,"))
    assert (3, 1, 2, 0, 0) == counted(mall.ask("run", "mall"))
    assert {"id": "a", "title": "Oslo"} == mall.braze.catalog("places")["a"]

    mall.drop("one/b.csv", "sku,open\na,true\nb,true\n")
    assert (2, 1, 1, 0, 0) == counted(mall.ask("run", "one"))
    mall.drop("gone/a.csv", "kind,sku\nproducts,a\nplaces,b\n")
    assert 2 == mall.ask("run", "gone")["rows_applied"]
    assert ({"b"}, {"a"}) == (
        set(mall.braze.catalog("products")),
        set(mall.braze.catalog("places")),
    )
    mall.drop("gone/b.csv", "kind,sku\nproducts,a\nproducts,b\nplaces,b\n")
    assert (3, 1, 2, 0, 0) == counted(mall.ask("run", "gone"))


@pytest.mark.nightly
def test_refused_items_of_several_catalogs_are_given_again(mall):
    """Under the catalog that their rows named; to a job of one catalog only those of it."""
    mall.configure(mall=both())
    mall.braze.change(catalog_bytes=0)
    mall.drop("inbox/a.csv", "kind,sku,title\nproducts,a,A\nplaces,a,B\n")
    refused = mall.ask("run", "mall", code=4)
    assert 2 == refused["rows_refused"]
    mall.braze.change(catalog_bytes=1_000_000)
    mall.configure(mall=job())
    stopped = mall.call("retry", refused["run_id"])
    assert "its rows are items of the catalog places and products" in stopped.stderr
    mall.configure(mall=both())
    assert 2 == mall.ask("retry", refused["run_id"])["rows_applied"]
    assert {"a": {"id": "a", "title": "A"}} == mall.braze.catalog("products")
    assert {"a": {"id": "a", "title": "B"}} == mall.braze.catalog("places")


def test_a_whole_item_that_did_not_change_is_not_sent_again(shop):
    """Also where no field is named, and the remaining columns are all of it."""
    shop.configure(whole=job(mode="replace", fields=None, remaining_fields={"merge": "set"}))
    shop.drop("inbox/a.csv", "sku,title\na,A\n")
    shop.ask("run", "whole")
    shop.drop("inbox/b.csv", "sku,title\na,A\nb,B\n")
    assert (2, 1, 1, 0, 0) == counted(shop.ask("run", "whole"))
