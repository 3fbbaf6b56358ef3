"""What becomes of the lines of orders: by decision tables, and against a line-by-line oracle."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchanger.config.models import ImportJob
from exchanger.objects.kinds import kind_of
from exchanger.objects.orders.events import OrderOptions
from exchanger.objects.orders.lines import lines_of, named_lines, names_of, plan_orders
from exchanger.objects.rows import RowsInput, judged_rows
from exchanger.profiles.frames.columns import FAULTY, FILE, ROW
from exchanger.profiles.frames.raw_columns import RawColumns
from exchanger.profiles.reading.mapping import settle_rules
from exchanger.profiles.reading.typed_rows import cast_rows
from exchanger.sandbox.json_text import parse
from exchanger.sandbox.tracking.ecommerce import refuse

NOW = datetime(2026, 9, 15, 8, tzinfo=UTC)
COLUMNS = {
    "total": "total", "subtotal": "subtotal", "tax": "tax", "shipping": "shipping",
    "total_discounts": "off", "cart_id": "cart", "action": "action", "cancel_reason": "why",
}  # fmt: skip
PRODUCT = {
    "id": "sku", "name": "title", "variant": "sku", "quantity": "n", "price": "p",
    "image_url": "image", "product_url": "page",
}  # fmt: skip
ROW_OF = {
    "event": "order_placed", "order": "1", "id": "ada", "at": "2026-09-01", "money": "EUR",
    "from": "web", "total": "3", "subtotal": "", "tax": "", "shipping": "", "off": "",
    "discounts": "", "cart": "", "action": "", "why": "", "sku": "pen", "title": "Pen", "n": "2",
    "p": "1.5", "image": "", "page": "", "alerts": "", "store": "", "colour": "",
}  # fmt: skip


def cell(column, **more):
    return {"from": column} | more


def job_of(**changes):
    """Build a job of orders of which every part is a column, with some parts changed."""
    order = {
        "event": cell("event"),
        "id": "order",
        "time": cell("at"),
        "currency": cell("money"),
        "source": cell("from"),
        "discounts": cell("discounts"),
        "metadata": {"store": cell("store")},
        "product": {name: cell(column) for name, column in PRODUCT.items()}
        | {"type": cell("alerts", split="|"), "metadata": {"colour": cell("colour")}},
    } | {name: cell(column) for name, column in COLUMNS.items()}
    return ImportJob.model_validate(
        {
            "type": "import",
            "object": "orders",
            "source": {"prefix": "in/"},
            "match": [{"external_id": "id"}],
            "order": order | changes,
        }
    )


JOB = job_of()
SMALL = ImportJob.model_validate(
    JOB.model_dump(by_alias=True, exclude_unset=True)
    | {
        "order": {
            "event": {"value": "order_placed"},
            "id": "order",
            "time": cell("at"),
            "currency": {"value": "EUR"},
            "source": {"value": "web"},
            "total": cell("total"),
            "product": {name: cell(PRODUCT[name]) for name in list(PRODUCT)[:5]},
        }
    }
)
SUMMED = job_of(total={"sum": "total"}, tax={"sum": "tax"})


def read(job, *rows):
    """Cast lines as a run reads them: given and faulty ones, rejected ones, and the rules."""
    frame = pl.DataFrame([ROW_OF | row for row in rows]).with_columns(
        pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).alias(ROW)
    )
    raw = RawColumns(frame=frame.drop("file", strict=False), textual=True, key="in/a.csv")
    rules = settle_rules(job, raw, {}).rules
    cast = cast_rows(raw, rules, job, 0)
    fine, odd = judged_rows(
        cast.frame, kind_of(job).faults(rules, NOW), {rule.name: rule for rule in rules}
    )
    bad = [cast.frame.join(odd, on=[FILE, ROW], how="semi")]
    bad += [] if cast.faulty is None else [cast.faulty]
    marked = pl.concat(bad).with_columns(pl.lit(value=True).alias(FAULTY))
    every = pl.concat([fine, marked], how="diagonal")
    if "file" in frame.columns:
        places = frame.select(ROW, pl.col("file").cast(pl.UInt32).alias(FILE))
        every = every.drop(FILE).join(places, on=ROW)
    return every, pl.concat([cast.rejected, odd]), rules


def planned(job, *rows, taken=(), ready=None):
    """Plan lines, and return the plan and why lines were rejected, by row."""
    every, odd, rules = read(job, *rows)
    options = OrderOptions(
        rules, "events", create_missing=True, id_column="order", match_column="id"
    )
    known = pl.Series("@row_id", [*taken], pl.String)
    plan = plan_orders(RowsInput(named_lines(every, rules), known, ready), options)
    why = dict(odd.select(ROW, "reason").rows())
    if plan.rejected is not None:
        why |= dict(plan.rejected.select(ROW, "reason").rows())
    return plan, why


def sent(plan):
    return [json.loads(text) for text in plan.outbox["@object"]]


def taken_by(*rows, job=JOB):
    """Name what a ledger knows once these lines were sent."""
    orders = planned(job, *rows)[0].outbox
    return [*orders["@row_id"], *lines_of(orders)["@row_id"]]


LATER = (NOW + timedelta(hours=2)).isoformat()


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({}, None),
        ({"event": ""}, "not_an_order_event"),
        ({"event": "OrderPlaced"}, "not_an_order_event"),
        ({"order": ""}, "no_order_id"),
        ({"order": "x" * 256}, "order_id_too_long"),
        ({"order": "4.9E+12"}, "rounded_identifier"),
        ({"at": ""}, "no_time"),
        ({"at": LATER}, "future_time"),
        ({"money": ""}, "missing_part"),
        ({"money": "eur"}, "not_a_currency"),
        ({"from": ""}, "missing_part"),
        ({"from": "  "}, "missing_part"),
        ({"from": "x" * 256}, "too_long"),
        ({"total": ""}, "missing_part"),
        ({"total": "x"}, "not_a_number"),
        ({"total": "-1"}, "negative_amount"),
        ({"tax": "-1"}, "negative_amount"),
        ({"event": "order_refunded", "tax": "-1"}, None),
        ({"sku": ""}, "missing_part"),
        ({"title": ""}, "missing_part"),
        ({"n": ""}, "missing_part"),
        ({"n": "1.5"}, "not_an_integer"),
        ({"n": "-1"}, "negative_pieces"),
        ({"n": "0"}, None),
        ({"p": ""}, "missing_part"),
        ({"p": "-1.5"}, "negative_amount"),
        ({"event": "order_cancelled"}, "missing_part"),
        ({"event": "order_cancelled", "why": "late"}, None),
        ({"event": "cart_updated", "total": "", "action": "replace"}, "missing_part"),
        ({"event": "cart_updated", "total": "", "action": "add"}, None),
        ({"event": "cart_updated", "action": "empty"}, "not_an_action"),
        ({"event": "checkout_started"}, None),
        ({"event": "product_viewed", "n": "", "total": "", "alerts": "price_drop"}, None),
        ({"event": "product_viewed", "alerts": "price_drop|sale"}, "not_an_alert"),
        ({"discounts": '{"code": "x"}'}, "not_a_list"),
        ({"discounts": '[{"code": "x"}]'}, None),
    ],
)  # fmt: skip
def test_a_line_that_braze_would_drop_is_rejected(row, reason):
    """Each fault has a word of its own; what has none, Braze takes as it is spelled."""
    plan, why = planned(JOB, row)
    assert ({} if reason is None else {1: reason}) == why
    assert (reason is None) == bool(plan.outbox.height)
    assert all(refuse(parse(text.encode())) is None for text in plan.outbox["@object"])


@settings(max_examples=30, deadline=None)
@given(
    st.fixed_dictionaries(
        {
            "event": st.sampled_from(
                ["product_viewed", "cart_updated", "checkout_started", "order_placed",
                 "order_cancelled", "order_refunded"]
            ),
            "total": st.sampled_from(["", "3", "-1"]),
            "tax": st.sampled_from(["", "0.1", "-1"]),
            "off": st.sampled_from(["", "1"]),
            "discounts": st.sampled_from(["", "[]", "{}"]),
            "cart": st.sampled_from(["", "c", " "]),
            "action": st.sampled_from(["", "add", "replace", "x"]),
            "why": st.sampled_from(["", "late"]),
            "n": st.sampled_from(["", "2"]),
            "image": st.sampled_from(["", "https://x.example/1.png"]),
            "alerts": st.sampled_from(["", "price_drop", "sale"]),
            "store": st.sampled_from(["", "7"]),
            "colour": st.sampled_from(["", "red"]),
            "sku": st.sampled_from(["pen", ""]),
        }
    ),
    st.booleans(),
)  # fmt: skip
def test_whatever_is_sent_is_taken(row, twice):
    """Of any cells, an event is either rejected by us or fits Braze's schema."""
    plan, why = planned(SUMMED, *([row, row | {"sku": "ink"}] if twice else [row]))
    assert why or plan.outbox.height
    assert [] == [
        refused for text in plan.outbox["@object"] if (refused := refuse(parse(text.encode())))
    ]


