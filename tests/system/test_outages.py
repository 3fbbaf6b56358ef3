"""A Braze that takes nothing for a while: waited for as configured, and nothing lost."""

from __future__ import annotations

import pytest
from support.jobs import import_job

TRACK = "/users/track"
JOB = import_job(fields={"points": {"merge": "sum", "type": "integer"}})


@pytest.mark.nightly
def test_a_run_that_gives_up_keeps_its_outbox_and_the_next_one_drains_it(exchange):
    """
    An outage longer than give_up fails the run; what it had planned is sent before anything new.

    With a longer give_up the same outage only delays the run.
    """
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", "id,points\na,1\nb,2\n")
    exchange.braze.faults(TRACK, status=503, times=7)
    failed = exchange.ask("run", "crm", code=7)
    assert "failed" == failed["state"]
    assert {} == exchange.braze.users()

    exchange.connection["braze"]["give_up"] = "2m"
    exchange.configure(crm=JOB)
    exchange.drop("inbox/2.csv", "id,points\na,10\n")
    exchange.braze.faults(TRACK, status=503, times=6)
    report = exchange.ask("run", "crm")
    assert ("succeeded", 3) == (report["state"], report["rows_applied"])
    assert ["11", "2"] == [exchange.attribute(who, "points") for who in "ab"]
    first, *_ = exchange.braze.bodies(TRACK)
    assert all(first == body for body in exchange.braze.bodies(TRACK)[:-1])
