"""What no report shows: values of columns that a job masks, wherever a sentence may have them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from exchanger.notes import Note

T = TypeVar("T")


@dataclass(frozen=True)
class Mask:
    """
    The names of what is masked.

    What is said of a row as a whole may quote any cell of it, so with a mask only sentences about
    a column that is not masked are shown; of all others, the reason alone.

    Args:
        names: Columns, and the attributes and identifiers that are made of them.
    """

    names: frozenset[str] = frozenset()

    def of_reason(self, reason: Mapping[str, Any]) -> dict[str, Any]:
        """Return a reason for which rows were not taken without what it may not show."""
        about = reason["field"]
        if not self.names or (about is not None and about not in self.names):
            return dict(reason)
        examples = [{**one, "value": None, "message": None} for one in reason["examples"]]
        return {**reason, "examples": examples, "masked": True}

    def of_note(self, note: Note, words: Callable[[Note], str]) -> str:
        """Describe a note; of one that may quote what is masked, what it is about alone."""
        quotes = "message" in note.facts and bool(self.names)
        if not quotes and not self._mentions([*note.facts.values()]):
            return words(note)
        about = note.facts.get("reason", note.code)
        return f"{str(about).replace('_', ' ').capitalize()} (the words may have masked values)."

    def of_totals(self, totals: Mapping[str, T]) -> dict[str, T]:
        """Return what is told field by field, without the masked ones."""
        return {name: total for name, total in totals.items() if name not in self.names}

    def _mentions(self, value: Any) -> bool:
        if isinstance(value, str):
            return value in self.names
        if isinstance(value, dict):
            return self._mentions([*value.keys(), *value.values()])
        return isinstance(value, list | tuple) and any(map(self._mentions, value))
