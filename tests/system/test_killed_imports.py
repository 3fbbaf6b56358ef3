"""Real purchases, imported by processes that are killed at random moments: totals stay exact."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import threading
from contextlib import suppress

import polars as pl
import pytest
from support import households
from support.fault_proxy import FaultProxy, Schedule
from support.jobs import import_job

TROUBLE = {"error_rate": 0.1, "lost_answer_rate": 0.05, "too_many_rate": 0.05}
PEACE = dict.fromkeys(TROUBLE, 0.0)
MOST_EXCHANGES = 90
"""About as many exchanges with the bucket as one run has."""
LIMIT = 3_600
"""Seconds after which a process hangs; with the default settings, some wait for minutes."""
POINTS = import_job(
    schedule={"every": "2s"}, fields={"points": {"merge": "sum", "type": "integer"}}
)


class Executioner:
    """Kills a process as its n-th exchange with the bucket comes in, before it takes effect."""

    def __init__(self, proxy):
        self._lock = threading.Lock()
        self._left, self._process = 0, None
        proxy.before_each(self._count)

    def after(self, exchanges, process):
        with self._lock:
            self._left, self._process = exchanges, process

    def _count(self, exchange):
        if exchange.command in ("GET", "HEAD") and exchange.path.endswith("lease.json"):
            # Waiting for the lease of the one killed before: however long, nothing happens.
            return
        with self._lock:
            self._left -= 1
            if self._left == 0 and self._process is not None:
                self._process.kill()


@pytest.fixture
def executioner(exchange, local_s3):
    """Puts a proxy before the bucket, as the command line knows it."""
    with FaultProxy(local_s3.url, Schedule(0)) as proxy:
        exchange.connection["s3"]["endpoint_url"] = proxy.url
        yield Executioner(proxy)


@pytest.fixture
def as_people_have_it(exchange):
    """Leave lease, grace and spacing at their defaults, which people have: minutes."""

    def reset(defaults):
        for name in ("spacing", "grace") if defaults else ():
            del exchange.connection["braze"][name]
        if defaults:
            del exchange.connection["lease"]

    return reset


@pytest.mark.long(35)
@pytest.mark.parametrize(
    "case",
    [
        (2, 80, 11, False),
        *(
            pytest.param((5, 400, seed, True), marks=pytest.mark.nightly)
            for seed in range(100, 110)
        ),
    ],
    ids=lambda case: f"seed{case[2]}",
)
def test_killed_again_and_again(exchange, executioner, as_people_have_it, case):
    """
    However often and wherever a process is killed, the year's sums end as the data has them.

    Meanwhile Braze answers a tenth of requests with 5xx, 5 % with 429, and loses 5 % of its answers
    after applying. Each start brings one more file. At night ten imports are killed five times
    each; with the default settings each kill is followed by minutes of waiting, so run them beside
    each other: ``scripts/test --nightly -n 10 -k killed_again``.
    """
    kills, below, seed, defaults = case
    as_people_have_it(defaults)
    chance = random.Random(seed)
    transactions = pl.read_parquet(households.DATA / "transactions.parquet").filter(
        pl.col("household_id").cast(pl.Int64) < below
    )
    exchange.connection["braze"]["batch_size"] = 20
    exchange.configure(weeks=households.PURCHASES)
    exchange.braze.change(**TROUBLE, seed=seed)
    weeks = []
    killed = 0
    while killed < kills:
        if len(weeks) < len(households.WEEKS):
            weeks.append(households.WEEKS[len(weeks)])
            exchange.drop(*households.week_file(transactions, weeks[-1]))
        process = exchange.start("run", "weeks", "--json")
        executioner.after(chance.randint(2, MOST_EXCHANGES), process)
        out, err = process.communicate(timeout=LIMIT)
        assert process.returncode in (0, 8, -signal.SIGKILL), out + err
        killed += process.returncode == -signal.SIGKILL
    executioner.after(0, None)
    exchange.braze.change(**PEACE)
    out, err = exchange.start("run", "weeks", "--json").communicate(timeout=LIMIT)
    assert json.loads(out)["state"] in ("succeeded", "nothing_to_do"), err

    expected = households.totals(transactions.filter(pl.col("week").is_in(weeks)))
    assert expected == households.state_of(exchange, households.PURCHASES["fields"])


@pytest.mark.nightly
@pytest.mark.parametrize(("files", "seed"), [(3, 21), (12, 13), (12, 14), (12, 15)])
def test_two_daemons_and_a_backfill_started_at_random(exchange, files, seed):
    """
    Two daemons on one configuration, killed and started at random, and backfills between.

    Every file counts once, and in the end nothing is left to do.
    """
    chance = random.Random(seed)
    exchange.configure(points=POINTS)
    exchange.braze.change(**TROUBLE, seed=seed)
    daemons = [None, None]
    total = 0
    try:
        for number in range(files):
            total += number + 1
            rows = "".join(f"u{n},{number + 1}\n" for n in range(100))
            exchange.drop(f"inbox/{number:02}.csv", "id,points\n" + rows)
            at = chance.randrange(2)
            if daemons[at] is not None:
                end(daemons[at], chance.choice((signal.SIGKILL, signal.SIGTERM)))
            daemons[at] = exchange.start("daemon")
            with suppress(subprocess.TimeoutExpired):
                daemons[at].wait(timeout=chance.uniform(0.5, 6.0))
            if chance.random() < 0.4:
                done = exchange.call("backfill", "points", "--full", "--json")
                assert done.returncode in (0, 8), done.stdout + done.stderr
    finally:
        for daemon in daemons:
            if daemon is not None:
                end(daemon, signal.SIGTERM)
    exchange.braze.change(**PEACE)
    exchange.ask("run", "points", "--wait", "2m")

    assert {str(total)} == {exchange.attribute(f"u{n}", "points") for n in range(100)}
    assert "nothing_to_do" == exchange.ask("run", "points")["state"]


def end(process, number):
    """End a daemon and what it started."""
    if process.poll() is None:
        os.kill(process.pid, number)
    process.communicate(timeout=LIMIT)
