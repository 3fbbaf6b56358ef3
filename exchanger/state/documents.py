"""
Documents of the state: JSON that says in which format it is.

A reader that does not know a format stops, as it would lose what a newer version has added.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import orjson

from exchanger.errors import StateDamaged, StateNewer, StorageChanged, StorageMissing

if TYPE_CHECKING:
    from exchanger.outside.s3.bucket import Bucket

T = TypeVar("T")

FORMAT = 1
"""What this version writes, and reads; one that changes a document's meaning counts it up."""


def to_body(content: Mapping[str, Any]) -> bytes:
    """Render a document as it is stored."""
    return orjson.dumps({"format": FORMAT, **content}, option=orjson.OPT_INDENT_2)


def from_body(body: bytes, key: str) -> dict[str, Any]:
    """
    Read what *to_body* wrote, without its format.

    Raises:
        StateNewer: A newer version wrote it.
        ValueError: It is no JSON.
        TypeError: It is no such document.
    """
    content = orjson.loads(body)
    if not isinstance(content, dict) or not isinstance(content.get("format"), int):
        raise TypeError("it does not say in which format it is")
    written = content.pop("format")
    if written > FORMAT:
        raise StateNewer(key, written, FORMAT)
    return content


def read_document(
    bucket: Bucket, key: str, parse: Callable[[dict[str, Any]], T], otherwise: str
) -> tuple[T, str] | None:
    """
    Read what a document says, and its ETag; None if there is none.

    Raises:
        StateDamaged: It cannot be parsed: *otherwise* tells what is wrong with it then.
    """
    try:
        body, etag = bucket.read(key)
    except StorageMissing:
        return None
    try:
        return parse(from_body(body, key)), etag
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StateDamaged(key, f"{otherwise}: {error}") from error


def write_over(bucket: Bucket, key: str, body: bytes, etag: str | None) -> str:
    """
    Write a body, unlike any before, over the version that was read if any; return its ETag.

    Raises:
        StorageChanged: Somebody else wrote it meanwhile.
    """
    try:
        return bucket.write(key, body, if_match=etag, if_none_match=etag is None)
    except StorageChanged:
        # The answer to our own first attempt may have been lost on the way.
        kept, found = bucket.read(key)
        if kept != body:
            raise
        return found
