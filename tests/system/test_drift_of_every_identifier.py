"""What others change of people whom an address, alias or number names: compared like any other."""

from __future__ import annotations

import json
import signal

import pytest
from support.jobs import import_job
from support.looking import until
from support.sandbox_calls import post, track

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


def alias(name):
    return {"alias_label": "crm", "alias_name": name}


SEGMENT = {
    "segment": "Everybody",
    "complete": True,
    "completion": {"poll": "1s", "quiet": "1s", "confirm": False},
}


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


@pytest.mark.nightly
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


@pytest.mark.nightly
@pytest.mark.long(20)
def test_many_look_ups_are_told_before_they_begin(people):
    """How long they take at Braze's limit, by kind, and the export that would spare them."""
    people.connection["braze"]["lookup_limit"] = {"requests": 1, "per": "10m"}
    people.configure(crm=import_job(match=MATCH, fields=FIELDS))
    since = people.braze.requests(LOOKUP)
    process = people.start("drift", "crm", "--full")
    until(lambda: people.braze.requests(LOOKUP) > since)
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=60)
    [line] = [json.loads(line) for line in told.splitlines() if "lookup.slow" in line]
    assert (3, 2, 20) == (line["profiles"], line["alone"], line["minutes"])


EVERYBODY = [
    {"id": "ada"},
    *({"mail": f"{who}@example.com"} for who in ("ada", "shared", "left", "same", "told")),
    *({"number": name} for name in ("7", "8", "9")),
    *({"tel": f"+49170{end}"} for end in ("1111111", "2222222", "3333333")),
]
"""Ada, by her id and her address, and ten people who have nothing but what names them here."""


def change_in_braze(braze):
    """Let others change values, give an address away, identify an alias, and delete people."""
    braze.seed([
        {"external_id": "bo", "email": "Shared@example.com", "visits": 70},
        {"external_id": "open", "phone": "0170 3333333"},
    ])  # fmt: skip
    identified = {"external_id": "cy", "user_alias": alias("8")}
    assert 201 == post(braze, "/users/identify", {"aliases_to_identify": [identified]})[0]
    track(
        braze, {"email": "told@example.com", "visits": 40}, {"user_alias": alias("9"), "visits": 40}
    )
    track(braze, {"phone": "+491702222222", "visits": 50}, {"external_id": "cy", "visits": 30})


@pytest.fixture
def everybody(exchange):
    """Send a sum to people of every kind, and then let others change some of it in Braze."""
    exchange.connection["braze"]["grace"] = "0s"
    exchange.braze.add_segment("Everybody")
    exchange.braze.seed([{"external_id": "ada", "email": "ada@example.com", "visits": 5}])
    exchange.configure(crm=import_job(match=MATCH, fields=FIELDS, baseline=SEGMENT))
    exchange.drop("inbox/1.csv", rows(*EVERYBODY))
    exchange.ask("run", "crm")
    change_in_braze(exchange.braze)
    delete(exchange, email="left@example.com")
    delete(exchange, user_aliases=[alias("7")])
    exchange.looked_up = exchange.braze.requests(LOOKUP)
    return exchange


def field(report):
    [visits] = report["fields"]
    return {name: visits[name] for name in ("equal", "changed", "new")}


CHANGED = ["alias crm 8", "alias crm 9", "email told@example.com"]


@pytest.mark.long(20)
def test_one_export_shows_drift_of_people_by_every_identifier(everybody):
    """
    Each is compared by what names them, and nobody is looked up.

    Who is gone is told; so is whose address several have, and whose number may be another one's.
    The export of some people tells of aliases among them alone.
    """
    report = everybody.ask("drift", "crm", "--full")
    kinds = {"profiles": 11, "compared": 7, "changed": 4, "gone": 2, "ambiguous": 1, "unclear": 1}
    assert kinds == compared(report)
    assert {"equal": 3, "changed": 4, "new": 0} == field(report)
    assert CHANGED == sorted(one[0] for one in report["fields"][0]["examples"])

    everybody.braze.add_segment("Some", where=[{"attribute": "visits", "equals": 40}])
    some = SEGMENT | {"segment": "Some", "complete": False}
    match = [MATCH[0], MATCH[2]]
    everybody.configure(crm=import_job(match=match, fields=FIELDS, baseline=some))
    report = everybody.ask("drift", "crm", "--full")
    kinds = {"profiles": 8, "compared": 1, "changed": 1, "absent": 6, "unclear": 1}
    assert kinds == compared(report)
    assert everybody.looked_up == everybody.braze.requests(LOOKUP)


@pytest.mark.nightly
@pytest.mark.long(20)
def test_a_rebuild_learns_of_people_by_every_identifier(everybody):
    """
    What it learnt is what the next run builds on: a person who was identified is one by now.

    An address that several have by now is looked up again, and so rejected; who is gone is new.
    """
    report = everybody.ask("rebuild", "crm")
    told = {"profiles": 9, "absent": 2, "ambiguous": 1, "unclear": 1}
    assert told == {name: report[name] for name in (*told, "fresh", "unseen") if report[name]}
    assert {"equal": 3, "changed": 3, "new": 3} == field(report)
    assert everybody.looked_up == everybody.braze.requests(LOOKUP)

    everybody.drop("inbox/2.csv", rows(*EVERYBODY, {"id": "cy"}))
    report = everybody.ask("run", "crm", code=4)
    assert ["ambiguous_email"] == [row["reason"] for row in everybody.quarantined(report)]
    assert {"ada": "9", "bo": "70", "cy": "32"} == {
        who: everybody.attribute(who, "visits") for who in ("ada", "bo", "cy")
    }
    others = {
        one.get("email") or one.get("phone") or one["user_aliases"][0]["alias_name"]:
        one["custom_attributes"]["visits"]
        for one in everybody.braze.profiles() if "external_id" not in one
    }  # fmt: skip
    assert {
        "shared@example.com": 1, "left@example.com": 1, "same@example.com": 2,
        "told@example.com": 41, "7": 1, "9": 41,
        "+491701111111": 2, "+491702222222": 51, "+491703333333": 2,
    } == others  # fmt: skip
