"""A job with ``canary`` sends a few objects first, and the rest if Braze has them as sent."""

from __future__ import annotations

import signal

import pytest
from support.jobs import import_job
from support.looking import until

TRACK = "/users/track"
LIMIT = 120
JOB = import_job(
    fields={
        "tier": {"from": "tier", "type": "string"},
        "visits": {"from": "visits", "merge": "sum", "type": "integer"},
    },
    delivery={"canary": 2},
)
ROWS = "id,tier,visits\n" + "".join(f"p{n},gold,1\n" for n in range(5))


def drop(exchange):
    """Drop the rows of five people whom Braze has."""
    exchange.braze.seed([{"external_id": f"p{n}", "city": "Ulm"} for n in range(5)])
    exchange.drop("inbox/1.csv", ROWS)


def visits(exchange):
    """Read whose visits Braze has counted, and how many."""
    counted = {f"p{n}": exchange.attribute(f"p{n}", "visits") for n in range(5)}
    return {name: number for name, number in counted.items() if number is not None}


def test_the_rest_is_not_sent_if_braze_does_not_have_what_was_sent_first(exchange):
    """
    A person is told what differs, and the command that sends the rest; nothing else sends it.

    The plan tells of it before. The retry sends the rest at once, and once.
    """
    exchange.configure(crm=JOB)
    exchange.braze.change(blocklist=["tier"])
    drop(exchange)
    [note] = exchange.ask("plan", "crm")["report"]["notes"]
    assert "The first 2 of 5 objects would be sent, then read back" in note

    report = exchange.ask("run", "crm", code=4)
    assert ("partial", 2, 3) == tuple(
        report[name] for name in ("state", "rows_applied", "rows_refused")
    )
    lost, held = report["notes"]
    assert "'tier' and did not keep it: of 2 profiles that were read back, 2 do not" in lost
    assert 'One was sent "gold" and has nothing.' in lost
    assert "2 of 4 values differ, as they were read back" in held
    assert "the other 3 objects were not sent" in held
    assert held.endswith("exchanger retry 1")
    assert 2 == len(visits(exchange))
    assert [("canary", "refused")] * 3 == [
        (row["reason"], row["kind"]) for row in exchange.quarantined(report)
    ]
    page = exchange.bucket.read("inbox_reports/1.csv.html")[0].decode()
    assert "3 were not sent, or refused by Braze" in page
    assert "3 rows not sent: canary" in page
    refused = exchange.call("discard", "1")
    assert (2, True) == (refused.returncode, "exchanger retry 1" in refused.stderr)
    assert 1 == exchange.braze.requests(TRACK)

    exchange.braze.change(blocklist=[])
    again = exchange.ask("retry", "1")
    assert ("succeeded", 3, 2) == (again["state"], again["rows_applied"], again["seq"])
    assert not any(fact["code"].startswith("canary") for fact in again["facts"])
    exchange.ask("retry", "1")
    assert {f"p{n}": "1" for n in range(5)} == visits(exchange)


@pytest.mark.nightly
def test_the_rest_follows_in_the_same_run_if_braze_has_what_was_sent_first(exchange):
    """The report counts all that was sent, and says that it was looked at."""
    exchange.configure(crm=JOB)
    drop(exchange)
    report = exchange.ask("run", "crm")
    assert ("succeeded", 5, 2) == tuple(
        report[name] for name in ("state", "rows_applied", "requests")
    )
    [note] = report["notes"]
    assert "read back were 4 values of 2 profiles" in note
    assert "the other 3 objects were sent, too" in note
    assert {f"p{n}": "1" for n in range(5)} == visits(exchange)


@pytest.mark.nightly
def test_a_run_that_is_stopped_while_it_waits_goes_on_from_there(exchange):
    """It says how far it came; the next call waits for what is left, and sends the rest once."""
    exchange.connection["braze"]["grace"] = "10m"
    exchange.configure(crm=JOB)
    drop(exchange)
    process = exchange.start("run", "crm", "--json")
    until(lambda: [*exchange.bucket.list("_exchanger/main/acks/")])
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=LIMIT)
    assert "2 of 5 profiles were sent" in out
    assert 2 == len(visits(exchange))
    exchange.connection["braze"]["grace"] = "1s"
    exchange.configure(crm=JOB)
    report = exchange.ask("run", "crm")
    assert ("succeeded", 5, 2) == tuple(
        report[name] for name in ("state", "rows_applied", "requests")
    )
    assert {f"p{n}": "1" for n in range(5)} == visits(exchange)
