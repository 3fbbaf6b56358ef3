"""What others change of people whom an address, alias or number names: compared like any other."""

from __future__ import annotations

import pytest
from support.jobs import import_job
from support.sandbox_calls import post

LOOKUP = "/users/export/ids"
MATCH = [
    {"external_id": "id"},
    {"email": "mail"},
    {"alias": {"name": "number", "label": "crm"}},
    {"phone": "tel"},
]
FIELDS = {"visits": {"merge": "sum", "type": "integer"}}
COUNTS = (
    "profiles", "compared", "changed", "gone", "pending", "fresh", "absent", "ambiguous", "unclear",
)  # fmt: skip


def rows(*named):
    """Write a visit of each of some people, whatever names them."""
    header = ("id", "mail", "number", "tel", "visits")
    lines = [[str((one | {"visits": 1}).get(name, "")) for name in header] for one in named]
    return "".join(",".join(line) + "\n" for line in (header, *lines))


def compared(report):
    return {name: report[name] for name in COUNTS if report.get(name)}


def delete(exchange, **named):
    """Delete a person in Braze, as somebody else would."""
    [found] = [one for one in exchange.braze.profiles() if named.items() <= one.items()]
    assert post(exchange.braze, "/users/delete", {"braze_ids": [found["braze_id"]]})[0] < 300


@pytest.fixture
def people(exchange):
    """Send sums to three people: Ada, who has an external id, and two who have an address alone."""
    exchange.connection["braze"]["grace"] = "0s"
    exchange.braze.seed([{"external_id": "ada", "email": "ada@example.com", "visits": 5}])
    exchange.configure(crm=import_job(match=MATCH, fields=FIELDS))
    mails = [f"{who}@example.com" for who in ("ada", "shared", "left")]
    exchange.drop("inbox/1.csv", rows(*({"mail": mail} for mail in mails)))
    exchange.ask("run", "crm")
    return exchange


@pytest.mark.long(20)
def test_who_is_looked_up_is_each_counted_once(people):
    """
    A person with an external id is compared by that alone; an address of two is told as such.

    The next run asks whose such an address is by now, rather than add to what one of them had.
    """
    assert {"profiles": 3, "compared": 3} == compared(people.ask("drift", "crm"))

    people.braze.seed([{"external_id": "bo", "email": "Shared@example.com", "visits": 70}])
    delete(people, email="left@example.com")
    report = people.ask("drift", "crm")
    assert {"profiles": 3, "compared": 1, "gone": 1, "ambiguous": 1} == compared(report)

    mails = ({"mail": f"{who}@example.com"} for who in ("shared", "left"))
    people.drop("inbox/2.csv", rows(*mails))
    report = people.ask("run", "crm", code=4)
    assert ["ambiguous_email"] == [row["reason"] for row in people.quarantined(report)]
    assert "70" == people.attribute("bo", "visits")
    assert 1 == report["profiles_new"]
