"""Which files of a job wait to be read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING

from exchanger.files.drops import is_drop, natural_order
from exchanger.jobs.history.held_runs import HeldRun, held_runs
from exchanger.jobs.inventory.corrected_jobs import AS_NEW, DOUBTFUL, GUARDED, corrected_runs
from exchanger.jobs.inventory.left_over import LeftFiles, by_run
from exchanger.jobs.runtime.import_context import ImportContext
from exchanger.jobs.runtime.options import ImportOptions
from exchanger.jobs.runtime.recognition import recognise
from exchanger.state.inputs.file_ledger import WAITING, KnownVersion
from exchanger.state.inputs.left_over import left_over
from exchanger.state.runs.log import ENDED
from exchanger.state.store import open_state

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from exchanger.config.models import ImportJob
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.outside.s3.bucket import ObjectInfo
    from exchanger.state.inputs.file_ledger import LedgerSnapshot
    from exchanger.state.inputs.left_over import LeftOver


_AT_ONCE = 10_000
"""Keys of a listing of which is asked at once what is known."""
_UNKNOWN = KnownVersion("", "", 0)


@dataclass(frozen=True)
class WaitingFiles:
    """
    What a listing showed.

    Args:
        files: To be read now, in order of arrival; of one second, in the natural order of names.
        held: Keys that wait for a person, with the run that was held back for them.
        undecided: All runs of the job that were held back and wait.
        doubtful: The keys among *held* that wait because of the type of a column.
        guarded: The keys among *held* that wait because of what a guard says.
        left: Keys that lie there as an earlier run has read them, of which something was not taken.
        strays: Files that lie there and that no job takes.
        seen: All that there is something to say of: files that were new to this call, whether it
            has taken them by now or not, files that wait, those of *left*, and *strays*.
    """

    files: list[ObjectInfo]
    held: dict[str, int]
    undecided: list[int]
    doubtful: set[str] = field(default_factory=set)
    guarded: set[str] = field(default_factory=set)
    left: dict[str, LeftOver] = field(default_factory=dict)
    strays: list[ObjectInfo] = field(default_factory=list)
    seen: list[ObjectInfo] = field(default_factory=list)


LISTED_JUST_NOW = 5.0
"""Seconds for which a first look into a folder may stand for the listing of the run after it."""


def waiting_files(call: ImportContext, *, again: bool = True) -> WaitingFiles:
    """
    List the files of a job that this call has yet to take.

    A file is new if its latest version known to the job has another ETag. There is none for a call
    that is to take one run only and has taken it. Writes nothing.

    Which files were applied is always looked up. An older listing of the folder costs nothing but
    a file that came a moment ago: each is read by its exact version, and one that is gone by then
    is told as such.

    Args:
        call: The job.
        again: Whether to list the folder even if this call did so a moment ago.
    """
    listing, now = call.listing, call.context.clock.monotonic()
    over = bool(call.options.one_run and call.taken)
    if over or (not again and now < listing.usable_until):
        listed: Iterable[ObjectInfo] = listing.files
        listing.usable_until = 0.0
    else:
        listed = call.context.bucket.list(call.job.source.prefix)
        # Only a look before anything is taken: what comes during a run is taken after it.
        listing.usable_until = now + LISTED_JUST_NOW if again else 0.0
    found = _found(call, call.state.file_ledger.snapshot(), listed)
    listing.files = found.seen
    return replace(found, files=[]) if over else found


@dataclass(frozen=True)
class Backlog:
    """
    What waits on a connection.

    Args:
        files: For each job asked for, how many files wait to be read.
        unfinished: The job of the run that the next start will go on with; empty if there is none.
        held: For each job asked for, the runs that wait for a person.
        left: For each job asked for, files of which a run did not take all.
        strays: Files in the folders of these jobs that no job takes.
    """

    files: dict[str, int]
    unfinished: str = ""
    held: dict[str, list[HeldRun]] = field(default_factory=dict)
    left: dict[str, list[LeftFiles]] = field(default_factory=dict)
    strays: list[ObjectInfo] = field(default_factory=list)


def backlog(context: JobContext, jobs: Mapping[str, ImportJob]) -> Backlog:
    """
    Count the files that wait for jobs, and name the runs that wait for a person. Writes nothing.

    Each folder is listed once, however many jobs read it.

    Raises:
        WorkspaceDiffers: What the state remembers is of another workspace.
        StorageError: S3 refused or did not answer.
    """
    state = open_state(context.bucket, context.state_prefix)
    recognise(context, state)
    newest = state.runs.newest()
    applied = state.file_ledger.snapshot()
    folders: dict[str, list[ObjectInfo]] = {}
    found: dict[str, WaitingFiles] = {}
    for name, job in jobs.items():
        if job.source.prefix not in folders:
            folders[job.source.prefix] = list(context.bucket.list(job.source.prefix))
        call = ImportContext(context, state, name, job, ImportOptions())
        found[name] = _found(call, applied, folders[job.source.prefix])
    ended = newest is None or newest.document.state in ENDED
    held = {name: held_runs(state, applied, name) for name in jobs}
    return Backlog(
        {name: len(waiting.files) for name, waiting in found.items()},
        "" if ended or newest is None else newest.document.job,
        held,
        {name: by_run(waiting.left) for name, waiting in found.items()},
        [*{item.key: item for each in found.values() for item in each.strays}.values()],
    )


def _found(
    call: ImportContext, applied: LedgerSnapshot, listed: Iterable[ObjectInfo]
) -> WaitingFiles:
    options = call.options
    files: list[ObjectInfo] = []
    held: dict[str, int] = {}
    seen: list[ObjectInfo] = []
    in_doubt: set[str] = set()
    guarded: set[str] = set()
    left: dict[str, LeftOver] = {}
    strays: list[ObjectInfo] = []
    undecided = applied.undecided(call.name)
    not_taken = left_over(applied, call.name)
    # A run plans them again by themselves, before it takes any file.
    again = set() if call.record else {*corrected_runs(call, undecided)}
    for item, (etag, outcome, seq) in _with_versions(call, applied, listed, strays):
        known = etag == item.etag
        waits = known and outcome in WAITING
        # A file that waits is not taken as if new either: its sums would be forgotten.
        doubtful = outcome == DOUBTFUL
        forced = options.force and outcome not in AS_NEW
        chosen = forced if waits else options.as_if_new or not known
        if waits and doubtful and seq in again:
            chosen = True
        wanted = chosen and in_range(item, options)
        taken = (item.key, item.etag) in call.taken
        lies_there = known and item.key in not_taken
        if wanted or waits or lies_there:
            seen.append(item)
        if wanted and not taken:
            files.append(item)
        elif waits:
            held[item.key] = seq
            if doubtful:
                in_doubt.add(item.key)
            if outcome == GUARDED:
                guarded.add(item.key)
        elif lies_there and not taken:
            left[item.key] = not_taken[item.key]
    told = [*seen, *strays]
    return WaitingFiles(in_order(files), held, undecided, in_doubt, guarded, left, strays, told)


def _with_versions(
    call: ImportContext,
    applied: LedgerSnapshot,
    listed: Iterable[ObjectInfo],
    strays: list[ObjectInfo],
) -> Iterator[tuple[ObjectInfo, KnownVersion]]:
    """
    Put beside each file of a job the latest version that the job knows of its key.

    Files that no job takes are added to *strays*.
    """
    drops = _drops(call, listed, strays)
    while some := [*islice(drops, _AT_ONCE)]:
        latest = applied.latest(call.name, [item.key for item in some])
        for item in some:
            yield item, latest.get(item.key, _UNKNOWN)


def in_order(files: Iterable[ObjectInfo]) -> list[ObjectInfo]:
    """
    Return files as they are to be read: as they arrived, and of one second by their names.

    S3 itself tells no more than the second. A store that does is taken at the second too, so that
    the same files come out alike everywhere.
    """
    return sorted(
        files, key=lambda item: (item.last_modified.replace(microsecond=0), natural_order(item.key))
    )


def _drops(
    call: ImportContext, listed: Iterable[ObjectInfo], strays: list[ObjectInfo]
) -> Iterator[ObjectInfo]:
    source = call.job.source
    folders = call.context.folders.of(source.prefix)
    for item in listed:
        if is_drop(item.key, source.prefix, source.pattern, call.context.state_prefix):
            yield item
        elif folders.is_stray(item.key, item.size):
            strays.append(item)


def in_range(item: ObjectInfo, options: ImportOptions) -> bool:
    """Return whether a file is in the range that a call is for; without one, all are."""
    return (
        (options.since is None or item.last_modified >= options.since)
        and (options.until is None or item.last_modified < options.until)
        and (options.prefix is None or item.key.startswith(options.prefix))
    )
