"""Trying out a bucket: permissions, and whether conditional writes mean something."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from exchanger.errors import StorageChanged, StorageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exchanger.outside.s3.bucket import Bucket


def probe(bucket: Bucket, prefix: str) -> None:
    """
    Find out whether all that the program needs is allowed and works below *prefix*.

    Lists, writes, reads and deletes an object of its own, and sees whether the store honours
    conditional writes, without which two processes could both believe they hold a job.

    Raises:
        StorageError: Something does not work; ``action`` and ``detail`` say what. Where conditional
            writes are not honoured the action is ``write conditionally``.
    """
    next(bucket.list(prefix), None)
    key = f"{prefix}.probe-{uuid4().hex}"
    body = uuid4().hex.encode()
    etag = bucket.write(key, body, if_none_match=True)
    try:
        if bucket.read(key) != (body, etag):
            raise StorageError("read back", bucket.name, key, "got another body than was written")
        _demand_conditions(bucket, key, etag)
    finally:
        bucket.delete([key])


def probe_moving(bucket: Bucket, prefix: str, tags: Mapping[str, str]) -> None:
    """
    Find out whether a file of our own can be moved and tagged below *prefix*.

    Raises:
        StorageError: It cannot; ``action`` and ``detail`` say what is lacking.
    """
    key = f"{prefix}.probe-{uuid4().hex}"
    moved = f"{key}-moved"
    etag = bucket.write(key, uuid4().hex.encode(), if_none_match=True)
    try:
        bucket.mover().move(key, etag, moved, tags)
    finally:
        bucket.delete([key, moved])


def _demand_conditions(bucket: Bucket, key: str, etag: str) -> None:
    for header, condition in (
        ("If-None-Match", {"if_none_match": True}),
        ("If-Match", {"if_match": "0" * 32}),
    ):
        try:
            bucket.write(key, b"must not be written", **condition)
        except StorageChanged:
            continue
        raise StorageError("write conditionally", bucket.name, key, f"the store ignores {header}")
    bucket.write(key, b"second", if_match=etag)
