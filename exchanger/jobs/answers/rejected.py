"""
Rejected rows in the shape of their file, so that they can be corrected and dropped once more.

They come from the quarantine of the run, a part at a time. Of Parquet the rows are taken from the
file itself, so that each cell keeps its type.
"""

from __future__ import annotations

import gzip
import re
import shutil
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson
import polars as pl
import structlog

from exchanger.errors import StorageChanged, StorageMissing
from exchanger.files.scratch.arrow import pa
from exchanger.files.scratch.prefetch import prefetch_several
from exchanger.jobs.answers.facts import answered_files
from exchanger.profiles.frames.columns import REJECTED_COLUMNS
from exchanger.state.runs.log import new_nonce
from exchanger.state.runs.quarantine import as_it_was, harmless

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from exchanger.jobs.runtime.context import JobContext
    from exchanger.state.runs.log import ClaimedFile, RunDocument

log = structlog.get_logger()

_OWN_SCHEMA = {"_row": pl.Int64(), "_column": pl.String(), "_reason": pl.String()}
_AT_ONCE = 50_000
_THREADS = 16
"""Files whose rows are written at once."""
_ROOM = 8 << 20
"""Bytes of rows that are worked on at once; what is larger is written alone."""
_FORMS = (".csv", ".file", ".packed")
"""Endings of what is made of the rows of a file on this machine."""
_TYPES = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}
_NDJSON = (".ndjson", ".jsonl", ".json")
_MARK = "\ufeff"
_PACKING = re.compile(r"\.(gz|zst|snappy|bz2|xz|lz4)$")
"""Endings of names; what is not packed all the same is read as it is."""


def write_rejected(
    context: JobContext, run: RunDocument, name_of: Callable[[str], str], quarantine: Path
) -> Iterator[tuple[str, str]]:
    """
    Write the rejected rows of each file of a run; yield the file, and the key of what was written.

    Args:
        context: The outside.
        run: The run.
        name_of: Names the answer about a file.
        quarantine: Its quarantine, on this machine.
    """
    claims = _claims(run)
    spools: dict[str, Path] = {}

    def write(key: str) -> tuple[str, str] | None:
        context.may_send()
        spool, name, kind = spools[key], name_of(key), _kind(key, run)
        try:
            if kind == "parquet" and not _as_parquet(context, claims[key], spool, name):
                return None
            if kind == "csv":
                _write_csv(spool, run.answers.get("columns", {}), _delimiter(run))
            told = _TYPES.get(kind, "application/octet-stream")
            context.bucket.upload(name, _packed(spool, key), content_type=told)
            return key, name
        finally:
            _remove(spool)

    def size(key: str) -> int:
        # Of Parquet the file itself is fetched, however few its rows.
        return _ROOM + 1 if _kind(key, run) == "parquet" else spools[key].stat().st_size

    try:
        for batch in _rejected(quarantine):
            for key, lines in _lines(batch.filter(pl.col("file").is_in([*claims])), run):
                path = spools.setdefault(key, context.workdir / f"{new_nonce()}.rejected")
                with path.open("ab") as file:
                    file.write("".join(f"{line}\n" for line in lines).encode())
        several = prefetch_several(write, spools, size, threads=_THREADS, room=_ROOM)
        with closing(several) as written:
            yield from filter(None, written)
    finally:
        for spool in spools.values():
            _remove(spool)


def _remove(spool: Path) -> None:
    """Remove the rows of a file from this machine, in whichever forms they are there."""
    for ending in ("", *_FORMS):
        spool.with_name(f"{spool.name}{ending}").unlink(missing_ok=True)


def _claims(run: RunDocument) -> dict[str, list[ClaimedFile]]:
    """Group what a run claims of each file of which it answers about single rows."""
    claims: dict[str, list[ClaimedFile]] = {}
    answered = {file.key for file in answered_files(run.files)}
    for file in run.files:
        if file.key in answered and file.outcome not in ("rejected", "corrected"):
            claims.setdefault(file.key, []).append(file)
    return claims


