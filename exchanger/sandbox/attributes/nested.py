"""Nested objects and arrays of objects: all or nothing (braze-api.md 2.6)."""

from __future__ import annotations

from typing import Any

from exchanger.sandbox.json_text import is_number, render
from exchanger.sandbox.times import is_after_last_year, read_time, spell

MAX_BYTES = 100 * 1024
MAX_TEXT = 255
MAX_DEPTH = 50
OBJECT_OPERATORS = frozenset({"$add", "$remove", "$update"})


class NotStorable(ValueError):
    """A nested value that Braze drops silently, and its whole attribute with it."""


def storable(value: Any, depth: int = 0) -> Any:
    """
    A nested value as it is stored; ``{"$time": ...}`` becomes the spelling of its time.

    Raises:
        NotStorable: Something in it is null, too long, badly named or no time.
    """
    if depth > MAX_DEPTH or value is None:
        raise NotStorable
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise NotStorable
        return value
    if isinstance(value, list):
        return [storable(member, depth + 1) for member in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"$time"}:
        return _time(value["$time"])
    return {
        _key(name): storable(member, depth + 1)
        for name, member in value.items()
        if not _is_out_of_range(member)
    }


def _key(name: str) -> str:
    if not name or len(name) > MAX_TEXT or any(sign in name for sign in " .$"):
        raise NotStorable
    return name


def _is_out_of_range(value: Any) -> bool:
    """Whether it is a time of a year that Braze does not store: that leaf alone is left out."""
    text = value.get("$time") if isinstance(value, dict) and len(value) == 1 else None
    return isinstance(text, str) and is_after_last_year(text)


def _time(text: Any) -> str:
    instant = read_time(text) if isinstance(text, str) else None
    if instant is None:
        raise NotStorable
    return spell(instant)


def merged(held: Any, given: dict[str, Any]) -> dict[str, Any]:
    """*given* laid over *held*, objects within objects too."""
    if not isinstance(held, dict):
        return given
    result = dict(held)
    for name, value in given.items():
        result[name] = merged(held.get(name), value) if isinstance(value, dict) else value
    return result


def fits(value: Any) -> bool:
    """Whether the stored value stays within 100 KB."""
    return len(render(value)) <= MAX_BYTES


def operated(
    held: list[Any], operators: dict[str, Any], *, merge: bool, whole: bool = False
) -> list[Any]:
    """
    An array of objects after ``$add``, then ``$remove``, then ``$update``.

    Args:
        held: The array before.
        operators: The operators given.
        merge: Whether ``$update`` merges into the element (else it replaces it).
        whole: Whether an ``$update`` that does not merge replaces the array.

    Raises:
        NotStorable: An operator or a value in it is malformed.
    """
    elements = list(held)
    elements += map(storable, _objects(operators.get("$add", [])))
    for doomed in _objects(operators.get("$remove", [])):
        elements = [element for element in elements if not _matches(element, doomed)]
    for update in _objects(operators.get("$update", [])):
        new = update.get("$new_object")
        if not isinstance(new, dict):
            raise NotStorable
        stored = storable(new)
        if whole and not merge and any(_matches(element, update) for element in elements):
            elements = [stored]
            continue
        elements = [
            (merged(element, stored) if merge else stored) if _matches(element, update) else element
            for element in elements
        ]
    return elements


def _objects(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(element, dict) for element in value):
        raise NotStorable
    return value


def _matches(element: Any, operation: dict[str, Any]) -> bool:
    if not isinstance(element, dict) or "$identifier_key" not in operation:
        return False
    name = operation["$identifier_key"]
    return name in element and same(element[name], operation.get("$identifier_value"))


def same(one: Any, other: Any) -> bool:
    """Whether two JSON scalars are equal: 1 is 1.0, and true is not 1."""
    if is_number(one) and is_number(other):
        return bool(one == other)
    return type(one) is type(other) and bool(one == other)
