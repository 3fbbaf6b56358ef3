"""A plan that waited for longer than ``max_plan_age`` before anything of it was sent."""

from __future__ import annotations

import signal
from datetime import timedelta

import pytest
from support.jobs import import_job
from support.looking import until

LOOKUP, TRACK = "/users/export/ids", "/users/track"
LIMIT = 120


def job(city="quarantine"):
    return import_job(
        fields={
            "tier": {"type": "string", "on_drift": "keep"},
            "city": {"type": "string", "on_drift": city},
            "points": {"merge": "sum", "type": "integer"},
        },
        baseline="assume_empty",
    )


def rows(tier, city, points):
    return "id,tier,city,points\n" + "".join(f"p{n},{tier},{city},{points}\n" for n in range(1, 5))


def until_planned(exchange, seq):
    key = f"_exchanger/main/runs/{seq:09}.json"
    until(
        lambda: any(
            item.key == key and b'"delivering"' in exchange.bucket.read(key)[0]
            for item in exchange.bucket.list(key)
        )
    )


def held_by_braze(exchange, profile):
    return tuple(exchange.attribute(profile, name) for name in ("tier", "city", "points"))


@pytest.mark.nightly
def test_an_old_plan_is_compared_with_braze_before_it_is_sent(exchange):
    """
    What Braze has already is not sent, what it has as before is; anything else follows on_drift.

    What goes to quarantine is still owed: a retry gives it, to what Braze has by then.
    """
    exchange.connection["braze"]["grace"] = "0s"
    exchange.configure(crm=job())
    exchange.drop("inbox/1.csv", rows("gold", "Ulm", 1))
    exchange.ask("run", "crm")

    exchange.connection["braze"]["spacing"] = "10m"
    exchange.configure(crm=job())
    exchange.drop("inbox/2.csv", rows("silver", "Bonn", 5))
    process = exchange.start("run", "crm")
    until_planned(exchange, 2)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=LIMIT)
    exchange.braze.seed(
        [
            {"external_id": "p2", "tier": "silver", "city": "Bonn", "points": 6},
            {"external_id": "p3", "tier": "vip"},
            {"external_id": "p4", "city": "Rome", "points": 100},
        ]
    )
    exchange.connection["braze"]["spacing"] = "0s"
    exchange.connection["max_plan_age"] = "1s"
    exchange.configure(crm=job())
    sent = exchange.braze.requests(TRACK)
    plans = [*exchange.bucket.list("_exchanger/main/outbox/")]
    # S3 tells ages in whole seconds.
    second = timedelta(seconds=1)
    until(lambda: all(exchange.bucket.head(plan.key).age > second for plan in plans))
    report = exchange.ask("run", "crm", code=4)

    assert ('"silver"', '"Bonn"', "6") == held_by_braze(exchange, "p1")
    assert ('"silver"', '"Bonn"', "6") == held_by_braze(exchange, "p2")
    assert ('"vip"', '"Bonn"', "6") == held_by_braze(exchange, "p3")
    assert ('"gold"', '"Rome"', "100") == held_by_braze(exchange, "p4")
    assert (1, 1) == (report["fields_kept"], report["rows_refused"])
    objects = [one for body in exchange.braze.bodies(TRACK)[sent:] for one in body["attributes"]]
    assert ["p1", "p3"] == sorted(one["external_id"] for one in objects)
    [row] = exchange.quarantined(report)
    assert ("p4", "changed_by_others") == (row["profile"], row["reason"])

    again = exchange.ask("retry", "2", code=4)
    assert 1 == again["rows_rejected"], "somebody else's city is still there"
    exchange.configure(crm=job("overwrite"))
    exchange.ask("retry", str(again["seq"]))
    assert ('"silver"', '"Bonn"', "105") == held_by_braze(exchange, "p4")
