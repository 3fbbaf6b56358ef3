"""Files of corrected rows that lie beside the folder of a job, and that it has yet to take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from exchanger.config.answers import AnswerNames, takes_corrections
from exchanger.errors import StorageDenied, StorageMissing
from exchanger.files.drops import is_drop
from exchanger.notes import Note, noted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exchanger.config.models import ImportJob
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.outside.s3.objects import ObjectInfo
    from exchanger.state.inputs.file_ledger import LedgerSnapshot
    from exchanger.state.runs.log import RunDocument
    from exchanger.state.store import ConnectionState


log = structlog.get_logger()


@dataclass(frozen=True)
class CorrectedFile:
    """
    A file of corrected rows.

    Args:
        item: The file.
        folder: The folder that it lies in, which should be the number of a run.
        run: That run; None if there is none.
        files: The files of which its rows may be.
    """

    item: ObjectInfo
    folder: str
    run: RunDocument | None
    files: Sequence[str]


def awaiting_corrections(
    state: ConnectionState, applied: LedgerSnapshot, jobs: Mapping[str, ImportJob]
) -> set[str]:
    """
    Name the jobs of which rejected rows are kept that a person may correct, and has not by now.

    Only beside their folders is it worth looking often.
    """
    last = {
        name: max(applied.rejecting(name), default=0)
        for name, job in jobs.items()
        if takes_corrections(job)
    }
    gone = state.swept.load().quarantine if any(last.values()) else 0
    return {name for name, seq in last.items() if seq > gone}


def corrected_files(call: ImportContext) -> list[CorrectedFile]:
    """
    List the files of corrected rows that this call has yet to take, in order of arrival.

    The folder is listed only for a job of which rows were rejected, and that shows them to people.
    A call for files of a person's choice takes none. Writes nothing.
    """
    job, applied = call.job, call.state.file_ledger.snapshot()
    chosen = call.options.as_if_new or call.options.saved is not None
    none = chosen or job.delivery.shadow or not job.after.rejected
    if none or not applied.has_rejected(call.name):
        return []
    folder = AnswerNames(job.source.prefix).corrected_rows
    try:
        items = [*call.context.bucket.list(folder)]
    except StorageDenied as error:
        # Keys are often allowed to list no more than the folders that they are for.
        log.warning("corrected.not_listed", folder=folder, error=str(error))
        return []
    listed = [
        item
        for item in items
        if is_drop(item.key, folder, "**", call.context.state_prefix, item.size)
    ]
    known = applied.latest(call.name, [item.key for item in listed]) if listed else {}
    new = [
        item
        for item in listed
        if (item.key not in known or known[item.key].etag != item.etag)
        and (item.key, item.etag) not in call.taken
    ]
    in_turn = sorted(new, key=lambda item: item.last_modified)
    found = (corrected_file(call, item) for item in in_turn)
    return [each for each in found if _is_ours(call, each)]


def note_corrected(waiting: Sequence[CorrectedFile]) -> list[Note]:
    """Note that files of corrected rows are taken by the next run, before all others."""
    files = [each.item.key for each in waiting]
    return [noted("corrections_wait", file=files[0], files=len(files))] if files else []


def corrected_file(call: ImportContext, item: ObjectInfo) -> CorrectedFile:
    """Find what a file of corrected rows is about, by its name."""
    names = AnswerNames(call.job.source.prefix, call.name)
    folder, files = names.corrected_in(item.key)
    run = None
    if folder.isdecimal() and int(folder):
        try:
            run = call.state.runs.read(int(folder)).document
        except StorageMissing:
            run = None
    if run is not None:  # Of a long name not all is there.
        files += [file.key for file in run.files if names.stands_for(item.key, run.seq, file.key)]
    return CorrectedFile(item, folder, run, [*dict.fromkeys(files)])


def _is_ours(call: ImportContext, file: CorrectedFile) -> bool:
    """Return whether no other job of the same folder has run what a file is about."""
    if file.run is None or file.run.job == call.name:
        return True
    readers = call.context.folders.readers
    return all(one.job != file.run.job or one.prefix != call.job.source.prefix for one in readers)
