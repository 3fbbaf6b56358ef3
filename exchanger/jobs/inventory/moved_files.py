"""
Files that earlier runs of a job have taken and moved: a backfill reads them as if they lay there.

The documents of these runs say which they are, and when each arrived. The newest version of a name
goes on under that name. Those before it, and all of a name that was dropped anew, go under the
names that they have by now: as other files, of which sums know that their content was counted.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from exchanger.files.scratch.prefetch import prefetch_several
from exchanger.outside.s3.objects import ObjectInfo

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.state.inputs.file_ledger import LedgerSnapshot
    from exchanger.state.runs.log import ClaimedFile, RunDocument

_THREADS = 16
"""Run documents that are read at once."""


@dataclass(frozen=True)
class MovedFile(ObjectInfo):
    """
    A file version that a run has moved, as it was when it was dropped.

    Args:
        dropped_as: The name under which it was dropped.
        kept: Where it lies.
    """

    dropped_as: str = ""
    kept: str = ""


def moved_files(
    call: ImportContext, applied: LedgerSnapshot, there: Mapping[str, ObjectInfo]
) -> tuple[list[MovedFile], list[str]]:
    """
    Find what runs of a job have moved, if it moves files.

    Args:
        call: The job.
        applied: What became of files.
        there: What lies in its folder, by key.

    Returns:
        The files, and the names of those that are not where they were moved to any more.
    """
    if not call.job.after.moves:
        return [], []
    claims: dict[str, tuple[ClaimedFile, RunDocument]] = {}
    for run in _runs(call, applied):
        for file in run.files:
            if file.outcome == "applied" and file.moved_to:
                claims.setdefault(file.moved_to, (file, run))
    latest = applied.latest(call.name, {file.key for file, _ in claims.values()})
    sizes = _sizes(call, [run for _, run in claims.values()])
    found, missing = [], []
    for place, (file, run) in claims.items():
        if file.key in there and there[file.key].etag == file.etag:
            continue  # It was dropped again, and lies there.
        if place not in sizes:
            missing.append(place)
            continue
        known = latest.get(file.key)
        goes_on = known is not None and known.etag == file.etag and file.key not in there
        key = file.key if goes_on else place
        arrived = file.arrived_at or datetime.fromisoformat(run.created_at)
        found.append(MovedFile(key, file.etag, sizes[place], arrived, None, file.key, place))
    return found, missing


def _runs(call: ImportContext, applied: LedgerSnapshot) -> Iterator[RunDocument]:
    """Read the runs of a job that have applied files, in order."""
    read = prefetch_several(
        lambda seq: call.state.runs.read(seq).document,
        applied.runs_that_applied(call.name),
        lambda _: 1,
        threads=_THREADS,
        room=2 * _THREADS,
    )
    with closing(read) as documents:
        yield from documents


def _sizes(call: ImportContext, runs: list[RunDocument]) -> dict[str, int]:
    """List the folders into which runs have moved files; returns how large what lies there is."""
    roots = {run.after["move_to"] or run.after["prefix"] for run in runs if run.after}
    return {item.key: item.size for root in roots for item in call.context.bucket.list(root)}
