"""What becomes of answers: of those a killed process did not come to, and of old ones."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from support.contexts import job_context
from support.jobs import import_model

from exchanger.app.messages.pages.report import report_files
from exchanger.config.models import BrazeConfig, Retention
from exchanger.jobs.answers.write import answers_of
from exchanger.jobs.imports import run_import
from exchanger.outside.braze.client import Braze
from exchanger.outside.s3.bucket import Bucket
from exchanger.sandbox import Sandbox
from exchanger.state.store import open_state

JOB = import_model(source={"prefix": "in/"}, fields={"n": {"from": "n", "type": "integer"}})


class Killed(BaseException):
    """The process dies here."""


@pytest.fixture
def killed_at(monkeypatch):
    """Let the process die at a write of which a key and a number of such writes tell."""
    place = {"key": "", "left": 0}
    write = Bucket.write

    def guarded(bucket, key, body, **options):
        told = b'"state": "settled"' in body or b'"state":"settled"' in body
        if place["key"] and place["key"] in key and (told or "_reports/" in key):
            place["left"] -= 1
            if place["left"] == 0:
                raise Killed
        return write(bucket, key, body, **options)

    monkeypatch.setattr(Bucket, "write", guarded)
    return place


@pytest.fixture
def context(bucket, tmp_path):
    with Sandbox() as braze:
        config = BrazeConfig(endpoint=braze.url, api_key=braze.api_key)
        yield job_context(
            bucket,
            lambda: Braze(config),
            tmp_path,
            spacing=0.0,
            grace=0.0,
            lease_seconds=6.0,
            pages=report_files,
        )


@pytest.mark.parametrize(
    ("key", "at", "written"),
    [
        ("in_reports/", 1, False),  # none of the two is there
        ("in_reports/a.csv.html", 1, False),  # the facts are, and no page
        ("runs/000000001.json", 2, True),  # both are, and the run does not know
    ],
)
def test_a_process_that_dies_while_it_answers(context, killed_at, key, at, written):
    """
    Before the run is settled nobody is told anything; after it, the next process tells it.

    It finds out by the run alone, though there is nothing else to do, and does so once.
    """
    bucket = context.bucket
    bucket.write("in/a.csv", b"id,n\nx,1\ny,two\n")

    def listed():
        return {item.key: item.last_modified for item in bucket.list("in_reports/")}

    killed_at.update(key=key, left=at)
    with pytest.raises(Killed):
        run_import(context, "crm", JOB)
    killed_at.update(key="")
    assert written == ("in_reports/a.csv.html" in listed())
    assert "settled" == open_state(bucket, context.state_prefix).runs.read(1).document.state

    assert "nothing_to_do" == run_import(context, "crm", JOB).state

    facts = json.loads(bucket.read("in_reports/a.csv.json")[0])
    assert ("applied_in_part", 1, 1) == (facts["verdict"], facts["run"], facts["rows"]["rejected"])
    assert {"in_reports/a.csv.json", "in_reports/a.csv.html"} == set(listed())
    bucket.delete(listed())
    assert "nothing_to_do" == run_import(context, "crm", JOB).state
    assert {} == listed()


def test_answers_go_with_the_quarantine_of_their_run(context):
    """What a later run has said of a newer version of a file stays for as long as that run's."""
    bucket, state = context.bucket, open_state(context.bucket, context.state_prefix)
    for name in "ab":
        bucket.write(f"in/{name}.csv", b"id,n\nx,1\ny,two\n" + name.encode() + b",3\n")
    run_import(context, "crm", JOB)
    bucket.write("in/a.csv", b"id,n\nx,4\n")
    run_import(context, "crm", JOB)

    first, second = (state.runs.read(seq).document for seq in (1, 2))
    gone = {"in_rejected/1/a.csv", "in_rejected/1/b.csv", *reports("b")}
    assert gone == set(answers_of(context, state, first))
    assert reports("a") == set(answers_of(context, state, second))

    soon = replace(context, retention=Retention(quarantine=timedelta()), sweep_every=0)
    bucket.write("in/c.csv", b"id,n\nz,5\n")
    run_import(soon, "crm", JOB)
    left = {item.key for folder in ("in_reports/", "in_rejected/") for item in bucket.list(folder)}
    assert not left & {*gone, *reports("a")}


def reports(name):
    return {f"in_reports/{name}.csv.{ending}" for ending in ("json", "html")}
