"""What a look-up shows beside what was asked for: known from then on, neither sent nor billed."""

from __future__ import annotations

import pytest
from support.jobs import import_job

TRACK, LOOKUP = "/users/track", "/users/export/ids"
JOB = import_job(
    fields={
        "visits": {"from": "visits", "merge": "sum", "type": "integer"},
        "orders": {"from": "orders", "merge": "sum", "type": "integer"},
        "tier": {"from": "tier", "type": "string"},
        "first_name": {"from": "name", "type": "string"},
        "image_url": {"from": "image", "type": "string"},
    }
)
COLUMNS = "id,visits,orders,tier,name,image\n"
OLD = {
    "external_id": "old",
    "visits": 7,
    "orders": 2,
    "tier": "gold",
    "first_name": "Ada",
    "image_url": "http://x.example/1.png",
}


def objects(exchange):
    return [one for body in exchange.braze.bodies(TRACK) for one in body["attributes"]]


def test_equal_values_beside_what_was_looked_up_are_not_sent(exchange):
    """
    Of a profile that is looked up for its sum, all that the job writes becomes known.

    An attribute that Braze does not export stays unknown, so its value is sent.
    """
    exchange.braze.seed([OLD])
    exchange.connection["braze"]["grace"] = "0s"
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", COLUMNS + "old,1,,gold,Ada,http://x.example/1.png\nnew,1,,,Bo,\n")

    report = exchange.ask("run", "crm")

    assert [
        {"external_id": "new", "visits": 1, "first_name": "Bo"},
        {"external_id": "old", "visits": 8, "image_url": "http://x.example/1.png"},
    ] == sorted(objects(exchange), key=lambda one: one["external_id"])
    assert 4 == report["data_points"]

    asked = exchange.braze.requests(LOOKUP)
    exchange.drop("inbox/2.csv", COLUMNS + "old,,3,gold,Ada,\nnew,,1,,Bo,\n")
    report = exchange.ask("run", "crm")

    assert (2, "5", "1") == (
        report["data_points"],
        exchange.attribute("old", "orders"),
        exchange.attribute("new", "orders"),
    )
    assert asked >= exchange.braze.requests(LOOKUP) - 1, "one look-up reads a sample back"


def test_what_braze_may_not_show_yet_is_not_taken_for_what_it_has(exchange):
    """
    Within the grace, a look-up tells nothing beside what was asked for.

    Here the first run sets a value of a profile that nobody had seen, and Braze, which still shows
    the one before, is asked for the sum of the same profile; the second file sets it back.
    """
    exchange.braze.seed([{"external_id": "p", "tier": "gold"}])
    exchange.connection["braze"]["grace"] = "5m"
    exchange.configure(crm=JOB | {"create_missing": False})
    exchange.drop("inbox/1.csv", COLUMNS + "p,,,blue,,\n")
    exchange.ask("run", "crm")
    exchange.braze.seed([{"external_id": "p", "tier": "gold"}])

    exchange.drop("inbox/2.csv", COLUMNS + "p,1,,gold,,\n")
    exchange.ask("run", "crm")

    assert ("gold", 1) == (objects(exchange)[-1]["tier"], objects(exchange)[-1]["visits"])


@pytest.mark.nightly
def test_a_plan_keeps_what_it_learnt_only_if_asked(exchange):
    """With --record a run need not ask again, nor send what is equal; without, nothing is kept."""
    exchange.braze.seed([OLD])
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", COLUMNS + "old,1,1,gold,Ada,\n")

    plan = exchange.ask("plan", "crm")
    assert (1, False) == (plan["lookups"], plan["recorded"])
    assert [] == list(exchange.bucket.list("_exchanger/"))

    kept = exchange.call("plan", "crm", "--record").stdout
    assert kept.startswith(
        "crm: what a run would do; nothing was sent, what was looked up was recorded\n"
    )
    written = {item.key.split("/")[2] for item in exchange.bucket.list("_exchanger/main/")}
    assert ({"held", "workspace.json"}, 0) == (written, exchange.braze.requests(TRACK))
    again = exchange.ask("plan", "crm", "--record")
    assert (0, False) == (again["lookups"], again["recorded"])

    report = exchange.ask("run", "crm")
    assert (2, 2) == (report["data_points"], exchange.braze.requests(LOOKUP))
    assert ("8", "3") == tuple(exchange.attribute("old", name) for name in ("visits", "orders"))


def test_a_plan_shows_as_many_rows_as_are_asked_for(exchange):
    """Changes of each field and rejected rows, up to the number; 0 shows the counts alone."""
    rows = "".join(f"p{n},1,,gold,,\n" for n in range(8)) + "".join(",1,,,,\n" for _ in range(8))
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", COLUMNS + rows)

    for words, examples, rejected in (((), 8, 5), (("--rows", "7"), 7, 7), (("--rows", "0"), 0, 0)):
        plan = exchange.ask("plan", "crm", *words)
        by_field = {field["field"]: field for field in plan["fields"]}
        assert (8, examples) == (by_field["tier"]["profiles"], len(by_field["tier"]["examples"]))
        assert (8, rejected) == (plan["report"]["rows_rejected"], len(plan["rejected"]))