def test_sums_are_exact_and_constants_are_said_of_every_order():
    """Lines of 0.1 and 0.2 come to 0.3; a view names nothing and has no list."""
    job = job_of(total={"sum": "total"}, event={"value": "order_placed"}, source={"value": "app"})
    plan, _ = planned(
        job,
        {"total": "0.1", "sku": "a"},
        {"total": "0.2", "sku": "b"},
        {"total": "0.7", "order": 2},
    )
    first, second = [one["properties"] for one in sent(plan)]
    assert '"total_value":0.3,' in plan.outbox["@object"][0]
    assert ("1", "app", ["a", "b"]) == (
        first["order_id"], first["source"], [line["product_id"] for line in first["products"]],
    )  # fmt: skip
    assert ("2", 0.7) == (second["order_id"], second["total_value"])
    assert [0, 0] == plan.outbox["@points"].to_list()
    assert [2, 1] == plan.outbox["@rows"].to_list()
    view, _ = planned(JOB, {"event": "product_viewed", "store": "7", "colour": "red"})
    assert {
        "currency": "EUR", "source": "web", "product_id": "pen", "product_name": "Pen",
        "variant_id": "pen", "price": 1.5, "metadata": {"store": 7},
    } == sent(view)[0]["properties"]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id": "bob"}, "match"),
        ({"at": "2026-09-02"}, "time"),
        ({"money": "USD"}, "currency"),
        ({"total": "4"}, "total"),
        ({"from": "app"}, "source"),
        ({"cart": "d"}, "cart_id"),
        ({"discounts": "[2]"}, "discounts"),
        ({"store": "8"}, "metadata.store"),
        ({"title": "Other", "sku": "x", "n": "5", "p": "9", "colour": "red"}, None),
        ({"cart": "", "store": ""}, None),
    ],
)
def test_lines_that_disagree_put_the_order_aside(changes, field):
    """What an order has once is the same in all lines; what a line leaves out says nothing."""
    one = {"cart": "c", "store": "7", "discounts": "[1]"}
    plan, why = planned(JOB, one, one | {"sku": "ink"} | changes, {"order": "2"})
    assert ({} if field is None else {1: "lines_disagree", 2: "lines_disagree"}) == why
    assert "order_placed:2" in plan.outbox["@row_id"]
    assert plan.outbox.height == 1 + (field is None)
    if field is not None:
        assert [field] * 2 == plan.rejected["field"].to_list()
        assert "is not the same in all lines" in plan.rejected["message"][0]
        assert '"order":"1"' in plan.rejected["record"][0]