def _rejected(quarantine: Path) -> Iterator[pl.DataFrame]:
    """Yield the rows that were rejected one by one, with where and why in the columns of ours."""
    lines = pl.scan_csv(quarantine, infer_schema=False)
    theirs = ~pl.col("row_id").str.starts_with("run-")  # Others were refused by Braze before.
    chosen = lines.filter(pl.col("kind") == "rejected", pl.col("row").is_not_null(), theirs).select(
        "file",
        pl.col("row").cast(pl.Int64).alias("_row"),
        pl.col("field").alias("_column"),
        as_it_was(pl.col("message")).alias("_reason"),
        as_it_was(pl.col("record")).fill_null("").alias("record"),
    )
    yield from chosen.collect_batches(chunk_size=_AT_ONCE, maintain_order=True)


def _kind(key: str, run: RunDocument) -> str:
    """Name the format in which rows of a file are written: its own, or CSV for a workbook."""
    name = _PACKING.sub("", key.lower())
    told = run.answers.get("format", "auto")
    if told != "auto":
        return str(told)
    if name.endswith(".parquet"):
        return "parquet"
    return "ndjson" if name.endswith(_NDJSON) else "csv"


def _delimiter(run: RunDocument) -> str:
    return str(run.answers.get("delimiter") or ",")


def _lines(rows: pl.DataFrame, run: RunDocument) -> Iterator[tuple[str, pl.Series]]:
    """Yield rows as lines of JSON, all of a file together; work on those of all files at once."""
    kinds = {key: _kind(key, run) for key in rows["file"].unique(maintain_order=True)}
    for written in dict.fromkeys(kinds.values()):
        keys = [key for key, kind in kinds.items() if kind == written]
        alike = rows.filter(pl.col("file").is_in(keys))
        if written == "csv":
            lines = alike.select("file", _as_it_is())
        else:
            again = pl.col("record").str.contains('"_row"', literal=True)
            plain = pl.col("record").map_elements(_without_own, return_dtype=pl.String)
            record = pl.when(again).then(plain).otherwise("record").alias("record")
            lines = alike.with_columns(record).select("file", _as_line())
        by_file = lines.partition_by("file", as_dict=True, maintain_order=True)
        yield from ((key, of_file["line"]) for (key,), of_file in by_file.items())


def _as_it_is() -> pl.Expr:
    return pl.struct("record", *REJECTED_COLUMNS).struct.json_encode().alias("line")


def _as_line() -> pl.Expr:
    """Put our columns behind the members of a row, which stays as it was to the letter."""
    own = pl.struct(REJECTED_COLUMNS).struct.json_encode().str.slice(1)
    line = pl.struct(pl.col("record").alias("_line")).struct.json_encode()
    record = pl.col("record").fill_null("").str.strip_chars()
    inside = record.str.head(-1).str.strip_chars_end()
    return (
        pl.when(~(record.str.starts_with("{") & record.str.ends_with("}")))
        .then(pl.concat_str(line.str.head(-1), pl.lit(","), own))
        .when(inside == "{")
        .then(pl.concat_str(inside, own))
        .otherwise(pl.concat_str(inside, pl.lit(","), own))
        .alias("line")
    )


def _without_own(record: str) -> str:
    """Leave out of the text of a row what an earlier answer put behind it."""
    cells = _cells(record)
    if cells is None or cells.keys().isdisjoint(REJECTED_COLUMNS):
        return record
    return orjson.dumps({k: v for k, v in cells.items() if k not in REJECTED_COLUMNS}).decode()


def _cells(record: str) -> dict[str, Any] | None:
    """Read the text of a row; None of a line that could not be read."""
    try:
        cells = orjson.loads(record)
    except orjson.JSONDecodeError:
        return None
    return cells if isinstance(cells, dict) else None


def _write_csv(spool: Path, columns: Mapping[str, str], delimiter: str) -> None:
    """
    Write the rows of a spool as CSV; a line that could not be read stands in the first column.

    Args:
        spool: A line of JSON for each row; it becomes the CSV.
        columns: What names in rows that planning rejected are in the file.
        delimiter: Between cells.
    """
    names: dict[str, None] = {}
    for rows in _spooled(spool):
        for one in rows:
            cells = _cells(one["record"]) or ()
            names |= dict.fromkeys(columns.get(name, name) for name in cells)
    header = [*(name for name in names if name not in REJECTED_COLUMNS)] or ["_line"]
    schema = {**dict.fromkeys(header, pl.String()), **_OWN_SCHEMA}
    path = spool.with_name(f"{spool.name}.csv")
    with path.open("wb") as file:
        file.write(_MARK.encode())
        for number, rows in enumerate(_spooled(spool)):
            shown = pl.DataFrame(
                [
                    [*_row(one["record"], header, columns), *map(one.get, REJECTED_COLUMNS)]
                    for one in rows
                ],
                schema=schema,
                orient="row",
            ).with_columns(harmless(name) for name in schema if name != "_row")
            shown.write_csv(file, include_header=not number, separator=delimiter)
    path.replace(spool)


