"""
Reading CSV: every cell is text, exactly as written.

Arrow's reader does the work on all cores: it finds both kinds of ragged rows and treats quotes,
stray ones included, as Python's csv module does. Polars' reader was not chosen because it fills
the cells that a row lacks with nulls and says nothing.

Arrow gives no row numbers when it reads in parallel, and takes a quote that is never closed for
closed by the end of the file. So whenever a file has a bad row, may end inside quotes, may escape
quotes or have strays, or is refused, it is read again by ``exact``, which is exact.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from exchanger.config.models import Source
from exchanger.config.names import trimmed
from exchanger.errors import FileRejected
from exchanger.files.formats.csv.beginning import Beginning, find_beginning, with_header
from exchanger.files.formats.csv.escapes import escaped_quotes, is_escaped, may_escape
from exchanger.files.formats.csv.exact import Record, closed_record, open_records, row_at_end
from exchanger.files.formats.csv.headers import FEW, Header, Headers
from exchanger.files.formats.csv.layout import (
    DELIMITERS,
    Layout,
    find_delimiter,
    find_layout,
    first_lines,
)
from exchanger.files.formats.csv.no_csv import refuse_json, refuse_others
from exchanger.files.formats.csv.rewritten import with_plain_quotes
from exchanger.files.formats.csv.stray_quotes import may_stray, stray_quote
from exchanger.files.formats.csv.table import CsvTable
from exchanger.files.raw.column_names import column_names
from exchanger.files.raw.encodings import as_utf8, find_encoding
from exchanger.files.raw.table import (
    BadRow,
    RawTable,
)
from exchanger.files.raw.utf8 import BadByte, lines_before
from exchanger.files.scratch.arrow import ArrowInvalid, csv, pa
from exchanger.files.scratch.spill import Scratch

_BLOCK = 8 << 20
_SMALL = 64 << 20
_TINY = 1 << 20
"""Files for which it takes longer to ask other threads than to do the work."""
_TAIL = 64 << 10
_BATCH = 50_000
_ROWS = 100
"""Rows that show whether a last column without a name is one."""
_BLANK = " \t"
"""What a cell that holds nothing may have all the same."""
_NO_TEXT = "\x1a\f"
"""What DOS put at the end of text, and printers of large machines at the end of a page."""


def read_csv(
    path: Path,
    key: str,
    source: Source,
    scratch: Scratch,
    *,
    kept: Mapping[str, str] | None = None,
) -> RawTable:
    """
    Read an uncompressed CSV file.

    A byte-order mark is skipped, CRLF, LF and CR end a row, and quoted cells may hold delimiters,
    line ends and doubled quotes. Blank lines are passed over, and so are rows of blank cells. A row
    with too many or too few cells is a bad row (``ragged_row``), and so is one with a quote that is
    no CSV (``stray_quote``), or with the next header behind it (``joined_lines``). A header that
    comes again is no row.

    Args:
        path: The file.
        key: Its name for errors.
        source: What the job says of how it is written.
        scratch: Where its rows are kept.
        kept: What earlier files of the job have shown of how they are written.

    Returns:
        A table of String columns; an empty cell is null.

    Raises:
        FileRejected: ``empty_file``, ``unknown_encoding``, ``invalid_utf8``, ``invalid_text``,
            ``nul_bytes``, ``not_csv``, ``open_quote``, ``stray_quote``, ``backslash_escapes``,
            ``wrong_delimiter``, or as ``column_names``.
    """
    kept, options = kept or {}, source.csv
    refuse_others(path, key)
    try:
        encoding = find_encoding(path, key, options.encoding, kept)
    except BadByte as bad:
        raise _bad_byte(path, key, source, kept, bad) from bad
    names = () if source.header == "auto" else source.header
    with as_utf8(path, key, encoding) as text:
        begin = find_beginning(text, source.skip_rows)
        layout = find_layout(text, encoding, options, kept, begin=begin, columns=len(names))
        delimiter = layout.delimiter
        with (
            with_plain_quotes(text, key, options, delimiter, begin.offset) as (quoted, offset),
            with_header(quoted, key, Beginning(offset), delimiter, names) as plain,
        ):
            return _read(plain, key, layout, scratch)


def _read(path: Path, key: str, layout: Layout, scratch: Scratch) -> RawTable:
    delimiter = layout.delimiter
    table = CsvTable(scratch, _header(path, key, delimiter))
    if not _read_quickly(path, table, delimiter):
        table.clear()
        _read_exactly(path, key, table, delimiter)
    made = table.made()
    notes = (*layout.notes, *made.notes)
    return replace(made, layout=layout.shown, read_as=layout.read_as, notes=notes)


def _bad_byte(
    path: Path, key: str, source: Source, kept: Mapping[str, str], bad: BadByte
) -> FileRejected:
    """Build the error of a byte that no text has, with the row that it is in."""
    delimiter = source.csv.delimiter
    if delimiter == "auto":
        delimiter = find_delimiter(first_lines(path), kept.get("delimiter")) or DELIMITERS[0]
    # As if there were a header, and it came first.
    row = row_at_end(lines_before(path, bad.offset, ""), delimiter) - source.skip_rows
    row = max(row + (source.header != "auto"), 0)
    where = f"Row {row}" if row else "The header"
    message = f"{where} cannot be read. {bad.message}"
    return FileRejected(key, bad.reason, message, row=row)


def _header(path: Path, key: str, delimiter: str) -> Header:
    with open_records(path, key, delimiter) as records:
        header = next(records, None)
        if header is None:
            raise FileRejected(key, "empty_file", "The file has no header and no rows.")
        nameless = len(header.cells) > 1 and not trimmed(header.cells[-1])
        sample = [*islice(records, _ROWS)] if nameless else []
    refuse_json(header.text, key)
    if stray := stray_quote(header.text, delimiter):
        raise FileRejected(key, "stray_quote", f"The header {stray}", row=0)
    ends = bool(sample) and all(not row.cells[-1] for row in sample)
    if len(header.cells) == 1 and '"' not in header.text:
        for other in DELIMITERS:
            if other in header.text:
                raise _wrong_delimiter(key, other)
    return Header(header.cells, column_names(header.cells, key, nameless=True), ends=ends)


def _wrong_delimiter(key: str, other: str) -> FileRejected:
    spelling = r"\t" if other == "\t" else other
    message = (
        f"The header is a single column that contains {spelling!r}. If that separates the "
        f'columns, write source: {{csv: {{delimiter: "{spelling}"}}}} in the job.'
    )
    return FileRejected(key, "wrong_delimiter", message)


def _read_quickly(path: Path, table: CsvTable, delimiter: str) -> bool:
    """Read a file in which all is well; False if it has to be looked at closely."""
    odd = not delimiter.isascii() or may_escape(path, delimiter) or may_stray(path, delimiter)
    if odd:
        return False
    bad: list[int] = []

    def note(row: Any) -> str:
        bad.append(row.actual_columns)
        return "skip"

    last = None
    try:
        with closing(_batches(path, table.header.written, delimiter, note)) as batches:
            for batch in batches:
                if bad or not table.header.fits(batch):
                    return False
                if batch.num_rows:
                    last = batch.slice(batch.num_rows - 1)
                    named = batch.rename_columns(table.header.names)
                    rows = _without_headers(pl.DataFrame(pl.from_arrow(named)), table.headers)
                    if rows is None or (
                        rows.width == 1 and table.header.may_join(rows.to_series())
                    ):
                        return False
                    table.add(_without_blank(rows))
    except ArrowInvalid:
        # A row longer than a block, or no row at all: the exact reader tells.
        return False
    return not bad and last is not None and _ends_well(path, last, delimiter)


def _without_headers(frame: pl.DataFrame, headers: Headers) -> pl.DataFrame | None:
    """Leave out headers that come again; None if one names the columns in another order."""
    found = headers.first.again_in(frame)
    again = []
    for at, *cells in found.iter_rows():
        places = headers.first.places(cells)
        if places is not None and places != [*range(len(places))]:
            return None
        if places is not None:
            again.append(at)
    headers.again += len(again)
    if not again:
        return frame
    kept = ~pl.int_range(frame.height, eager=True).is_in(again)
    return frame.filter(kept)


def _without_blank(frame: pl.DataFrame) -> pl.DataFrame:
    """Leave out rows of nothing but delimiters, as spreadsheets leave behind."""
    if frame.height <= FEW and all(cell and cell.strip(_BLANK) for cell in frame.to_series()):
        return frame
    at = every = pl.int_range(frame.height, eager=True)
    for cells in frame.get_columns():
        # Mostly nothing is left after the first column.
        found = cells.gather(at).str.strip_chars(_BLANK)
        at = at.filter(found.is_null() | (found == ""))
        if at.is_empty():
            return frame
    return frame.filter(~every.is_in(at.implode()))


def _batches(
    path: Path, names: list[str], delimiter: str, note: Callable[[Any], str]
) -> Generator[Any]:
    """Read a small file on all cores, and a large one block by block."""
    size = path.stat().st_size
    how = {
        "read_options": csv.ReadOptions(block_size=_BLOCK, use_threads=size > _TINY),
        "parse_options": csv.ParseOptions(
            delimiter=delimiter, newlines_in_values=True, invalid_row_handler=note
        ),
        "convert_options": csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            check_utf8=False,  # find_encoding did.
        ),
    }
    if size <= _SMALL:
        yield csv.read_csv(str(path), **how)
        return
    with csv.open_csv(str(path), **how) as blocks:
        yield from blocks


def _ends_well(path: Path, last_row: Any, delimiter: str) -> bool:
    """
    Return whether the file's last line is the table's last row, and closes its quotes.

    If a quote were still open at the end, the last cell would hold line ends that the last line
    cannot hold, or that line itself would end inside quotes.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _TAIL))
        lines = re.split(rb"[\r\n]", file.read())
    last = next((line for line in reversed(lines[1:]) if line), None)
    if last is None:
        return False
    row = [column[0].as_py() or "" for column in last_row.columns]
    return closed_record(last.decode(), delimiter) == row


