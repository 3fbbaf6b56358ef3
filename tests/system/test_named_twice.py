"""Rows that name two people by two identifiers: the first counts, and the other one is told."""

from __future__ import annotations

import pytest
from support.jobs import import_job

MATCH = [{"external_id": "id"}, {"email": "mail"}]
VISITS = {"visits": {"from": "visits", "merge": "sum", "type": "integer"}}
SHOP = import_job(match=MATCH, fields=VISITS, source={"prefix": "shop/"})
PEOPLE = [
    {"external_id": "ada", "email": "ada@example.com"},
    {"external_id": "eve", "email": "eve@example.com"},
]


def warned(exchange, report):
    """Read row, field and message of what a run left out."""
    rows = exchange.quarantined({"quarantine": report["warnings"]})
    return [(int(row["row"]), row["field"], row["reason"], row["message"]) for row in rows]


def test_an_address_of_somebody_else_is_told_and_the_first_identifier_counts(exchange):
    """Plan tells it before, the run lists it by file and row, and nothing is looked up for it."""
    exchange.braze.seed(PEOPLE)
    exchange.configure(shop=SHOP)
    exchange.drop("shop/1.csv", "id,mail,visits\n,EVE@example.com,1\n")
    exchange.ask("run", "shop")
    looked = len(exchange.braze.bodies("/users/export/ids"))
    exchange.drop(
        "shop/2.csv",
        "id,mail,visits\neve,eve@example.com,2\nada,Eve@Example.com,4\nada,new@example.com,8\n",
    )

    planned = exchange.ask("plan", "shop")
    report = exchange.ask("run", "shop")

    assert [(2, "somebody_else")] == [(one["row"], one["reason"]) for one in planned["dropped"]]
    assert (3, 1, 1) == tuple(
        report[name] for name in ("rows_applied", "rows_warned", "values_dropped")
    )
    [(row, field, reason, message)] = warned(exchange, report)
    assert (2, "email", "somebody_else") == (row, field, reason)
    assert "taken for ada" in message
    assert "email eve@example.com beside belongs to somebody else: eve" in message
    assert {"ada": 12, "eve": 3} == {
        one["external_id"]: one["custom_attributes"]["visits"] for one in exchange.braze.profiles()
    }
    since = exchange.braze.bodies("/users/export/ids")[looked:]
    assert not any("email_address" in body for body in since)


def test_nobody_is_deleted_by_a_row_that_names_two_people(exchange):
    """What cannot be taken back is not done for the first of both; both are looked up."""
    exchange.braze.seed(PEOPLE)
    exchange.configure(
        gone={
            "type": "import",
            "object": "deletions",
            "source": {"prefix": "gone/"},
            "match": MATCH,
            "confirm_deletes": True,
            "guards": {"max_deletes": 10},
        }
    )
    exchange.drop("gone/1.csv", "id,mail\nada,eve@example.com\neve,nobody@example.com\n")

    report = exchange.ask("run", "gone", code=4)

    assert (2, 1, 1) == tuple(report[f"rows_{name}"] for name in ("read", "applied", "rejected"))
    [row] = exchange.quarantined(report)
    assert ("1", "email", "somebody_else") == (row["row"], row["field"], row["reason"])
    assert "another than that of the email eve@example.com" in row["message"]
    assert ["ada"] == [one["external_id"] for one in exchange.braze.profiles()]


@pytest.mark.nightly
def test_an_event_counts_for_the_first_identifier(exchange):
    """Whose the address is was learnt by a job of attributes."""
    exchange.braze.seed(PEOPLE)
    event = {"name": "Visited", "time": "at"}
    clicks = {"object": "events", "event": event, "row_id": "row", "source": {"prefix": "clicks/"}}
    exchange.configure(shop=SHOP, clicks=import_job(match=MATCH, **clicks))
    exchange.drop("shop/1.csv", "id,mail,visits\n,eve@example.com,1\n")
    exchange.ask("run", "shop")
    rows = "1,ada,eve@example.com,2026-09-01T08:00:00Z\n2,,eve@example.com,2026-09-01T08:00:00Z\n"
    exchange.drop("clicks/1.csv", "row,id,mail,at\n" + rows)

    report = exchange.ask("run", "clicks")

    assert (2, 1) == (report["rows_applied"], report["rows_warned"])
    assert [(1, "email", "somebody_else")] == [one[:3] for one in warned(exchange, report)]
    assert {"ada": 1, "eve": 1} == {
        who: len(user["custom_events"]) for who, user in exchange.braze.users().items()
    }
