"""
How a CSV file is written: its encoding, and what separates its cells.

What the job leaves open is told from the file. What earlier files of the job have shown counts
more than a guess; a file that cannot be of it is told.
"""

from __future__ import annotations

import io
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from exchanger.config.models import CsvOptions
from exchanger.files.formats.csv.beginning import Beginning
from exchanger.files.raw.encodings import ENCODING, UTF8, Encoding
from exchanger.files.raw.table import ReadAs
from exchanger.notes import Note, noted

DELIMITERS = (",", ";", "\t", "|")
"""What separates cells in files that people have."""
DELIMITER = "delimiter"
"""The key under which the delimiter of a job's files is kept."""
_SAMPLE = 100
"""Lines that are looked at where the header leaves a choice."""
_LONGEST = 1 << 20


@dataclass(frozen=True)
class Layout:
    """
    How one CSV file is written.

    Args:
        encoding: Of its text.
        delimiter: Between its cells.
        shown: What it has shown of that, ready to be kept for the next file.
        read_as: What of that is to be told.
        notes: What else is noted.
    """

    encoding: str
    delimiter: str
    shown: Mapping[str, str]
    read_as: ReadAs | None = None
    notes: tuple[Note, ...] = ()


def find_layout(  # noqa: PLR0913 - what is known of a file
    path: Path,
    encoding: Encoding,
    options: CsvOptions,
    kept: Mapping[str, str],
    *,
    begin: Beginning | None = None,
    columns: int = 0,
) -> Layout:
    """
    Find how a file is written.

    Args:
        path: Its text, as UTF-8.
        encoding: What its text was.
        options: What the job says.
        kept: What earlier files have shown.
        begin: Where its content begins.
        columns: How many it has, if it has no header.
    """
    begin = begin or Beginning()
    shown: dict[str, str] = {}
    if options.encoding == "auto" and encoding.proven:
        shown[ENCODING] = encoding.name
    delimiter = begin.hint or options.delimiter
    if delimiter == "auto":
        with closing(first_lines(path, begin.offset)) as lines:
            found = find_delimiter(lines, kept.get(DELIMITER), options.quote, columns)
        delimiter = found or kept.get(DELIMITER, DELIMITERS[0])
        if found:
            shown[DELIMITER] = found
    hinted = bool(begin.hint) and begin.hint != options.delimiter
    notes = (noted("delimiter_hint", delimiter=begin.hint),) if hinted else ()
    return Layout(encoding.name, delimiter, shown, _read_as(shown, kept), notes)


def first_lines(path: Path, offset: int = 0) -> Generator[str]:
    """Read the beginning of a file, line by line as far as asked, without blank lines."""
    with path.open("rb") as raw:
        raw.seek(offset)
        file = io.TextIOWrapper(raw, encoding="utf-8-sig", errors="replace", newline="")
        lines = (file.readline(_LONGEST) for _ in range(2 * _SAMPLE))
        yield from islice((line for line in lines if line.strip("\ufeff\r\n")), _SAMPLE)


def find_delimiter(
    lines: Iterator[str], kept: str | None, quote: str = '"', columns: int = 0
) -> str | None:
    """
    Find what separates the cells of a file; None if it has one column.

    Args:
        lines: The first ones, of which the header is one; others are read only where it tells not.
        kept: What separated those of earlier files.
        quote: Around cells.
        columns: How many there are, if that is known.
    """
    around = re.escape(quote)
    quoted = f"{around}(?:[^{around}]|{around}{around})*{around}" if quote != "none" else "(?!)"
    first = next(lines, "")
    header = re.sub(quoted, "", first)
    fitting = [each for each in DELIMITERS if columns and header.count(each) == columns - 1]
    if len(fitting) == 1 and columns > 1:
        return fitting[0]
    inside = [each for each in DELIMITERS if each in header]
    if kept and kept in header:
        return kept
    if len(inside) < 2:
        return inside[0] if inside else None
    return _weighed([first, *lines], inside)


def _weighed(lines: Sequence[str], inside: list[str]) -> str:
    """Choose among several that are in the header by the pattern that rows make of each."""
    from clevercsv import Sniffer
    from clevercsv.exceptions import Error

    try:
        dialect = Sniffer().sniff("".join(lines), delimiters=inside)
    except Error:
        dialect = None
    if dialect is not None and dialect.delimiter in inside:
        return str(dialect.delimiter)
    return max(inside, key=lines[0].count)


def _read_as(shown: Mapping[str, str], kept: Mapping[str, str]) -> ReadAs | None:
    """Return what is to be told of a file, unless it is what everybody expects."""
    usual = {ENCODING: UTF8, DELIMITER: DELIMITERS[0]}
    odd = {
        name: value
        for name, value in shown.items()
        if value != kept.get(name, usual[name]) or value != usual[name]
    }
    earlier = {name: kept[name] for name in odd if kept.get(name, odd[name]) != odd[name]}
    if not odd:
        return None
    return ReadAs(
        odd.get(ENCODING, ""),
        odd.get(DELIMITER, ""),
        earlier.get(ENCODING, ""),
        earlier.get(DELIMITER, ""),
    )
