"""A sandbox and a bucket in which exports run, and processes that die in them."""

from __future__ import annotations

import asyncio
import json
import shutil
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from exchanger.app.messages.notes.words import with_words
from exchanger.config.models import BrazeConfig, Completion, ExportJob, S3Config
from exchanger.jobs.exports import run_export
from exchanger.jobs.runtime.context import JobContext
from exchanger.outside.braze.client import Braze
from exchanger.outside.s3.bucket import Bucket
from exchanger.sandbox import Sandbox, SandboxSettings
from support.contexts import job_context

EXPORT = "/users/export/segment"


ALL = "Everybody"


class SteppedClock:
    """Time that passes only when somebody waits, for the sandbox as for the program."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.begun = datetime.now(UTC)
        self.passed = 0.0
        self.stop_after: float | None = None
        self.on_wait: list[Any] = []

    def now(self) -> datetime:
        return self.begun + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed

    def sleep(self, seconds: float) -> None:
        if self.stop_after is not None and self.passed >= self.stop_after:
            raise Killed
        self.passed += max(seconds, 0)
        for react in self.on_wait:
            react()
        self.sandbox.advance(seconds)

    async def wait(self, seconds: float) -> None:
        self.sleep(seconds)
        await asyncio.sleep(0)


class Killed(BaseException):
    """The process dies here."""


class Place:
    """A sandbox with a bucket, and what a job needs to run there."""

    def __init__(self, sandbox: Sandbox, s3_config: S3Config, workdir: Any) -> None:
        self.sandbox = sandbox
        self.bucket = Bucket(s3_config)
        self.clock = SteppedClock(sandbox)
        self.workdir = workdir

    def context(self) -> JobContext:
        self.workdir.mkdir(exist_ok=True)
        config = BrazeConfig(endpoint=self.sandbox.url, api_key=self.sandbox.api_key)
        return job_context(
            self.bucket, lambda: Braze(config, clock=self.clock), self.workdir, clock=self.clock
        )

    def run(self, name: str = "everybody", fresh: bool = False, **changes: Any):
        try:
            report = run_export(self.context(), name, job(**changes), fresh=fresh)
            return with_words(report, "")
        finally:
            shutil.rmtree(self.workdir)

    def document(self, key: str) -> Any:
        return json.loads(self.bucket.read(key)[0])

    def keys(self, prefix: str) -> list[str]:
        return [found.key for found in self.bucket.list(prefix)]

    def frame(self, manifest_key: str, read: Any = pl.read_parquet) -> pl.DataFrame:
        manifest = self.document(manifest_key)
        return pl.concat(read(self.bucket.read(p["key"])[0]) for p in manifest["parts"])


def job(**changes: Any) -> ExportJob:
    return ExportJob.model_validate(
        {
            "type": "export",
            "segment": ALL,
            "fields": {"external_id": {"from": "external_id"}, "email": {"from": "email"}},
            "remaining_fields": {"prefix": ""},
            "target": {"prefix": "exports/all/"},
            "completion": {
                "poll": timedelta(seconds=10),
                "quiet": timedelta(seconds=60),
                "timeout": timedelta(hours=1),
            },
            **changes,
        }
    )


def without_confirmation(timeout: int = 600) -> Completion:
    return Completion(
        poll=timedelta(seconds=10),
        quiet=timedelta(seconds=60),
        timeout=timedelta(seconds=timeout),
        confirm=False,
    )


PEOPLE = [
    {
        "external_id": f"u-{n}",
        "email": f"u{n}@example.com",
        "first_name": 'Ada "the first"' if n % 2 else None,
        "points": n,
        "spent": n / 4,
        "vip": n % 2 == 0,
        "tags": [f"t{n % 3}", "x"],
        "seen": "2026-09-15",
        "pref": {"color": "red"} if n % 3 else None,
        "mixed": n if n % 2 else "many",
    }
    for n in range(25)
]


def expected(place: Place) -> list[dict[str, Any]]:
    """What the workspace holds, as rows in the order of their identifiers."""
    rows = []
    for external_id, user in sorted(place.sandbox.users().items()):
        custom = user["custom_attributes"]
        rows.append({"external_id": external_id, "email": user["email"], **custom})
    return rows


@pytest.fixture
def place(local_s3, s3_config, tmp_path):
    """A workspace with people, a bucket, and the job that exports all of them."""
    settings = SandboxSettings(users_per_file=10, seconds_per_file=20)
    with Sandbox(settings, s3=local_s3, bucket=s3_config.bucket) as sandbox:
        sandbox.seed([{k: v for k, v in row.items() if v is not None} for row in PEOPLE])
        sandbox.add_segment(ALL)
        yield Place(sandbox, s3_config, tmp_path / "work")
