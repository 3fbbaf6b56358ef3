"""What a custom attribute becomes when a value or an operator arrives (braze-api.md 2.6)."""

from __future__ import annotations

from decimal import Decimal
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
from exchanger.sandbox.json_text import JsonNumber, is_number
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
        return _with_object(held, given, merge=merge, limit=settings.array_limit)
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


def _with_object(held: Any, given: dict[str, Any], *, merge: bool, limit: int) -> Any:
    if is_increment(given):
        return _incremented(held, given["inc"])
    if is_array_operation(given):
        return _array_operated(held, given, limit)
    try:
        if is_object_operation(given):
            stored: Any = operated(held, given, merge=merge)
        else:
            stored = storable(given)
            if merge and isinstance(stored, dict):
                stored = merged(held, stored)
    except NotStorable:
        return held
    return stored if fits(stored) else held


def _incremented(held: Any, by: float) -> Any:
    if held is None:
        return by
    if not is_number(held):
        return held
    if type(held) is int and type(by) is int:
        return held + by
    return JsonNumber(format(_decimal(held) + _decimal(by), "f"))


def _decimal(number: float) -> Decimal:
    return Decimal(number.text if isinstance(number, JsonNumber) else str(number))


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
