"""The SQL of a source: its words, and what can be wrong with it before any file is there."""

from __future__ import annotations

import re
from itertools import pairwise, starmap
from typing import NamedTuple

TABLE = "self"
"""What queries call the rows of a file."""
_TOKEN = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*` | --[^\n]* | /\*.*?\*/ | \w+ | \S""",
    re.DOTALL | re.VERBOSE,
)


class Token(NamedTuple):
    """A word or sign of a query."""

    text: str
    """In upper case."""
    at: int
    """Where it stands."""


def tokens_of(query: str) -> list[Token]:
    """Return the words and signs of a query in their order, without its comments."""
    found = [Token(each.group().upper(), each.start()) for each in _TOKEN.finditer(query)]
    return [token for token in found if not token.text.startswith(("--", "/*"))]


def wording_fault(query: str) -> str:
    """Return why this is no query of a source, whatever the files, in words; empty if it is."""
    tokens = tokens_of(query)
    words = [token.text for token in tokens]
    if not words or words[0] not in ("SELECT", "WITH"):
        return f"write one query that begins with SELECT or WITH, over the table {TABLE}"
    called = (word.strip('"`') for word, after in pairwise(words) if after == "(")
    reads = next((name for name in called if name.startswith("READ_")), None)
    if reads is not None:
        return f"{reads.lower()} is not for queries of a job, which see the rows of its files alone"
    if "$" in words or any(starmap(_is_prefixed, pairwise(tokens))):
        # What is in such a text is told otherwise there than here.
        return "write texts in single quotes alone, without a letter or $ before them"
    return ""


def _is_prefixed(word: Token, text: Token) -> bool:
    """Return whether a text has a letter before it, such as E'a'."""
    return text.text[0] == "'" and word.text[-1].isalnum() and word.at + len(word.text) == text.at
