"""People are told of the troubles of jobs: once each, and once when it is over."""

from __future__ import annotations

import json
import os
import signal
from datetime import UTC, datetime, timedelta

import pytest
from support.jobs import import_job
from support.receiver import Receiver

from exchanger.state.store import open_state

HEADER = "id,visits,email\n"
JOB = import_job(
    source={"prefix": "in/"},
    fields={"visits": {"type": "integer", "merge": "sum"}, "email": "set"},
    baseline="assume_empty",
    description="Nightly delta",
)
SECRET = "tok3nOfTheChannel"
TRACK = "/users/track"
BOOK = "_exchanger/main/alerts.json"
BAD = "b,many,bob@x.example\n"


@pytest.fixture
def receiver(monkeypatch):
    made = Receiver()
    monkeypatch.setenv("ALERT_URL", made.url(SECRET))
    yield made
    made.close()


def good(visits):
    """Return a row that is taken; no two files have the same content."""
    return f"a,{visits},ada@x.example\n"


def everything(exchange):
    """Return all that is kept in the bucket, as one text."""
    keys = [item.key for item in exchange.bucket.list("")]
    return "\n".join(exchange.bucket.read(key)[0].decode(errors="replace") for key in keys)


def run(exchange, code, key="", rows=""):
    """Drop a file, if one is named, run the job, and return what the command line printed."""
    if key:
        exchange.drop(key, HEADER + rows)
    done = exchange.call("run", "crm")
    assert code == done.returncode, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_each_trouble_is_told_once_and_once_when_it_is_over(exchange, receiver):
    """
    A run by cron tells neither again nor never: in part, failed, held back, without rows.

    What it says needs no terminal, has no value of a profile, and nowhere is a word of the URL.
    """
    exchange.notifications = [{"url": "${ALERT_URL}"}]
    exchange.configure(crm=JOB)
    said = [run(exchange, 4, "in/1.csv", good(1) + BAD)]
    [told] = receiver.told
    assert "warning" == told["type"]
    for words in (
        "Nightly delta",
        "2 read; 1 applied, 1 rejected",
        "in/1.csv: applied. 1 of its 2 rows were rejected",
        "quarantine/crm/000000001.csv",
        "exchanger retry 1",
        "Without a terminal",
    ):
        assert words in told["message"]
    assert "x.example" not in told["message"]
    assert "many" not in told["message"]
    assert ["crm was done in part"] == receiver.titles()

    said += [run(exchange, 4, "in/2.csv", BAD), run(exchange, 0)]
    assert [] == receiver.titles()
    said += [run(exchange, 0, "in/3.csv", good(3))]
    assert ["crm is fine again (partial)"] == receiver.titles()

    exchange.braze.faults(TRACK, status=401, body={"message": "Invalid API Key"}, times=1)
    said += [run(exchange, 7, "in/4.csv", good(4))]
    [told] = receiver.told
    assert "Braze does not know this API key" in told["message"]
    assert ("crm failed", "failure") == (*receiver.titles(), told["type"])

    said += [run(exchange, 4, "in/3.csv", good(5))]
    assert "exchanger approve 5\n- exchanger discard 5" in receiver.told[-1]["message"]
    assert ["crm is fine again (failed)", "crm waits for a decision"] == receiver.titles()
    assert 0 == exchange.call("discard", "5").returncode
    assert ["crm is fine again (held back)"] == receiver.titles()

    said += [run(exchange, 0, "in/5.csv")]
    assert "in/5.csv came without a single row" in receiver.told[0]["message"]
    assert ["crm came without rows"] == receiver.titles()
    shown = exchange.ask("alerts")
    assert [("crm", "partial")] == [(one["job"], one["kind"]) for one in shown["open"]]
    assert SECRET not in "".join(said) + everything(exchange)


@pytest.mark.nightly
def test_each_run_that_waits_is_told_as_each_takes_a_decision(exchange, receiver):
    """Also while another one waits; that it is over is told once nothing waits any more."""
    exchange.notifications = [{"url": "${ALERT_URL}"}]
    exchange.configure(crm=JOB)
    run(exchange, 0, "in/1.csv", good(1))
    run(exchange, 5, "in/2.csv", good(1))
    run(exchange, 5, "in/3.csv", good(1))
    assert ["exchanger approve 2", "exchanger approve 3"] == [
        line.removeprefix("- ")
        for told in receiver.told
        for line in told["message"].splitlines()
        if "approve " in line
    ]
    assert ["crm waits for a decision"] * 2 == receiver.titles()
    run(exchange, 0)
    assert 0 == exchange.call("discard", "2").returncode
    assert [] == receiver.titles()
    assert 0 == exchange.call("discard", "3").returncode
    assert ["crm is fine again (held back)"] == receiver.titles()