@pytest.mark.parametrize(
    ("bad", "others", "aside"),
    [
        ({"n": "x"}, {}, True),
        ({"p": "-1"}, {}, True),
        ({"at": ""}, {}, True),
        ({"event": ""}, {}, True),
        ({"id": ""}, {}, True),
        ({"order": ""}, {}, False),
        ({"n": "x", "order": "2"}, {}, False),
        ({"n": "x", "event": "checkout_started"}, {}, False),
        ({"n": "x", "at": "2026-09-02"}, {}, True),
        ({"n": "x", "at": "2026-09-02"}, {"event": "order_refunded"}, False),
        ({"at": "", "event": "order_refunded"}, {"event": "order_refunded"}, True),
        ({"n": "x"}, {"event": "cart_updated"}, False),
    ],
)
def test_a_faulty_line_puts_its_whole_order_aside(bad, others, aside):
    """As far as the line says of which order it is; others of the same run are sent."""
    plan, why = planned(JOB, others, bad, {"order": "3"})
    assert ("faulty_line" if aside else None) == why.get(1)
    assert 2 in why
    assert ([] if aside else ["1"]) + ["3"] == [
        next(iter(one["properties"].values())) for one in sent(plan)
    ]
    assert plan.tally.rows_rejected == int(aside)


@pytest.mark.parametrize(
    ("again", "outcome"),
    [
        ([{}], {"repeated": 1}),
        ([{}, {"sku": "ink"}], {"repeated": 2}),
        ([{"title": "Renamed", "colour": "red"}], {"repeated": 1}),
        ([{"money": "USD", "id": "bob"}], {"repeated": 1}),
        ([{"sku": "cap"}], {"late_line": 1}),
        ([{"n": "3"}], {"late_line": 1}),
        ([{}, {}], {"repeated": 1, "late_line": 1}),
        ([{"file": 0}, {"file": 1}], {"repeated": 2}),
        ([{}, {"p": "x"}], {"repeated": 1, "not_a_number": 1}),
        ([{"event": "checkout_started"}], {"sent": 1}),
        ([{"order": "2"}], {"sent": 1}),
    ],
)
def test_an_order_that_was_sent(again, outcome):
    """Its lines are repeated, and what is no line of it is late; another event is another one."""
    plan, why = planned(JOB, *again, taken=taken_by({}, {"sku": "ink"}))
    found = Counter(why.values())
    found["repeated"] = plan.tally.rows_repeated
    found["sent"] = plan.outbox.height
    assert outcome == dict(+found)


