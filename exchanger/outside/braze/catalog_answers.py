"""What Braze's answers about catalogs mean (braze-api.md 16). No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from exchanger.outside.braze.answers import Answer, exact_json, object_of, unreadable

_NOT_FOUND = 404


@dataclass(frozen=True)
class Catalog:
    """A catalog, with the type of each of its fields by name (16)."""

    name: str
    fields: Mapping[str, str]


def read_catalogs(answer: Answer) -> list[Catalog]:
    """
    Read the list of catalogs.

    Raises:
        Fault: There is no list of catalogs.
    """
    listed = object_of(answer).get("catalogs")
    if not isinstance(listed, list):
        raise unreadable(answer, "no list of catalogs")
    try:
        return [
            Catalog(
                str(entry["name"]),
                {str(field["name"]): str(field["type"]) for field in entry["fields"]},
            )
            for entry in listed
        ]
    except (KeyError, TypeError) as error:
        raise unreadable(answer, "a catalog without name or fields") from error


def read_item(answer: Answer) -> dict[str, Any] | None:
    """
    Read one item of a catalog; None if there is none.

    Raises:
        Fault: There is no item in what should be one.
    """
    if answer.status == _NOT_FOUND:
        return None
    body = exact_json(answer)
    try:
        [item] = body["items"]
        return dict(item)
    except (ValueError, KeyError, TypeError) as error:
        raise unreadable(answer, "no item") from error
