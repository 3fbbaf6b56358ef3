"""Which identifiers an object may have, and what refuses it (braze-api.md 2.3)."""

from __future__ import annotations

from typing import Any

from exchanger.sandbox import refusals
from exchanger.sandbox.identity.phones import is_phone
from exchanger.sandbox.refusals import Refusal

PRIMARY = ("external_id", "user_alias", "braze_id")
SECONDARY = ("email", "phone")
MAX_EXTERNAL_ID_BYTES = 987
MAX_ALIAS_BYTES = 236


def refusal(given: dict[str, Any]) -> Refusal | None:
    """Return why the identifiers of an object refuse it, if they do."""
    primary = [name for name in PRIMARY if given.get(name)]
    if len(primary) > 1:
        return refusals.SEVERAL_IDENTIFIERS
    if not primary:
        return _refusal_of_contact(given)
    value = given[primary[0]]
    if primary[0] == "user_alias":
        return _refusal_of_alias(value)
    if not isinstance(value, str):
        return refusals.NO_IDENTIFIER
    if primary[0] == "external_id" and len(value.encode()) > MAX_EXTERNAL_ID_BYTES:
        return refusals.EXTERNAL_ID_TOO_LARGE
    return refusals.BAD_TOKEN_IMPORT if _is_token_import(given) else None


def is_alias_part(value: Any) -> bool:
    """Whether it can be the name or the label of an alias."""
    return isinstance(value, str) and 0 < len(value.encode()) <= MAX_ALIAS_BYTES


def is_alias(value: Any) -> bool:
    """Whether it is an object with a name and a label."""
    return isinstance(value, dict) and all(
        is_alias_part(value.get(part)) for part in ("alias_name", "alias_label")
    )


def is_external_id(value: Any) -> bool:
    """Whether it can be an external id."""
    return isinstance(value, str) and 0 < len(value.encode()) <= MAX_EXTERNAL_ID_BYTES


def contact_of(given: dict[str, Any]) -> tuple[str, str] | None:
    """Return which contact finds the profile, and its value: ``email`` wins over ``phone``."""
    for name in SECONDARY:
        if isinstance(given.get(name), str) and given[name]:
            return name, given[name]
    return None


def _refusal_of_contact(given: dict[str, Any]) -> Refusal | None:
    contact = contact_of(given)
    if contact is None:
        return None if _is_token_import(given) else refusals.NO_IDENTIFIER
    name, value = contact
    return refusals.BAD_PHONE if name == "phone" and not is_phone(value) else None


def _refusal_of_alias(value: Any) -> Refusal | None:
    named = isinstance(value, dict) and all(
        isinstance(value.get(part), str) and value[part] for part in ("alias_name", "alias_label")
    )
    if not named:
        return refusals.NO_IDENTIFIER
    return None if is_alias(value) else refusals.ALIAS_TOO_LARGE


def _is_token_import(given: dict[str, Any]) -> bool:
    return given.get("push_token_import") is True
