"""What may stand in a job of events or purchases, and what it is made into."""

from __future__ import annotations

import pytest
from support.config_texts import ENVIRON, ONE
from support.config_texts import messages as problems

from exchanger.config.describing.jobs import describe_job
from exchanger.config.loading.load import read_config

HEAD = "type: import, source: {prefix: in/}, match: {external_id: id}"
EVENT = "event: {name: Seen, time: at}"
PURCHASE = "purchase: {product: sku, price: p, currency: EUR, time: at}"

ORDER = (
    "order: {event: order_placed, id: o, time: at, currency: EUR, source: web, total: t,"
    " product: {id: s, name: s, variant: s, quantity: n, price: p}}"
)


def job(text):
    return ONE + f"jobs: {{crm: {{{HEAD}, {text}}}}}"


def read(text):
    return read_config(job(text), ENVIRON).jobs["crm"]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("object: events", ""),
        (f"object: events, {PURCHASE}", "purchase"),
        (f"object: purchases, {EVENT}", "event"),
        (f"fields: {{a: set}}, {EVENT}", "event"),
        ("fields: {a: set}, row_id: x", "row_id"),
        ("fields: {a: set}, on_unknown: hold", "on_unknown"),
        ("fields: {a: set}, on_invalid: drop", "on_invalid"),
        (f"object: events, {EVENT}, may_resubscribe: false", "may_resubscribe"),
        (f"object: events, {EVENT}, only_if: {{a: b}}", "only_if"),
        ("fields: {a: set}, only_if: {segment: ''}", "only_if.segment"),
        ("fields: {a: set}, only_if: {subscription_groups: x}", "only_if.subscription_groups"),
        ("fields: {a: set}, only_if: {tier: []}", "only_if.tier"),
        (f"object: events, {EVENT}, fields: {{a: set}}", "fields"),
        (f"object: events, {EVENT}, remaining_fields: {{merge: set}}", "remaining_fields"),
        (f"object: events, {EVENT}, baseline: lookup", "baseline"),
        (f"object: events, {EVENT}, row_id: ''", "row_id"),
        (f"object: events, {EVENT}, on_unknown: guess", "on_unknown"),
        ("object: events, event: {name: Seen}", "event.time"),
        ("object: events, event: {name: $x, time: at}", "event.name.value"),
        ("object: events, event: {name: ecommerce.order_placed, time: at}", "event.name.value"),
        ("object: events, event: {name: x, time: {type: date, from: at}}", "event.time.type"),
        ("object: events, event: {name: x, time: {trim: true}}", "event.time"),
        (
            "object: events, event: {name: x, time: at, properties: {time: b}}",
            "event.properties.time",
        ),
        (
            "object: events, event: {name: x, time: at, properties: {$b: b}}",
            "event.properties.$b",
        ),
        (
            "object: events, event: {name: x, time: at, properties: {b: {merge: set}}}",
            "event.properties.b.merge",
        ),
        (
            "object: purchases, purchase: {product: s, price: p, currency: EURO, time: at}",
            "purchase.currency.value",
        ),
        ("object: orders", ""),
        (f"object: orders, {ORDER}, row_id: x", "row_id"),
        (f"object: orders, {ORDER}, fields: {{a: set}}", "fields"),
        (f"object: events, {EVENT}, {ORDER}", "order"),
    ],
)
def test_what_does_not_go_together_is_named(text, path):
    """Nothing is accepted and ignored: each has its place."""
    assert ".".join(filter(None, ("jobs.crm", path))) in problems(job(text))


def test_a_column_that_stands_where_a_currency_does_is_shown_how_to_be_named():
    """A currency is written as it is, all else that an order has as the name of a column."""
    [said] = problems(job(f"object: orders, {ORDER.replace('EUR', 'cur')}")).values()
    assert "the name of a column goes into {from: cur}" in said


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("id: o", 'id: ""', "order.id"),
        ("id: o,", "", "order.id"),
        ("placed", "sent", "order.event.value"),
        ("EUR", "EURO", "order.currency.value"),
        ("total: t,", "", "order"),
        ("order_placed", "order_cancelled", "order"),
        ("order_placed", "order_refunded, tax: t", "order.tax"),
        (" quantity: n,", "", "order.product"),
        ("order_placed", "product_viewed", "order.product.quantity"),
        ("order_placed", "cart_updated, action: {value: x}", "order.action.value"),
        ("total: t", 'total: {sum: ""}', "order.total.sum"),
        ("total: t", "total: {sum: t, from: t}", "order.total.from"),
        ("total: t", "total: {from: t, type: integer}", "order.total.type"),
        ("total: t", "total: t, metadata: {$a: b}", "order.metadata.$a"),
        ("total: t", "total: t, gift: t", "order.gift"),
    ],
)
def test_what_braze_would_drop_every_order_for_is_named(old, new, path):
    """A part that its event lacks, or does not take, is found before any file comes."""
    assert f"jobs.crm.{path}" in problems(job(f"object: orders, {ORDER.replace(old, new)}"))


