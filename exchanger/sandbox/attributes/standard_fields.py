"""The reserved profile fields: which values refuse an object, which are ignored (2.5, 2.10)."""

from __future__ import annotations

import re
import uuid
import zoneinfo
from collections.abc import Callable
from functools import cache
from typing import Any

from exchanger.sandbox import refusals
from exchanger.sandbox.attributes.codes import COUNTRIES, COUNTRY_CODES, LANGUAGES, RAILS_ZONES
from exchanger.sandbox.json_text import is_number
from exchanger.sandbox.refusals import Refusal
from exchanger.sandbox.times import read_time, spell

MAX_TEXT = 255
MAX_URL = 1024
SUBSCRIPTION_STATES = frozenset({"opted_in", "subscribed", "unsubscribed"})
_EMAIL = re.compile(r"[^@\s,;<>()\[\]\\\"]+@[^@\s.,;]+(\.[^@\s.,;]+)+")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class Ignored(ValueError):
    """A value that is not set, without anybody being told."""


def refusal(given: dict[str, Any]) -> Refusal | None:
    """Why an attributes object is refused for the value of a standard field, if it is."""
    for name in _CHECKED & given.keys():
        if given[name] is not None and (found := _CHECKS[name](given[name])):
            return found
    return None


def stored(name: str, value: Any) -> Any:
    """
    The value of a standard field as it is kept; ``None`` empties the field.

    Raises:
        Ignored: The value is not one that this field takes.
    """
    return None if value is None else STANDARD_FIELDS[name](value)


# --- What refuses the whole object ---


def _check_email(value: Any) -> Refusal | None:
    fits = isinstance(value, str) and len(value) <= MAX_TEXT and _EMAIL.fullmatch(value)
    return None if fits else refusals.BAD_EMAIL


def _check_state(unknown: Refusal) -> Callable[[Any], Refusal | None]:
    return lambda value: (
        None if isinstance(value, str) and value in SUBSCRIPTION_STATES else unknown
    )


def _check_location(value: Any) -> Refusal | None:
    whole = isinstance(value, dict) and all(
        is_number(value.get(axis)) for axis in ("longitude", "latitude")
    )
    return None if whole else refusals.BAD_LOCATION


def _check_groups(value: Any) -> Refusal | None:
    if not isinstance(value, list):
        return refusals.BAD_GROUPS
    for group in value:
        if not isinstance(group, dict) or not {
            "subscription_group_id",
            "subscription_state",
        } <= set(group):
            return refusals.BAD_GROUP
        if not _is_uuid(group["subscription_group_id"]):
            return refusals.BAD_GROUP_ID
        if group["subscription_state"] not in ("subscribed", "unsubscribed"):
            return refusals.BAD_GROUP_STATE
    return None


def _is_uuid(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(uuid.UUID(value))
    except ValueError:
        return False


def _check_tokens(value: Any) -> Refusal | None:
    if not isinstance(value, list) or not all(isinstance(token, dict) for token in value):
        return refusals.BAD_TOKENS
    for token in value:
        if not isinstance(token.get("token"), str):
            return refusals.BAD_TOKEN
        device = token.get("device_id")
        if device is not None and not (
            isinstance(device, str) and 8 <= len(device.encode()) <= MAX_TEXT
        ):
            return refusals.BAD_DEVICE
    return None


_CHECKS: dict[str, Callable[[Any], Refusal | None]] = {
    "email": _check_email,
    "email_subscribe": _check_state(refusals.BAD_EMAIL_SUBSCRIBE),
    "push_subscribe": _check_state(refusals.BAD_PUSH_SUBSCRIBE),
    "current_location": _check_location,
    "subscription_groups": _check_groups,
    "push_tokens": _check_tokens,
    "email_subscription_info": lambda _: refusals.EMAIL_SUBSCRIPTION_INFO,
}
_CHECKED = _CHECKS.keys()


# --- What is kept ---


def _kept(kind: type, fits: Callable[[Any], bool] = lambda _: True) -> Callable[[Any], Any]:
    """Keep values of one type that fit, as they are."""

    def kept(value: Any) -> Any:
        if not isinstance(value, kind) or not fits(value):
            raise Ignored
        return value

    return kept


def _is_day(text: str) -> bool:
    return bool(_DAY.fullmatch(text)) and read_time(text) is not None


def _country(value: Any) -> str | None:
    """The code of a country named by code or name; what cannot be mapped empties the field."""
    if not isinstance(value, str):
        return None
    code = value.upper()
    return code if code in COUNTRY_CODES else COUNTRIES.get(value.casefold())


def _language(value: Any) -> str:
    if not isinstance(value, str) or value.lower() not in LANGUAGES:
        raise Ignored
    return value.lower()


@cache
def _zone_names() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _is_zone(text: str) -> bool:
    return text in _zone_names() or text in RAILS_ZONES


def _time(value: Any) -> str:
    instant = read_time(value) if isinstance(value, str) else None
    if instant is None:
        raise Ignored
    return spell(instant)


def _as_checked(value: Any) -> Any:
    return value


_text = _kept(str, lambda value: len(value) <= MAX_TEXT)
_flag, _object = _kept(bool), _kept(dict)

STANDARD_FIELDS: dict[str, Callable[[Any], Any]] = {
    "first_name": _text,
    "last_name": _text,
    "email": _text,
    "phone": _text,
    "dob": _kept(str, _is_day),
    "gender": _kept(str, lambda value: value in ("M", "F", "O", "N", "P")),
    "country": _country,
    "language": _language,
    "home_city": _text,
    "time_zone": _kept(str, _is_zone),
    "current_location": _as_checked,
    "date_of_first_session": _time,
    "date_of_last_session": _time,
    "email_subscribe": _as_checked,
    "push_subscribe": _as_checked,
    "subscription_groups": _as_checked,
    "email_open_tracking_disabled": _flag,
    "email_click_tracking_disabled": _flag,
    "marked_email_as_spam_at": _time,
    "image_url": _kept(str, lambda value: len(value) <= MAX_URL),
    "push_tokens": _as_checked,
    "facebook": _object,
    "twitter": _object,
}
