"""Answers that name objects which nobody sent."""

from __future__ import annotations

import pytest
from support.jobs import import_job

TRACK = "/users/track"
JOB = import_job(fields={"points": {"merge": "set", "type": "integer"}})


@pytest.mark.nightly
@pytest.mark.parametrize(("status", "requests"), [(201, 1), (400, 3)])
def test_an_error_about_an_object_that_was_not_sent_refuses_none(exchange, status, requests):
    """A position outside of the request is nobody's: what was sent is judged without it."""
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", "id,points\na,1\nb,2\n")
    told = {"type": "odd", "input_array": "attributes", "index": 99}
    exchange.braze.faults(TRACK, status=status, applied=status == 201, body={"errors": [told]})
    report = exchange.ask("run", "crm")
    assert (2, 0) == (report["rows_applied"], report["rows_refused"])
    assert requests == exchange.braze.requests(TRACK)
    assert ["1", "2"] == [exchange.attribute(who, "points") for who in "ab"]
