"""Of a job whose newest file counts alone: which that is, and what becomes of those before it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from exchanger.files.drops import natural_order
from exchanger.notes import noted
from exchanger.state.runs.log import ClaimedFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.outside.s3.bucket import ObjectInfo

Place = tuple[datetime, tuple[list[tuple[str, int]], str]]
"""Where a file stands among others: when it arrived, and of one second by its name."""


class LastApplied(NamedTuple):
    """The file that counts alone, as it was applied last, and the run that applied it."""

    key: str
    run: int
    place: Place | None


def place_of(key: str, arrived: datetime) -> Place:
    """
    Return where a file stands in the order in which files are read.

    S3 itself tells no more than the second. A store that does is taken at the second too, so that
    the same files come out alike everywhere.
    """
    return arrived.replace(microsecond=0), natural_order(key)


def last_applied(call: ImportContext) -> LastApplied | None:
    """Find the file that a job applied last, if its newest one counts alone."""
    run = None
    if call.job.source.is_snapshot:
        known = call.state.members.of(call.name)
        run = None if known is None else known.run
    elif call.job.source.newest_alone:
        seq = call.state.file_ledger.snapshot().last_run(call.name)
        run = None if seq is None else call.state.runs.read(seq).document
    if run is None:
        return None
    file = next(file for file in run.files if file.outcome == "applied" and file.rows)
    return LastApplied(file.key, run.seq, claimed_place(file))


def claimed_place(file: ClaimedFile) -> Place | None:
    """Return where a file stands that a run has claimed; None if nobody knows when it arrived."""
    return None if file.arrived_at is None else place_of(file.key, file.arrived_at)


def overtaken(call: ImportContext, place: Place | None) -> LastApplied | None:
    """
    Return the file that a job applied last, if it counts alone and came after another file.

    An older snapshot is not the truth of today: whom it lacks may have come since, and whom it
    names may have left.
    """
    last = last_applied(call)
    if last is None or last.place is None or place is None:
        return None
    return last if place < last.place else None


def superseded(
    new: Sequence[ObjectInfo], in_order: Sequence[ObjectInfo]
) -> tuple[list[ObjectInfo], list[ObjectInfo]]:
    """
    Part new files into the newest of all, if it is one of them, and those before it.

    Args:
        new: Files that a run would take.
        in_order: All files that count, those that are known included, in the order of arrival;
            none if each counts for itself.
    """
    newest = in_order[-1:]
    if not newest:
        return [*new], []
    return [item for item in new if item in newest], [item for item in new if item not in newest]


def claims_of(older: Iterable[ObjectInfo], newest: str) -> Iterator[ClaimedFile]:
    """Iterate over claims of files that are not read, as file *newest* counts alone."""
    facts = (noted("newer_file_counts", newest=newest),)
    for file in older:
        yield ClaimedFile(file.key, file.etag, "", "superseded", facts=facts)