def test_carts_and_refunds_happen_several_times():
    """Each at its own time; an order is placed once, whatever the time."""
    for event, count in (("cart_updated", 2), ("order_refunded", 2), ("order_placed", 0)):
        rows = [{"event": event}, {"event": event, "at": "2026-09-02"}]
        plan, _ = planned(JOB, *rows)
        assert count == plan.outbox.height
        assert count == len(set(plan.outbox["@row_id"]))


def test_an_order_that_is_wrong_as_a_whole_is_put_aside():
    """A sum below 0, more than 100 KB, several products in one view."""
    _, why = planned(SUMMED, {"total": "1"}, {"total": "-2", "sku": "ink"})
    assert {1: "negative_total", 2: "negative_total"} == why
    large = [{"sku": f"{n}", "title": "x" * 250, "colour": "y" * 250} for n in range(200)]
    _, why = planned(JOB, *large)
    assert {"order_too_large"} == set(why.values())
    _, why = planned(JOB, {"event": "product_viewed"}, {"event": "product_viewed", "sku": "ink"})
    assert {1: "several_views", 2: "several_views"} == why


def test_what_is_given_again_is_sent_as_it_was():
    """Also where no line was read beside it."""
    first = planned(JOB, {}, {"sku": "ink"})[0].outbox
    nothing = pl.DataFrame(schema={"@profile": pl.String, FILE: pl.UInt32, ROW: pl.UInt32})
    options = OrderOptions([], "events", create_missing=True, id_column="order", match_column="id")
    given = named_lines(nothing, [])
    plan = plan_orders(RowsInput(given, names_of(given), first), options)
    assert first.rows() == plan.outbox.rows()
    plan, _ = planned(JOB, {"order": "2"}, ready=first)
    assert ["order_placed:2", "order_placed:1"] == plan.outbox["@row_id"].to_list()
    assert [0, 1] == plan.outbox["@item"].to_list()


LINE = st.tuples(st.sampled_from("12"), st.sampled_from(["pen", "ink"]), st.integers(0, 1))


@settings(max_examples=30, deadline=None)
@given(st.lists(LINE, max_size=3), st.lists(LINE, min_size=1, max_size=8))
def test_each_order_is_sent_once_with_all_its_lines(before, rows):
    """As a line-by-line oracle has it: equal lines count within a file, not between files."""

    def lines(given):
        found = {}
        seen = Counter()
        for order, sku, file in sorted(given, key=lambda row: row[2]):
            seen[order, sku, file] += 1
            found.setdefault(order, []).append((sku, seen[order, sku, file]))
        return found

    def cells(given):
        return [{"order": order, "sku": sku, "file": file} for order, sku, file in given]

    known = {order: set(found) for order, found in lines(before).items()}
    taken = taken_by(*cells(before), job=SMALL) if before else ()
    plan, why = planned(SMALL, *cells(rows), taken=taken)

    wanted, late = {}, 0
    for order, found in lines(rows).items():
        if order in known:
            late += sum(line not in known[order] for line in found)
        else:
            wanted[order] = Counter(sku for sku, _ in set(found))
    made = [one["properties"] for one in sent(plan)]
    spelled = {one["order_id"]: Counter(p["product_id"] for p in one["products"]) for one in made}
    assert wanted == spelled
    assert ["late_line"] * late == [*why.values()]
    applied = sum(each.total() for each in wanted.values())
    assert len(rows) == applied + late + plan.tally.rows_repeated
