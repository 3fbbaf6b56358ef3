"""What a custom attribute becomes when a value or an operator arrives (braze-api.md 2.6)."""

from __future__ import annotations

from typing import Any

from exchanger.sandbox.attributes.nested import (
    MAX_TEXT,
    OBJECT_OPERATORS,
    NotStorable,
    fits,
    merged,
    operated,
    storable,
)
from exchanger.sandbox.json_text import JsonNumber, decimal_of, is_number
from exchanger.sandbox.settings import SandboxSettings
from exchanger.sandbox.times import coerced

_ARRAY_OPERATORS = frozenset({"add", "remove"})


def updated(held: Any, given: Any, *, merge: bool, settings: SandboxSettings) -> Any:
    """
    The stored value after *given* arrives; ``None`` means that the attribute is gone.

    What Braze ignores silently (text over 255 characters, a nested null, an increment of text)
    leaves *held* as it was.

    Args:
        held: The stored value, ``None`` if there is none.
        given: The value of the request.
        merge: The request's ``_merge_objects``.
        settings: For the array limit and the reading of dates.
    """
    if isinstance(given, str):
        if len(given) > MAX_TEXT:
            return held
        return coerced(given) if settings.date_coercion else given
    if isinstance(given, list):
        return _replaced_by_list(held, given, settings.array_limit)
    if isinstance(given, dict):
        return _with_object(held, given, settings, merge=merge)
    return given


def is_increment(given: dict[str, Any]) -> bool:
    """Whether the object is ``{"inc": n}``."""
    return set(given) == {"inc"} and is_number(given["inc"])


def is_array_operation(given: dict[str, Any]) -> bool:
    """Whether the object is ``{"add": [...]}``, ``{"remove": [...]}`` or both."""
    return (
        bool(given)
        and given.keys() <= _ARRAY_OPERATORS
        and all(isinstance(members, list) for members in given.values())
    )


def is_nested(given: Any) -> bool:
    """Whether the value is an object or an array of objects, or changes one."""
    if isinstance(given, dict):
        return not is_increment(given) and not is_array_operation(given)
    return isinstance(given, list) and any(isinstance(member, dict) for member in given)


def is_nested_sound(given: Any) -> bool:
    """Whether no nested part of the value would be dropped."""
    if not is_nested(given):
        return True
    try:
        if isinstance(given, dict) and is_object_operation(given):
            operated([], given, merge=True)
        else:
            storable(given)
    except NotStorable:
        return False
    return True


def is_object_operation(given: dict[str, Any]) -> bool:
    """Whether the object consists of ``$add``, ``$remove`` and ``$update``."""
    return bool(given) and given.keys() <= OBJECT_OPERATORS


def _replaced_by_list(held: Any, given: list[Any], limit: int) -> Any:
    if given and all(isinstance(member, dict) for member in given):
        try:
            stored = storable(given)
        except NotStorable:
            return held
    elif (members := _scalars(given)) is not None:
        stored = _unique(members)[-limit:]
    else:
        return held
    return stored if fits(stored) else held


def _with_object(
    held: Any, given: dict[str, Any], settings: SandboxSettings, *, merge: bool
) -> Any:
    if is_increment(given):
        return _incremented(held, given["inc"])
    if is_array_operation(given):
        return _array_operated(held, given, settings.array_limit)
    try:
        if is_object_operation(given):
            if not _takes_operators(held, given):
                return held
            whole = settings.update_without_merge == "attribute"
            stored: Any = operated(held or [], given, merge=merge, whole=whole)
        else:
            stored = storable(given)
            if merge and isinstance(stored, dict):
                stored = merged(held, stored)
    except NotStorable:
        return held
    return stored if fits(stored) else held


def _takes_operators(held: Any, operators: dict[str, Any]) -> bool:
    """Whether there is an array of objects to change, or nothing and something to add."""
    if held is None:
        return bool(operators.get("$add"))
    return isinstance(held, list) and all(isinstance(member, dict) for member in held)


def _incremented(held: Any, by: float) -> Any:
    if held is None:
        return by
    if not is_number(held):
        return held
    if type(held) is int and type(by) is int:
        return held + by
    return JsonNumber(format(decimal_of(held) + decimal_of(by), "f"))


def _array_operated(held: Any, given: dict[str, Any], limit: int) -> Any:
    added, removed = _scalars(given.get("add", [])), _scalars(given.get("remove", []))
    if added is None or removed is None or not isinstance(held, list | None):
        return held
    if any(isinstance(member, dict) for member in held or []):
        return held
    members = {_identity(member): member for member in held or []}
    for member in added:
        members.pop(_identity(member), None)
        members[_identity(member)] = member
    for member in removed:
        members.pop(_identity(member), None)
    if held is None and not added:
        return None
    stored = list(members.values())[-limit:]
    return stored if fits(stored) else held


def _scalars(members: list[Any]) -> list[Any] | None:
    """The members without nulls; ``None`` if one of them has no place in an array of scalars."""
    for member in members:
        if isinstance(member, list | dict) or (isinstance(member, str) and len(member) > MAX_TEXT):
            return None
    return [member for member in members if member is not None]


def _identity(member: Any) -> tuple[bool, Any]:
    return isinstance(member, bool), member


def _unique(members: list[Any]) -> list[Any]:
    first: dict[tuple[bool, Any], Any] = {}
    for member in members:
        first.setdefault(_identity(member), member)
    return list(first.values())
