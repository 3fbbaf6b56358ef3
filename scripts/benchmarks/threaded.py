"""
Twenty threads of a plain client: what one writes oneself to send a file to Braze.

Run as ``python -m benchmarks.threaded S3 BUCKET KEY BRAZE``. It downloads the CSV file, reads it
row by row, posts 75 objects at a time, and keeps nothing: what was sent before, it does not know.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import boto3
import urllib3

THREADS = 20
BATCH = 75
_MAKES = (str, int, float, lambda text: text == "true", str)
"""What the columns after the identifier are, by turns: ``rows.profiles``."""


def text_of(url: str, bucket: str, key: str) -> str:
    """Download a file from the local S3."""
    client = boto3.client(
        "s3",
        endpoint_url=url,
        aws_access_key_id="sandbox",
        aws_secret_access_key="sandbox",  # noqa: S106 - a dummy for a local server
        region_name="us-east-1",
    )
    body: bytes = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    return body.decode()


def objects(text: str) -> Iterator[dict[str, object]]:
    """Read the rows of a file as objects."""
    reader = csv.reader(io.StringIO(text))
    _, *names = next(reader)
    makes = [_MAKES[number % len(_MAKES)] for number in range(len(names))]
    for who, *cells in reader:
        values = (make(cell) for make, cell in zip(makes, cells, strict=True))
        yield {"external_id": who, **dict(zip(names, values, strict=True))}


def requests(text: str) -> Iterator[list[dict[str, object]]]:
    """Put 75 objects together at a time."""
    each = objects(text)
    while some := [*islice(each, BATCH)]:
        yield some


def main() -> None:
    """Send the file, and print how many requests it took as JSON."""
    store, bucket, key, braze = sys.argv[1:]
    pool = urllib3.PoolManager(maxsize=THREADS, block=True)
    headers = {"Content-Type": "application/json", "Authorization": "Bearer benchmark"}

    def post(some: list[dict[str, object]]) -> None:
        body = json.dumps({"attributes": some})
        answer = pool.request("POST", f"{braze}/users/track", body=body, headers=headers)
        if answer.status != 201:
            raise RuntimeError(answer.status)

    with ThreadPoolExecutor(THREADS) as threads:
        sent = threads.map(post, requests(text_of(store, bucket, key)))
        print(json.dumps({"requests": sum(1 for _ in sent)}))


if __name__ == "__main__":
    main()