def _read_exactly(path: Path, key: str, table: CsvTable, delimiter: str) -> None:
    """Read record by record; see the module's text for when."""
    bad: list[BadRow] = []
    width = len(table.header.names)
    # By position, as the file's own names may be anything.
    schema = {"row": pl.UInt32} | {f"cell {i}": pl.String for i in range(width)}
    with open_records(path, key, delimiter) as records:
        next(records)
        rows = _rows(records, table.headers)
        good = _good_rows(rows, table.header, bad, key, delimiter)
        while batch := list(islice(good, _BATCH)):
            numbers, *cells = pl.DataFrame(batch, schema=schema, orient="row").get_columns()
            table.add(pl.DataFrame(cells), numbers)
            table.add_bad(bad)
    table.add_bad(bad)


def _rows(records: Iterator[Record], headers: Headers) -> Iterator[Record]:
    """
    Leave out headers that come again, and rows of nothing but delimiters.

    What follows a header is brought into the order of the first.
    """
    first = headers.first
    usual = [*range(len(first.names))]
    order, blank = usual, 0
    for record in records:
        number = record.number - headers.again - blank
        cells = record.cells
        if len(cells) == len(usual) and not any(cell.strip(_BLANK) for cell in cells):
            blank += 1
            continue
        places = first.places(cells) if len(cells) == len(usual) else None
        if places is not None:
            headers.again += 1
            order = places
            headers.reordered = headers.reordered or (number if order != usual else 0)
            continue
        if order != usual and len(cells) == len(usual):
            cells = [cells[place] for place in order]
        yield Record(number, cells, record.text)


