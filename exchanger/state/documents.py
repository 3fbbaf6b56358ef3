"""
Documents of the state: JSON that says in which format it is.

A reader that does not know a format stops, as it would lose what a newer version has added.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from exchanger.errors import StateNewer

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
