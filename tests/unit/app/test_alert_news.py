"""What the end of a run means for the troubles of its job, and how people are told."""

import pytest
from support.config_texts import ENVIRON

from exchanger.app.alerts.news import news_of_daemon, news_of_run, rejected_percent
from exchanger.app.alerts.texts import TITLES, together
from exchanger.app.outcome import Outcome
from exchanger.config.loading.load import read_config
from exchanger.config.models import Notification
from exchanger.errors import BrazeRefused, FileRejected, InvalidRow, SchemaBroken, StorageDenied

CONFIG = """
connections:
  main: &connection
    braze: {endpoint: iad-01, api_key: "${BRAZE_KEY}"}
    s3: {bucket: acme-exchange, region: eu-west-1}
  shop: *connection
jobs:
  crm: {type: import, connection: main, source: {prefix: in/}, match: {external_id: id},
        fields: {a: set}, description: Nightly, expect: {every: 26h}}
  calm: {type: import, connection: main, source: {prefix: calm/}, match: {external_id: id},
         fields: {b: set}, guards: {empty_file: ignore}}
  lake: {type: import, connection: main, source: {prefix: lake/, complete_when: {marker: _SUCCESS}},
         match: {external_id: id}, fields: {c: set}}
  vip: {type: export, connection: main, segment: VIP, fields: {id: external_id},
        target: {prefix: out/}}
"""
APPLIED = {"key": "in/a.csv", "outcome": "applied", "rows": 10, "facts": []}
EMPTY = APPLIED | {"rows": 0}
COPY = EMPTY | {"outcome": "equal_content"}
WHOLE = APPLIED | {
    "outcome": "rejected",
    "facts": [{"code": "file_rejected", "reason": "missing_column", "message": "Ada, ada@x"}],
}


@pytest.fixture(scope="module")
def config():
    return read_config(CONFIG, {**ENVIRON, "BRAZE_KEY": "dummy"})


def report(state="succeeded", job="crm", files=(APPLIED,), **more):
    return {"run_id": "r", "job": job, "state": state, "seq": 7, "files": [*files], "rows_read": 10,
            "started_at": "2026-09-15T06:00:02+00:00", "facts": [], **more}  # fmt: skip


def news(config, content, code=0, error=None, **more):
    return news_of_run(config, Outcome(content, "acme-exchange", code, error), **more)


@pytest.mark.parametrize(
    ("content", "code", "began", "over"),
    [
        (report(), 0, [], ["failed", "missed", "overdue", "partial"]),
        (report("nothing_to_do", files=()), 0, [], ["failed", "missed"]),
        (report("partial", rows_rejected=3), 4, ["partial"], ["failed", "missed", "overdue"]),
        (report("partial", rows_in_doubt=1), 4, ["partial"], ["failed", "missed", "overdue"]),
        (report("partial", files=[WHOLE]), 4, ["partial"], ["failed", "missed"]),
        (report(files=[EMPTY]), 0, ["partial"], ["failed", "missed", "overdue"]),
        (report(job="calm", files=[EMPTY]), 0, [], ["failed", "missed", "overdue", "partial"]),
        (report(job="lake", files=[APPLIED, EMPTY]), 0, [],
         ["failed", "missed", "overdue", "partial"]),
        (report(job="lake", files=[EMPTY, EMPTY]), 0, ["partial"], ["failed", "missed", "overdue"]),
        (report("partial", job="lake", files=[COPY, EMPTY], held_back=[8]), 4, ["held_back"],
         ["failed", "missed", "overdue", "partial"]),
        (report(files=[APPLIED, EMPTY]), 0, ["partial"], ["failed", "missed", "overdue"]),
        (report(job="vip", files=(), manifest="m", rows_written=0), 0, ["partial"],
         ["failed", "missed", "overdue"]),
        (report("failed", files=()), 7, ["failed"], []),
        (report("failed", files=(), stopped=True), 4, [], []),
        (report("failed", files=()), 8, [], []),
        (report("held_back", files=()), 5, ["held_back"], []),
        # A file was applied while another one waits.
        (report("partial", held_back=[8]), 4, ["held_back"],
         ["failed", "missed", "overdue", "partial"]),
        (report("discarded", files=()), 0, [], []),
    ],
)  # fmt: skip
def test_what_a_run_begins_and_what_it_ends(config, content, code, began, over):
    """Each state of a run, by what else it says, begins some kinds of trouble and ends others."""
    found = news(config, content, code)
    assert (began, over) == ([*found.began], [*found.over])
    assert {} == news(config, content, code, begins=False).began
    assert bool(found.passed) == (content["state"] == "succeeded" and not began)


@pytest.mark.parametrize(("held", "over"), [(None, False), (True, False), (False, True)])
def test_what_waits_is_over_once_it_is_decided(config, held, over):
    """Only if nothing of the job waits any more, whatever its runs came to meanwhile."""
    assert over == ("held_back" in news(config, report(), held=held).over)


def test_each_run_that_waits_is_one_to_decide_about(config):
    """Also where a call held back several; one that waits for its state to be adopted has none."""
    for content, runs in [
        (report("held_back", files=()), (7,)),
        (report("held_back", files=(), held_back=[7, 8]), (7, 8)),
        (report("held_back", files=(), seq=None), ()),
    ]:
        assert runs == news(config, content, 5).began["held_back"].runs


