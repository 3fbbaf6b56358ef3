"""Reads as many files as one run takes, each by its exact version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchanger.errors import (
    Stopped,
    StorageChanged,
    StorageDenied,
    StorageMissing,
    StorageUnreadable,
)
from exchanger.files.scratch.spill import Scratch
from exchanger.jobs.intake.batch import InputBatch
from exchanger.jobs.intake.deduplication import say_what_added_nothing
from exchanger.jobs.intake.doubtful_types import stray_in_words, undecided_words_apart
from exchanger.jobs.intake.requests import HeldFile
from exchanger.jobs.intake.stage import StagedFile, cast_file, stage_file
from exchanger.jobs.intake.unreadable import is_about_one_file, is_denied, why_unreadable
from exchanger.jobs.runtime.report import named
from exchanger.profiles.frames.columns import PROFILE, ROW_ID

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exchanger.jobs.intake.requests import FileRequest
    from exchanger.jobs.runtime.import_context import ImportContext


_MANY = 10
"""If so many files in a row are denied before any could be read, it is not about single files."""


def read_files(call: ImportContext, requests: Sequence[FileRequest]) -> InputBatch:
    """
    Read as many files as one run takes, each by its exact version.

    Types are settled over all of them first, so that a later file may widen a type before any is
    cast. A file that S3 has and does not give out is left for another run.

    Raises:
        StorageError: No file could be read; nothing was claimed.
        Stopped: The process was asked to stop; nothing was claimed.
    """
    return _read(call, requests, call.job.max_rows_per_run, without_all=True)


def read_every_file(call: ImportContext, requests: Sequence[FileRequest]) -> InputBatch:
    """
    Read files however many rows they have.

    Raises:
        StorageError: As for *read_files*.
        Stopped: As for *read_files*.
    """
    return _read(call, requests, None)


def _read(
    call: ImportContext,
    requests: Sequence[FileRequest],
    most: int | None,
    *,
    without_all: bool = False,
) -> InputBatch:
    before = applied = call.state.file_ledger.snapshot()
    scratch = Scratch(call.context.workdir, call.context.bounds)
    kept = undecided_words_apart(call)
    key = ROW_ID if call.job.row_id else PROFILE
    batch = InputBatch(scratch, key, types=kept.types, words=kept.words)
    opened: list[StagedFile] = []
    call.context.progress.step("reading files", len(requests))
    for request in requests:
        if most is not None and batch.rows >= most:
            break
        if call.context.stopping.is_set():
            raise Stopped
        call.context.progress.advance(1)
        try:
            file = stage_file(call, request, len(opened), applied, batch)
        except (StorageChanged, StorageMissing):
            # Between the listing and now it was replaced or deleted: the next run sees what is so.
            batch.gone.append((request.key, request.etag))
            continue
        except (StorageDenied, StorageUnreadable) as error:
            for_all = is_denied(error) and not opened and len(batch.unreadable) >= _MANY
            if not without_all or for_all or not is_about_one_file(error):
                raise
            batch.unreadable[request.key, request.etag] = why_unreadable(error)
            continue
        if isinstance(file, HeldFile):
            batch.waiting.append(file)
            continue
        applied = applied.with_file(call.name, file.claim)
        opened.append(file)
    passed = len(batch.waiting) + len(batch.gone) + len(batch.unreadable)
    batch.left = len(requests) - len(opened) - passed
    batch.notes += [
        f"{key} was replaced or deleted while it was read. The next run takes what is there."
        for key, _ in batch.gone
    ]
    batch.notes += say_what_added_nothing(call, batch.set_before)
    batch.notes += _say_what_was_left_out(batch.left_out)
    batch.notes += stray_in_words(batch)
    widest = max((len(file.rules) for file in opened), default=0)
    size = sum(file.table.cells.size for file in opened if file.table)
    batch.part(scratch.bounds.shares(batch.rows, widest, size))
    for position, file in enumerate(opened):
        cast_file(call, position, file, before, batch)
    return batch


def _say_what_was_left_out(left_out: Mapping[tuple[str, ...], Sequence[str]]) -> list[str]:
    return [
        f"{named(keys)}: {_columns(columns)} left out. {why}"
        for (why, *columns), keys in left_out.items()
    ]


def _columns(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"column {names[0]!r} was"
    return f"columns {', '.join(repr(name) for name in names)} were"


def read_all_files(call: ImportContext, requests: Sequence[FileRequest]) -> InputBatch:
    """
    Read files of which none may be missing, however many rows they have.

    Raises:
        StorageMissing: One was replaced or deleted a moment ago; nothing was claimed.
        StorageError: As for *read_files*.
    """
    batch = read_every_file(call, requests)
    for key, _ in batch.gone:
        raise StorageMissing("read", call.context.bucket.name, key)
    return batch
