"""Names that attributes and columns cannot have, whatever they mean to Braze."""

from __future__ import annotations

LONGEST_NAME = 255
"""Characters; the figure is quoted everywhere and stated nowhere (braze-api.md 2.6)."""


def name_fault(name: str) -> str:
    """Say why an attribute cannot have this name, as the end of a sentence; empty if it can."""
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
    """Tell whether polars takes a name of a column for a pattern of several."""
    return name == "*" or (name.startswith("^") and name.endswith("$"))


def without_case(name: str) -> str:
    """Spell a name as readers see it that do not tell upper from lower case, such as Athena."""
    return name.lower()
