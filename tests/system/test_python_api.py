"""The product as a library: what a program, a task and a notebook may expect of it."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
import threading
import types
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
import structlog
from support.jobs import import_job

import exchanger as package
from exchanger.errors import (
    BrazeKeyRefused,
    ConfigError,
    NotAnExport,
    NotAnImport,
    NotConfigured,
    NothingToBackfill,
    RunMissing,
)

TRACK = "/users/track"
PAGE = Path(__file__).parents[2] / "docs" / "python.md"
JOB = import_job(fields={"spend": {"merge": "sum", "type": "integer"}})
FILE = "id,spend\na,5\nb,7\n"


@pytest.fixture(autouse=True)
def unconfigured():
    """A program that has not configured structlog, as most have not."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()


@pytest.fixture
def opened(exchange):
    """Configure jobs, and open the configuration as a library."""

    def open_it(**jobs):
        exchange.configure(**jobs)
        return package.Exchanger.from_config(exchange.config, environment=exchange.environment)

    return open_it


def test_a_job_is_run_and_told_without_a_word_on_the_screen(exchange, opened, capfd):
    """Plan, run, show, list and decide, with typed results; nothing is printed."""
    library = opened(crm=JOB)
    exchange.drop("inbox/1.csv", FILE)
    plan = library.plan("crm", rows=1)
    assert [("spend", 2, 2)] == [(it.field, it.profiles, it.data_points) for it in plan.fields]
    assert [1] == [job["files_waiting"] for job in library.jobs(waiting=True)]
    report = library.run("crm")
    assert ("succeeded", 0, 2) == (report.state, report.exit_code, report.rows_applied)
    exchange.drop("inbox/copy.csv", FILE)
    held = library.run("crm")
    assert ("held_back", 5) == (held.state, held.exit_code)
    assert ["held"] == [need["kind"] for need in library.status().needs if need["job"] == "crm"][:1]
    assert "succeeded" == library.approve(held.seq).state
    assert {"a": "10", "b": "14"} == {who: exchange.attribute(who, "spend") for who in "ab"}
    assert library.show(report.run_id) == library.show(report.seq)
    runs = library.runs().to_frame()
    assert isinstance(runs, pl.DataFrame)
    assert {"crm"} == set(runs["job"])
    assert "applied" == library.file("inbox/1.csv").to_dict()["versions"][0]["outcome"]
    assert library.check(connect=True).ok
    assert ("", "") == capfd.readouterr()


def test_what_goes_wrong_is_an_error_of_the_product_and_is_remembered(exchange, opened):
    """Wrong names, a wrong range, a wrong file, a refused key: each has a type and facts."""
    with pytest.raises(ConfigError):
        package.Exchanger.from_config(exchange.folder / "none.yaml")
    library = opened(
        crm=JOB,
        out={
            "type": "export",
            "segment": "Everybody",
            "target": TARGET,
            "fields": {"id": {"from": "external_id"}},
        },
    )
    with pytest.raises(NotConfigured) as missing:
        library.run("crn")
    assert ("job", ["crm", "out"]) == (missing.value.kind, missing.value.known)
    with pytest.raises(NotAnImport):
        library.plan("out")
    with pytest.raises(NotAnImport):
        library.run("out", force=True)
    with pytest.raises(NotAnExport):
        library.run("crm", fresh=True)
    with pytest.raises(NothingToBackfill):
        library.backfill("crm")
    with pytest.raises(NothingToBackfill):
        library.backfill("crm", since=datetime(2026, 9, 2), until=datetime(2026, 9, 1))  # noqa: DTZ001
    with pytest.raises(RunMissing):
        library.show(7)
    exchange.drop("inbox/1.csv", FILE)
    exchange.braze.faults("*", status=401, times=99)
    with pytest.raises(BrazeKeyRefused):
        library.run("crm")
    exchange.braze.clear_faults()
    assert "failed" in [run["state"] for run in library.runs()]
    assert "succeeded" == library.run("crm").state
    assert "5" == exchange.attribute("a", "spend")


TARGET = {"prefix": "out/", "format": "csv"}


def test_an_interrupt_stops_in_order_and_goes_on(exchange, opened):
    """It comes out as KeyboardInterrupt, the lease is free, and the next run ends exactly."""
    library = opened(crm=JOB)
    exchange.drop("inbox/1.csv", FILE)
    exchange.braze.faults(TRACK, delay=5.0, times=1)
    over = threading.Event()
    # Whatever this process was started by may have it take no notice.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def interrupt():
        while not exchange.braze.requests(TRACK) and not over.wait(0.01):
            pass
        # A real signal, which also ends a wait for a lock, as that of a terminal does.
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    beside = threading.Thread(target=interrupt)
    beside.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            library.run("crm")
    finally:
        over.set()
        beside.join()
        signal.signal(signal.SIGINT, before)
    library.run("crm", wait="1s")
    assert {"a": "5", "b": "7"} == {who: exchange.attribute(who, "spend") for who in "ab"}


def test_several_in_one_process_take_turns(exchange, opened):
    """Two libraries in two threads apply every file once."""
    exchange.drop("inbox/1.csv", FILE)
    exchange.drop("inbox/2.csv", "id,spend\na,1\n")
    both = [opened(crm=JOB), opened(crm=JOB)]
    found = []
    threads = [
        threading.Thread(target=lambda it=it: found.append(it.run("crm", wait="1m").state))
        for it in both
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {"succeeded"} <= set(found) <= {"succeeded", "nothing_to_do"}
    assert {"a": "6", "b": "7"} == {who: exchange.attribute(who, "spend") for who in "ab"}


@pytest.fixture
def page(exchange, opened, monkeypatch):
    """The examples of the page, on a sandbox, with a stand-in for the orchestrator."""
    opened(crm_profiles=JOB)
    exchange.drop("inbox/1.csv", FILE)
    for name, value in exchange.environment.items():
        monkeypatch.setenv(name, value)
    exceptions, sdk = types.ModuleType("airflow.exceptions"), types.ModuleType("airflow.sdk")
    exceptions.AirflowFailException = type("AirflowFailException", (Exception,), {})
    sdk.task = lambda **_: lambda function: function
    for module in (types.ModuleType("airflow"), exceptions, sdk):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    text = PAGE.read_text(encoding="utf-8").replace("config/exchanger.yaml", str(exchange.config))
    return re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_the_first_example_of_the_page_runs(page, capsys):
    """It prints what the run did."""
    exec(page[0], {})
    assert "succeeded 2 2" == capsys.readouterr().out.strip()


def test_the_task_of_the_page_fails_where_a_person_is_needed(exchange, page):
    """It gives the report, and fails for good where rows were rejected or a run is held back."""
    names = {}
    exec(page[1], names)
    assert "succeeded" == names["import_profiles"]()["state"]
    exchange.drop("inbox/copy.csv", FILE)
    with pytest.raises(names["AirflowFailException"], match="held_back"):
        names["import_profiles"]()


def test_the_notebook_of_the_page_runs_beside_an_event_loop(page, capsys):
    """A loop runs in the thread of a notebook's cells."""

    async def cell():
        exec(page[2], {})

    asyncio.run(cell())
    assert "spend 2 2" == capsys.readouterr().out.strip()
