"""Reads as many files as one run takes, each by its exact version."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from exchanger.errors import Stopped, StorageError, StorageMissing
from exchanger.files.scratch.arrow import release_memory
from exchanger.files.scratch.spill import Scratch
from exchanger.jobs.intake.batch import BatchDraft
from exchanger.jobs.intake.doubtful_types import note_stray, undecided_words_apart
from exchanger.jobs.intake.unreadable import is_about_one_file, is_gone
from exchanger.jobs.reading.alike import is_small
from exchanger.jobs.reading.cast import Casting
from exchanger.jobs.reading.fetch import fetched_files, read_fetched
from exchanger.jobs.reading.stage import Staging
from exchanger.notes import Note, noted
from exchanger.profiles.frames.columns import PROFILE, ROW_ID

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

    from exchanger.files.raw.table import ReadAs
    from exchanger.files.scratch.budget import MemoryBudget
    from exchanger.jobs.intake.batch import InputBatch
    from exchanger.jobs.intake.requests import FileRequest
    from exchanger.jobs.reading.fetch import FetchedFile, ReadFile
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.profiles.reading.contract import ColumnChange


_AT_ONCE = 512
"""Small files that are looked at together."""


def read_files(
    call: ImportContext,
    requests: Sequence[FileRequest],
    most: int | None = None,
    *,
    without_all: bool = False,
) -> InputBatch:
    """
    Read files, each by its exact version.

    Types are settled over all of them first, so that a later file may widen a type before any is
    cast.

    Args:
        call: The job.
        requests: The files, in order.
        most: With how many rows no more are read; None for all of them.
        without_all: Leave a file that S3 has and does not give out for another run.

    Raises:
        StorageError: A file could not be read, or none; nothing was claimed.
        Stopped: The process was asked to stop; nothing was claimed.
    """
    scratch = Scratch(call.context.workdir, call.context.bounds)
    kept = undecided_words_apart(call)
    key = ROW_ID if call.job.row_name else PROFILE
    draft = BatchDraft(scratch, key, kept)
    staging = Staging(call, draft, most, without_all=without_all)
    _stage(call, staging, requests, draft)
    if draft.rows > scratch.bounds.rows:
        release_memory()
    passed = len(draft.waiting) + len(draft.gone) + len(draft.unreadable)
    left = len(requests) - len(draft.files) - passed
    _note(call, draft)
    staged = [files for window in staging.windows for files in window]
    widest = max((len(file.rules) for files in staged for file in files.files), default=0)
    shares = scratch.bounds.shares(draft.rows, widest, sum(files.size for files in staged))
    draft.part(max(shares, _shares_of_members(call, scratch.bounds)))
    casting = Casting(call, staging.before, draft)
    for window in staging.windows:
        casting.cast(window)
    return draft.made(left)


def _shares_of_members(call: ImportContext, bounds: MemoryBudget) -> int:
    """Return into how many shares those are parted whom a job of snapshots had before."""
    known = call.state.members.of(call.name) if call.job.source.is_snapshot else None
    return 1 if known is None else bounds.shares(known.count, 1)


def _stage(
    call: ImportContext, staging: Staging, requests: Sequence[FileRequest], draft: BatchDraft
) -> None:
    """Fetch files and decide about them, until the run has as many rows as it takes."""
    call.context.progress.step("reading files", len(requests))
    with (
        TemporaryDirectory(dir=call.context.workdir, prefix="fetched-") as folder,
        closing(fetched_files(call, requests, Path(folder))) as fetched,
        closing(_read_in_turn(call, fetched, draft)) as files,
        closing(_windows(files, staging, draft.scratch.bounds)) as windows,
    ):
        for window in windows:
            staging.take(window)


def _read_in_turn(
    call: ImportContext, fetched: Iterator[FetchedFile], draft: BatchDraft
) -> Generator[ReadFile]:
    """
    Read files as tables.

    Raises:
        Stopped: The process was asked to stop; nothing was claimed.
    """
    for file in fetched:
        if call.context.stopping.is_set():
            raise Stopped
        call.context.progress.advance(1)
        read = read_fetched(call, file, draft.scratch, draft.layout)
        if read.table is not None:
            draft.note_layout(read.request, read.table)
        if read.placed is not None:
            draft.placed[read.request.kept] = read.placed
        yield read


def _windows(
    files: Iterator[ReadFile], staging: Staging, bounds: MemoryBudget
) -> Generator[list[ReadFile]]:
    """Yield files to be decided about together: a large one, or many small ones."""
    window = _Window()
    while staging.room != 0 and (file := next(files, None)) is not None:
        if file.table is not None and not is_small(file.table, bounds):
            if window.files:
                yield window.files
            window = _Window()
            yield [file]
            continue
        window.add(file)
        if window.is_enough(staging.room, bounds):
            yield window.files
            window = _Window()
    if window.files:
        yield window.files


class _Window:
    """Small files that are decided about together."""

    def __init__(self) -> None:
        self.files: list[ReadFile] = []
        self._rows = self._cells = self._size = 0
        self._hopeless = False

    def add(self, file: ReadFile) -> None:
        """Take one more file."""
        self.files.append(file)
        if file.table is not None:
            self._rows += file.table.rows
            self._cells += file.table.rows * file.table.empty.width
            self._size += file.table.cells.size
        error = file.error
        if isinstance(error, StorageError):
            # Where nothing can be read, nothing else is asked for.
            alone = is_gone(error) or is_about_one_file(error)
            self._hopeless = not alone or not self._rows

    def is_enough(self, room: int | None, bounds: MemoryBudget) -> bool:
        """Return whether these should be decided about before others are read."""
        large = self._rows >= bounds.rows or self._cells >= bounds.cells
        full = room is not None and self._rows >= room
        many = len(self.files) >= _AT_ONCE or self._size >= bounds.size
        return large or full or many or self._hopeless


def _note(call: ImportContext, draft: BatchDraft) -> None:
    draft.notes += [noted("changed_while_read", file=key) for key, _ in draft.gone]
    draft.notes += [
        noted("added_nothing", field=name, file=keys[0], files=len(keys), job=call.name)
        for name, keys in draft.set_before.items()
    ]
    draft.notes += _note_how_it_was_read(draft.read_as)
    draft.notes += [
        noted("decimal_commas", file=keys[0], files=len(keys), columns=[*columns])
        for columns, keys in draft.commas.items()
    ]
    draft.notes += [
        noted("columns_left_out", file=keys[0], files=len(keys), columns=columns, why=why)
        for (why, *columns), keys in draft.left_out.items()
    ]
    draft.notes += [_note_change(call, *each) for each in draft.changes.items()]
    draft.notes += note_stray(draft.stray)


def _note_how_it_was_read(read_as: Mapping[ReadAs, Sequence[str]]) -> list[Note]:
    return [
        noted(
            "csv_read_as",
            file=keys[0],
            files=len(keys),
            encoding=told.encoding,
            delimiter=told.delimiter,
            earlier_encoding=told.earlier_encoding,
            earlier_delimiter=told.earlier_delimiter,
        )
        for told, keys in read_as.items()
    ]


def _note_change(call: ImportContext, change: ColumnChange, keys: Sequence[str]) -> Note:
    columns, file, files = [*change.columns], keys[0], len(keys)
    if change.kind == "missing":
        return noted("columns_missing", file=file, files=files, columns=columns)
    if change.kind == "new":
        return noted("columns_new", file=file, files=files, columns=columns)
    return noted(
        "column_retyped",
        file=file,
        files=files,
        column=columns[0],
        kept=change.kept,
        found=change.found,
        rejected=call.job.source.schema_.retyped == "reject_rows",
    )


def read_all_files(call: ImportContext, requests: Sequence[FileRequest]) -> InputBatch:
    """
    Read files of which none may be missing, however many rows they have.

    Raises:
        StorageMissing: One was replaced or deleted a moment ago; nothing was claimed.
        StorageError: As for *read_files*.
    """
    batch = read_files(call, requests)
    for key, _ in batch.gone:
        raise StorageMissing("read", call.context.bucket.name, key)
    return batch
