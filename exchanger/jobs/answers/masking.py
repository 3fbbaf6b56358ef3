"""What no report shows: values of columns that a job masks, wherever a sentence may have them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import orjson

from exchanger.jobs.answers.not_taken import SHOWN
from exchanger.profiles.validation.messages import SENTENCES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from exchanger.notes import Note

T = TypeVar("T")


_OF_CELLS = frozenset(
    {
        *SENTENCES,
        # Of the whole run.
        "canary",
        # Of what Braze has in the field.
        "changed_by_others", "held_type", "overflow",
        # Of the number of a row.
        "no_row_number", "row_given_again", "row_not_rejected", "row_twice", "rows_missing",
        # Of a column of the file as a whole.
        "bad_order", "static_value", "type_changed", "type_needed",
    }
)  # fmt: skip
"""
Reasons whose words quote no cell but the one that they are about.

Those that list the columns of a file are none: without a header these are the cells of a row.
"""
_OF_FILES = frozenset(
    {
        "backslash_escapes", "bomb", "damaged_gzip", "damaged_parquet", "damaged_zstd",
        "empty_file", "invalid_text", "invalid_utf8", "large_window", "no_columns", "not_ndjson",
        "not_parquet", "nul_bytes", "old_workbook", "open_quote", "other_width", "packed",
        "too_many_columns", "unknown_encoding", "utf16", "wrong_delimiter", "zip",
        # Of rows that a person has corrected.
        "given_by_another", "no_row_numbers", "no_such_run", "not_correctable", "nothing_rejected",
        "read_again_since", "replaced_since",
    }
)  # fmt: skip
"""Reasons for which a file is rejected as a whole, and whose words quote no cell at all."""
HIDDEN = "What is wrong is not shown, as the words may have masked values."
_UNTOLD = {"value": None, "message": None}


@dataclass(frozen=True)
class Mask:
    """
    The names of what is masked.

    What is said of a row as a whole may quote any cell of it, and so may some of what is said of
    one cell. So with a mask only sentences are shown that are known to quote no other cell than the
    one that they are about, of a column that is not masked, and whose text has nothing of a masked
    cell of its row; of all others, the reason alone.

    Args:
        names: Columns, and the attributes and identifiers that are made of them.
    """

    names: frozenset[str] = frozenset()

    def of_reason(self, reason: Mapping[str, Any]) -> dict[str, Any]:
        """Return a reason for which rows were not taken without what it may not show."""
        about, examples = reason["field"], []
        named = (about is None or about in self.names) and reason["reason"] not in _OF_FILES
        masked = False
        for one in reason["examples"]:
            record, shown = one.get("record"), {k: v for k, v in one.items() if k != "record"}
            if self.names and (named or self._repeats(one["value"], record)):
                shown |= _UNTOLD
            elif self.names and reason["reason"] not in _OF_CELLS | _OF_FILES:
                shown |= {"message": None}
            masked |= shown["message"] != one["message"] or shown["value"] != one["value"]
            examples.append(shown)
        return {**reason, "examples": examples, **({"masked": True} if masked else {})}

    def _repeats(self, value: str | None, record: str | None) -> bool:
        """Return whether a cell has something of a masked one of its row, as far as can be told."""
        if not value or not record:
            return False
        if len(value) >= SHOWN:
            return True  # The rest of it is not known here.
        try:
            row = orjson.loads(record)
        except orjson.JSONDecodeError:
            return True
        return any(
            re.search(rf"(?<!\w){re.escape(text)}(?!\w)", value, re.IGNORECASE)
            for text in self._masked_texts(row, masked=False)
        )

    def _masked_texts(self, value: Any, *, masked: bool) -> Iterator[str]:
        """Yield the texts within what is masked of a row."""
        if isinstance(value, dict):
            for name, inside in value.items():
                yield from self._masked_texts(inside, masked=masked or name in self.names)
        elif isinstance(value, list):
            for inside in value:
                yield from self._masked_texts(inside, masked=masked)
        elif masked and value is not None and (text := str(value).strip()):
            yield text

    def of_words(self, words: str) -> str:
        """Return what an earlier version noted in words, if it cannot quote what is masked."""
        return "What an earlier version noted may have masked values." if self.names else words

    def of_note(self, note: Note, words: Callable[[Note], str]) -> str:
        """Describe a note; of one that may quote what is masked, what it is about alone."""
        quotes = "message" in note.facts and note.facts.get("reason") not in _OF_FILES
        quotes &= bool(self.names)
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
