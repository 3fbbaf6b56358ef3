"""What the fields of catalog items hold, and what is made to fit (braze-api.md 16)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from exchanger.sandbox.catalogs.catalogs import CatalogFault
from exchanger.sandbox.json_text import JsonNumber, is_number, parse, render
from exchanger.sandbox.times import read_iso_time, spell, spell_epoch

MAX_TEXT = 5_000
MAX_NESTING = 50
MAX_MEMBERS = 100
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_TRUTHS = {"true": True, "false": False}


class _Misfit(ValueError):
    """A value that cannot be made to fit its field."""


def is_list_change(value: Any) -> bool:
    """Whether it adds to and removes from an array, which PATCH alone knows."""
    return (
        isinstance(value, dict)
        and bool(value)
        and value.keys() <= {"$add", "$remove"}
        and all(_are_texts(members) for members in value.values())
    )


def changed_list(held: Any, change: dict[str, list[str]]) -> list[str]:
    """Return an array after members were added, then others removed."""
    members = [*(held or []), *change.get("$add", [])]
    return [member for member in members if member not in change.get("$remove", [])]


def fitted(value: Any, kind: str, **where: Any) -> Any:
    """
    Return a value as a field of a type holds it; null is none.

    Args:
        value: The value of the request.
        kind: The type of the field.
        **where: What the error is about: item and field.

    Raises:
        CatalogFault: It does not fit and cannot be made to, is too long, or nested too deeply.
    """
    if value is None:
        return None
    try:
        made = _MAKERS[kind](value)
    except _Misfit as error:
        message = "Some values could not be coerced to the type of their field"
        raise CatalogFault("unable-to-coerce-value", message, **where) from error
    if kind == "object":
        _check_object(made, 1, where)
    if len(made if isinstance(made, str) else render(made).decode()) > MAX_TEXT:
        raise CatalogFault("items-too-large", "Some values are too large", **where)
    return made


def _check_object(value: Any, depth: int, where: dict[str, Any]) -> None:
    if depth > MAX_NESTING:
        message = "Some objects are nested too deeply"
        raise CatalogFault("too-deep-nesting-in-value-object", message, **where)
    if isinstance(value, dict):
        if any("." in name or "$" in name for name in value):
            message = "Keys of objects may hold neither . nor $"
            raise CatalogFault("invalid-keys-in-value-object", message, **where)
        value = list(value.values())
    for member in value if isinstance(value, list) else ():
        if isinstance(member, dict | list):
            _check_object(member, depth + 1, where)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if not isinstance(value, bool) and not is_number(value):
        raise _Misfit
    return render(value).decode()


def _number(value: Any) -> Any:
    if is_number(value):
        return value
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return parse(value)
    raise _Misfit


def _truth(value: Any) -> bool:
    known = value if isinstance(value, bool) else _TRUTHS.get(str(value).lower())
    if known is None:
        raise _Misfit
    return known


def _time(value: Any) -> str:
    if is_number(value):
        try:
            return spell_epoch(float(value))
        except (ValueError, OverflowError, OSError) as error:
            raise _Misfit from error
    instant = read_iso_time(value) if isinstance(value, str) else None
    if instant is None:
        raise _Misfit
    return spell(instant)


def _place(value: Any) -> list[float | JsonNumber]:
    if isinstance(value, list) and len(value) == 2 and all(map(is_number, value)):
        longitude, latitude = value
        if -180 <= longitude <= 180 and -90 <= latitude <= 90:
            return value
    raise _Misfit


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Misfit
    return value


def _list(value: Any) -> list[str]:
    if not _are_texts(value) or len(value) > MAX_MEMBERS:
        raise _Misfit
    return list(value)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(member, str) for member in value)


_MAKERS: dict[str, Callable[[Any], Any]] = {
    "string": _text,
    "number": _number,
    "boolean": _truth,
    "time": _time,
    "geo": _place,
    "object": _object,
    "array": _list,
}
