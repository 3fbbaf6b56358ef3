"""
Parts of a dataset on this machine: Parquet (zstd), CSV or NDJSON, split by rows.

Frames come in with their settled types (``ColumnType.dtype`` of the profiles); ``json`` columns
hold JSON text, which NDJSON writes as the value that it is and the others as text. CSV writes null
as nothing and the empty text as ``""``; NDJSON writes null.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, Self

import polars as pl
import pyarrow.parquet as pq

from exchanger.files.scratch.arrow import pa

Format = Literal["parquet", "csv", "ndjson"]

_SAMPLE = 20_000
_REPEATED = 4
"""How often a value comes on average in a column that gets a dictionary."""
_INSTANT = "%Y-%m-%dT%H:%M:%S%.3fZ"


@dataclass(frozen=True)
class LocalPart:
    """A part that is complete: where it is, and how many rows it has."""

    path: Path
    rows: int


class PartWriter:
    """
    Writes frames into parts. To be used in a ``with`` block, which leaves no part open.

    Args:
        folder: Where the parts are written.
        format_: Of every part.
        schema: Of every frame: column and dtype, in order.
        json_columns: The columns that hold JSON text.
        rows_per_part: Rows in every part but the last.
    """

    def __init__(
        self,
        folder: Path,
        format_: Format,
        schema: pl.Schema,
        json_columns: frozenset[str],
        rows_per_part: int,
    ) -> None:
        self._folder = folder
        self._format = format_
        self._schema = schema
        self._json = json_columns
        self._most = rows_per_part
        self._count = 0
        self._rows = 0
        self._sink: _Sink | None = None

    def append(self, frame: pl.DataFrame) -> Iterator[LocalPart]:
        """Write a frame; gives every part that became full. Must be iterated to the end."""
        while len(frame):
            sink = self._sink or self._open()
            piece, frame = frame.head(self._most - self._rows), frame.slice(self._most - self._rows)
            sink.append(piece)
            self._rows += len(piece)
            if self._rows == self._most:
                yield self._close(sink)

    def finish(self) -> Iterator[LocalPart]:
        """Return the last part. A dataset without rows has one part: its schema."""
        if self._sink is None and not self._count:
            self._open().append(pl.DataFrame(schema=self._schema))
        if self._sink is not None:
            yield self._close(self._sink)

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the part that is open, if something failed before it was done."""
        sink, self._sink = self._sink, None
        if sink is not None:
            with suppress(OSError, pa.ArrowException):  # It has nobody to tell any more.
                sink.close()

    def _open(self) -> _Sink:
        self._sink = _open(self._path, self._format, self._schema, self._json)
        return self._sink

    def _close(self, sink: _Sink) -> LocalPart:
        sink.close()
        part = LocalPart(self._path, self._rows)
        self._count, self._rows, self._sink = self._count + 1, 0, None
        return part

    @property
    def _path(self) -> Path:
        return self._folder / f"part-{self._count:05d}.{self._format}"


def to_ndjson(frame: pl.DataFrame, json_columns: frozenset[str]) -> pl.Series:
    """Render rows as JSON objects, columns in order; a String series without line ends."""
    if not frame.width:
        return pl.Series(["{}"] * len(frame), dtype=pl.String)
    members = [
        pl.concat_str(pl.lit(_name(column) + ":"), _fragment(column, dtype, column in json_columns))
        for column, dtype in frame.schema.items()
    ]
    line = pl.concat_str(pl.lit("{"), pl.concat_str(members, separator=","), pl.lit("}"))
    return frame.select(line).to_series()


def _open(path: Path, format_: Format, schema: pl.Schema, json_columns: frozenset[str]) -> _Sink:
    if format_ == "parquet":
        return _ParquetSink(path, schema)
    if format_ == "csv":
        return _CsvSink(path, schema)
    return _NdjsonSink(path, json_columns)


class _ParquetSink:
    def __init__(self, path: Path, schema: pl.Schema) -> None:
        self._path = path
        self._arrow = pl.DataFrame(schema=schema).to_arrow().schema
        self._writer: pq.ParquetWriter | None = None

    def append(self, frame: pl.DataFrame) -> None:
        writer = self._writer or self._open(frame)
        if len(frame):
            writer.write_table(frame.to_arrow())  # type: ignore[no-untyped-call]

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()  # type: ignore[no-untyped-call]

    def _open(self, first: pl.DataFrame) -> pq.ParquetWriter:
        self._writer = pq.ParquetWriter(  # type: ignore[no-untyped-call]
            self._path, self._arrow, compression="zstd", use_dictionary=_repetitive(first)
        )
        return self._writer


def _repetitive(frame: pl.DataFrame) -> list[str]:
    """
    Name the columns whose values come again and again, judged by the first rows.

    For any other a dictionary takes as long to make as all else, and makes the file larger.
    """
    sample = frame.head(_SAMPLE)
    flat = [name for name, dtype in sample.schema.items() if not dtype.is_nested()]
    return [name for name in flat if sample[name].n_unique() * _REPEATED <= sample.height]


class _CsvSink:
    def __init__(self, path: Path, schema: pl.Schema) -> None:
        self._file: BinaryIO = path.open("wb")
        pl.DataFrame(schema=dict.fromkeys(schema, pl.String)).write_csv(self._file)

    def append(self, frame: pl.DataFrame) -> None:
        lists = [name for name, dtype in frame.schema.items() if dtype == pl.List]
        frame = frame.with_columns(_json_text(name).alias(name) for name in lists)
        frame.write_csv(self._file, include_header=False, datetime_format=_INSTANT)

    def close(self) -> None:
        self._file.close()


class _NdjsonSink:
    def __init__(self, path: Path, json_columns: frozenset[str]) -> None:
        self._file: BinaryIO = path.open("wb")
        self._json = json_columns

    def append(self, frame: pl.DataFrame) -> None:
        lines = to_ndjson(frame, self._json)
        self._file.writelines(line.encode() + b"\n" for line in lines)

    def close(self) -> None:
        self._file.close()


_Sink = _ParquetSink | _CsvSink | _NdjsonSink
"""One open file."""


def _fragment(column: str, dtype: pl.DataType, is_json: bool) -> pl.Expr:  # noqa: FBT001
    value = pl.col(column)
    if dtype == pl.Datetime:
        text = value.dt.strftime(_INSTANT)
        fragment = pl.concat_str(pl.lit('"'), text, pl.lit('"'))
    elif dtype == pl.Date:
        fragment = pl.concat_str(pl.lit('"'), value.dt.strftime("%Y-%m-%d"), pl.lit('"'))
    elif is_json or dtype == pl.Decimal:
        fragment = value.cast(pl.String)
    else:
        fragment = _json_text(column)
    return fragment.fill_null("null")


def _json_text(column: str) -> pl.Expr:
    # polars encodes structs only, so the value is put into one and the wrapping is cut off again.
    encoded = pl.struct(pl.col(column).alias("v")).struct.json_encode()
    text = encoded.str.slice(len('{"v":')).str.head(-1)
    return pl.when(pl.col(column).is_not_null()).then(text)


def _name(column: str) -> str:
    frame = pl.DataFrame({"v": [column]})
    name: str = frame.select(_json_text("v")).item()
    return name
