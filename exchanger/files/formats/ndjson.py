r"""
Reading NDJSON: one JSON object per line, nothing guessed and nothing rounded.

Neither fast reader can be used. Polars 2.1 reads ``1`` and ``"1"`` in one column as the text
``1`` and ``1``, with a schema of String as well; mixed integers and floats become floats
(2\ :sup:`53` + 1 loses its last digit), decimals keep 17 digits, and of two equal keys it takes
the first. Arrow refuses mixed types and duplicate keys, but rounds numbers too and reads strings
that look like times as times. So each line goes through ``orjson``, as a map in C, and only lines
on which it may be inexact are read a second time (``json_text``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from exchanger.config.names import trimmed
from exchanger.errors import FileRejected
from exchanger.files.formats.detect import BOM
from exchanger.files.formats.json_columns import JsonColumn
from exchanger.files.formats.json_exact import DuplicateKey, TooDeep, find_doubtful, load_exactly
from exchanger.files.formats.ndjson_layout import Layout
from exchanger.files.raw.column_names import column_names, trimmed_note
from exchanger.files.raw.table import (
    ROW,
    BadRow,
    RawTable,
    bad_row_frame,
    is_taken,
    taken_names,
)
from exchanger.files.raw.utf8 import BadByte, check_text, lines_before
from exchanger.files.scratch.spill import Scratch, Spill
from exchanger.notes import noted

LONGEST_LINE = 64 << 20
"""Bytes in one line; all that Braze takes in one request is 4 MB."""
_AROUND = b" \t\n\v\f\r\x1a\x1e"
"""White space, what DOS put at the end of text, and what begins a text in a sequence of JSON."""
_BATCH = 10_000
_BEHIND = 1_000
"""Lines behind a batch in which a value that begins in it shows that it goes on."""

Row = tuple[int, bytes, dict[str, Any]]
"""A data row: its number, its line, its object."""


def read_ndjson(path: Path, key: str, scratch: Scratch, expected: Collection[str] = ()) -> RawTable:
    """
    Read an uncompressed NDJSON file.

    A column whose values all have one type is String, Int64, Float64 or Boolean (integers and
    floats that a float holds exactly are Float64); any other is JSON text and named in
    ``json_columns``. A missing key is null. A line that is no JSON object, or has a key twice, is
    a bad row.

    Args:
        path: The file.
        key: Its name for errors.
        scratch: Where its rows are kept.
        expected: Columns that are there also if no line has them: a key that is missing is empty.

    Raises:
        FileRejected: ``empty_file``, ``utf16``, ``invalid_utf8``, ``nul_bytes``, ``not_ndjson``
            when no line at all is an object, or a list or an object goes over several lines, or
            as ``column_names``.
    """
    try:
        check_text(path, key)
    except BadByte as bad:
        row = sum(1 for line in lines_before(path, bad.offset, "\n") if line.strip())
        message = f"Row {row} cannot be read. {bad.message}"
        raise FileRejected(key, bad.reason, message, row=row) from bad
    table = ObjectTable(scratch.spill(), scratch.spill())
    for batch, bad_rows in _batches(path, key):
        table.add(batch, bad_rows, key)
        table.add_bad(bad_rows)
    if not table.cells.rows:
        raise _no_object(key, table.first_bad)
    column_names([*table.names], key)
    return table.made(expected)


def _no_object(key: str, bad: BadRow | None) -> FileRejected:
    """Build the error of a file without a row, which says what the first line is instead."""
    if bad is None:
        return FileRejected(key, "empty_file", "The file has no rows.")
    if bad.reason == "duplicate_key":
        message = f"No line of the file can be used. {bad.message}"
        return FileRejected(key, bad.reason, message, row=bad.row, column=bad.field or "")
    message = (
        f"No line of the file is a JSON object. {bad.message} Write one object per line, such as "
        '{"id": "1", "name": "Ada"}, with no comma behind it and no list around them.'
    )
    return FileRejected(key, "not_ndjson", message, row=bad.row)


@dataclass
class ObjectTable:
    """
    A table under construction: its rows, all names in the file, and its columns.

    Names are trimmed; how they are written, where that is otherwise, is in *renamed*.
    """

    cells: Spill
    bad: Spill
    names: dict[str, None] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)
    columns: dict[str, JsonColumn] = field(default_factory=dict)
    first_bad: BadRow | None = None

    def add(self, batch: list[Row], bad_rows: list[BadRow], key: str) -> None:
        """Take the next rows; one that has a name twice, once both are trimmed, is none."""
        contents = [content for _, _, content in batch]
        if not set().union(*contents) <= self.names.keys():
            written = dict.fromkeys(chain.from_iterable(contents))
            self.renamed |= {name: trimmed(name) for name in written if name != trimmed(name)}
            self.names.update((self.renamed.get(name, name), None) for name in written)
            column_names([*self.names], key)
        if self.renamed:
            batch = list(self._under_their_names(batch, bad_rows))
            contents = [content for _, _, content in batch]
        series = [pl.Series(ROW, [number for number, _, _ in batch], dtype=pl.UInt32)]
        for name in self.names:
            if not is_taken(name):
                column = self.columns.setdefault(name, JsonColumn())
                values = column.batch([content.get(name) for content in contents])
                series.append(values.alias(name))
        self.cells.add(pl.DataFrame(series))

    def _under_their_names(self, batch: list[Row], bad_rows: list[BadRow]) -> Iterator[Row]:
        for number, line, content in batch:
            named = {self.renamed.get(name, name): value for name, value in content.items()}
            if len(named) == len(content):
                yield number, line, named
            else:
                names = [self.renamed.get(name, name) for name in content]
                twice = next(name for name in names if names.count(name) > 1)
                bad_rows.append(_twice(number, line, twice))

    def add_bad(self, bad_rows: list[BadRow]) -> None:
        """Take the next lines that are no rows."""
        ordered = sorted(bad_rows, key=lambda bad: bad.row)
        if ordered and self.first_bad is None:
            self.first_bad = ordered[0]
        self.bad.add(bad_row_frame(ordered))

    def made(self, expected: Collection[str] = ()) -> RawTable:
        """Build the table, with the *expected* columns that no row has."""
        absent = [name for name in expected if name not in self.names]
        self.columns |= {name: JsonColumn() for name in absent if not is_taken(name)}
        notes = (noted("keys_absent", columns=absent),) if absent else ()
        schema = {name: column.dtype for name, column in self.columns.items()}
        return RawTable(
            cells=self.cells,
            bad=self.bad,
            empty=pl.DataFrame(schema=schema | {ROW: pl.UInt32()}),
            textual=False,
            json_columns=frozenset(n for n, column in self.columns.items() if column.is_json),
            unusable=taken_names(self.names),
            absent=frozenset(absent),
            notes=trimmed_note(self.renamed) + notes,
            finish=self._finished,
        )

    def _finished(self, frame: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
        """Bring a batch to the types of the file; names that came later are null in it."""
        nothing = pl.Series([None] * frame.height, dtype=pl.Null)
        return pl.DataFrame(
            {
                name: frame[name]
                if name == ROW
                else self.columns[name].finished(frame.get_column(name, default=nothing))
                for name in columns
            }
        )


def _lines(path: Path, key: str) -> Iterator[tuple[int, bytes]]:
    """Read the lines that are not blank, numbered from 1."""
    number = 0
    with path.open("rb") as file:
        for line in iter(lambda: file.readline(LONGEST_LINE), b""):
            text = line.strip(_AROUND)
            while text.startswith(BOM):  # At the beginning, or where files were joined.
                text = text.removeprefix(BOM).strip(_AROUND)
            if len(line) == LONGEST_LINE:
                raise _too_long(key, number + 1)
            if text:
                number += 1
                yield number, text


def _too_long(key: str, row: int) -> FileRejected:
    message = f"Row {row} has more than {LONGEST_LINE >> 20} MB. Write one object per line."
    return FileRejected(key, "not_ndjson", message, row=row)


def _batches(path: Path, key: str) -> Iterator[tuple[list[Row], list[BadRow]]]:
    """Read the lines in batches: what is a row, and what is none."""
    lines = _lines(path, key)
    layout = Layout(key)
    while batch := list(islice(lines, _BATCH)):
        bad_rows: list[BadRow] = []
        rows = read_batch(batch, bad_rows)
        if bad_rows:
            behind = list(islice(lines, _BEHIND))
            lines = chain(behind, lines)
            _check_layout(layout, bad_rows, [*batch, *behind], cut=len(behind) == _BEHIND)
        yield rows, bad_rows


def _check_layout(
    layout: Layout, bad_rows: list[BadRow], lines: list[tuple[int, bytes]], *, cut: bool
) -> None:
    for bad in bad_rows:
        if bad.reason == "invalid_json":
            at = bad.row - lines[0][0]
            following = (line for _, line in islice(lines, at + 1, None))
            layout.check(bad.row, lines[at][1], following, cut=cut)


def read_batch(batch: list[tuple[int, bytes]], bad_rows: list[BadRow]) -> list[Row]:
    """Read the lines of a batch; what is no row goes to *bad_rows*."""
    try:
        contents = list(map(orjson.loads, (line for _, line in batch)))
        rows = [
            (number, line, content) for (number, line), content in zip(batch, contents, strict=True)
        ]
    except orjson.JSONDecodeError:
        rows = list(_readable(batch, bad_rows))
    objects = []
    for row in rows:
        if isinstance(row[2], dict):
            objects.append(row)
        else:
            bad_rows.append(_not_an_object(row))
    return _read_again(objects, bad_rows)


def _readable(batch: list[tuple[int, bytes]], bad_rows: list[BadRow]) -> Iterator[Row]:
    for number, line in batch:
        try:
            yield number, line, orjson.loads(line)
        except orjson.JSONDecodeError as error:
            message = f"Row {number} is not valid JSON ({error.msg}, at character {error.pos + 1})."
            bad_rows.append(BadRow(number, "invalid_json", message, line.decode()))


def _not_an_object(row: Row) -> BadRow:
    message = f'Row {row[0]} is JSON, but not an object such as {{"id": "1"}}.'
    return BadRow(row[0], "not_an_object", message, row[1].decode())


def _read_again(rows: list[Row], bad_rows: list[BadRow]) -> list[Row]:
    """Read the doubtful rows exactly."""
    doubtful = set(
        find_doubtful([line for _, line, _ in rows], [content for _, _, content in rows])
    )
    if not doubtful:
        return rows
    kept: list[Row] = []
    for position, row in enumerate(rows):
        try:
            again = load_exactly(row[1]) if position in doubtful else row[2]
            kept.append((row[0], row[1], again))
        except DuplicateKey as error:
            bad_rows.append(_twice(row[0], row[1], error.args[0]))
        except TooDeep:
            message = f"Row {row[0]} nests values too deeply."
            bad_rows.append(BadRow(row[0], "invalid_json", message, row[1].decode()))
    return kept


def _twice(number: int, line: bytes, name: str) -> BadRow:
    message = f"Row {number} has the key {name!r} twice. Keep one of them."
    return BadRow(number, "duplicate_key", message, line.decode(), name)
