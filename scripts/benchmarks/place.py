"""Where benchmarks run: a null Braze, a local S3, a bucket, and a configuration of one job."""

from __future__ import annotations

import json
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from ruamel.yaml import YAML

from benchmarks.measuring import Cost, Server, child

_UNPACED = {"requests": 1_000_000, "per": "1s"}
_NUMBERS = count(1)
COUNT = "/benchmark-requests"
"""Where the local S3 tells how many requests it has answered; no bucket has such a name."""


@dataclass
class Place:
    """
    A connection for benchmarks.

    Args:
        folder: For files on this machine.
        braze: The null Braze.
        store: The local S3.
        bucket: Its bucket.
        paced: Keep to Braze's default limit, rather than to none.
        more: Further settings of Braze.
    """

    folder: Path
    braze: Server
    store: Server
    bucket: str = ""
    paced: bool = False
    more: dict[str, Any] = field(default_factory=dict)
    client: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.client = boto3.client(
            "s3",
            endpoint_url=self.store.url,
            aws_access_key_id="sandbox",
            aws_secret_access_key="sandbox",  # noqa: S106 - a dummy for a local server
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}),
        )
        self.renew()

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.folder / "exchanger.yaml"

    def renew(self) -> None:
        """Begin with an empty bucket, and let go of the one before."""
        if self.bucket:
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket):
                for item in page.get("Contents", ()):
                    self.client.delete_object(Bucket=self.bucket, Key=item["Key"])
        self.bucket = f"bench-{next(_NUMBERS)}"
        self.client.create_bucket(Bucket=self.bucket)

    def configure(self, **jobs: dict[str, Any]) -> None:
        """Write the configuration with these jobs."""
        braze: dict[str, Any] = {
            "endpoint": self.braze.url,
            "api_key": "benchmark",
            "spacing": "0s",
            # Younger runs are looked at one by one, and those of growth are seeded all at once.
            "grace": "0s",
        }
        if not self.paced:
            braze["rate_limit"] = _UNPACED
        braze |= self.more
        s3 = {
            "bucket": self.bucket,
            "region": "us-east-1",
            "endpoint_url": self.store.url,
            "access_key_id": "${S3_KEY:-sandbox}",
            "secret_access_key": "${S3_KEY:-sandbox}",
        }
        braze["api_key"] = "${BRAZE_KEY:-benchmark}"
        document = {"connections": {"main": {"braze": braze, "s3": s3}}, "jobs": jobs}
        with self.config.open("w", encoding="utf-8") as file:
            YAML().dump(document, file)

    def drop(self, key: str, path: Path) -> None:
        """Put a file into the bucket."""
        with path.open("rb") as body:
            self.client.put_object(Bucket=self.bucket, Key=key, Body=body)

    def run(self, job: str) -> Cost:
        """Run a job with the real command line."""
        return self.call("run", job, "--json", "--log-level", "error")

    def call(self, *words: str) -> Cost:
        """Run the real command line."""
        return child(["-m", "exchanger", *words, "--config", str(self.config)])

    def requests(self) -> int:
        """Tell how many requests the local S3 has answered."""
        with urllib.request.urlopen(f"{self.store.url}{COUNT}", timeout=10) as answer:  # noqa: S310 - our own server
            return int(answer.read())

    def behave(self, **how: float | str) -> None:
        """Let the null Braze take its time, or count against a limit; or not, without any."""
        address = f"{self.braze.url}/behave?{urllib.parse.urlencode(how)}"
        with urllib.request.urlopen(address, timeout=10):  # noqa: S310 - our own server
            pass

    def seen(self) -> dict[str, float]:
        """Tell what the null Braze saw since it was asked last."""
        with urllib.request.urlopen(f"{self.braze.url}/stats", timeout=10) as answer:  # noqa: S310 - our own server
            stats: dict[str, float] = json.load(answer)
        stats["share"] = stats["cpu_seconds"] / stats["seconds"] if stats["seconds"] else 0.0
        return stats


@contextmanager
def place(*, paced: bool = False) -> Iterator[Place]:
    """Open a place for benchmarks; all of it goes when the context closes."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        Server("benchmarks.null_braze") as braze,
        Server("benchmarks.store") as store,
    ):
        yield Place(Path(folder), braze, store, paced=paced)
