"""Fetches the files of a run, small ones several ahead, each as the version that was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from typing import TYPE_CHECKING

from exchanger.errors import FileRejected, StorageError
from exchanger.files.formats.read import RawTable, read_table
from exchanger.files.scratch.prefetch import prefetch_several
from exchanger.jobs.reading.corrected_rows import place_rows
from exchanger.profiles.reading.field_columns import fed_by

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from pathlib import Path

    from exchanger.files.scratch.spill import Scratch
    from exchanger.jobs.intake.requests import FileRequest, PlacedRows
    from exchanger.jobs.runtime.import_context import ImportContext

_THREADS = 8
_ROOM = 64 << 20
"""Bytes that are fetched ahead; the scratch folder has to have room for them."""


@dataclass(frozen=True)
class FetchedFile:
    """
    One file on this machine, or why it is not.

    Args:
        request: What was asked for.
        path: Where it is.
        sha256: Of its content.
        error: Why it could not be read.
    """

    request: FileRequest
    path: Path
    sha256: str = ""
    error: StorageError | None = None


@dataclass(frozen=True)
class ReadFile:
    """
    One file as a table, or why it is none.

    Args:
        request: What was asked for.
        sha256: Of its content; empty if that could not be read.
        table: Its content.
        error: Why there is no table: it could not be fetched, or cannot be used.
        placed: What its rows stand for, if a person has corrected them.
    """

    request: FileRequest
    sha256: str = ""
    table: RawTable | None = None
    error: StorageError | FileRejected | None = None
    placed: PlacedRows | None = None


def fetched_files(
    call: ImportContext, requests: Sequence[FileRequest], folder: Path
) -> Generator[FetchedFile]:
    """
    Fetch files, in order.

    Args:
        call: The job.
        requests: The files.
        folder: Where they are put. Each is removed by whoever has read it.
    """
    numbers = count()

    def fetch(request: FileRequest) -> FetchedFile:
        path = folder / f"file-{next(numbers)}"
        try:
            return FetchedFile(request, path, _download(call, request, path))
        except StorageError as error:
            return FetchedFile(request, path, error=error)

    return prefetch_several(fetch, requests, _size, threads=_THREADS, room=_ROOM)


def read_fetched(
    call: ImportContext, file: FetchedFile, scratch: Scratch, layout: Mapping[str, str]
) -> ReadFile:
    """
    Read a fetched file as a table, and remove it.

    Args:
        call: The job.
        file: The file.
        scratch: Where its rows are kept.
        layout: How the CSV before it was written.
    """
    try:
        if file.error is not None:
            return ReadFile(file.request, error=file.error)
        request, source = file.request, call.job.source
        key = request.kept if request.correction else request.key
        if file.request.content is not None:
            source = source.model_copy(update={"format": "ndjson"})
        table = read_table(
            file.path, key, source, scratch=scratch, kept=layout, expected=fed_by(call.job)
        )
        table, request, placed = place_rows(table, request, file.sha256)
    except FileRejected as error:
        return ReadFile(file.request, file.sha256, error=error)
    finally:
        file.path.unlink(missing_ok=True)
    return ReadFile(request, file.sha256, table, placed=placed)


def _size(request: FileRequest) -> int:
    # Of unknown size, one is fetched while the one before is worked on.
    return _ROOM // 2 if request.size is None else request.size


def _download(call: ImportContext, request: FileRequest, path: Path) -> str:
    bucket = call.context.bucket
    if request.content is not None:
        path.write_bytes(request.content)
        return sha256(request.content).hexdigest()
    if request.correction is not None:
        return bucket.download(request.kept, request.correction.etag, path)
    if request.kept:
        return bucket.download(request.kept, bucket.head(request.kept).etag, path)
    return bucket.download(request.key, request.etag, path)
