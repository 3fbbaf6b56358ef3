"""Lists of people in requests: how many, and of what form (braze-api.md 10)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from exchanger.sandbox.http.answers import TOO_MANY_IDS, Malformed

MOST = 50
BOTH = "Either an email address or a phone number should be provided, but not both."
_E164 = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)


def texts(value: Any, name: str) -> list[str]:
    """
    Return a text, or an array of them, as a list.

    Raises:
        Malformed: It is neither, or has more than 50.
    """
    listed = [value] if isinstance(value, str) else [] if value is None else value
    if not isinstance(listed, list) or not all(isinstance(one, str) and one for one in listed):
        raise Malformed(f"'{name}' must be an array of strings")
    if len(listed) > MOST:
        raise Malformed(TOO_MANY_IDS)
    return listed


def state_of(value: Any, allowed: Iterable[str]) -> str:
    """
    Return a subscription state.

    Raises:
        Malformed: It is none of the allowed ones.
    """
    if not isinstance(value, str) or value not in allowed:
        names = " or ".join(f"'{name}'" for name in allowed)
        raise Malformed(f"'subscription_state' must be {names}")
    return value


def require_e164(phones: Iterable[str]) -> None:
    """
    Check phone numbers.

    Raises:
        Malformed: One is not in the form E.164.
    """
    if wrong := [phone for phone in phones if not _E164.fullmatch(phone)]:
        raise Malformed(f"phone numbers must be in E.164 format: {', '.join(wrong)}")
