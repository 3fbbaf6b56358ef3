"""
Quotes that stand where CSV has none: within a quoted cell, where they are to be written twice.

``"Dwayne "The Rock" Johnson"`` is read by everybody, but not as it was meant: the cell ends at the
second quote, and what follows is put behind it. A cell that begins with a space and a quote is no
quoted cell at all, so that its quotes are a part of the text. A quote in a cell that is not quoted
(``5" pipe``) is a character like any other.
"""

from __future__ import annotations

import io
import re
from pathlib import Path

from exchanger.files.raw.csv_reader import csv

_CHUNK = 4 << 20
_QUOTE, _EDGE, _OTHER = b'",.'
"""What an outline of a text is made of: quotes, what ends cells, and all else."""
_STRAY = b'.".'


def may_stray(path: Path, delimiter: str) -> bool:
    """Return whether a single quote stands between two signs that end no cell: mostly none does."""
    outline = bytearray([_OTHER]) * 256
    outline[ord('"')] = _QUOTE
    for sign in (delimiter, "\r", "\n"):
        outline[ord(sign)] = _EDGE
    before = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            text = before + chunk.translate(outline)
            if _STRAY in text:
                return True
            before = text[-2:]
    return False


def stray_quote(text: str, delimiter: str) -> str:
    """
    Return what is the matter with the quotes of a record, as a sentence's end; empty if nothing.
    """
    if '"' not in text:
        return ""
    edge, blank = re.escape(delimiter) + r"\r\n", " \t".replace(delimiter, "")
    if not re.search(rf'[^"{edge}]"[^"{edge}]', text):
        return ""
    if re.search(rf'(?:\A|[{edge}])[{blank}]+"[^"{edge}]', text):
        return "has white space before the quote that begins a cell. Write no white space there."
    if _is_strict(text, delimiter):
        return ""
    return (
        "has a quote within a quoted cell, or text behind one. Write a quote within quotes twice: "
        '"Dwayne ""The Rock"" Johnson".'
    )


def _is_strict(text: str, delimiter: str) -> bool:
    """Return whether each quoted cell of a record ends where its quotes do."""
    try:
        for _ in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
            pass
    except csv.Error:
        return False
    return True
