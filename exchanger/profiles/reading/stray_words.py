"""
Columns that are numbers, dates or truth but for a few words, which make text of all of them.

One ``n/a`` among a million numbers sends a million texts. Nobody but a person knows whether such a
word means that there is nothing, or that all the numbers are names of something.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import polars as pl

from exchanger.profiles.frames.type_names import TypeName
from exchanger.profiles.reading.inference import infer_type
from exchanger.profiles.spelling.placeholders import is_placeholder

MOST_WORDS = 5
"""More than these are no slips: the column is text."""
FEW_PERCENT = 5
"""A column with so many words or more in a hundred cells is told, and no run waits for it."""
_HALF = 50
"""A column with so many words in a hundred cells is text."""

_CELL = pl.col("cell")
_TRUTH = ["true", "false"]


@dataclass(frozen=True)
class StrayWords:
    """
    The words among the cells of a column that would have another type without them.

    Args:
        column: Its name.
        type: The type of the other cells.
        words: How often each word is there, the most frequent first.
        cells: How many cells are not empty.
    """

    column: str
    type: TypeName
    words: dict[str, int]
    cells: int

    @property
    def few(self) -> bool:
        """Whether they are so few that text is hardly what is meant."""
        return 100 * sum(self.words.values()) < FEW_PERCENT * self.cells


def find_stray_words(
    pieces: Iterable[pl.Series], column: str, *, is_json: bool = False
) -> StrayWords | None:
    """
    Find the words of a column that is something else but for them.

    A word has no digit, or is what programs write in place of a value (``#DIV/0!``): of codes such
    as 01067 and A-12, none is a word.

    Args:
        pieces: All cells, in pieces, with empty text already null; gone through several times.
        column: Its name.
        is_json: The cells are JSON texts.

    Returns:
        None if the column is something else, or text.
    """
    found: dict[str, int] = {}
    cells = 0
    for number, piece in enumerate(pieces):
        filled = piece.drop_nulls().alias("cell").to_frame()
        cells += filled.height
        is_word = filled.select(_is_word(is_json=is_json)).to_series()
        # What the first cells are without their words, all cells are without theirs.
        if not number and infer_type([filled["cell"].filter(~is_word)]) == TypeName("string"):
            return None
        counts = filled.filter(is_word).group_by("cell").len()
        if counts.height > MOST_WORDS:
            return None
        for word, count in counts.iter_rows():
            found[word] = found.get(word, 0) + count
        if len(found) > MOST_WORDS:
            return None
    if not found or 100 * sum(found.values()) >= _HALF * cells:
        return None
    kind = infer_type(_Without(pieces, found))
    if kind is None or kind.type == "string":
        return None
    frequent = sorted(found.items(), key=lambda entry: (-entry[1], entry[0]))
    words = {(word[1:-1] if is_json else word): count for word, count in frequent}
    return StrayWords(column, kind, words, cells)


def _is_word(*, is_json: bool) -> pl.Expr:
    text = _CELL.str.strip_chars('"') if is_json else _CELL
    word = ~text.str.contains("[0-9]") | is_placeholder(text)
    if is_json:
        return _CELL.str.starts_with('"') & word
    return word & ~_CELL.str.to_lowercase().is_in(_TRUTH)


@dataclass(frozen=True)
class _Without:
    """The cells of a column but for some words; may be gone through many times."""

    pieces: Iterable[pl.Series]
    words: dict[str, int]

    def __iter__(self) -> Iterator[pl.Series]:
        return (piece.filter(~piece.is_in(list(self.words))) for piece in self.pieces)
