"""Orders from files: the lines of one become one event, which is sent once, or told why not."""

from __future__ import annotations

import pytest
from support.jobs import PLACED, import_job

ORDERS = import_job(
    object="orders",
    source={"prefix": "inbox/orders/"},
    order=PLACED
    | {
        "total": {"sum": "line_total"},
        "product": {"id": "sku", "name": "title", "variant": "sku", "quantity": "n", "price": "p"},
        "metadata": {"store": "store"},
    },
)
HEADER = "order,id,at,sku,title,n,p,line_total,store\n"
AT = "2026-09-01T08:00:00Z"


def line(order, who, sku, *, n=1, p="0.10"):
    return f"{order},{who},{AT},{sku},The {sku},{n},{p},{p},7\n"


def kinds(report):
    names = ("read", "applied", "repeated", "rejected", "refused", "in_doubt")
    return {name: report[f"rows_{name}"] for name in names if report[f"rows_{name}"]}


def events(exchange):
    """All events that Braze was sent, in order."""
    return [one for body in exchange.braze.bodies("/users/track") for one in body["events"]]


def test_the_lines_of_an_order_become_one_event(exchange):
    """
    Over all files of a run, with an exact total, and without a data point.

    An order that comes again is repeated; a further line of it goes to quarantine.
    """
    exchange.configure(orders=ORDERS)
    exchange.drop("inbox/orders/a.csv", HEADER + line(1, "ada", "pen") + line(2, "bob", "ink"))
    exchange.drop("inbox/orders/b.csv", HEADER + line(1, "ada", "cap", p="0.20"))

    plan = exchange.ask("plan", "orders")
    assert (2, 3, 0) == (
        plan["object_count"],
        plan["report"]["rows_applied"],
        len(events(exchange)),
    )

    report = exchange.ask("run", "orders")

    assert {"read": 3, "applied": 3} == kinds(report)
    assert 0 == report["data_points"] == exchange.braze.meter
    assert {
        "external_id": "ada",
        "name": "ecommerce.order_placed",
        "time": "2026-09-01T08:00:00.000Z",
        "properties": {
            "order_id": "1",
            "currency": "USD",
            "source": "web",
            "total_value": 0.3,
            "products": [
                {
                    "product_id": sku,
                    "product_name": f"The {sku}",
                    "variant_id": sku,
                    "quantity": 1,
                    "price": price,
                }
                for sku, price in (("pen", 0.1), ("cap", 0.2))
            ],
            "metadata": {"store": 7},
        },
    } == events(exchange)[0]
    users = exchange.braze.users()
    assert [(1, 0.3), (1, 0.1)] == [
        (users[who]["orders"], users[who]["total_revenue"]) for who in ("ada", "bob")
    ]

    again = line(1, "ada", "cap", p="0.20") + line(1, "ada", "pen") + line(1, "ada", "pen")
    exchange.drop("inbox/orders/c.csv", HEADER + again + line(3, "cyd", "pen"))
    report = exchange.ask("run", "orders", code=4)

    assert {"read": 4, "applied": 1, "repeated": 2, "rejected": 1} == kinds(report)
    assert [(3, "late_line")] == exchange.rejected(report)
    assert 3 == len(events(exchange))
    assert 0 == exchange.ask("backfill", "orders", "--full", code=4)["rows_applied"]


@pytest.mark.nightly
def test_a_faulty_line_puts_the_whole_order_aside(exchange):
    """Until it is corrected, in whatever file; lines that disagree likewise."""
    exchange.configure(orders=ORDERS)
    exchange.drop(
        "inbox/orders/a.csv",
        HEADER + line(1, "ada", "pen") + line(2, "bob", "pen") + line(3, "cyd", "pen"),
    )
    bad = line(1, "ada", "ink", n="two") + line(2, "eve", "cap") + line(4, "dan", "pen", p="-1")
    exchange.drop("inbox/orders/b.csv", HEADER + bad)

    report = exchange.ask("run", "orders", code=4)

    assert {"read": 6, "applied": 1, "rejected": 5} == kinds(report)
    assert [
        (1, "faulty_line"),
        (1, "not_an_integer"),
        (2, "lines_disagree"),
        (2, "lines_disagree"),
        (3, "negative_amount"),
    ] == sorted(exchange.rejected(report))
    exchange.drop("inbox/orders/c.csv", HEADER + line(1, "ada", "pen") + line(1, "ada", "ink", n=2))
    assert 2 == exchange.ask("run", "orders")["rows_applied"]
    again = exchange.ask("retry", str(report["seq"]), code=4)
    assert {"read": 5, "repeated": 1, "rejected": 4} == kinds(again)
    assert ["cyd", "ada"] == [one["external_id"] for one in events(exchange)]


@pytest.mark.nightly
def test_an_order_in_doubt_is_sent_by_retry_alone(exchange):
    """All of its lines are in doubt together, and sent once, whatever comes in between."""
    exchange.connection["braze"]["give_up"] = "1s"
    exchange.configure(orders=ORDERS)
    exchange.braze.faults("/users/track", status=500, times=1)
    lines = HEADER + line(1, "ada", "pen") + line(1, "ada", "ink")
    exchange.drop("inbox/orders/a.csv", lines)

    report = exchange.ask("run", "orders", code=4)

    assert {"read": 2, "in_doubt": 2} == kinds(report)
    exchange.drop("inbox/orders/b.csv", lines + line(1, "ada", "cap"))
    assert {"read": 3, "repeated": 2, "rejected": 1} == kinds(exchange.ask("run", "orders", code=4))
    assert {"read": 2, "applied": 2} == kinds(exchange.ask("retry", str(report["seq"])))
    assert 0 == exchange.ask("retry", str(report["seq"]))["rows_applied"]
    assert 1 == exchange.braze.users()["ada"]["orders"]


@pytest.mark.nightly
def test_no_line_of_an_order_is_sent_of_which_one_names_several_people(exchange):
    """The other lines go with it, in whichever file they are."""
    exchange.braze.seed(
        [{"external_id": who, "email": f"{mail}@example.com"} for who, mail in
         (("ada", "ada"), ("bob", "both"), ("eve", "both"))]
    )  # fmt: skip
    exchange.configure(orders=ORDERS | {"match": {"email": "id"}})
    both, ada = "both@example.com", "ada@example.com"
    exchange.drop("inbox/orders/a.csv", HEADER + line(1, both, "pen") + line(2, ada, "ink"))
    exchange.drop("inbox/orders/b.csv", HEADER + line(1, ada, "cap"))

    report = exchange.ask("run", "orders", code=4)

    assert {"read": 3, "applied": 1, "rejected": 2} == kinds(report)
    assert ["ada"] == [one["external_id"] for one in events(exchange)]
    reasons = sorted(row["reason"] for row in exchange.quarantined(report))
    assert "ambiguous_email" == reasons[0]
