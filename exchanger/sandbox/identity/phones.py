"""Phone numbers as identifiers: one number in several spellings (braze-api.md 2.3)."""

from __future__ import annotations

import re

_DRESSING = re.compile(r"[\s().\-/]")
_NUMBER = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
_AMERICAN_DIGITS = 10


def canonical(text: str) -> str:
    """Return the number without dressing; ten digits without a sign are an American one."""
    bare = _DRESSING.sub("", text)
    if len(bare) == _AMERICAN_DIGITS and bare.isascii() and bare.isdecimal():
        return f"+1{bare}"
    return bare


def is_phone(text: str) -> bool:
    """Whether the text can be a phone number: a sign, and 7 to 15 digits."""
    return _NUMBER.fullmatch(canonical(text)) is not None
