"""The real daemon with real runs: who gets a turn, and what costs none."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.jobs import import_job


def job(folder, field, **more):
    return import_job(
        schedule={"every": "1s"},
        source={"prefix": f"in/{folder}"},
        fields={field: "set"},
        baseline="assume_empty",
        **more,
    )


@pytest.mark.nightly
@pytest.mark.long(45)
def test_a_job_with_many_files_lets_others_have_their_turns(exchange, start_daemon):
    """One run at a time: the urgent job first, then turn by turn; each field arrives."""
    exchange.configure(
        big=job("big", "a", max_rows_per_run=1),
        small=job("small", "b"),
        hasty=job("hasty", "c", priority="urgent", max_rows_per_run=1),
    )
    for number in range(3):
        exchange.drop(f"in/big/{number}.csv", f"id,a\nann,{number}\n")
    exchange.drop("in/small/one.csv", "id,b\nann,small\n")
    for number in range(2):
        exchange.drop(f"in/hasty/{number}.csv", f"id,c\nann,{number}\n")
    daemon = start_daemon()

    daemon.until(lambda _: daemon.finished().count("big") >= 3)
    code = daemon.stop()

    order = daemon.finished()
    assert ["hasty", "hasty"] == order[:2]
    assert order.index("small") < [at for at, name in enumerate(order) if name == "big"][1]
    left = [one.get("files_waiting") for one in daemon.told("run.finished", job="big")][:3]
    assert [2, 1, None] == left
    assert ("2", '"small"', "1") == tuple(exchange.attribute("ann", name) for name in "abc")
    assert 0 == code


@pytest.mark.nightly
@pytest.mark.long(30)
def test_a_folder_without_news_costs_no_run_and_a_new_version_is_taken(exchange, start_daemon):
    """Where nothing is new no process starts; the same name with new content gets its run."""
    exchange.configure(crm=job("crm", "a"), other=job("other", "b"))
    exchange.drop("in/crm/daily.csv", "id,a\nann,1\n")
    daemon = start_daemon()
    daemon.until(lambda _: sorted(set(daemon.finished())) == ["crm", "other"])
    runs = len(daemon.finished())

    def idle(_):
        return len([one for one in daemon.told("look.done", idle=2) if not one["turns"]]) >= 2

    daemon.until(idle)
    assert runs == len(daemon.told("run.started"))
    exchange.drop("in/crm/daily.csv", "id,a\nann,2\n")
    daemon.until(lambda _: len(daemon.finished()) > runs)

    assert ["crm"] == daemon.finished()[runs:]
    assert "2" == exchange.attribute("ann", "a")
    libraries = Path(f"/proc/{daemon.process.pid}/maps").read_text()
    assert [] == [name for name in ("polars", "pyarrow", "deltalake") if name in libraries]
    assert 0 == daemon.stop()


def test_jobs_tells_what_waits(exchange):
    """Files that wait are counted for each import, without a trace in the bucket."""
    exchange.configure(crm=job("crm", "a", max_rows_per_run=1), other=job("other", "b"))
    for number in range(3):
        exchange.drop(f"in/crm/{number}.csv", f"id,a\nann,{number}\n")
    before = exchange.ask("jobs", "--waiting")
    objects = [item.key for item in exchange.bucket.list("_exchanger/")]

    report = exchange.ask("run", "crm", "--one-run")
    after = exchange.ask("jobs", "--waiting")

    assert [] == objects
    assert [3, 0] == [entry["files_waiting"] for entry in before]
    assert (1, 2) == (len(report["files"]), report["files_waiting"])
    assert [(2, False), (0, False)] == [
        (entry["files_waiting"], entry["unfinished"]) for entry in after
    ]
    assert "2 files wait" in exchange.call("jobs", "--waiting").stdout
    assert 2 == exchange.call("run", "crm", "--one-run", "--fresh").returncode