def test_a_channel_that_fails_fails_no_run_and_is_tried_again(exchange, receiver):
    """It is told once that it fails, and what it missed is sent once it takes something again."""
    exchange.notifications = [{"url": "${ALERT_URL}", "when": ["partial", "succeeded"]}]
    exchange.configure(crm=JOB)
    receiver.status = 500
    exchange.drop("in/1.csv", HEADER + BAD)
    done = exchange.call("run", "crm", "--json")
    assert (4, 1) == (done.returncode, json.loads(done.stdout)["alerts_waiting"])
    assert 1 == done.stderr.count('"alert.failed"')
    assert SECRET not in done.stderr
    assert "takes nothing since" in exchange.call("alerts").stdout
    exchange.drop("in/2.csv", HEADER + "c" + BAD)
    exchange.call("run", "crm")
    # Who failed is left alone for a while.
    assert (1, []) == (receiver.tried, receiver.titles())

    receiver.status = 200
    book = json.loads(exchange.bucket.read(BOOK)[0])
    for failing in book["failing"].values():
        failing["due"] = failing["since"]
    exchange.bucket.write(BOOK, json.dumps(book).encode())
    exchange.drop("in/3.csv", HEADER + good(3))
    assert "alerts_waiting" not in exchange.ask("run", "crm")
    assert ["crm was done in part", "crm is done"] == receiver.titles()
    assert {"open": [], "waiting": [], "failing": []} == exchange.ask("alerts")


@pytest.mark.nightly
def test_a_channel_hears_of_the_jobs_and_troubles_that_it_names(exchange, receiver):
    """From a share of rejected rows on, and of no other job; that it is over is told as well."""
    hears = {"when": ["partial", "recovered"], "jobs": ["c*"], "at_least": {"rejected_percent": 40}}
    exchange.notifications = [{"url": "${ALERT_URL}", **hears}]
    exchange.configure(crm=JOB, other=JOB | {"source": {"prefix": "other/"}})
    run(exchange, 4, "in/1.csv", good(1) + good(2) + BAD)
    exchange.drop("other/1.csv", HEADER + BAD)
    assert 4 == exchange.call("run", "other").returncode
    exchange.braze.faults(TRACK, status=401, body={"message": "Invalid API Key"}, times=1)
    run(exchange, 7, "in/2.csv", good(3))
    run(exchange, 0)
    assert [] == receiver.titles()

    run(exchange, 4, "in/3.csv", good(4) + BAD)
    run(exchange, 0, "in/4.csv", good(5))
    assert ["crm was done in part", "crm is fine again (partial)"] == receiver.titles()


def test_channels_are_checked_and_tried(exchange, receiver, monkeypatch):
    """A URL that Apprise does not know is named by its place; a trial says who took it."""
    exchange.notifications = [{"url": "${ALERT_URL}", "when": ["failed"], "jobs": ["cr*"]}]
    exchange.configure(crm=JOB)
    assert "tells notifications[0] (json) when a run fails" in exchange.call("check").stdout
    tried = exchange.ask("alerts", "--try")
    assert {"ok": True, "channels": [{"channel": "notifications[0] (json)", "ok": True}]} == tried
    assert "a trial from" in receiver.titles()[0]
    receiver.status = 403
    assert 4 == exchange.call("alerts", "--try").returncode
    monkeypatch.setenv("ALERT_URL", f"nosuch://{SECRET}/")
    refused = exchange.call("check")
    assert (3, True) == (refused.returncode, "notifications[0].url" in refused.stderr)
    assert SECRET not in refused.stdout + refused.stderr


@pytest.mark.nightly
def test_the_daemon_tells_what_no_run_can(exchange, receiver, start_daemon):
    """A start that was missed, a job that is overdue, a run that died; and each is over once."""
    exchange.notifications = [{"url": "${ALERT_URL}"}]
    late = import_job(source={"prefix": "late/"}, fields={"late": "set"})
    exchange.configure(
        crm={**JOB, "schedule": {"every": "1s"}, "expect": {"every": "1s"}},
        late={**late, "schedule": {"every": "1h"}},
    )
    run(exchange, 0, "in/1.csv", good(1))
    [ran] = exchange.ask("runs")
    index = open_state(exchange.bucket, "_exchanger/main/").run_index
    early = (datetime.now(UTC) - timedelta(hours=3)).isoformat()
    index.record({**ran, "seq": None, "job": "late", "run_id": "early", "started_at": early})
    exchange.drop("late/1.csv", "id,late\na,1\n")
    exchange.drop("in/2.csv", HEADER + good(2))
    told = []

    def hears(*titles):
        def reached(_):
            told.extend(receiver.titles())
            return set(titles) <= set(told)

        return reached

    daemon = start_daemon()
    daemon.until(hears("late missed a start", "late is fine again (missed)", "crm is overdue"))
    assert told.index("late missed a start") < told.index("late is fine again (missed)")
    exchange.braze.faults(TRACK, delay=60, times=1)
    before = len(daemon.told("run.started", job="crm"))
    exchange.drop("in/3.csv", HEADER + good(3))
    daemon.until(lambda _: len(daemon.told("run.started", job="crm")) > before)
    os.kill(daemon.told("run.started", job="crm")[-1]["pid"], signal.SIGKILL)
    daemon.until(hears("crm failed", "crm is fine again (failed)", "crm is fine again (overdue)"))
    assert 0 == daemon.stop()
    assert 1 == told.count("late missed a start") == told.count("crm failed")
