"""
What stands at the beginning of a CSV file: Excel's hint, lines to be skipped, the header or none.

Where the rows do not follow upon a header of their own, a copy of the file is written in which they
do, so that whoever reads it meets one form only. Rows are copied as they are.
"""

from __future__ import annotations

import csv as plain_csv
import io
import re
import shutil
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import NamedTemporaryFile

from exchanger.errors import FileRejected
from exchanger.files.formats.csv.exact import LONGEST_CELL
from exchanger.files.raw.csv_reader import csv

_MARK = b"\xef\xbb\xbf"
_HINT = re.compile(rb'"?sep=([\t !#-/:-@\[-`{-~])"?[^\S\r\n]*(?:\r\n|\n|\r|\Z)', re.IGNORECASE)
_LINE_END = re.compile(rb"\r\n|\n|\r")
_HEAD = 16 << 20
"""Bytes in which lines that are skipped have to be."""
_SAMPLE = 100
"""Rows that show whether a delimiter at the end of each is a habit of the writer."""


@dataclass(frozen=True)
class Beginning:
    """
    Where the content of a file begins.

    Args:
        offset: The first byte of its header, or of its first row if it has none.
        hint: The delimiter that its first line names (``sep=;``); empty if it names none.
    """

    offset: int = 0
    hint: str = ""


def find_beginning(path: Path, skip: int) -> Beginning:
    """
    Find where the content of a file begins.

    Args:
        path: Its text, as UTF-8.
        skip: Lines to pass over, blank ones included; a hint is not counted.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD if skip else 64)
    at = _behind_marks(head)
    found = _HINT.match(head, at)
    if not found and not skip:
        return Beginning()
    hint = ""
    if found:
        hint, at = found[1].decode(errors="replace"), found.end()
    for _ in range(skip):
        end = _LINE_END.search(head, at)
        at = end.end() if end else len(head)
    return Beginning(at, hint)


@contextmanager
def with_header(
    path: Path, key: str, begin: Beginning, delimiter: str, names: Sequence[str] = ()
) -> Iterator[Path]:
    """
    Yield the path of a file that begins with its header: a temporary copy next to it if need be.

    Args:
        path: The file.
        key: Its name for errors.
        begin: Where its content begins.
        delimiter: Between its cells.
        names: Of its columns, if it has no header.

    Raises:
        FileRejected: ``other_width``: its rows have not as many cells as there are names.
    """
    header, offset = list(names), begin.offset
    rows = _first_rows(path, begin.offset, delimiter, few=not names)
    if names:
        _demand_width(key, names, rows)
        if _ends_with_delimiter(rows, len(names)):
            header.append("")
    elif rows and _ends_with_delimiter(rows[1:], len(rows[0].cells)):
        header, offset = [*rows[0].cells, ""], rows[0].end
    if not header and not offset:
        yield path
        return
    with NamedTemporaryFile(dir=path.parent, prefix=f"{path.name}.", suffix=".headed") as target:
        if header:
            line = io.StringIO(newline="")
            plain_csv.writer(line, delimiter=delimiter, lineterminator="\n").writerow(header)
            target.write(line.getvalue().encode())
        with path.open("rb") as source:
            source.seek(offset or _behind_marks(source.read(64)))
            shutil.copyfileobj(source, target, 1 << 20)
        target.flush()
        yield Path(target.name)


def _behind_marks(head: bytes) -> int:
    """Return where text begins, however many programs put a byte-order mark before it."""
    at = 0
    while head.startswith(_MARK, at):
        at += len(_MARK)
    return at


def _first_rows(path: Path, offset: int, delimiter: str, *, few: bool) -> list[_Row]:
    """Read a header and rows; of most files the first row shows that no more are needed."""
    with closing(_records(path, offset, delimiter)) as records:
        rows = list(islice(records, 2))
        if few and len({len(row.cells) for row in rows}) == 1:
            return rows
        return [*rows, *islice(records, _SAMPLE - 1)]


@dataclass(frozen=True)
class _Row:
    cells: list[str]
    end: int


def _records(path: Path, offset: int, delimiter: str) -> Generator[_Row]:
    """Read records from an offset on, each with where it ends."""
    with path.open("rb") as raw:
        raw.seek(offset or _behind_marks(raw.read(64)))
        read = raw.tell()
        text = io.TextIOWrapper(raw, encoding="utf-8", errors="replace", newline="")

        def lines() -> Iterator[str]:
            nonlocal read
            for line in iter(text.readline, ""):
                read += len(line.encode())
                yield line

        csv.field_size_limit(LONGEST_CELL)
        try:
            for cells in csv.reader(lines(), delimiter=delimiter):
                if cells:
                    yield _Row(cells, read)
        except csv.Error:
            return  # A quote was left open: whoever reads the file says where.


def _ends_with_delimiter(rows: Sequence[_Row], width: int) -> bool:
    """Return whether every row, of several, has a delimiter more than the header, at its end."""
    return len(rows) > 1 and all(len(r.cells) == width + 1 and not r.cells[-1] for r in rows)


def _demand_width(key: str, names: Sequence[str], rows: Sequence[_Row]) -> None:
    widths = {len(row.cells) - (not row.cells[-1]) for row in rows} | {
        len(row.cells) for row in rows
    }
    if rows and len(names) not in widths:
        message = (
            f"The first row has {len(rows[0].cells)} cells, and 'header' of the job's source names "
            f"{len(names)} columns. Name as many as there are."
        )
        raise FileRejected(key, "other_width", message)
