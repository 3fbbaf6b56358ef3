"""
The rows of a file as SQL makes them: fewer, others, or joined to groups.

What is made is written to a Parquet file of this machine and read as any other, so that types
become what attributes can have, in pieces of bounded size. Each row keeps the number of the row of
the file that it is made of, or the first of these.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Literal

import polars as pl
from polars.exceptions import PolarsError, SQLInterfaceError

from exchanger.config.queries import TABLE, tokens_of
from exchanger.errors import FileRejected
from exchanger.files.formats.parquet import read_parquet
from exchanger.files.raw.table import ROW, RawTable
from exchanger.files.scratch.frame_file import FrameWriter
from exchanger.files.scratch.spill import Scratch
from exchanger.notes import noted

Engine = Literal["in-memory", "streaming"]
_NUMBER = "@row of the file"
_WHOLE = 2.0**53
"""Below this a float holds every integer."""
_LARGEST = 2**32 - 1
_NUMBERS = (f'"{ROW}"', f'MIN("{ROW}") AS "{ROW}"')
"""What may be chosen beside what a query chooses, so that its rows are told apart."""
_TOGETHER = {"DISTINCT", "UNION", "INTERSECT", "EXCEPT"}
"""Words of queries of which one more column would change the rows."""


def with_query(table: RawTable, query: str, key: str) -> RawTable:
    """
    Return what a query makes of the rows of a table; those that cannot be read stay beside.

    Args:
        table: As it was read; it is empty afterwards.
        query: SQL over the table ``self``.
        key: The file's name for errors.

    Raises:
        FileRejected: ``sql_failed``, ``sql_rows``, ``sql_mixed``, or as ``read_parquet``.
    """
    scratch, before = table.cells.scratch, table.rows
    path = scratch.path()
    try:
        with _lazy(table, scratch) as rows:
            _demand_one_kind(rows, table.json_columns, key)
            made = _executed(rows, query, key, table.unusable)
            engine: Engine = "in-memory" if _is_small(table) else "streaming"
            _written(_plain(made, textual=table.textual), path, key, engine)
        read = _numbered(read_parquet(path, key, scratch), key)
    finally:
        path.unlink(missing_ok=True)
    table.cells.clear()
    same = table.json_columns & {*read.empty.columns}
    made_table = replace(
        table,
        cells=read.cells,
        empty=read.empty,
        json_columns=read.json_columns | same,
        unusable=read.unusable,
        indexes=table.indexes & {*read.empty.columns},
        notes=(*table.notes, *read.notes),
        finish=read.finish,
    )
    if made_table.rows == before:
        return made_table
    note = noted("sql_rows", rows=before, left=made_table.rows)
    return replace(made_table, notes=(*made_table.notes, note))


@contextmanager
def _lazy(table: RawTable, scratch: Scratch) -> Iterator[pl.LazyFrame]:
    """Offer the rows to a query: those of a large file are not all in memory."""
    if _is_small(table):
        yield pl.concat([table.empty, *table.pieces()]).lazy()
        return
    path = scratch.path()
    try:
        with FrameWriter(path) as writer:
            for piece in table.pieces():
                writer.append(piece)
            writer.close()
        yield pl.scan_parquet(path)
    finally:
        path.unlink(missing_ok=True)


def _demand_one_kind(rows: pl.LazyFrame, json_columns: Collection[str], key: str) -> None:
    """
    Check that no column has numbers, texts or the like beside one another.

    These are JSON inside of a query, so a text would be compared, and chosen, with its quotes.

    Raises:
        FileRejected: ``sql_mixed``.
    """
    plain = [(~pl.col(name).str.contains(r"^[\[{]")).any().alias(name) for name in json_columns]
    if not plain:
        return
    found = rows.select(plain).collect(engine="streaming").row(0, named=True)
    mixed = next((name for name in sorted(found) if found[name]), None)
    if mixed is not None:
        message = (
            f"The column '{mixed}' has values of several kinds, such as 7 beside \"7\", which the "
            "SQL of the job's source cannot tell apart. Give it one kind, or leave out 'sql'."
        )
        raise FileRejected(key, "sql_mixed", message, column=mixed)


def _is_small(table: RawTable) -> bool:
    return table.cells.rows <= table.cells.scratch.bounds.rows


def _executed(
    rows: pl.LazyFrame, query: str, key: str, unusable: Mapping[str, str]
) -> pl.LazyFrame:
    """
    Apply a query, so that its rows have numbers.

    Raises:
        FileRejected: ``sql_failed``, ``sql_rows``.
    """
    found, error = _result(rows, query)
    if error is not None:
        why = (reason for name, reason in unusable.items() if f'"{name}"' in str(error))
        raise _failed(key, error, next(why, ""))
    for number in _NUMBERS:
        if ROW in found.collect_schema():
            break
        numbered, error = _result(rows, _choosing(query, number))
        found = found if error is not None else numbered
    if ROW not in (schema := found.collect_schema()) or not schema[ROW].is_integer():
        raise _nameless(key, "do not say of which row of the file each is made")
    return found


def _result(rows: pl.LazyFrame, query: str) -> tuple[pl.LazyFrame, PolarsError | None]:
    """Apply a query; where that cannot be, return the rows as they are, and why."""
    try:
        found = pl.SQLContext({TABLE: rows}, eager=False).execute(query)
        found.collect_schema()
    except PolarsError as error:
        return rows, error
    return found, None


def _choosing(query: str, number: str) -> str:
    """Choose one more column in a query; leave it as it is if that could change its rows."""
    depth, at = 0, None
    tokens = tokens_of(query)
    if ("BY", "ALL") in pairwise(token.text for token in tokens) and number == _NUMBERS[0]:
        return query  # It would be one of those by which rows are grouped.
    for text, place in tokens:
        depth += (text == "(") - (text == ")")
        if depth:
            continue
        if text in _TOGETHER:
            return query
        if text == "FROM" and at is None:
            at = place
    return query if at is None else f"{query[:at]}, {number} {query[at:]}"


def _plain(made: pl.LazyFrame, *, textual: bool) -> pl.LazyFrame:
    """Leave the types as they are; of a file that is all text, what is made is text as well."""
    made = made.rename({ROW: _NUMBER})
    if not textual:
        return made
    schema = made.collect_schema()
    return made.with_columns(
        _as_text(name, dtype) for name, dtype in schema.items() if name != _NUMBER
    )


def _as_text(name: str, dtype: pl.DataType) -> pl.Expr:
    """Spell values as a file of text has them: 9.0 is 9."""
    value = pl.col(name)
    if dtype.is_nested():
        return _as_json(name)
    if not dtype.is_float():
        return value.cast(pl.String)
    whole = (value == value.floor()) & (value.abs() < _WHOLE)
    return (
        pl.when(whole)
        .then(value.cast(pl.Int64, strict=False).cast(pl.String))
        .otherwise(value.cast(pl.String))
    )


def _as_json(name: str) -> pl.Expr:
    text = pl.struct(pl.col(name).alias("v")).struct.json_encode()
    text = text.str.strip_prefix('{"v":').str.strip_suffix("}")
    return pl.when(pl.col(name).is_not_null()).then(text).alias(name)


def _written(made: pl.LazyFrame, path: Path, key: str, engine: Engine) -> None:
    """
    Write what a query makes, in the order of the rows' numbers.

    Raises:
        FileRejected: ``sql_failed``.
    """
    numbers = pl.col(_NUMBER).cast(pl.Int64)
    try:
        made.with_columns(numbers).sort(_NUMBER).sink_parquet(path, engine=engine)
    except PolarsError as error:
        raise _failed(key, error) from error


def _numbered(read: RawTable, key: str) -> RawTable:
    """
    Number the rows of a table as one of its columns says.

    Raises:
        FileRejected: ``sql_rows``: two rows have one number, or one has none.
    """
    before = 0

    def numbered(frame: pl.DataFrame) -> pl.DataFrame:
        nonlocal before
        numbers = frame[_NUMBER]
        rising = (numbers > numbers.shift(1, fill_value=before)) & (numbers <= _LARGEST)
        if not rising.fill_null(value=False).all():
            raise _nameless(key, "come from one row of the file several times")
        before = numbers[-1] if frame.height else before
        return frame.drop(ROW, _NUMBER).with_columns(numbers.cast(pl.UInt32).alias(ROW))

    read.cells.change(numbered)
    return replace(read, empty=read.empty.drop(_NUMBER))


def _failed(key: str, error: PolarsError, why: str = "") -> FileRejected:
    said = f"{_first_line(error)}.{why and f' {why}'}"
    message = (
        f"The SQL of the job's source cannot be applied to this file: {said} Correct 'sql', or "
        "the file; 'exchanger preview JOB' shows what becomes of it."
    )
    return FileRejected(key, "sql_failed", message)


def _nameless(key: str, why: str) -> FileRejected:
    message = (
        f"The rows that the SQL of the job's source makes {why}. Choose a whole number "
        f'for each, such as MIN("{ROW}") AS "{ROW}" or ROW_NUMBER() OVER () AS "{ROW}".'
    )
    return FileRejected(key, "sql_rows", message)


def query_fault(query: str) -> str:
    """Return what is wrong with a query whatever the file, in polars' words; empty if nothing."""
    _, error = _result(pl.LazyFrame(schema={ROW: pl.UInt32}), query)
    if not isinstance(error, SQLInterfaceError):
        return ""  # Which columns there are, files tell.
    said = _first_line(error)
    if "no column named" in said:
        return ""
    if said.startswith("relation"):
        return f"{said}: the rows of a file are the table {TABLE}"
    return said.removeprefix("sql parser error: ")


def _first_line(error: PolarsError) -> str:
    return str(error).partition("\n")[0].rstrip(". ")
