"""A process that dies at any write: whoever comes next ends the run exactly."""

from __future__ import annotations

import shutil
import threading
from dataclasses import dataclass
from itertools import count

import pytest
from support.contexts import job_context
from support.jobs import import_model

from exchanger.config.models import BrazeConfig
from exchanger.jobs.history.runs import list_runs
from exchanger.jobs.imports import run_import
from exchanger.outside.braze.client import Braze
from exchanger.outside.delta.table import Table
from exchanger.outside.s3.bucket import Bucket
from exchanger.sandbox import Sandbox

EMAILS = "fine@example.com,no address,fine@example.org"
WRITES = {Bucket: ("write", "upload"), Table: ("append", "append_all", "add")}


class Killed(BaseException):
    """The process dies here."""


@dataclass
class Fuse:
    """Kills the process at one of its writes, before it takes effect; 0 and less never do."""

    left: int = 0

    def around(self, write):
        def guarded(*args, **kwargs):
            # Renewals come at times of their own, so they are not counted.
            self.left -= threading.current_thread().name != "lease"
            if self.left == 0:
                raise Killed
            return write(*args, **kwargs)

        return guarded


@pytest.fixture
def fuse(monkeypatch):
    """A fuse in everything that writes to the bucket."""
    fuse = Fuse()
    for kind, names in WRITES.items():
        for name in names:
            monkeypatch.setattr(kind, name, fuse.around(getattr(kind, name)))
    return fuse


@pytest.fixture
def braze():
    with Sandbox() as sandbox:
        yield sandbox


def job(folder):
    return import_model(
        source={"prefix": f"{folder}/inbox/"},
        fields={
            "spent": {"from": "spent", "merge": "sum", "type": "decimal", "scale": 2},
            "email": {"from": "email"},
        },
    )


def drop(bucket, folder, name, cents):
    """Give three profiles an amount; the e-mail of the second is one that Braze refuses."""
    rows = (
        f"{folder}-{n},{cents / 100:.2f},{email}\n" for n, email in enumerate(EMAILS.split(","))
    )
    body = "id,spent,email\n" + "".join(rows) + ",1.00,nobody@example.com\n"
    bucket.write(f"{folder}/inbox/{name}", body.encode())


def run(braze, bucket, folder, workdir):
    config = BrazeConfig(endpoint=braze.url, api_key=braze.api_key)
    workdir.mkdir()
    context = job_context(
        bucket,
        lambda: Braze(config),
        workdir,
        state_prefix=f"{folder}/_state/",
        spacing=0.0,
        grace=0.0,
        lease_seconds=6.0,
    )
    try:
        return run_import(context, "crm", job(folder)), list_runs(context)
    finally:
        shutil.rmtree(workdir)


@pytest.mark.nightly
def test_dying_at_any_write_changes_no_total(braze, bucket, tmp_path, fuse):
    """
    However far a run came, the next process ends it: sums exact, each run told of once.

    The refused object stays refused, and its sum is not counted.
    """
    died = 0
    for at in count(1):
        folder = f"f{at}"
        drop(bucket, folder, "1.csv", 110)
        fuse.left = at
        try:
            run(braze, bucket, folder, tmp_path / "work")
        except Killed:
            died += 1
        survived = fuse.left > 0
        fuse.left = 0
        drop(bucket, folder, "2.csv", 220)

        report, runs = run(braze, bucket, folder, tmp_path / "work")

        assert ["3.3", "3.3"] == [braze.raw_attribute(f"{folder}-{n}", "spent") for n in (0, 2)]
        assert f"{folder}-1" not in braze.users()
        assert len(runs) == len({one["run_id"] for one in runs}) <= 2
        assert 4 * 2 == sum(one["rows_read"] for one in runs)
        assert 2 == sum(one["rows_rejected"] for one in runs)
        assert 2 == sum(one["rows_refused"] for one in runs)
        assert "partial" == report.state
        if survived:
            break
    assert died == at - 1 >= 12
