"""Attributes whose type is forced in the dashboard: values are coerced, or ignored (2.6)."""

from __future__ import annotations

from typing import Any, Literal, get_args

from exchanger.sandbox.json_text import is_number

ForcedType = Literal["boolean", "number", "string"]
FORCED_TYPES = frozenset(get_args(ForcedType))

_TRUTHS = {"1": True, "true": True, "t": True, "0": False, "false": False, "f": False}


class Misfit(ValueError):
    """A value that an attribute of a forced type does not take; nobody is told."""


def coerced_to(kind: str, given: Any) -> Any:
    """
    The value as an attribute of a forced type takes it; null removes it whatever the type.

    Raises:
        Misfit: It does not take it.
    """
    if given is None:
        return None
    if kind == "number" and is_number(given):
        return given
    if kind == "string" and isinstance(given, str):
        return given
    truth = _TRUTHS.get(str(given).lower()) if isinstance(given, str | int) else None
    if kind == "boolean" and truth is not None:
        return truth
    raise Misfit
