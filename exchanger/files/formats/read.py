"""Reading one downloaded file of an import job, whatever its format and compression."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from exchanger.config.models import Source
from exchanger.files.formats.csv import read_csv
from exchanger.files.formats.detect import HEAD, detect_compression, detect_format, detect_kind
from exchanger.files.formats.ndjson import read_ndjson
from exchanger.files.formats.parquet import read_parquet
from exchanger.files.raw.compression import unpacked
from exchanger.files.raw.table import BAD_ROW_SCHEMA, RawTable
from exchanger.files.scratch.spill import Scratch

__all__ = ["BAD_ROW_SCHEMA", "RawTable", "detect_format", "read_table"]


def read_table(  # noqa: PLR0913 - a file, and how it is read
    path: Path,
    key: str,
    source: Source,
    columns: Collection[str] | None = None,
    scratch: Scratch | None = None,
    *,
    kept: Mapping[str, str] | None = None,
) -> RawTable:
    """
    Read a file of an import job, in pieces of bounded size.

    Args:
        path: The file on disk, as it is in the bucket. Unpacking needs room next to it.
        key: Its key in the bucket: the format is told from it, and errors name it.
        source: The job's format, and how its CSV is written.
        columns: The columns that are needed; None for all. Those that the file lacks are simply
            not in the table.
        scratch: Where its rows are kept; next to the file if left out.
        kept: What earlier files of the job have shown of how they are written.

    Raises:
        FileRejected: The file cannot be used at all. What is wrong with single rows is in
            ``RawTable.bad_rows`` instead.
    """
    scratch = scratch or Scratch(path.parent)
    compression = detect_compression(key, _head(path))
    with unpacked(path, key, compression) as content:
        kind = detect_kind(key, _head(content), source.format)
        if kind == "parquet":
            return read_parquet(content, key, columns, scratch)
        if kind == "csv":
            return read_csv(content, key, source.csv, columns, scratch, kept=kept)
        return read_ndjson(content, key, columns, scratch)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)