@pytest.mark.parametrize(
    ("content", "percent", "told"),
    [
        (report("partial", rows_rejected=1), 10, True),
        (report("partial", rows_rejected=1, rows_read=1000), 0.1, False),
        (report("partial", rows_rejected=1, rows_read=1000, rows_refused=1), None, True),
        (report("partial", rows_rejected=1, rows_read=1000, files=[WHOLE]), None, True),
        (report(files=[EMPTY]), None, True),
    ],
)
def test_a_few_rejected_rows_need_not_be_told(config, content, percent, told):
    """``at_least`` leaves out runs of which few rows were rejected, and nothing else was wrong."""
    channel = Notification(url="json://h", at_least={"rejected_percent": 1})
    assert percent == rejected_percent(config, content)
    assert told == channel.wants("partial", percent)


ERRORS = [
    (BrazeRefused("/users/track", 400, "'email' ada@x is odd"), "(status 400)"),
    (ValueError("ada@x"), "ValueError"),
    (FileRejected("k", "not_a_user", "ada@x is no user"), "(not a user)"),
    (
        SchemaBroken("in/a.csv", "No earlier file had the column 'ada@x'."),
        "the columns of in/a.csv",
    ),
    (InvalidRow("crm", "in/a.csv", 3, "email", "'ada@x' is no address"), "row 3 of in/a.csv"),
    (StorageDenied("read", "acme-exchange", "in/a.csv"), "S3"),
]


@pytest.mark.parametrize(("error", "told"), ERRORS)
def test_why_it_failed_is_told_without_words_of_others(config, error, told):
    """Neither what Braze said nor what stands in a file is repeated, as it may be a value."""
    failed = news(config, report("failed", files=()), 7, error).began["failed"]
    assert told in failed.body
    assert "ada@x" not in failed.body
    assert "exchanger show 7 --connection main" in failed.body


def test_the_rest_of_an_undo_is_taken_back_by_asking_again(config):
    """What Braze refused of it is not for ``retry``, which gives again what files gave."""
    undone = report("partial", files=(), rows_refused=1, quarantine="q.csv",
                    facts=[{"code": "undo_again", "run": 5}])  # fmt: skip
    body = news(config, undone, 4).began["partial"].body
    assert "to take back the rest: exchanger undo 5 --connection main --yes" in body
    assert "retry" not in body


def test_whoever_sends_a_file_reads_where_its_rows_are_corrected(config):
    """In a new file, beside the folder where the job takes them there, or with all the others."""
    place = {"rejected_rows": "in_rejected/7/", "corrected_rows": "in_corrected/7/"}
    for facts, said in (
        ([], "and send them in a new file"),
        ([{"code": "retry_of_snapshot", "run": 7}], "the whole file again"),
        ([{"code": "correct_in_place", **place}], "under the same name in in_corrected/7/"),
    ):
        some = report("partial", rows_rejected=2, quarantine="q.csv", facts=facts)
        assert said in news(config, some, 4).began["partial"].body


def test_a_note_with_values_is_not_told(config):
    """Of what a run notes, that is told which has no value in it; of a file its reason."""
    facts = [
        {"code": "stray_words", "column": "c", "type": "integer", "scale": None,
         "words": ["ada@x"], "cells": 1, "of": 9},
        {"code": "not_kept", "field": "c", "profiles": 1, "read_back": 1, "sent": "ada@x",
         "found": "null"},
        {"code": "too_many_cleared", "profiles": 90, "of": 1200, "percent": 7.5, "allowed": 5},
    ]  # fmt: skip
    held = news(config, report("held_back", files=[WHOLE], facts=facts), 5).began["held_back"]
    assert "ada@x" not in held.body
    assert (
        "in/a.csv: rejected. It was not taken: a column that the job needs is missing" in held.body
    )
    assert "90 (7.5 %) would lose a value and have none afterwards" in held.body
    assert "exchanger approve 7 --connection main" in held.body


def test_what_the_daemon_saw_says_whom_to_ask(config):
    """Of a file that did not come, its sender; of a missed start, who runs the daemon."""
    heard = {"job": "crm", "kind": "overdue", "taken_at": "2026-09-14T06:00:00+00:00"}
    overdue = news_of_daemon(config, heard).began["overdue"]
    assert "No file came since 2026-09-14 06:00:00 UTC" in overdue.body
    assert "one is expected every 26h" in overdue.body
    assert "s3://acme-exchange/in/" in overdue.body
    due, last = "2026-09-15T03:00:00+00:00", "2026-09-14T03:00:00+00:00"
    heard = {"job": "vip", "kind": "missed", "due": due, "last": last}
    assert "due at 2026-09-15 03:00:00 UTC" in news_of_daemon(config, heard).began["missed"].body
    heard = {"job": "crm", "kind": "failed", "reason": "its process was ended by signal 9"}
    assert "ended by signal 9" in news_of_daemon(config, heard).began["failed"].body


def test_every_kind_has_a_title_and_many_are_one_text():
    """What a channel may be told of has a title; many alerts at a time are one text."""
    assert {"failed", "partial", "held_back", "missed", "overdue", "recovered", "succeeded"} <= (
        TITLES.keys()
    )
    title, body = together([("exchanger: crm failed", "why"), ("exchanger: shop failed", "so")])
    assert "exchanger: 2 alerts" == title
    assert body.startswith("crm failed\nshop failed\n\nexchanger: crm failed\nwhy")
