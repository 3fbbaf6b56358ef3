"""
Files as Braze's Cloud Data Ingestion takes them: an identifier, and all else as JSON in a column.

The members of that object become columns of their own, as if the file were NDJSON, and so nothing
of them is rounded; rows keep their numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson
import polars as pl

from exchanger.config.names import shown
from exchanger.errors import FileRejected
from exchanger.files.formats.json_exact import load_exactly
from exchanger.files.formats.ndjson import ObjectTable, read_batch
from exchanger.files.raw.table import ROW, BadRow, RawTable

_BATCH = 10_000
_JSON = (
    *(pl.String, pl.Boolean, pl.Float32, pl.Float64),
    *(pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64),
)


def with_members(table: RawTable, payload: str, key: str) -> RawTable:
    """
    Bring the members of JSON objects in a column of a table into columns of their own.

    A row whose cell is no JSON object is a bad row, and so is one that has an object's member and
    a column of the same name. An empty cell is an object without members.

    Args:
        table: As it was read; it is empty afterwards.
        payload: The name of the column, compared without case if there is none of this name.
        key: The file's name for errors.

    Raises:
        FileRejected: ``missing_column``, or as ``column_names``.
    """
    name = _column(table, payload, key)
    scratch = table.cells.scratch
    objects = ObjectTable(scratch.spill(), scratch.spill())
    objects.names.update(
        dict.fromkeys(each for each in table.empty.columns if each not in (ROW, name))
    )
    for piece in table.pieces():
        for frame in piece.iter_slices(_BATCH):
            bad: list[BadRow] = []
            rows = [*_rows(frame, name, table.json_columns, bad)]
            objects.add(rows, bad, key)
            objects.add_bad(bad)
    for frame in table.bad_pieces():
        objects.bad.add(frame)
    table.clear()
    made = objects.made()
    return replace(
        made,
        unusable={**table.unusable, **made.unusable},
        indexes=table.indexes,
        notes=(*table.notes, *made.notes),
        layout=table.layout,
        read_as=table.read_as,
    )


def _column(table: RawTable, payload: str, key: str) -> str:
    names = [each for each in table.empty.columns if each != ROW]
    if payload in names:
        return payload
    alike = [each for each in names if each.lower() == payload.lower()]
    if len(alike) == 1:
        return alike[0]
    message = (
        f"The file has no column {payload!r}, which 'payload' of the job's source names. Its "
        f"columns are: {', '.join(map(shown, names))}. Correct the file, or leave 'payload' out."
    )
    raise FileRejected(key, "missing_column", message, column=payload)


def _rows(
    frame: pl.DataFrame, name: str, json_columns: frozenset[str], bad: list[BadRow]
) -> Iterator[tuple[int, bytes, dict[str, Any]]]:
    numbers = frame[ROW].to_list()
    others = _plain(frame.drop(ROW, name), json_columns)
    texts = [_text(cell, is_json=name in json_columns) for cell in _texts(frame[name])]
    by_number = dict(zip(numbers, others, strict=True))
    for number, line, content in read_batch([*zip(numbers, texts, strict=True)], bad):
        twice = next((each for each in content if each in by_number[number]), None)
        if twice is None:
            yield number, line, by_number[number] | content
        else:
            message = (
                f"Row {number} has {twice!r} in a column and within the JSON object beside it. "
                "Keep one of them."
            )
            bad.append(BadRow(number, "duplicate_key", message, line.decode(), twice))


def _texts(cells: pl.Series) -> list[str | None]:
    return cells.cast(pl.String, strict=False).to_list()


def _text(cell: str | None, *, is_json: bool) -> bytes:
    """Return the JSON text of an object, which may be written as a JSON string in its turn."""
    text = (cell or "").strip()
    if is_json and text.startswith('"'):
        text = str(orjson.loads(text)).strip()
    return (text if text not in ("", "null") else "{}").encode()


def _plain(frame: pl.DataFrame, json_columns: frozenset[str]) -> list[dict[str, Any]]:
    """Return rows as JSON has them: what it has no value for as text."""
    told = frame.select(
        each if each.dtype in _JSON else each.cast(pl.String, strict=False)
        for each in frame.get_columns()
    )
    rows = told.to_dicts() if told.width else [{} for _ in range(frame.height)]
    nested = json_columns & {*told.columns}
    for row in rows if nested else ():
        row.update({n: load_exactly(row[n].encode()) for n in nested if row[n] is not None})
    return rows
