r"""
Quotes that are escaped by a backslash, as MySQL, Spark and others write them.

CSV doubles a quote within quotes; a backslash means nothing in it. Read so, ``"Ada \"Queen\" L"``
loses a quote, and ``"5\""`` swallows what follows, line ends included. What such a file says is
guesswork, as its writers differ in what else a backslash escapes (``\\``, ``\N``, ``\,``): it is
recognised and refused. ``"C:\"`` and JSON with its own escapes (``"{""a"": ""x\""y""}"``) are CSV.
"""

from __future__ import annotations

import io
import mmap
import re
from pathlib import Path

from exchanger.errors import FileRejected
from exchanger.files.raw.csv_reader import csv

_ESCAPED = b'\\"'


def may_escape(path: Path, delimiter: str) -> bool:
    """
    Return whether a file has a backslash and a quote where CSV has no such thing, or rarely.

    That is, in front of anything but a quote or the end of a cell; and in front of a quote at the
    end of a cell.
    """
    end = rb"(?:[\r\n]|\Z|" + re.escape(delimiter.encode()) + rb")"
    odd = re.compile(rb'\\"(?!"|' + end + rb')|\\""(?=' + end + rb")")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        first = content.find(_ESCAPED)
        return first >= 0 and odd.search(content, first) is not None


def is_escaped(text: str, delimiter: str, width: int = 0) -> bool:
    """
    Return whether a record is no CSV, and is one if backslashes escape its quotes.

    Args:
        text: The record as written; perhaps several, if a quote was taken for none.
        delimiter: Of the file.
        width: Of a record that is CSV, but not of so many cells as it has to have: that number.
    """
    if '\\"' not in text:
        return False
    if not width and _records(text, delimiter) is not None:
        return False
    records = _records(text, delimiter, escapechar="\\")
    return records is not None and (not width or all(len(cells) == width for cells in records))


def _records(text: str, delimiter: str, **how: str) -> list[list[str]] | None:
    """Read text strictly; None if it breaks the rules."""
    lines = io.StringIO(text, newline="")
    try:
        return [
            cells for cells in csv.reader(lines, delimiter=delimiter, strict=True, **how) if cells
        ]
    except csv.Error:
        return None


def escaped_quotes(key: str, row: int) -> FileRejected:
    """Build the error of a file whose quotes are escaped by backslashes."""
    where = f"Row {row}" if row else "The header"
    message = (
        f'{where} writes a quote within a cell as backslash and quote (\\"). In CSV it is written '
        'twice (""), and a backslash is a character like any other. Write the file without '
        "backslash escapes, with quotes doubled, and drop it again; or write source: {csv: "
        '{escape: "\\\\"}} in the job, if all its files are written so.'
    )
    return FileRejected(key, "backslash_escapes", message, row=row)
