"""Files that change between the listing and the reading, and look-ups that are interrupted."""

from __future__ import annotations

import pytest
from support.contexts import job_context
from support.jobs import import_model

from exchanger.app.messages.notes.words import in_words
from exchanger.config.models import BrazeConfig
from exchanger.errors import BrazeError
from exchanger.jobs.imports import run_import, run_once
from exchanger.jobs.inventory import listing as waiting
from exchanger.jobs.observing import lookup
from exchanger.jobs.runtime.options import ImportOptions
from exchanger.outside.braze.client import Braze
from exchanger.outside.s3.bucket import Bucket
from exchanger.sandbox import Sandbox, SandboxSettings

LOOKUP = "/users/export/ids"
JOB = import_model(fields={"points": {"merge": "sum", "type": "integer"}})


class MovingBucket(Bucket):
    """A bucket in which something happens just before a file is read."""

    before_reading = None

    def list(self, prefix, start_after=""):
        self.listed = [*getattr(self, "listed", []), prefix]
        return super().list(prefix, start_after)

    def download(self, key, etag, path):
        if key.startswith("inbox/") and self.before_reading:
            happen, self.before_reading = self.before_reading, None
            happen()
        return super().download(key, etag, path)


@pytest.fixture
def braze():
    with Sandbox(SandboxSettings(lookup_requests=100_000)) as sandbox:
        yield sandbox


@pytest.fixture
def context(s3_config, braze, tmp_path):
    config = BrazeConfig(
        endpoint=braze.url,
        api_key=braze.api_key,
        lookup_limit={"requests": 100_000, "per": "1s"},
    )
    return job_context(
        MovingBucket(s3_config),
        lambda: Braze(config),
        tmp_path,
        spacing=0.0,
        grace=0.0,
        lease_seconds=6.0,
    )


def drop(context, name, *rows):
    context.bucket.write(f"inbox/{name}", "\n".join(("id,points", *rows)).encode())


def test_a_file_that_is_replaced_while_it_is_read_is_taken_as_it_then_is(context, braze):
    """The version that was listed is not applied, the one that replaced it is, once."""
    drop(context, "a.csv", "ann,1")
    context.bucket.before_reading = lambda: drop(context, "a.csv", "ann,20")
    report = run_import(context, "points", JOB)

    assert "20" == braze.raw_attribute("ann", "points")
    assert "succeeded" == report.state
    assert "replaced or deleted" in in_words(report.facts[0])


def test_a_file_that_is_deleted_while_others_wait_stops_nothing(context, braze):
    """The other files are applied, and the report names the one that is gone."""
    drop(context, "a.csv", "ann,1")
    drop(context, "b.csv", "bob,2")
    context.bucket.before_reading = lambda: context.bucket.delete(["inbox/a.csv"])
    report = run_import(context, "points", JOB)

    assert {"bob"} == set(braze.users())
    assert "inbox/a.csv was replaced or deleted" in in_words(report.facts[0])
    assert ["inbox/b.csv"] == [file.key for file in report.files]


def test_look_ups_before_an_error_are_kept(context, braze, monkeypatch):
    """A look-up that fails halfway goes on from there: what was answered is not asked again."""
    monkeypatch.setattr(lookup, "PART", 50)
    drop(context, "a.csv", *(f"u{n:03},1" for n in range(200)))
    braze.faults(LOOKUP, skip=3, status=403)
    with pytest.raises(BrazeError):
        run_import(context, "points", JOB)
    before = braze.requests(LOOKUP)
    report = run_import(context, "points", JOB)

    assert 4 == before
    assert 1 == braze.requests(LOOKUP) - before
    assert 200 == report.profiles_new
    assert "1" == braze.raw_attribute("u199", "points")


@pytest.mark.parametrize(
    ("one_run", "fresh_for", "expected"),
    [
        (False, 60.0, 2),  # before and after the run
        (True, 60.0, 2),  # before it, and for what it leaves behind
        (True, 0.0, 3),  # who waited for another process looks once more
    ],
)
def test_a_folder_is_listed_no_more_often_than_it_may_have_changed(
    context, monkeypatch, one_run, fresh_for, expected
):
    """What a run takes was listed once: by the look that found that there is something to do."""
    monkeypatch.setattr(waiting, "LISTED_JUST_NOW", fresh_for)
    context.bucket.write("inbox/a.csv", b"id,points\na,1\n")
    if one_run:
        report = run_once(context, "crm", JOB, ImportOptions(one_run=True))
        assert 0 == report.files_waiting
    else:
        report = run_import(context, "crm", JOB)

    assert ("succeeded", 1) == (report.state, report.rows_applied)
    assert expected == context.bucket.listed.count("inbox/")


def test_a_file_that_comes_while_another_is_read_is_taken_after_it(context, braze):
    """A listing stands for a run, not for what comes during it."""
    context.bucket.write("inbox/a.csv", b"id,points\na,1\n")
    context.bucket.before_reading = lambda: context.bucket.write(
        "inbox/b.csv", b"id,points\na,10\n"
    )

    report = run_import(context, "crm", JOB)

    assert ["inbox/a.csv", "inbox/b.csv"] == [file.key for file in report.files]
    assert "11" == braze.raw_attribute("a", "points")
