"""Killed, stopped, or answered badly: a run ends exactly as if nothing had happened."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from collections import Counter
from contextlib import suppress

import pytest
from support.jobs import import_job

TRACK, LOOKUP = "/users/track", "/users/export/ids"
JOB = import_job(
    fields={
        "spent": {"from": "spent", "merge": "sum", "type": "decimal", "scale": 2},
        "tags": {"from": "tag", "merge": "add", "items": "string"},
    }
)
PROFILES = 40
SIZE = 5
LIMIT = 60


def rows(cents, tag):
    """Render a file that gives every profile an amount and a tag."""
    lines = (f"p{n},{(n + cents) / 100:.2f},{tag}\n" for n in range(PROFILES))
    return "id,spent,tag\n" + "".join(lines)


def totals(*contributions):
    """Tell what Braze must end with for the files of some cents and tags."""
    expected = {}
    for n in range(PROFILES):
        cents = sum(n + given for given, _ in contributions)
        text = f"{cents // 100}.{cents % 100:02}".rstrip("0").rstrip(".")
        tags = ",".join(f'"{tag}"' for _, tag in contributions)
        expected[f"p{n}"] = (text, f"[{tags}]")
    return expected


def state(exchange):
    return {
        who: (exchange.attribute(who, "spent"), exchange.attribute(who, "tags"))
        for who in exchange.braze.users()
    }


def until(condition, process):
    """Wait until something is the case while a process runs, or fail."""
    deadline = time.monotonic() + LIMIT
    seen = False
    while not (seen := condition()) and process.poll() is None and time.monotonic() < deadline:
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.05)
    assert seen, process.communicate()


def end(process, number):
    """Send a signal and wait for the end; tell how long it took."""
    begun = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=LIMIT)
    return time.monotonic() - begun, out, err


@pytest.fixture
def crm(exchange):
    """A connection that sends five objects a request, with two files waiting."""
    exchange.connection["braze"]["batch_size"] = SIZE
    exchange.configure(crm=JOB)
    exchange.drop("inbox/1.csv", rows(10, "x"))
    exchange.drop("inbox/2.csv", rows(200, "y"))
    return exchange


def test_killed_during_delivery(crm):
    """
    After kill -9 amid delivery the next run goes on with the outbox, and no sum counts twice.

    Requests of which the dead process never kept the answer are sent again as they were.
    """
    crm.braze.faults(TRACK, delay=LIMIT, times=99, skip=3)
    process = crm.start("run", "crm")
    until(lambda: crm.braze.requests(TRACK) >= PROFILES // SIZE, process)
    end(process, signal.SIGKILL)
    crm.braze.clear_faults()
    assert -signal.SIGKILL == process.returncode
    [unfinished] = crm.ask("runs")
    assert ("delivering", 1) == (unfinished["state"], unfinished["seq"])

    crm.drop("inbox/3.csv", rows(3000, "z"))
    report = crm.ask("run", "crm")

    assert totals((10, "x"), (200, "y"), (3000, "z")) == state(crm)
    assert ["inbox/1.csv", "inbox/2.csv", "inbox/3.csv"] == [f["key"] for f in report["files"]]
    assert ("succeeded", 3 * PROFILES) == (report["state"], report["rows_read"])
    assert 2 * PROFILES == report["profiles_new"] + report["profiles_updated"]
    assert [2, 1] == [run["seq"] for run in crm.ask("runs")]
    values = Counter(
        (one["external_id"], str(one["spent"]))
        for body in crm.braze.bodies(TRACK)
        for one in body["attributes"]
    )
    assert 2 * PROFILES == len(values)


@pytest.mark.nightly
def test_what_a_killed_process_may_have_sent_is_told(crm):
    """
    Nobody can count the requests of a process that died before it noted them.

    The report tells how much may have been sent twice, and so be billed twice.
    """
    crm.braze.faults(TRACK, delay=LIMIT, times=99, skip=3)
    process = crm.start("run", "crm")
    until(lambda: crm.braze.requests(TRACK) >= PROFILES // SIZE, process)
    end(process, signal.SIGKILL)
    crm.braze.clear_faults()

    report = crm.ask("run", "crm")
    again = PROFILES // SIZE
    assert (again, 2 * PROFILES) == (report["requests"], report["data_points"])
    assert crm.braze.requests(TRACK) > again
    [told] = [note for note in report["notes"] if "may have been sent twice" in note]
    assert told.startswith(f"Up to {PROFILES} profiles ({2 * PROFILES} data points)")


def billed_again(report):
    """Add up the data points that a report says may have been sent twice."""
    found = (re.search(r"\(([\d,]+) data points\) may have been", n) for n in report["notes"])
    return sum(int(told[1].replace(",", "")) for told in found if told)


def test_what_was_sent_again_as_answers_were_lost_is_told(crm):
    """Braze bills every attempt whose answer was lost; data points count them once, and a note."""
    crm.braze.faults(TRACK, drop="after", times=3)
    crm.braze.faults(TRACK, status=503, times=2)
    before = crm.braze.meter
    report = crm.ask("run", "crm")
    assert 2 * PROFILES == report["data_points"]
    assert 3 * 2 * SIZE == crm.braze.meter - before - report["data_points"]
    assert 3 * 2 * SIZE == billed_again(report)
    assert [] == [note for note in crm.ask("show", "1")["notes"] if "earlier process" in note]


@pytest.mark.nightly
def test_what_an_earlier_process_sent_again_is_told(crm):
    """A process that gives up notes it, and the one that ends the run tells what both sent."""
    crm.braze.faults(TRACK, drop="after", times=2)
    crm.braze.faults(TRACK, status=401, times=99, skip=6)
    before = crm.braze.meter
    crm.ask("run", "crm", code=7)
    crm.braze.clear_faults()
    crm.braze.faults(TRACK, drop="after", times=1)
    report = crm.ask("run", "crm")
    assert 2 * PROFILES == report["data_points"]
    assert 3 * 2 * SIZE == crm.braze.meter - before - report["data_points"]
    assert 3 * 2 * SIZE == billed_again(report)


@pytest.mark.nightly
def test_killed_during_look_ups(crm):
    """A run that dies before its plan counts leaves nothing but what it saw."""
    crm.braze.faults(LOOKUP, delay=LIMIT, times=99)
    process = crm.start("run", "crm")
    until(lambda: crm.braze.requests(LOOKUP) >= 1, process)
    end(process, signal.SIGKILL)
    crm.braze.clear_faults()
    assert [] == crm.ask("runs")
    assert 0 == crm.braze.requests(TRACK)

    report = crm.ask("run", "crm")
    assert totals((10, "x"), (200, "y")) == state(crm)
    assert (1, PROFILES) == (report["seq"], report["profiles_new"])


@pytest.mark.nightly
def test_stopped_during_delivery(crm):
    """
    SIGTERM keeps what answered requests brought, and ends within 10 s even if others hang.

    The next run sends what was not acknowledged, and only that.
    """
    answered = 2
    crm.braze.faults(TRACK, delay=LIMIT, times=99, skip=answered)
    every = crm.braze.requests(TRACK) + PROFILES // SIZE
    process = crm.start("run", "crm", "--json")
    until(lambda: crm.braze.requests(TRACK) >= every, process)
    took, out, err = end(process, signal.SIGTERM)
    crm.braze.clear_faults()
    assert (4, True) == (process.returncode, took < 10), out + err
    assert "Traceback" not in err
    stopped = json.loads(out)
    assert ("partial", True) == (stopped["state"], stopped["stopped"])
    assert f"{answered * SIZE} of {PROFILES} profiles were sent" in stopped["notes"][0]
    # Of those that were cut off as they were sent, some may not have come.
    missing = stopped["requests"] - crm.braze.requests(TRACK)
    assert 0 <= missing <= PROFILES // SIZE

    before = crm.braze.requests(TRACK)
    report = crm.ask("run", "crm")
    assert totals((10, "x"), (200, "y")) == state(crm)
    assert (2 * PROFILES, PROFILES) == (report["rows_applied"], report["profiles_new"])
    assert 0 <= report["requests"] - crm.braze.requests(TRACK) <= missing
    again = crm.braze.bodies(TRACK)[before:]
    assert PROFILES - answered * SIZE == sum(len(body["attributes"]) for body in again)


@pytest.mark.nightly
def test_stopped_before_a_job_was_begun(crm):
    """A job that was asked for and not begun is told, and is no success."""
    crm.configure(crm=JOB, shop=JOB | {"source": {"prefix": "shop/"}})
    crm.braze.faults(TRACK, delay=LIMIT, times=99)
    process = crm.start("run", "crm", "shop", "--json")
    until(lambda: crm.braze.requests(TRACK) >= 1, process)
    _, out, err = end(process, signal.SIGTERM)
    crm.braze.clear_faults()
    assert 4 == process.returncode, out + err
    assert "Stopped as asked before shop began." in err
    assert ["crm"] == [report["job"] for report in json.loads(out)]


@pytest.mark.nightly
def test_stopped_during_look_ups(crm):
    """SIGTERM ends a run within 10 s while look-ups hang; nothing of its plan counts."""
    crm.braze.faults(LOOKUP, delay=LIMIT, times=99)
    process = crm.start("run", "crm")
    until(lambda: crm.braze.requests(LOOKUP) >= 1, process)
    took, out, err = end(process, signal.SIGTERM)
    crm.braze.clear_faults()
    assert (4, True) == (process.returncode, took < 10), out + err
    assert [] == [run for run in crm.ask("runs") if "seq" in run]
    assert 0 == crm.braze.requests(TRACK)


@pytest.mark.nightly
def test_requests_of_processes_that_gave_up_are_counted(crm):
    """However many processes a run took, its report counts what all of them sent."""
    for skip in (2, 0, 1):
        crm.braze.faults(TRACK, status=401, times=99, skip=skip)
        crm.ask("run", "crm", code=7)
        crm.braze.clear_faults()
    report = crm.ask("run", "crm")
    assert report["requests"] == crm.braze.requests(TRACK) > PROFILES // SIZE
    assert not any("sent twice" in note for note in report["notes"])


@pytest.mark.nightly
def test_a_plan_tells_of_a_run_that_is_finished_first(crm):
    """What an unfinished run has left to send is told apart, and its files are not new."""
    assert crm.ask("plan", "crm")["unfinished"] is None
    crm.braze.faults(TRACK, status=401, times=99, skip=2)
    crm.ask("run", "crm", code=7)
    crm.braze.clear_faults()
    requests = crm.braze.requests(TRACK)
    planned = crm.ask("plan", "crm")
    left = planned["unfinished"]["profiles"]
    assert PROFILES - 2 * SIZE == left
    told = {"run": 1, "job": "crm", "profiles": left, "data_points": 2 * left}
    assert (told, [], "nothing_to_do") == (
        planned["unfinished"],
        planned["report"]["files"],
        planned["report"]["state"],
    )
    shown = crm.call("plan", "crm").stdout
    assert "run 1 of crm is unfinished" in shown
    assert f"at most {left} profiles, {2 * left} data points" in shown
    assert "Nothing else would be sent." in shown

    crm.drop("inbox/3.csv", "id,spent,tag\nnew,1,z\n")
    planned = crm.ask("plan", "crm")
    assert (["inbox/3.csv"], 1) == (
        [file["key"] for file in planned["report"]["files"]],
        planned["report"]["profiles_new"],
    )
    assert requests == crm.braze.requests(TRACK)
    assert 2 * left + 2 == crm.ask("run", "crm")["data_points"] - 2 * (PROFILES - left)


def test_errors_and_lost_answers_change_nothing(exchange):
    """With a tenth of answers 5xx and a tenth lost, sums end exactly, at the cost of requests."""
    exchange.connection["braze"]["batch_size"] = 2
    exchange.configure(crm=JOB)
    exchange.braze.change(error_rate=0.1, lost_answer_rate=0.1, seed=7)
    contributions = [(10, "x"), (200, "y")]
    reports = []
    for cents, tag in contributions:
        exchange.drop(f"inbox/{tag}.csv", rows(cents, tag))
        reports.append(exchange.ask("run", "crm"))
    assert totals(*contributions) == state(exchange)
    assert exchange.braze.requests(TRACK) == sum(report["requests"] for report in reports)
    assert exchange.braze.requests(TRACK) > len(contributions) * PROFILES // 2
