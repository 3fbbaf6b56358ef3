"""A range of history, or everything, applied again as if it were new."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.jobs import import_job

TRACK = "/users/track"
SCRIPT = Path(__file__).parents[2] / "scripts" / "backfill.py"
JOB = import_job(
    fields={
        "tier": {"from": "tier", "type": "string"},
        "visits": {"from": "visits", "merge": "sum", "type": "integer"},
    }
)


@pytest.fixture
def crm(exchange):
    """A connection whose two files were applied."""
    exchange.configure(crm=JOB)
    exchange.drop("inbox/2026/1.csv", "id,tier,visits\na,blue,1\nb,blue,1\n")
    exchange.drop("inbox/2026/2.csv", "id,tier,visits\na,gold,2\n")
    exchange.ask("run", "crm")
    return exchange


def keys(report):
    return [file["key"].removeprefix("inbox/") for file in report["files"]]


def state(exchange, profile):
    return exchange.attribute(profile, "tier"), exchange.attribute(profile, "visits")


@pytest.mark.nightly
def test_everything_again_sends_nothing_that_braze_has(crm):
    """With --full every file is read anew, sums are left alone, and no-ops send nothing."""
    sent = crm.braze.requests(TRACK)
    report = crm.ask("backfill", "crm", "--full")
    assert ["2026/1.csv", "2026/2.csv"] == keys(report)
    assert ("succeeded", 3, 0) == (report["state"], report["rows_read"], report["requests"])
    assert sent == crm.braze.requests(TRACK)
    assert (('"gold"', "3"), ('"blue"', "1")) == (state(crm, "a"), state(crm, "b"))

    crm.drop("inbox/2027/3.csv", "id,tier,visits\na,red,4\nb,red,4\n")
    crm.ask("run", "crm")
    report = crm.ask("backfill", "crm", "--prefix", "inbox/2026/")
    assert ["2026/1.csv", "2026/2.csv"] == keys(report)
    assert (2, 2) == (report["profiles_updated"], report["fields_changed"])
    assert (('"gold"', "7"), ('"blue"', "5")) == (state(crm, "a"), state(crm, "b"))

    forced = crm.ask("backfill", "crm", "--prefix", "inbox/2026/1", "--force")
    assert ["2026/1.csv"] == keys(forced)
    assert (('"blue"', "8"), ('"blue"', "6")) == (state(crm, "a"), state(crm, "b"))


@pytest.mark.nightly
def test_a_range_of_time_takes_what_arrived_then(crm):
    """The range includes its begin and excludes its end; the script is the same as the verb."""
    [first, second] = [item.last_modified for item in crm.bucket.list("inbox/")]
    after = (max(first, second) + timedelta(seconds=1)).astimezone(UTC)
    spelt = f"{after:%Y-%m-%dT%H:%M:%S}"
    report = crm.ask("backfill", "crm", "--until", spelt, "--since", "2020-01-01")
    assert ["2026/1.csv", "2026/2.csv"] == keys(report)
    late = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%d")
    assert "nothing_to_do" == crm.ask("backfill", "crm", "--since", late)["state"]

    script = subprocess.run(
        [sys.executable, SCRIPT, "crm", "--until", "2020-01-01", "--config", crm.config],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "SANDBOX_KEY": crm.braze.api_key, "S3_KEY": "sandbox"},
    )
    assert "nothing" in script.stdout
    assert 2 == crm.call("backfill", "crm").returncode


def test_a_backfill_that_stops_half_way_is_begun_again(crm):
    """Refused by Braze at first, the same command ends it: nothing is added twice."""
    crm.drop("inbox/2027/3.csv", "id,tier,visits\na,red,4\nb,red,4\nc,red,4\n")
    crm.braze.faults(TRACK, status=401, body={"message": "Invalid API key"})
    assert "failed" == crm.ask("backfill", "crm", "--full", code=7)["state"]
    report = crm.ask("backfill", "crm", "--full")
    assert [('"red"', "7"), ('"red"', "5"), ('"red"', "4")] == [state(crm, who) for who in "abc"]
    assert ["2026/1.csv", "2026/2.csv", "2027/3.csv"] * 2 == keys(report)
    assert (1, 2) == (report["profiles_new"], report["profiles_updated"])


@pytest.mark.nightly
def test_a_file_that_waits_is_not_forgotten_by_a_backfill(crm):
    """What waits for --force waits on after a backfill of everything, and can still be forced."""
    crm.drop("inbox/copy.csv", "id,tier,visits\na,gold,2\n")
    crm.ask("run", "crm", code=5)
    report = crm.ask("backfill", "crm", "--full")

    assert ["2026/1.csv", "2026/2.csv"] == keys(report)
    assert "inbox/copy.csv waits" in report["notes"][-1]
    crm.ask("run", "crm", "--force")
    assert ('"gold"', "5") == state(crm, "a")


@pytest.mark.nightly
def test_a_dry_run_of_a_backfill_writes_nothing_and_tells_what_it_then_does(crm):
    """Every count equals the backfill's, also of what --force would add; no range is told too."""
    crm.drop("inbox/2027/3.csv", "id,tier,visits\na,red,4\nc,red,4\n")

    def everything():
        return {item.key: item.etag for item in crm.bucket.list("")}, crm.braze.requests(TRACK)

    for words in (["--full"], ["--prefix", "inbox/2026/", "--force"]):
        before = everything()
        planned = crm.ask("backfill", "crm", *words, "--dry-run")["report"]
        assert before == everything()
        report = crm.ask("backfill", "crm", *words)
        for name in ("rows_read", "rows_applied", "data_points", "fields_changed"):
            assert report[name] == planned[name], name
        assert report["notes"] == planned["notes"]
        assert [file["key"] for file in report["files"]] == [f["key"] for f in planned["files"]]
    nothing = crm.ask("backfill", "crm", "--since", "2100-01-01", "--dry-run")
    assert ["No file matched: none of the 3 files in inbox/ is in the range."] == (
        nothing["report"]["notes"]
    )
    assert 2 == crm.call("backfill", "crm", "--dry-run").returncode


@pytest.mark.nightly
def test_a_range_without_files_is_told(crm):
    """Nobody takes a slip in the range for a success: none matched, of how many."""
    report = crm.ask("backfill", "crm", "--since", "2100-01-01")
    assert "nothing_to_do" == report["state"]
    assert ["No file matched: none of the 2 files in inbox/ is in the range."] == report["notes"]
    assert [] == crm.ask("backfill", "crm", "--prefix", "in")["notes"][1:]
    outside = crm.call("backfill", "crm", "--prefix", "outbox/")
    assert 2 == outside.returncode
    assert "the job reads only keys that begin with inbox/" in " ".join(outside.stderr.split())


@pytest.mark.nightly
def test_a_plan_shows_the_rows_that_it_cannot_take(crm):
    """A plan writes no quarantine, so it shows the first rows that would go there, and why."""
    crm.drop("inbox/3.csv", "id,tier,visits\n" + "".join(f"a{n},red,many\n" for n in range(7)))
    planned = crm.ask("plan", "crm")
    assert 7 == planned["report"]["rows_rejected"]
    assert ["visits"] * 5 == [row["field"] for row in planned["rejected"]]
    assert "quarantine says why" not in str(planned)
    shown = crm.call("plan", "crm").stdout.splitlines()
    assert "  would go to quarantine, the first 5 of them:" in shown
    assert 5 == sum(line.startswith("    inbox/3.csv, row ") for line in shown)
