"""A run that is large enough to make its held values while it is sent, killed as they count."""

from __future__ import annotations

import signal

import pytest
from support.fault_proxy import FaultProxy, Schedule
from support.jobs import import_job

from exchanger.jobs.runtime.context import JobContext
from exchanger.state.store import open_state

ROWS = JobContext.ahead_from
AT_NIGHT = pytest.mark.nightly
JOB = import_job(fields={"points": {"merge": "sum", "type": "integer"}}, baseline="assume_empty")


@pytest.mark.nightly
@pytest.mark.long(12)
@pytest.mark.parametrize(
    ("moment", "was_named"),
    [
        pytest.param("held/ahead-", False, marks=AT_NIGHT, id="before the rows are there"),
        pytest.param("held/_delta_log/", False, id="before they are named"),
        pytest.param("file-ledger/_delta_log/", True, marks=AT_NIGHT, id="after they were named"),
        pytest.param("", True, id="never"),
    ],
)
def test_values_that_were_made_while_sending_count_once(exchange, local_s3, moment, was_named):
    """Wherever the process dies, the next one ends the run, and the sums after it are exact."""
    exchange.configure(crm=JOB)
    exchange.drop("inbox/a.csv", "id,points\n" + "".join(f"u{n},1\n" for n in range(ROWS)))
    if moment:
        assert -signal.SIGKILL == killed_at(exchange, local_s3.url, moment)
    exchange.ask("run", "crm", "--wait", "2m")
    held = open_state(exchange.bucket, "_exchanger/main/").held
    rows = held._table.scan().select("profile", "points").collect()
    assert (ROWS, ROWS) == (rows.height, rows["profile"].n_unique())
    assert {"1"} == set(rows["points"])
    ahead = [uri for uri in held._table.open().file_uris() if "/ahead-" in uri]
    assert was_named == len(ahead)

    exchange.drop("inbox/b.csv", "id,points\n" + "".join(f"u{n},2\n" for n in range(0, ROWS, 100)))
    exchange.ask("run", "crm")
    assert {"3"} == {exchange.attribute(f"u{n}", "points") for n in range(0, ROWS, 100)}
    assert "1" == exchange.attribute("u1", "points")


def killed_at(exchange, store, path):
    """Run the job until it begins to write an object to the bucket, and tell how it ended."""
    with FaultProxy(store, Schedule(0)) as proxy:
        exchange.connection["s3"]["endpoint_url"] = proxy.url
        exchange.configure(**exchange.jobs)
        process = exchange.start("run", "crm")

        def kill(request):
            if request.command == "PUT" and path in request.path:
                process.kill()
                raise ConnectionAbortedError

        proxy.before_each(kill)
        process.communicate(timeout=240)
    exchange.connection["s3"]["endpoint_url"] = store
    exchange.configure(**exchange.jobs)
    return process.returncode
