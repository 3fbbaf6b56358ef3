r"""
CSV with other quotes, or with backslashes that escape them, written anew as everybody reads it.

A backslash takes its meaning from whatever stands behind it: a quote, a delimiter, a line end or
another backslash stand for themselves. Before letters and digits it is a backslash, as writers
differ in what such a pair is; ``\N`` alone in a cell is the null of MySQL and Postgres.
"""

from __future__ import annotations

import csv as plain_csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from exchanger.config.models import CsvOptions
from exchanger.errors import FileRejected
from exchanger.files.formats.csv.exact import LONGEST_CELL
from exchanger.files.raw.csv_reader import csv

_END = "\0\0"
"""Comes back as a record of its own, unless a quote before it was never closed."""
_KEPT = "\0"
"""Stands for a backslash that stays one while a line is taken apart; no text has it."""


@contextmanager
def with_plain_quotes(
    path: Path, key: str, options: CsvOptions, delimiter: str, offset: int
) -> Iterator[tuple[Path, int]]:
    """
    Yield the path of a file in which cells are quoted as usual, and where its content begins.

    Args:
        path: The file, as UTF-8.
        key: Its name for errors.
        options: Its quotes and escapes.
        delimiter: Between its cells.
        offset: Where its content begins.

    Raises:
        FileRejected: ``open_quote`` or ``stray_quote``.
    """
    if options.quote == '"' and options.escape == "none":
        yield path, offset
        return
    with NamedTemporaryFile(dir=path.parent, prefix=f"{path.name}.", suffix=".quoted") as target:
        text = io.TextIOWrapper(target, encoding="utf-8", newline="", write_through=True)
        writer = plain_csv.writer(text, delimiter=delimiter, lineterminator="\n")
        for cells in _records(path, key, options, delimiter, offset):
            writer.writerow(cells)
        text.flush()
        yield Path(target.name), 0
        text.detach()


def _records(
    path: Path, key: str, options: CsvOptions, delimiter: str, offset: int
) -> Iterator[list[str]]:
    how: dict[str, Any] = {"delimiter": delimiter, "strict": True}
    if options.quote == "none":
        how["quoting"] = plain_csv.QUOTE_NONE
    else:
        how["quotechar"] = options.quote
    escape = "" if options.escape == "none" else options.escape
    if escape:
        how["escapechar"] = escape
    csv.field_size_limit(LONGEST_CELL)
    with path.open("rb") as raw:
        raw.seek(offset)
        lines: Iterator[str] = io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
        number = 0
        try:
            kept = _kept(lines, escape) if escape else lines
            for cells in csv.reader(chain(kept, (_END,)), **how):
                if cells and cells[-1].endswith(_END):
                    if cells != [_END]:
                        raise _open_quote(key, number, options)
                    return
                if cells:
                    number += 1
                    yield [_plain(cell, escape) for cell in cells] if escape else cells
        except csv.Error as error:
            # Strictly read, a cell ends where its quote does.
            found = _stray_quote if "expected after" in str(error) else _open_quote
            raise found(key, number, options) from error


def _stray_quote(key: str, row: int, options: CsvOptions) -> FileRejected:
    where = f"Row {row}" if row else "The header"
    how = "twice" if options.escape == "none" else f"with {options.escape} before it"
    message = (
        f"{where} has a quote ({options.quote}) within a quoted cell, or text behind one. Write a "
        f"quote within quotes {how}."
    )
    return FileRejected(key, "stray_quote", message, row=row)


def _open_quote(key: str, row: int, options: CsvOptions) -> FileRejected:
    where = f"Row {row}" if row else "The header"
    message = f"{where} opens a quote ({options.quote}) that is never closed. Close it."
    return FileRejected(key, "open_quote", message, row=row)


def _kept(lines: Iterator[str], escape: str) -> Iterator[str]:
    pair = re.compile(re.escape(escape) + "(.)", re.DOTALL)

    def stays(found: re.Match[str]) -> str:
        return _KEPT + found[1] if found[1].isalnum() else found[0]

    return (pair.sub(stays, line) if escape in line else line for line in lines)


def _plain(cell: str, escape: str) -> str:
    return "" if cell == _KEPT + "N" else cell.replace(_KEPT, escape)
