"""What may stand in a job of catalog items, and what it is made into."""

from __future__ import annotations

import pytest
from support.config_texts import ENVIRON, ONE
from support.config_texts import messages as problems

from exchanger.config.describing.jobs import describe_job
from exchanger.config.loading.load import read_config
from exchanger.config.models import ItemField

HEAD = "type: import, object: catalog_items, source: {prefix: in/}"
NAMED = "catalog: products, id: sku"
FIELDS = "fields: {title: set}"


def job(text):
    return ONE + f"jobs: {{crm: {{{HEAD}, {text}}}}}"


def read(text):
    return read_config(job(text), ENVIRON).jobs["crm"]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (f"id: sku, {FIELDS}", "catalog"),
        (f"catalog: products, {FIELDS}", "id"),
        (f"catalog: a b, id: sku, {FIELDS}", "catalog"),
        (f"catalog: {'x' * 251}, id: sku, {FIELDS}", "catalog"),
        (f"catalog: products, id: '', {FIELDS}", "id"),
        (f"catalog: {{from: ''}}, id: sku, {FIELDS}", "catalog.from"),
        (f"catalog: {{column: kind}}, id: sku, {FIELDS}", "catalog.column"),
        (f"catalog: [a], id: sku, {FIELDS}", "catalog"),
        (NAMED, ""),
        (f"{NAMED}, {FIELDS}, match: {{external_id: id}}", "match"),
        (f"{NAMED}, {FIELDS}, create_missing: false", "create_missing"),
        (f"{NAMED}, {FIELDS}, baseline: lookup", "baseline"),
        (f"{NAMED}, {FIELDS}, row_id: x", "row_id"),
        (f"{NAMED}, {FIELDS}, mode: merge", "mode"),
        (f"{NAMED}, {FIELDS}, confirm_deletes: true", "confirm_deletes"),
        (f"{NAMED}, mode: delete", "confirm_deletes"),
        (f"{NAMED}, mode: delete, confirm_deletes: false", "confirm_deletes"),
        (f"{NAMED}, mode: delete, confirm_deletes: true, {FIELDS}", "fields"),
        (f"{NAMED}, fields: {{id: set}}", "fields.id"),
        (f"{NAMED}, fields: {{a.b: set}}", "fields.a.b"),
        (f"{NAMED}, fields: {{n: {{merge: sum, type: integer}}}}", "fields.n.merge"),
        (f"{NAMED}, fields: {{n: {{merge: add}}}}", "fields.n.merge"),
        (f"{NAMED}, fields: {{n: {{merge: set, on_drift: keep}}}}", "fields.n.on_drift"),
        (f"{NAMED}, remaining_fields: {{merge: highest}}", "remaining_fields[0].merge"),
    ],
)
def test_what_does_not_go_together_is_named(text, path):
    """Nothing is accepted and ignored: each has its place."""
    assert ".".join(filter(None, ("jobs.crm", path))) in problems(job(text))


@pytest.mark.parametrize("key", ["catalog: products", "id: sku", "mode: update"])
def test_keys_of_items_are_of_no_profile(key):
    """A job of attributes that has one is wrong about what it does."""
    text = ONE + "jobs: {crm: {type: import, source: {prefix: in/}, match: {external_id: id}, "
    assert {f"jobs.crm.{key.partition(':')[0]}"} == problems(f"{text}{FIELDS}, {key}}}}}").keys()


def test_who_is_meant_must_be_given_where_profiles_are():
    """Only items have no ``match``."""
    text = ONE + f"jobs: {{crm: {{type: import, source: {{prefix: in/}}, {FIELDS}}}}}"
    assert {"jobs.crm.match": "this must be given"} == problems(text)


def test_fields_of_items_are_no_attributes():
    """They have names that no attribute has, so that ``email`` is a text like any other."""
    made = read(f"{NAMED}, fields: {{email: set, cost: {{from: price, merge: clear}}}}")
    assert {"fields.email": ("email", "set"), "fields.cost": ("price", "clear")} == {
        name: (cell.from_, cell.merge) for name, cell in made.cells.items()
    }
    assert all(isinstance(cell, ItemField) for cell in made.cells.values())
    whole = read(f"{NAMED}, mode: replace, fields: {{a: set}}, remaining_fields: {{merge: set}}")
    assert "clear" == whole.cells["fields.a"].merge == whole.remaining_cells[0].merge
    assert "fields." == whole.remaining_cells[0].prefix


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (FIELDS, "makes items of the catalog 'products', and changes fields of those that exist"),
        (f"{FIELDS}, mode: update", "and makes none"),
        (f"{FIELDS}, mode: replace", "of exactly these fields"),
        ("mode: delete, confirm_deletes: true", "deletes items of the catalog 'products'"),
    ],
)
def test_check_says_what_becomes_of_an_item(text, says):
    """A person reads by what an item is found, and what is done to it."""
    said = "\n".join(describe_job(read_config(job(f"{NAMED}, {text}"), ENVIRON), "crm"))
    assert "finds each item by its id in column sku" in said
    assert says in said


def test_a_column_may_name_the_catalog_of_each_item():
    """It names rows then, beside the id, so it is no field of its own."""
    made = read(f"catalog: {{from: ' kind '}}, id: sku, {FIELDS}")
    assert ("kind", "", ("kind", "sku")) == (
        made.catalog_column,
        made.one_catalog,
        made.match_columns,
    )
    said = describe_job(
        read_config(job(f"catalog: {{from: kind}}, id: sku, {FIELDS}"), ENVIRON), "crm"
    )
    assert any("items of the catalog that column kind names, and changes" in line for line in said)


def test_items_and_profiles_may_come_of_the_same_files():
    """The same name is a field here and an attribute there, and one catalog is not another."""
    rest = f"source: {{prefix: in/}}, {FIELDS}}}"
    profiles = f"b: {{type: import, match: {{external_id: id}}, {rest}"
    start = job(f"{NAMED}, {FIELDS}").rstrip("}") + f"}}}}, {profiles}, "
    text = start + f"c: {{type: import, object: catalog_items, catalog: CATALOG, id: sku, {rest}}}"
    assert {"crm", "b", "c"} == read_config(text.replace("CATALOG", "other"), ENVIRON).jobs.keys()
    for same in ("products", "{from: kind}"):
        assert {"jobs.c.source.prefix"} == problems(text.replace("CATALOG", same)).keys()
