"""One row given by itself: shown, asked for, sent once, and never again with its file."""

from __future__ import annotations

import json

import pytest
from support.jobs import import_job
from support.tried_jobs import CRM, CRM_FILE, SIGNUPS

from exchanger import Exchanger
from exchanger.errors import CannotTest

TRACK = "/users/track"


def spent(exchange):
    """What each has spent by now; None who is not there."""
    there = exchange.braze.users()
    return [exchange.attribute(who, "spend") if who in there else None for who in "abc"]


def test_a_row_of_a_file_is_shown_sent_and_not_counted_again(exchange):
    """Its request is shown without the key and sent only after a yes; its file gives the rest."""
    exchange.configure(crm=CRM)
    exchange.drop("inbox/crm/a.csv", CRM_FILE)

    shown = exchange.call("send-test", "crm", "--row", "2")
    assert (0, []) == (shown.returncode, exchange.braze.bodies(TRACK)), shown.stderr
    assert '{"attributes":[{"external_id":"a","tier":"gold","spend":7}]}' in shown.stdout
    assert "Authorization: Bearer [redacted]" in shown.stdout
    assert "--yes" in shown.stdout

    told = exchange.ask("send-test", "crm", "--row", "2", "--yes")
    assert exchange.braze.raw_bodies(TRACK) == [told["requests"][0]["body"].encode()]
    assert (201, "/users/track") == (told["requests"][0]["status"], told["requests"][0]["path"])
    assert "success" in told["requests"][0]["answer"]
    assert exchange.braze.api_key not in json.dumps(told) + shown.stdout
    assert ("succeeded", 1) == (told["report"]["state"], told["report"]["rows_applied"])
    assert ["7", None, None] == spent(exchange)
    again = exchange.call("send-test", "crm", "--row", "2", "--yes")
    assert (2, True) == (again.returncode, "was given by run 1 before" in again.stderr)
    assert 2 == exchange.call("send-test", "crm", "--row", "9", "--yes").returncode
    assert [] == [*exchange.bucket.list("inbox/crm_reports/")]
    assert [1] == [job["files_waiting"] for job in exchange.ask("jobs", "--waiting")]

    exchange.ask("send-test", "crm", "--row", "3", "--yes")
    report = exchange.ask("run", "crm")
    assert ("succeeded", 3) == (report["state"], report["rows_read"])
    assert ["12", "9", None] == spent(exchange)
    assert '"gold"' == exchange.attribute("a", "tier")

    exchange.drop("inbox/crm/a.csv", CRM_FILE.replace("silver,5", "silver,6"))
    held = exchange.ask("run", "crm", code=5)
    exchange.ask("approve", held["run_id"])
    assert ["13", "9", None] == spent(exchange)


@pytest.mark.nightly
def test_a_test_that_was_cut_off_is_finished_before_its_file(exchange):
    """What is in the outbox of a test goes out once, and a version that comes then replaces it."""
    exchange.connection["braze"]["give_up"] = "1s"
    exchange.configure(crm=CRM)
    exchange.drop("inbox/crm/a.csv", CRM_FILE)
    exchange.braze.faults(TRACK, status=503, times=1000)
    failed = exchange.ask("send-test", "crm", "--row", "2", "--yes", code=7)
    assert {503} == {one["status"] for one in failed["requests"]}
    exchange.braze.clear_faults()

    exchange.drop("inbox/crm/a.csv", "id,tier,spend\nb,iron,9\n")
    exchange.ask("run", "crm")

    assert ["0", "9", None] == spent(exchange)


@pytest.mark.nightly
def test_a_row_by_hand_is_a_file_of_its_own(exchange):
    """It teaches nothing about columns, counts by itself, and is told so; from Python as well."""
    vip = {"as": {"events": {"entered": "VIP entered"}}}
    source = {"prefix": "inbox/vip/", "mode": "snapshot"}
    audience = import_job(object="audience", source=source, audience=vip)
    shadow = CRM | {"source": {"prefix": "shadow/"}, "delivery": {"shadow": True}}
    exchange.configure(crm=CRM, signups=SIGNUPS, vip=audience, shadow=shadow)
    library = Exchanger.from_config(exchange.config, environment=exchange.environment)
    row = {"id": "c", "tier": 5, "spend": "4"}
    foreseen = library.send_test("crm", row, send=False)
    assert ([], None) == (exchange.braze.bodies(TRACK), foreseen.report)
    assert "a row by hand counts by itself" in str(foreseen.plan.report.notes).lower()

    tried = library.send_test("crm", row)
    assert (201, 1) == (tried.exchanges[0].status, tried.report.rows_applied)
    assert foreseen.exchanges[0].body == tried.exchanges[0].body
    library.send_test("crm", row)
    assert [None, None, "8"] == spent(exchange)
    assert {} == library.types("crm").types
    much = '{"id": "c", "tier": null, "spend": "much"}'
    for job in ("vip", "shadow"):
        with pytest.raises(CannotTest):
            library.send_test(job, row)
    bad = exchange.ask("send-test", "crm", much, "--yes", code=4)
    assert (False, 1) == (bad["sent"], bad["plan"]["report"]["rows_rejected"])
    assert 2 == exchange.call("send-test", "crm", "[1]").returncode
    assert 2 == exchange.call("send-test", "crm", "{}", "--row", "1").returncode
    assert 2 == exchange.call("send-test", "crm", "--yes").returncode  # Nothing waits.


@pytest.mark.nightly
def test_an_event_of_a_file_without_names_of_rows_is_sent_once(exchange):
    """The row of that version is repeated with its file, also where nobody knows if it was sent."""
    exchange.configure(signups=SIGNUPS)
    exchange.drop("inbox/signups/a.csv", "id,at\na,2026-09-01\nb,2026-09-01\nc,2026-09-01\n")
    exchange.ask("send-test", "signups", "--row", "2", "--yes")
    exchange.braze.faults(TRACK, drop="after")
    doubtful = exchange.ask("send-test", "signups", "--row", "1", "--yes", code=4)
    assert (0, 1) == (doubtful["requests"][0]["status"], doubtful["report"]["rows_in_doubt"])

    report = exchange.ask("run", "signups")

    sent = [one["external_id"] for body in exchange.braze.bodies(TRACK) for one in body["events"]]
    assert 2 == report["rows_repeated"]
    assert ["b", "a", "c"] == sent


@pytest.mark.nightly
def test_a_test_is_no_snapshot(exchange):
    """Of a job of snapshots one row says nothing about all others: the first file is the first."""
    source = {"prefix": "inbox/crm/", "mode": "snapshot"}
    exchange.configure(crm=import_job(source=source, fields={"tier": "set"}))
    exchange.drop("inbox/crm/1.csv", "id,tier\na,silver\nb,iron\n")
    report = exchange.ask("send-test", "crm", "--yes")["report"]
    assert ("succeeded", 0) == (report["state"], report["leavers"])
    exchange.drop("inbox/crm/1.csv", "id,tier\nb,iron\n")
    assert 0 == exchange.ask("run", "crm")["members_before"]
    exchange.drop("inbox/crm/2.csv", "id,tier\nb,iron\nc,gold\n")
    exchange.ask("send-test", "crm", "--row", "2", "--yes")
    assert 1 == exchange.ask("run", "crm")["members_before"]
