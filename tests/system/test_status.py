"""Is a daemon alive, and what needs a person: ``exchanger status`` against a real bucket."""

from __future__ import annotations

import json
import signal
from datetime import UTC, datetime, timedelta

import pytest
from support.jobs import import_job
from support.looking import until

from exchanger.files.heartbeat import Heartbeat

FOLDER = "_exchanger/main/heartbeat/"
HEADER = "id,visits\n"
JOB = import_job(
    source={"prefix": "in/"},
    fields={"visits": {"merge": "sum", "type": "integer"}},
    baseline="assume_empty",
)


def heartbeat(exchange, **facts):
    now = datetime.now(UTC).isoformat()
    document = Heartbeat("d", "host", 7, "1", "/my c.yaml", now, now, **facts)
    exchange.bucket.write(f"{FOLDER}d.json", document.to_bytes())


def needs(answer):
    return [(need["kind"], need["job"]) for need in answer["needs"]]


def test_a_daemon_is_alive_until_it_is_stopped(exchange):
    """Never heard of, alive with the time of each job, stopped: told as such, and by the code."""
    exchange.configure(crm={**JOB, "schedule": {"every": "1d"}})
    before = exchange.ask("status", "--fail-on", "stale", code=4)
    assert ([("stale", None)], False) == (needs(before), before["connections"][0]["alive"])
    assert "no daemon was ever heard of" in exchange.call("status").stdout

    daemon = exchange.start_cold("daemon")
    try:
        until(lambda: list(exchange.bucket.list(FOLDER)))
        alive = exchange.ask("status", "--fail-on", "failed,held,stale")
    finally:
        daemon.send_signal(signal.SIGTERM)
        _, err = daemon.communicate(timeout=60)
    [one] = alive["connections"][0]["daemons"]
    assert (True, daemon.pid, True) == (alive["ok"], one["pid"], one["alive"])
    assert alive["jobs"][0]["next"] > datetime.now(UTC).isoformat()
    for line in err.splitlines():
        assert {"event", "level", "timestamp"} <= json.loads(line).keys()

    after = exchange.ask("status", "--fail-on", "stale", code=4)
    assert "was stopped at" in after["needs"][0]["message"]
    assert 0 == exchange.call("status").returncode


@pytest.mark.nightly
def test_what_needs_a_person_is_told_with_what_to_type(exchange):
    """A run that waits, one that failed, and a job that took nothing for too long."""
    exchange.configure(crm=JOB)
    exchange.drop("in/1.csv", HEADER + "a,1\n")
    exchange.ask("run", "crm")
    fine = exchange.ask("status", "--fail-on", "failed,held,stale")
    assert (True, []) == (fine["ok"], fine["needs"])

    exchange.drop("in/1.csv", HEADER + "a,5\n")
    exchange.ask("run", "crm", code=5)
    exchange.configure(crm={**JOB, "expect": {"every": "1s"}})
    until(lambda: exchange.ask("status")["jobs"][0]["overdue_since"])
    late = exchange.ask("status", "--fail-on", "failed,stale", code=4)
    assert [("held", "crm"), ("stale", "crm")] == needs(late)
    held, stale = late["needs"]
    assert "exchanger approve 2" in held["next"]
    assert "It is a new version" in late["jobs"][0]["held_back"][0]["notes"]["in/1.csv"]
    assert "though one is expected every 1s" in stale["message"]
    assert 5 == exchange.call("status", "--fail-on", "held,stale").returncode
    assert 2 == exchange.call("status", "--fail-on", "hold").returncode

    exchange.ask("discard", "2")
    now = datetime.now(UTC)
    failing = {"exit_code": -9, "error": "its process was ended by signal 9"}
    heartbeat(exchange, failing={"crm": {**failing, "at": (now + timedelta(hours=1)).isoformat()}})
    exchange.configure(crm=JOB)
    assert [("failed", "crm")] == needs(exchange.ask("status", "--fail-on", "failed", code=4))
    heartbeat(exchange, failing={"crm": {**failing, "at": (now - timedelta(hours=1)).isoformat()}})
    assert [] == needs(exchange.ask("status"))


def test_a_configuration_that_the_daemon_refused_is_told(exchange):
    """Everything looks alive, and goes on as it was configured before."""
    exchange.configure(crm={**JOB, "schedule": {"every": "1d"}})
    refused = {"since": "2026-09-15T06:00:00+00:00", "problem": "line 3: jobs.crm: no"}
    heartbeat(exchange, next={"crm": None}, refused=refused)
    found = exchange.ask("status", "--fail-on", "stale", code=4)
    assert [("stale", None)] == needs(found)
    [need] = found["needs"]
    assert "goes on with the configuration of before 2026-09-15 06:00:00" in need["message"]
    assert need["message"].endswith("/my c.yaml was refused: line 3: jobs.crm: no")
    assert ["exchanger check --config '/my c.yaml'"] == need["next"]
    heartbeat(exchange, next={"crm": None}, refused=refused, stopped_at=refused["since"])
    assert "was stopped at" in exchange.ask("status")["needs"][0]["message"]


def test_a_daemon_with_another_configuration_is_none_for_jobs_that_it_does_not_have(exchange):
    """It is alive, and never starts them."""
    exchange.configure(
        crm={**JOB, "schedule": {"every": "1d"}},
        other={**JOB, "source": {"prefix": "other/"}, "schedule": {"every": "1d"}},
    )
    heartbeat(exchange, next={"crm": None, "former": None})
    found = exchange.ask("status", "--fail-on", "stale", code=4)
    assert [("stale", "other")] == needs(found)
    assert "host (pid 7), with /my c.yaml, does not have this job" in found["needs"][0]["message"]
    heartbeat(exchange, next={"crm": None, "other": None})
    assert [] == needs(exchange.ask("status"))


@pytest.mark.nightly
def test_a_run_of_a_job_that_is_gone_is_told_and_can_be_dropped(exchange):
    """Renaming a job must leave no run that waits for ever, with copies of its files."""
    exchange.configure(crm=JOB)
    exchange.drop("in/1.csv", HEADER + "a,1\n")
    exchange.ask("run", "crm")
    exchange.drop("in/1.csv", HEADER + "a,5\n")
    exchange.ask("run", "crm", code=5)

    exchange.configure(people={**JOB, "source": {"prefix": "other/"}})
    [held] = exchange.ask("status", "--fail-on", "held", code=5)["needs"]
    assert ("held", "crm") == (held["kind"], held["job"])
    assert ["exchanger show 2", "exchanger discard 2"] == held["next"]
    assert "has no such job any more" in held["message"]
    assert 2 == exchange.call("approve", "2").returncode

    assert "discarded" == exchange.ask("discard", "2")["state"]
    assert [] == needs(exchange.ask("status"))


@pytest.mark.parametrize(("since", "expected"), [(None, []), (-1, [("stale", "new")]), (1, [])])
def test_a_job_that_never_took_anything_is_overdue_once_a_daemon_has_waited(
    exchange, since, expected
):
    """Nobody knows when a job was configured but the daemons that have seen it."""
    exchange.configure(new={**JOB, "expect": {"every": "1d"}})
    if since is not None:
        at = datetime.now(UTC) - timedelta(days=1) + timedelta(hours=since)
        heartbeat(exchange, expecting={"new": at.isoformat()})
    assert expected == needs(exchange.ask("status"))
