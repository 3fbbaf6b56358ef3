"""The real command line in a subprocess, against a local Braze and a local S3."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from ruamel.yaml import YAML
from support.real_daemon import Daemon

from exchanger.outside.s3.bucket import Bucket

if TYPE_CHECKING:
    from support.warm_start import WarmProcess, WarmServer

TIMEOUT = 240


@dataclass
class Exchange:
    """One connection: a sandbox, a bucket, a configuration file, and the command line."""

    folder: Path
    braze: object
    bucket: Bucket
    connection: dict
    warm: WarmServer
    jobs: dict = field(default_factory=dict)
    engine: dict | None = None
    notifications: list | None = None
    name: str = "main"

    @property
    def config(self) -> Path:
        return self.folder / "exchanger.yaml"

    def configure(self, **jobs) -> None:
        """Write the configuration file with these jobs."""
        self.jobs = jobs
        with self.config.open("w") as file:
            content = {"connections": {self.name: self.connection}, "jobs": jobs}
            top = {"engine": self.engine, "notifications": self.notifications}
            YAML().dump(content | {key: value for key, value in top.items() if value}, file)

    @property
    def environment(self) -> dict:
        return {**os.environ, "SANDBOX_KEY": self.braze.api_key, "S3_KEY": "sandbox"}

    def start(self, *words) -> WarmProcess:
        """Start the command line and come back at once."""
        return self.warm.start([*words, "--config", self.config], self.folder, self.environment)

    def start_cold(self, *words) -> subprocess.Popen:
        """Start it as people do: it imports what it needs, and nothing else."""
        return subprocess.Popen(
            [sys.executable, "-m", "exchanger", *words, "--config", str(self.config)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env=self.environment,
        )

    def call(self, *words) -> subprocess.CompletedProcess:
        """Run the command line to its end."""
        process = self.start(*words)
        out, err = process.communicate(timeout=TIMEOUT)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def ask(self, *words, code=0):
        """Run a verb with --json, demand its exit code, and read its document."""
        done = self.call(*words, "--json")
        assert code == done.returncode, done.stdout + done.stderr
        return json.loads(done.stdout)

    def drop(self, key, body: bytes | str | Path) -> None:
        """Put a file into the bucket, as people do."""
        if isinstance(body, Path):
            body = body.read_bytes()
        self.bucket.write(key, body.encode() if isinstance(body, str) else body)

    def quarantined(self, report):
        """Read the quarantine file that a report names, a mapping for each row."""
        text = self.bucket.read(report["quarantine"])[0].decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text)))

    def rejected(self, report):
        """Read row and reason of what a run put into quarantine, in order."""
        return [(int(row["row"]), row["reason"]) for row in self.quarantined(report)]

    def attribute(self, profile, name):
        """Read the JSON text of an attribute as Braze has it; None if it has none."""
        return self.braze.raw_attribute(profile, name)


@pytest.fixture
def exchange(local_s3, s3_config, tmp_path, warm):
    """A connection whose sandbox and bucket are new; nothing waits between values."""
    from exchanger.sandbox import Sandbox

    with Sandbox(s3=local_s3, bucket=s3_config.bucket) as braze:
        connection = {
            "braze": {
                "endpoint": braze.url,
                "api_key": "${SANDBOX_KEY}",
                "spacing": "0s",
                "grace": "1s",
            },
            "lease": "6s",
            "s3": {
                "bucket": s3_config.bucket,
                "region": local_s3.region,
                "endpoint_url": local_s3.url,
                "access_key_id": "${S3_KEY}",
                "secret_access_key": "${S3_KEY}",
            },
        }
        yield Exchange(tmp_path, braze, Bucket(s3_config), connection, warm)


@pytest.fixture
def start_daemon(exchange):
    """Start daemons of the connection; all are stopped in the end."""
    started = []

    def start():
        started.append(Daemon(exchange))
        return started[-1]

    yield start
    for daemon in started:
        if daemon.process.poll() is None:
            daemon.stop()
        daemon.process.stdout.close()
        daemon.process.stderr.close()


@pytest.fixture
def unique():
    """A word that no other test uses."""
    return uuid.uuid4().hex[:8]
