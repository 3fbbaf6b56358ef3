"""What is wrong, and where, before it is known on which line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Where = tuple[str | int, ...]
"""Keys and list positions from the top of the document to a value."""


@dataclass(frozen=True)
class Finding:
    """
    One thing that is wrong at a place of the document.

    Args:
        where: The place.
        message: What is wrong, in words that a marketer understands.
        guess: What was probably meant, ready to paste; empty if there is no good guess.
        missed: Keys below the place of which none was found; empty if it is not about that.
        beside: Keys beside the place that it rests on; empty if it is about the place alone.
    """

    where: Where
    message: str
    guess: str = ""
    missed: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()

    def follows(self, other: Finding) -> bool:
        """Return whether it is only because a key is wrong or misspelt, as *other* says."""
        return other.is_about(self.where, self.missed) or other.is_about(
            self.where[:-1], self.beside
        )

    def is_about(self, where: Where, keys: tuple[str, ...]) -> bool:
        """Return whether one of these keys of a mapping is wrong, or meant by a misspelt one."""
        depth = len(where)
        if where != self.where[:depth] or len(self.where) == depth:
            return False
        return self.where[depth] in keys or self.guess in keys


def show_path(where: Where) -> str:
    """Write a place as people read it: ``jobs.crm.match[0].external_id``."""
    text = ""
    for step in where:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return text


def closest(text: str, known: Iterable[str]) -> str:
    """Find the word of *known* that *text* was probably meant to be; empty if none is close."""
    import difflib

    words = list(known)
    folded = {word.lower(): word for word in reversed(words)}
    if text.lower() in folded:
        return folded[text.lower()]
    found = difflib.get_close_matches(text.lower(), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else ""


def listed(words: Iterable[str], joint: str = "or") -> str:
    """Join words for a sentence: ``parquet, csv or ndjson``."""
    *some, last = words
    return f"{', '.join(some)} {joint} {last}" if some else last


def first_of(words: Iterable[str], most: int) -> str:
    """Join words for a sentence: as many as *most*, and how many more there are."""
    known = [*words]
    more = len(known) - most
    return ", ".join(known[:most]) + (f" and {more:,} more" if more > 0 else "")


def counted(number: int, one: str, many: str = "") -> str:
    """Write a number of things; several are called as one is, with an s, if nothing is said."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
