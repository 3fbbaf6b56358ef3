"""What Braze demands of catalogs and their items (braze-api.md 16)."""

from __future__ import annotations

from collections.abc import Mapping

LONGEST_ID = 250
"""Signs in the id of an item, and in the name of a catalog and of a field."""
NAME = r"^[A-Za-z0-9_-]+$"
"""What such an id or name is made of."""
LONGEST_VALUE = 5_000
"""Characters of a value: of a text, or of a list or an object as JSON."""
MOST_MEMBERS = 100
"""Members of a list."""
DEEPEST = 50
"""Objects and lists inside of one another."""

_NUMBERS = frozenset({"number", "string"})
_TIMES = frozenset({"time"})
FITTING: Mapping[str, frozenset[str]] = {
    "string": frozenset({"string"}),
    "integer": _NUMBERS,
    "float": _NUMBERS,
    "decimal": _NUMBERS,
    "boolean": frozenset({"boolean", "string"}),
    "date": _TIMES,
    "datetime": _TIMES,
    "list": frozenset({"array"}),
    "list of numbers": frozenset({"geo"}),
    "json": frozenset({"object", "array", "geo"}),
}
"""The types of catalog fields that take a value of each of our types."""
