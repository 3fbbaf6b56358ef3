"""Names of attributes and columns: what they cannot be, and what of them nobody sees."""

from __future__ import annotations

from exchanger.braze.limits import LONGEST_NAME

_RANGES = (
    # Control characters and spaces; the soft hyphen; marks that steer Arabic and Mongolian.
    *((0x00, 0x20), (0x7F, 0xA0), (0xAD, 0xAD), (0x61C, 0x61C), (0x1680, 0x1680), (0x180E, 0x180E)),
    # Spaces, joiners, marks of direction, word joiners; the ideographic space; the byte-order mark.
    *((0x2000, 0x200F), (0x2028, 0x202F), (0x205F, 0x206F), (0x3000, 0x3000), (0xFEFF, 0xFEFF)),
    (0xFFF9, 0xFFFB),
)
INVISIBLE = "".join(chr(sign) for first, last in _RANGES for sign in range(first, last + 1))
"""White space of every kind, and signs that show nothing at the ends of a name."""


def trimmed(name: str) -> str:
    """Return a column's name without white space and invisible signs around it."""
    return name.strip(INVISIBLE)


def shown(name: str) -> str:
    """Return a name for people: as it is, or quoted with every sign spelled that nobody sees."""
    return name if name.isprintable() and name == name.strip() else repr(name)


def name_fault(name: str) -> str:
    """Return why an attribute cannot have this name, as a sentence's end; empty if it can."""
    if name.startswith("@"):
        return "must not begin with @"
    if any(ord(sign) < 32 or ord(sign) == 127 for sign in name):
        return "must not contain line breaks or other control characters"
    if is_pattern(name):
        return "must not be *, nor begin with ^ and end with $"
    if len(name) > LONGEST_NAME:
        return f"must not be longer than {LONGEST_NAME} characters"
    return ""


def is_pattern(name: str) -> bool:
    """Return whether polars takes a name of a column for a pattern of several."""
    return name == "*" or (name.startswith("^") and name.endswith("$"))


def without_case(name: str) -> str:
    """Spell a name as readers see it that do not tell upper from lower case, such as Athena."""
    return name.lower()
