"""Where Braze tells when it is done with requests, nobody waits for the grace."""

from __future__ import annotations

import pytest
from support.jobs import import_job

TRACK, STATUS, LOOKUP = "/users/track", "/users/track/status", "/users/export/ids"
JOB = import_job(
    fields={
        "tier": {"from": "tier", "type": "string"},
        "spent": {"from": "spent", "merge": "sum", "type": "decimal", "scale": 2},
    }
)
HEADER = "id,tier,spent\n"


@pytest.fixture
def slow(exchange):
    """A connection whose grace is longer than any test takes."""
    exchange.connection["braze"]["grace"] = "1h"
    exchange.configure(crm=JOB)
    return exchange


def groups(exchange):
    """Read which groups the requests to Braze have carried, in order."""
    return [body.get("group_id") for body in exchange.braze.bodies(TRACK)]


def leave_uncertain(exchange):
    """Let a sum be refused after an attempt that took effect, and whose answer was lost."""
    told = {"type": "not today", "input_array": "attributes", "index": 0}
    answer = {"message": "success", "errors": [told]}
    exchange.braze.faults(TRACK, drop="after")
    exchange.braze.faults(TRACK, status=201, applied=True, body=answer)
    exchange.drop("inbox/1.csv", HEADER + "a,gold,10\n")
    exchange.ask("run", "crm", code=4)


def test_a_run_goes_on_once_braze_is_done_with_the_one_before(slow):
    """What became uncertain is looked up at once, though the grace is an hour; the sum is exact."""
    slow.connection["braze"]["grace"] = "1m"
    slow.configure(crm=JOB)
    slow.braze.change(group_status="on")
    leave_uncertain(slow)
    slow.drop("inbox/2.csv", HEADER + "a,gold,5\n")
    slow.ask("run", "crm")
    assert "15" == slow.attribute("a", "spent")
    first, again, second = groups(slow)
    assert first == again != second
    assert all(group.startswith("exchanger-") for group in (first, second))
    # Whether it is told; then for the wait, the date and what is beside. Each wait asks once more.
    assert 4 == slow.braze.requests(STATUS)


def test_a_first_delivery_is_read_back_once_braze_is_done_with_it(slow):
    """The next call names what did not stick."""
    slow.braze.change(group_status="on", blocklist=["tier"])
    slow.drop("inbox/1.csv", HEADER + "a,gold,5\n")
    slow.ask("run", "crm")
    (note,) = slow.ask("run", "crm")["notes"]
    assert "'tier' and did not keep it" in note


def test_what_braze_is_not_done_with_is_not_read_back(slow):
    """Requests that are still being processed show nothing yet."""
    slow.braze.change(group_status="on", blocklist=["tier"], apply_delay=600)
    slow.drop("inbox/1.csv", HEADER + "a,gold,5\n")
    slow.ask("run", "crm")
    asked = slow.braze.requests(LOOKUP)
    assert [] == slow.ask("run", "crm")["notes"]
    assert asked == slow.braze.requests(LOOKUP)
    slow.braze.advance(600)
    (note,) = slow.ask("run", "crm")["notes"]
    assert "'tier' and did not keep it" in note


@pytest.mark.nightly
@pytest.mark.parametrize("setting", ["off", "forbidden"])
def test_where_nobody_may_ask_the_grace_counts_as_ever(slow, setting):
    """It is asked once, and remembered; requests carry no group."""
    slow.braze.change(group_status=setting, blocklist=["tier"])
    slow.drop("inbox/1.csv", HEADER + "a,gold,5\n")
    slow.ask("run", "crm")
    slow.drop("inbox/2.csv", HEADER + "a,iron,5\n")
    assert [] == slow.ask("run", "crm")["notes"]
    assert [None, None] == groups(slow)
    assert 1 == slow.braze.requests(STATUS)


def test_a_beta_that_is_switched_off_again_harms_nothing(slow):
    """Braze takes the objects and does not track the request; nothing is refused or believed."""
    slow.braze.change(group_status="on", blocklist=["tier"])
    slow.drop("inbox/1.csv", HEADER + "a,gold,5\n")
    slow.ask("run", "crm")
    slow.braze.change(group_status="off")
    slow.drop("inbox/2.csv", HEADER + "a,iron,5\n")
    report = slow.ask("run", "crm")
    assert ("succeeded", []) == (report["state"], report["notes"])
    assert "10" == slow.attribute("a", "spent")
