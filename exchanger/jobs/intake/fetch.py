"""Fetches the files of a run, small ones several ahead, each as the version that was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from exchanger.errors import FileRejected, StorageError
from exchanger.files.formats.read import RawTable, read_table
from exchanger.files.scratch.prefetch import prefetch_several

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from exchanger.files.scratch.spill import Scratch
    from exchanger.jobs.intake.requests import FileRequest
    from exchanger.jobs.runtime.call import ImportContext

_THREADS = 8
_ROOM = 64 << 20
"""Bytes that are fetched ahead; the scratch folder has to have room for them."""


@dataclass(frozen=True)
class FetchedFile:
    """
    One file on this machine, or why it is not.

    Args:
        intake: What was asked for.
        path: Where it is.
        sha256: Of its content.
        error: Why it could not be read.
    """

    intake: FileRequest
    path: Path
    sha256: str = ""
    error: StorageError | None = None


@dataclass(frozen=True)
class ReadFile:
    """
    One file as a table, or why it is none.

    Args:
        intake: What was asked for.
        sha256: Of its content; empty if that could not be read.
        table: Its content.
        error: Why there is no table: it could not be fetched, or cannot be used.
    """

    intake: FileRequest
    sha256: str = ""
    table: RawTable | None = None
    error: StorageError | FileRejected | None = None


def fetched_files(
    call: ImportContext, intakes: Sequence[FileRequest], folder: Path
) -> Generator[FetchedFile]:
    """
    Fetch files, in order.

    Args:
        call: The job.
        intakes: The files.
        folder: Where they are put. Each is removed by whoever has read it.
    """
    numbers = count()

    def fetch(intake: FileRequest) -> FetchedFile:
        path = folder / f"file-{next(numbers)}"
        try:
            return FetchedFile(intake, path, _download(call, intake, path))
        except StorageError as error:
            return FetchedFile(intake, path, error=error)

    return prefetch_several(fetch, intakes, _size, threads=_THREADS, room=_ROOM)


def read_fetched(call: ImportContext, file: FetchedFile, shelf: Scratch) -> ReadFile:
    """Read a fetched file as a table, and remove it."""
    try:
        if file.error is not None:
            return ReadFile(file.intake, error=file.error)
        table = read_table(file.path, file.intake.key, call.job.source, shelf=shelf)
    except FileRejected as error:
        return ReadFile(file.intake, file.sha256, error=error)
    finally:
        file.path.unlink(missing_ok=True)
    return ReadFile(file.intake, file.sha256, table)


def _size(intake: FileRequest) -> int:
    # Of unknown size, one is fetched while the one before is worked on.
    return _ROOM // 2 if intake.size is None else intake.size


def _download(call: ImportContext, intake: FileRequest, path: Path) -> str:
    bucket = call.world.bucket
    if intake.kept:
        return bucket.download(intake.kept, bucket.head(intake.kept).etag, path)
    return bucket.download(intake.key, intake.etag, path)
