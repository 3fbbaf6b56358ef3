"""The SQL of a source: its words, and what can be wrong with it before any file is there."""

from __future__ import annotations

import re
from typing import NamedTuple

TABLE = "self"
"""What queries call the rows of a file."""
_TOKEN = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | --[^\n]* | /\*.*?\*/ | \w+ | \S""",
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
    words = [token.text for token in tokens_of(query)]
    if not words or words[0] not in ("SELECT", "WITH"):
        return f"write one query that begins with SELECT or WITH, over the table {TABLE}"
    reads = next((word for word in words if word.startswith("READ_")), None)
    if reads is not None:
        return f"{reads.lower()} is not for queries of a job, which see the rows of its files alone"
    return ""
