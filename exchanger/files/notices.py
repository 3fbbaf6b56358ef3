"""What a message says of objects in buckets: S3's event notices, however they were passed on."""

from __future__ import annotations

import json
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

_WRAPPED = 4
"""Envelopes within envelopes that are opened at most."""
_NEWS = ("ObjectCreated:", "ObjectRestore:Completed")
"""Kinds of events after which an object can be read that could not be before."""
_NEWS_ON_A_BUS = frozenset({"Object Created", "Object Restore Completed"})


class NoticeFault(ValueError):
    """A message is no notice of S3; the text says why, as a part of a sentence."""


class Object(NamedTuple):
    """An object that a notice is about, and whether there is anything new to read."""

    bucket: str
    key: str
    is_new: bool = True


def read_notice(body: str) -> list[Object]:
    """
    Read which objects a message is about; none of a test event.

    Directly from S3, or through SNS (as an envelope or raw), or EventBridge, or both.

    Raises:
        NoticeFault: It is none of these.
    """
    content: Any = body
    for _ in range(_WRAPPED):
        content = _opened(content)
        inner = content.get("Message")
        if content.get("Type") != "Notification" or not isinstance(inner, str):
            break
        content = inner
    try:
        return _objects(content)
    except (KeyError, TypeError, AttributeError) as error:
        raise NoticeFault("it lacks what S3 says of each object") from error


def _opened(content: Any) -> dict[str, Any]:
    try:
        opened = json.loads(content)
    except (ValueError, TypeError, RecursionError) as error:
        raise NoticeFault("it is no JSON") from error
    if not isinstance(opened, dict):
        raise NoticeFault("it is no notice of S3")
    return opened


def _objects(content: Any) -> list[Object]:
    if not isinstance(content, dict):
        raise NoticeFault("it has too many envelopes")
    if content.get("Event") == "s3:TestEvent":
        return []
    if content.get("source") == "aws.s3":
        return _of_bus(content)
    records = content.get("Records")
    if not isinstance(records, list) or any("s3" not in record for record in records):
        raise NoticeFault("it is no notice of S3")
    return [_of_record(record) for record in records]


def _of_record(record: dict[str, Any]) -> Object:
    """Read a record of S3 itself, which spells keys as forms do: a plus sign is a space."""
    told = record["s3"]
    name = str(record["eventName"]).removeprefix("s3:")
    key = unquote_plus(_text(told["object"]["key"]))
    return Object(_text(told["bucket"]["name"]), key, name.startswith(_NEWS))


def _of_bus(event: dict[str, Any]) -> list[Object]:
    """Read an event of EventBridge, which has keys as they are."""
    told, kind = event["detail"], event.get("detail-type")
    bucket, key = _text(told["bucket"]["name"]), _text(told["object"]["key"])
    return [Object(bucket, key, kind in _NEWS_ON_A_BUS)]


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise NoticeFault("a name in it is no text")
    return value
