"""
A part of the configuration that has something wrong in it, built so that the rest can be checked.

What is wrong is set aside. What must be given and is not gets a value that nothing else has.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from exchanger.config.findings import Finding, Where, show_path
from exchanger.config.loading.validation import validate

Part = TypeVar("Part", bound=BaseModel)

_SHAPES: dict[str, Any] = {
    "braze": {},
    "s3": {},
    "source": {},
    "target": {},
    "match": [{"external_id": "\0match"}],
    "from": "external_id",
    **{
        key: {"from": "column"}
        for key in ("name", "time", "price", "currency", "group", "state", "event", "id", "variant")
    },
    "product": {},
    "requests": 1,
    "per": "1s",
    "every": "1s",
    "sample": "1%",
}
"""What stands in for a required key; for one that is not here, a text."""
_NEEDED = ("match",)
"""Keys that most parts need, and no model demands: what was set aside there was given."""
_DEEPEST = 3
"""A required key in a required mapping is found once the mapping stands there."""


@dataclass(frozen=True)
class Built(Generic[Part]):
    """
    A part as far as it could be built.

    Args:
        part: The part; None if nothing could be made of it.
        findings: What is wrong with it.
        stood_in: Places whose values were not given: what is found there says nothing.
    """

    part: Part | None
    findings: list[Finding]
    stood_in: tuple[Where, ...] = ()


def build(model: type[Part], entry: Any, where: Where) -> Built[Part]:
    """
    Build a part, also of an entry with something wrong in it.

    Args:
        model: Which one.
        entry: Plain values, short spellings already written out.
        where: The place of *entry* in the document.
    """
    part, findings = validate(model, entry, where)
    if part is not None or not isinstance(entry, dict):
        return Built(part, findings)
    rest = copy.deepcopy(entry)
    stood_in: list[Where] = []
    for finding in findings:
        place = finding.where[len(where) :]
        _set_aside(rest, place)
        if place and place[0] in _NEEDED and place[0] not in rest:
            _stand_in(rest, place[:1], (*where, place[0]))
            stood_in.append((*where, place[0]))
    for _ in range(_DEEPEST):
        part, missing = validate(model, rest, where)
        if part is not None:
            break
        for finding in missing:
            _stand_in(rest, finding.where[len(where) :], finding.where)
            stood_in.append(finding.where)
    return Built(part, findings, tuple(stood_in))


def _set_aside(content: Any, place: Where) -> None:
    """Remove the value at a place; the list that it stands in goes with it."""
    while place and isinstance(place[-1], int):
        place = place[:-1]
    around = _around(content, place)
    if around is not None:
        around.pop(place[-1], None)


def _stand_in(content: Any, place: Where, where: Where) -> None:
    """Put something in a place that has nothing; a text is like no other of the document."""
    around = _around(content, place)
    if around is not None:
        key, text = place[-1], f"\0{show_path(where)}"
        shape = _SHAPES.get(str(key), text)
        # What did not fit the first time is a text here.
        met = key in around and around[key] == shape
        around[key] = text if met else copy.deepcopy(shape)


def _around(content: Any, place: Where) -> Any:
    """
    Find what the value at a place stands in.

    None if it went with something around it, if a key on the way holds signs that are no text,
    which is not found as it was named, and if the place is the part as a whole.
    """
    try:
        for step in place[:-1]:
            content = content[step]
    except (KeyError, IndexError):
        return None
    return content if place else None