@pytest.mark.parametrize(
    "change",
    [
        ("id: o", "id: o"),
        ("total: t,", "action: {value: add},"),
        ("order_placed", "{from: e}"),
        ("quantity: n", "quantity: n, metadata: {a: b}"),
    ],
)
def test_a_sound_order_is_accepted(change):
    """Also one of which only the rows tell the event."""
    text = ORDER.replace(*change)
    if "action" in text:
        text = text.replace("order_placed", "cart_updated")
    assert {} == problems(job(f"object: orders, {text}"))


def test_order_by_means_nothing_where_each_row_counts():
    """An order decides which value wins, and here none does."""
    text = job(f"object: events, {EVENT}").replace("prefix: in/", "prefix: in/, order_by: at")
    assert {"jobs.crm.source.order_by"} == problems(text).keys()


def test_short_spellings_are_columns_and_texts():
    """A text is a column, but for a name and a currency."""
    events = read(
        "object: events, event: {name: Seen, time: at, properties: {plan: p, n: {type: integer}}}"
    )
    assert {
        "name": (None, "Seen", "string"),
        "time": ("at", None, "datetime"),
        "properties.plan": ("p", None, None),
        "properties.n": ("n", None, "integer"),
    } == {name: (cell.from_, cell.value, cell.type) for name, cell in events.cells.items()}
    purchases = read(
        "object: purchases, purchase: {product: s, price: p, currency: {from: c}, time: at}"
    )
    assert ("c", None) == (purchases.cells["currency"].from_, purchases.cells["currency"].value)


def test_the_parts_of_an_order_are_columns_and_texts():
    """Of an order event, currency and source are texts; an amount may be added up."""
    text = ORDER.replace("total: t", "total: {sum: t}, tax: {sum: x, scale: 2}, metadata: {a: b}")
    cells = read(f"object: orders, {text}").cells
    assert {
        "event": (None, "order_placed", "string"),
        "currency": (None, "EUR", "string"),
        "source": (None, "web", "string"),
        "time": ("at", None, "datetime"),
        "total.sum": ("t", None, "decimal"),
        "tax.sum": ("x", None, "decimal"),
        "metadata.a": ("b", None, None),
        "product.id": ("s", None, "string"),
        "product.name": ("s", None, "string"),
        "product.variant": ("s", None, "string"),
        "product.quantity": ("n", None, "integer"),
        "product.price": ("p", None, "float"),
    } == {name: (cell.from_, cell.value, cell.type) for name, cell in cells.items()}
    assert (4, 2) == (cells["total.sum"].scale, cells["tax.sum"].scale)
    columns = read(f"object: orders, {ORDER.replace('order_placed', '{from: e}')}").cells
    assert ("e", None) == (columns["event"].from_, columns["event"].value)


def test_remaining_columns_never_take_a_name_that_braze_keeps():
    """Under a prefix of their own they may."""
    rest = "event: {name: Seen, time: at, remaining_properties: {exclude: _*}}"
    (block,) = read(f"object: events, {rest}").remaining_cells
    assert {"_*", "time", "event_name", "$*"} == set(block.exclude)
    prefixed = rest.replace("exclude: _*", "prefix: x_")
    (block,) = read(f"object: events, {prefixed}").remaining_cells
    assert () == block.exclude


def test_check_says_what_becomes_of_a_row():
    """A person reads how often a row counts, and what happens when nobody knows."""
    config = read_config(job(f"object: events, {EVENT}, row_id: row"), ENVIRON)
    said = "\n".join(describe_job(config, "crm"))
    assert "once, by its name in column row" in said
    assert "retry gives it again" in said
    assert "name: 'Seen'" in said
    order = ORDER.replace("total: t", "total: {sum: t}")
    config = read_config(job(f"object: orders, {order}"), ENVIRON)
    said = "\n".join(describe_job(config, "crm"))
    assert "one ecommerce event of all rows with the same o" in said
    assert "by its event and its id in column o" in said
    assert "total.sum: column t, added up over the lines" in said