def _spooled(spool: Path) -> Iterator[list[dict[str, Any]]]:
    with spool.open("rb") as lines:
        while rows := [orjson.loads(line) for line in islice(lines, _AT_ONCE)]:
            yield rows


def _row(record: str, header: list[str], columns: Mapping[str, str]) -> list[str | None]:
    """Order the cells of a row as the header has them."""
    cells = _cells(record)
    if cells is None:
        return [record, *([None] * (len(header) - 1))]
    named = {columns.get(name, name): value for name, value in cells.items()}
    return [_text(named.get(name)) for name in header]


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()


def _as_parquet(context: JobContext, claims: Sequence[ClaimedFile], spool: Path, name: str) -> bool:
    """
    Take the rows from the file itself, or from what was written of it before under a name.

    Those that a person has corrected come from where they are corrected. False if not all of them
    are anywhere any more.
    """
    path = spool.with_name(f"{spool.name}.file")
    left = pl.read_ndjson(spool, schema=_OWN_SCHEMA)
    found: list[pl.DataFrame] = []
    for key, etag, numbered in _sources(claims, name):
        if left.is_empty():
            break
        try:
            context.bucket.download(key, etag or context.bucket.head(key).etag, path)
            rows = _numbered(pl.scan_parquet(path), written=numbered).join(
                left.lazy(), on="_row", maintain_order="left"
            )
            found.append(rows.select(pl.exclude(REJECTED_COLUMNS), *REJECTED_COLUMNS).collect())
            left = left.join(found[-1], on="_row", how="anti", maintain_order="left")
        except (StorageMissing, StorageChanged, pl.exceptions.PolarsError) as error:
            log.info("rejected.not_written", file=key, reason=type(error).__name__)
    if left.height or not found:
        return False
    whole = pl.concat(found, how="diagonal_relaxed").sort("_row")
    whole.select(pl.exclude(REJECTED_COLUMNS), *REJECTED_COLUMNS).write_parquet(spool)
    return True


def _sources(claims: Sequence[ClaimedFile], name: str) -> Iterator[tuple[str, str, bool]]:
    """Yield where rows of a file may be: key, version, and whether they have their numbers."""
    for claim in reversed(claims):
        if claim.correction:
            yield claim.kept, claim.correction, True
    for claim in claims:
        if not claim.correction:
            yield claim.kept or claim.key, "" if claim.kept else claim.etag, False
    yield claims[0].key, claims[0].etag, False
    yield name, "", True


def _numbered(rows: pl.LazyFrame, *, written: bool) -> pl.LazyFrame:
    """Put beside rows the number that they have in their file, in place of what an answer says."""
    if written:
        number = pl.col("_row").cast(pl.Int64, strict=False)
        numbered = rows.drop("_column", "_reason", strict=False).with_columns(number)
        return numbered.unique("_row", keep="first", maintain_order=True)
    theirs = rows.drop(REJECTED_COLUMNS, strict=False).with_row_index("_row", offset=1)
    return theirs.with_columns(pl.col("_row").cast(pl.Int64))


def _packed(path: Path, key: str) -> Path:
    """Pack a file as its name says."""
    packed = path.with_name(f"{path.name}.packed")
    if key.lower().endswith(".gz"):
        with path.open("rb") as source, gzip.open(packed, "wb", compresslevel=6) as target:
            shutil.copyfileobj(source, target)
    elif key.lower().endswith(".zst"):
        with path.open("rb") as source, pa.CompressedOutputStream(str(packed), "zstd") as target:
            shutil.copyfileobj(source, target)
    else:
        return path
    return packed
