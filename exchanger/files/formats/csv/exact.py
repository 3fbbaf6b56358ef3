"""
CSV, record by record: exact, and about ten times slower than the reader of ``read``.

It reads headers, and whole files in which something is wrong, as it knows for each record where
it is and how it was written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from exchanger.errors import FileRejected
from exchanger.files.formats.csv.escapes import escaped_quotes, is_escaped
from exchanger.files.raw.csv_reader import csv

LONGEST_CELL = 64 << 20
"""Characters in one cell. What is longer is the rest of a file behind a quote left open."""

# NUL cannot be in the file (text_check), so this line is ours. If it does not come back as a
# record of its own, a quote before it was never closed.
_END = "\0"


@dataclass(frozen=True)
class Record:
    """One record: its number (the header is 0), its cells, and its text as written."""

    number: int
    cells: list[str]
    text: str


@contextmanager
def open_records(path: Path, key: str, delimiter: str) -> Iterator[Iterator[Record]]:
    """
    Open a CSV file for reading record by record; blank lines are passed over, uncounted.

    Raises:
        FileRejected: ``open_quote`` or ``backslash_escapes``, from the iterator.
    """
    with path.open(encoding="utf-8", newline="") as lines:
        first = lines.readline().lstrip("\ufeff")  # However many programs put one there.
        yield _records(chain((first,), lines), key, delimiter)


def _records(lines: Iterator[str], key: str, delimiter: str) -> Iterator[Record]:
    csv.field_size_limit(LONGEST_CELL)
    written: list[str] = []

    def noted() -> Iterator[str]:
        for line in chain(lines, (_END,)):
            written.append(line)
            yield line

    number = 0
    try:
        for cells in csv.reader(noted(), delimiter=delimiter):
            if cells and cells[-1].endswith(_END):
                if cells != [_END]:
                    raise _open_quote(key, number, written, delimiter)
                return
            if cells:
                text = "".join(written).rstrip("\r\n")
                if is_escaped(text, delimiter):
                    raise escaped_quotes(key, number)
                yield Record(number, cells, text)
                number += 1
            written.clear()
    except csv.Error as error:
        # The cell grew beyond any bound, so nothing closes its quote.
        raise _open_quote(key, number, written, delimiter) from error


def _open_quote(key: str, row: int, written: Iterable[str], delimiter: str) -> FileRejected:
    if is_escaped("".join(written).rstrip("\r\n" + _END), delimiter):
        return escaped_quotes(key, row)
    where = f"Row {row}" if row else "The header"
    message = (
        f'{where} opens a quote (") that is never closed. '
        "Close it; a quote within a quoted cell is written twice."
    )
    return FileRejected(key, "open_quote", message, row=row)


def closed_record(line: str, delimiter: str) -> list[str] | None:
    """Split a single line into cells; None if it ends inside quotes."""
    records = list(csv.reader([line, _END], delimiter=delimiter))
    return records[0] if records[-1] == [_END] else None


def row_at_end(lines: Iterable[str], delimiter: str) -> int:
    """Count the data rows of the beginning of a CSV file, the one it breaks off in included."""
    csv.field_size_limit(LONGEST_CELL)
    rows = -1
    try:
        for cells in csv.reader(lines, delimiter=delimiter):
            rows += bool(cells)
    except csv.Error:
        return rows + 1  # A quote was left open, so the row that it is in is the last one.
    return rows
