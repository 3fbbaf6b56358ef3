"""Reading one downloaded file of an import job, whatever its format and compression."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from exchanger.config.models import CsvOptions, Source
from exchanger.files.formats.csv.read import read_csv
from exchanger.files.formats.detect import (
    HEAD,
    detect_compression,
    detect_kind,
    without_packing,
)
from exchanger.files.formats.ndjson import read_ndjson
from exchanger.files.formats.parquet import read_parquet
from exchanger.files.formats.payloads import with_members
from exchanger.files.formats.sql import with_query
from exchanger.files.formats.workbook import as_csv, is_workbook
from exchanger.files.raw.compression import unpacked
from exchanger.files.raw.table import BAD_ROW_SCHEMA, RawTable
from exchanger.files.scratch.spill import Scratch

_OF_SHEETS = CsvOptions(delimiter=",", encoding="utf-8")
_MOST_PACKINGS = 3
"""A file that unpacks to itself must come to an end."""
__all__ = ["BAD_ROW_SCHEMA", "RawTable", "read_table"]


def read_table(  # noqa: PLR0913 - a file, and how it is read
    path: Path,
    key: str,
    source: Source,
    scratch: Scratch | None = None,
    *,
    kept: Mapping[str, str] | None = None,
    expected: Collection[str] = (),
) -> RawTable:
    """
    Read a file of an import job, in pieces of bounded size.

    Args:
        path: The file on disk, as it is in the bucket. Unpacking needs room next to it.
        key: Its key in the bucket: the format is told from it, and errors name it.
        source: The job's format, and how its CSV is written.
        scratch: Where its rows are kept; next to the file if left out.
        kept: What earlier files of the job have shown of how they are written.
        expected: Columns that are empty where no line of NDJSON has their key, unless the job says
            what becomes of a file in which a column is missing.

    Raises:
        FileRejected: The file cannot be used at all. What is wrong with single rows is in
            ``RawTable.bad_rows`` instead.
    """
    scratch = scratch or Scratch(path.parent)
    if source.payload is not None or source.sql is not None or source.schema_.missing is not None:
        expected = ()  # What is made of the file tells these keys, or the job what they mean.
    table = _read(path, key, source, scratch, kept, expected)
    if source.payload is not None:
        table = with_members(table, source.payload, key)
    return table if source.sql is None else with_query(table, source.sql, key)


def _read(  # noqa: PLR0913, PLR0917 - a file, and how it is read
    path: Path,
    key: str,
    source: Source,
    scratch: Scratch,
    kept: Mapping[str, str] | None,
    expected: Collection[str],
) -> RawTable:
    """Read a file as its columns are."""
    with _unpacked(path, key) as content:
        if is_workbook(content, _head(content)):
            return _read_workbook(content, key, source, scratch)
        kind = detect_kind(key, _head(content), source.format)
        if kind == "parquet":
            return read_parquet(content, key, scratch)
        if kind == "csv":
            return read_csv(content, key, source, scratch, kept=kept)
        return read_ndjson(content, key, scratch, expected)


@contextmanager
def _unpacked(path: Path, key: str) -> Iterator[Path]:
    """Return the path of a file's content, also of one that was packed twice."""
    name = key
    with ExitStack() as packings:
        for _ in range(_MOST_PACKINGS):
            head = _head(path)
            compression = "none" if is_workbook(path, head) else detect_compression(name, head)
            if compression == "none":
                break
            path = packings.enter_context(unpacked(path, key, compression))
            name = without_packing(name)
        yield path


def _read_workbook(path: Path, key: str, source: Source, scratch: Scratch) -> RawTable:
    """Read a sheet: as CSV of which everything is known."""
    plain = source.model_copy(update={"csv": _OF_SHEETS, "skip_rows": 0})
    with as_csv(path, key, source) as sheet:
        table = read_csv(sheet.path, key, plain, scratch)
        return replace(
            table,
            empty=table.empty.drop(sheet.unusable, strict=False),
            unusable={**table.unusable, **sheet.unusable},
            notes=(*table.notes, *sheet.notes),
        )


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)
