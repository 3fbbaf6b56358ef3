"""The command line and a Dask cluster: a file of a million rows, and a worker that is killed."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter

import dask
import polars as pl
import pytest
from distributed import LocalCluster, SchedulerPlugin
from support.jobs import import_job

PROFILES = 600
ROWS = 1_000_001
"""Rows of a few columns are planned 250,000 at once, so this is the least for five parts."""
PARTS = 5
CRM = import_job(
    baseline="assume_empty",
    fields={
        "points": {"merge": "sum", "type": "integer"},
        "best": {"merge": "highest", "type": "integer"},
        "tier": "set",
        "source": "set_if_empty",
    },
)
CHANGING = {"run_id", "started_at", "finished_at"}
"""What no two reports have in common."""


class Executioner(SchedulerPlugin):
    """
    Kills a worker that has planned a part, in the moment in which it is to plan another one.

    Args:
        cluster: Whose workers are known by their addresses.
    """

    name = "executioner"

    def __init__(self, cluster):
        self._scheduler = cluster.scheduler
        self._pids = {nanny.worker_address: nanny.pid for nanny in cluster.workers.values()}
        self.first = set(self._pids)
        self.killed = self.lost = None
        self.given = Counter()
        self.planned = Counter()
        self.planner = {}

    def transition(self, key, start, finish, *_, worker=None, **__):
        if finish == "processing":
            self._give(key, self._scheduler.tasks[key].processing_on.address)
        elif (start, finish) == ("processing", "memory"):
            self.planned[worker] += 1
            self.planner[key] = worker

    def _give(self, key, worker):
        self.given[key] += 1
        if self.killed is None and self.planned[worker]:
            self.killed, self.lost = worker, key
            os.kill(self._pids[worker], signal.SIGKILL)


@pytest.fixture
def cluster():
    """Two workers, each a process with a thread; one that dies is replaced."""
    # A worker that takes longer to begin anew is given up for good, as a busy machine may.
    patient = dask.config.set(
        {
            "distributed.deploy.lost-worker-timeout": "5m",
            "distributed.worker.profile.enabled": False,
        }
    )
    with (
        patient,
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            memory_limit=0,
        ) as cluster,
    ):
        cluster.wait_for_workers(2, timeout=120)
        yield cluster


@pytest.fixture(scope="module")
def drops(tmp_path_factory):
    """A small file, from which something is held, and one that names the same profiles often."""
    number = pl.int_range(ROWS, eager=True)
    whole = pl.DataFrame(
        {
            "id": "p" + (number * 7 % PROFILES).cast(pl.String),
            "points": number % 11,
            "best": number * 13 % 1009,
            "tier": pl.Series(["gold", "iron", "tin"]).gather(number * 5 % 3),
            "source": pl.Series(["web", "shop"]).gather(number % 2),
        }
    )
    folder = tmp_path_factory.mktemp("drops")
    files = {"inbox/1.parquet": whole.head(PROFILES // 2), "inbox/2.parquet": whole}
    for key, rows in files.items():
        rows.write_parquet(folder / key.removeprefix("inbox/"))
    return {key: (folder / key.removeprefix("inbox/")).read_bytes() for key in files}


def import_all(exchange, drops):
    """Import file after file, and tell what came of it, and the events of the last run."""
    exchange.configure(crm=CRM)
    reports = []
    for key, body in drops.items():
        exchange.drop(key, body)
        done = exchange.call("run", "crm", "--json")
        assert 0 == done.returncode, done.stderr
        reports.append(json.loads(done.stdout))
    told = [{k: v for k, v in report.items() if k not in CHANGING} for report in reports]
    events = [json.loads(line) for line in done.stderr.splitlines()]
    profiles = {who: user["custom_attributes"] for who, user in exchange.braze.users().items()}
    came = {"profiles": profiles, "points": exchange.braze.meter, "reports": told}
    return came, events


@pytest.mark.nightly
@pytest.mark.long(25)
def test_a_million_rows_on_a_cluster_of_which_a_worker_is_killed(exchange, cluster, drops):
    """Two workers plan the parts of a run, one dies of SIGKILL, and all ends as without them."""
    expected, _ = import_all(exchange, drops)
    assert (PROFILES, ROWS) == (
        expected["reports"][-1]["profiles_updated"] + expected["reports"][-1]["profiles_new"],
        expected["reports"][-1]["rows_applied"],
    )
    exchange.bucket.delete([found.key for found in exchange.bucket.list("")])
    exchange.braze.reset()
    seen = Executioner(cluster)
    cluster.scheduler.add_plugin(seen)
    exchange.engine = {"dask": cluster.scheduler_address}

    found, events = import_all(exchange, drops)

    assert expected == found
    assert seen.killed, "a worker was killed"
    assert seen.killed != seen.planner[seen.lost], "another one planned what it had in hand"
    assert seen.given[seen.lost] == 2
    assert seen.first <= set(+seen.planned), "both workers have planned parts"
    [shares] = [event["parts"] for event in events if event["event"] == "parts.planned"]
    assert PARTS == sum(shares.values())