def _good_rows(
    records: Iterator[Record], header: Header, bad: list[BadRow], key: str, delimiter: str
) -> Iterator[tuple[int | str | None, ...]]:
    before, width = "", len(header.names)
    for record in records:
        if stray := stray_quote(record.text, delimiter):
            message = f"Row {record.number} {stray}"
            bad.append(BadRow(record.number, "stray_quote", message, record.text))
        elif header.is_joint(record.cells):
            bad.append(BadRow(record.number, "joined_lines", _joined(record), record.text))
        elif len(record.cells) == width and not (header.ends and record.cells[-1]):
            yield (record.number, *(cell or None for cell in record.cells))
        elif is_escaped(record.text, delimiter, width):
            raise escaped_quotes(key, record.number)
        elif before.endswith('\\"') and is_escaped(f"{before}\n{record.text}", delimiter, width):
            raise escaped_quotes(key, record.number - 1)
        elif record.text.strip(_NO_TEXT):
            bad.append(_ragged(record, header))
        before = record.text


def _joined(record: Record) -> str:
    return (
        f"Row {record.number} ends where the header begins again: files were joined of which the "
        "first does not end with a line end. Write one there."
    )


def _ragged(record: Record, header: Header) -> BadRow:
    width = len(header.names) - header.ends
    count = len(record.cells) - (header.ends and not record.cells[-1])
    advice = (
        "Put quotes around a cell that contains the delimiter."
        if count > width
        else "Write every cell, empty ones too; a line end within a cell needs quotes around it."
    )
    message = f"Row {record.number} has {count} cells where the header has {width}. {advice}"
    return BadRow(record.number, "ragged_row", message, record.text)
