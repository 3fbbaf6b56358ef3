"""Two processes on one connection: one writes, the other waits, takes over, or is told (law 5)."""

from __future__ import annotations

import json
import os
import signal

import pytest
from support.jobs import import_job
from support.looking import until

PROFILES = 240
POINTS = import_job(fields={"points": {"merge": "sum", "type": "integer"}}, baseline="assume_empty")
DEADLINE = 60.0


def points_file(each):
    return "id,points\n" + "".join(f"u{n},{each}\n" for n in range(PROFILES))


def begun(exchange, requests=1):
    until(lambda: exchange.braze.requests("/users/track") >= requests)


def points_of(exchange):
    return {exchange.attribute(f"u{n}", "points") for n in range(PROFILES)}


@pytest.fixture
def slow(exchange):
    """A connection whose requests take a while, one object each, so that others come between."""
    exchange.connection["braze"] |= {"batch_size": 5, "rate_limit": {"requests": 6, "per": "1s"}}
    exchange.configure(points=POINTS)
    exchange.drop("inbox/a.csv", points_file(1))
    return exchange


@pytest.mark.nightly
def test_a_second_process_that_does_not_wait_is_told_who_holds_the_connection(slow):
    """While one process sends, another exits with 8, names the holder, and sends nothing."""
    first = slow.start("run", "points", "--json")
    begun(slow)

    told = slow.call("run", "points", "--wait", "0s")
    assert 8 == told.returncode
    assert f"process {first.pid}" in told.stderr
    out, err = first.communicate(timeout=DEADLINE)
    assert 0 == first.returncode, err
    assert {"1"} == points_of(slow)
    assert "succeeded" == json.loads(out)["state"]


@pytest.mark.nightly
@pytest.mark.long(13)
def test_a_second_process_waits_and_then_finds_nothing_left(slow):
    """Two processes that are started at once apply a file once."""
    first = slow.start("run", "points", "--json")
    second = slow.start("run", "points", "--json")
    states = set()
    for process in (first, second):
        out, err = process.communicate(timeout=2 * DEADLINE)
        assert 0 == process.returncode, err
        states.add(json.loads(out)["state"])

    assert {"succeeded", "nothing_to_do"} == states
    assert {"1"} == points_of(slow)
    assert PROFILES == slow.braze.meter


@pytest.mark.long(25)
def test_a_holder_that_was_suspended_sends_nothing_after_the_take_over(slow):
    """
    A holder that stands still past its lease is taken over; when it goes on, it stops by itself.

    What it had begun is sent by the new holder, and the sums are exact.
    """
    first = slow.start("run", "points", "--json")
    begun(slow, 3)
    os.kill(first.pid, signal.SIGSTOP)
    slow.connection["braze"]["rate_limit"]["requests"] = 60
    slow.configure(points=POINTS)
    second = slow.ask("run", "points", "--wait", "1m")
    after = slow.braze.requests("/users/track")
    os.kill(first.pid, signal.SIGCONT)
    _, err = first.communicate(timeout=DEADLINE)

    assert 8 == first.returncode, err
    assert "succeeded" == second["state"]
    assert after == slow.braze.requests("/users/track")
    assert {"1"} == points_of(slow)
    slow.drop("inbox/b.csv", points_file(2))
    slow.ask("run", "points")
    assert {"3"} == points_of(slow)


def test_runs_count_in_one_hour(exchange):
    """With an hourly limit, each run adds what it sent to the count of the clock hour."""
    exchange.connection["braze"]["hourly_limit"] = 100
    exchange.configure(crm=POINTS)
    counts = []
    for number in range(2):
        exchange.drop(f"inbox/{number}.csv", f"id,points\np{number},1\n")
        assert 1 == exchange.ask("run", "crm")["requests"]
        counts.append(json.loads(exchange.bucket.read("_exchanger/main/hour.json")[0]))

    first, second = counts
    assert 1 == first["reserved"], "what was not sent is given back"
    assert (2 if second["hour"] == first["hour"] else 1) == second["reserved"]
