"""Which files of a job wait to be read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import islice
from shlex import quote
from typing import TYPE_CHECKING

from exchanger.errors import NothingToBackfill
from exchanger.files.folders import NO_DATA, STRAY, reader_of
from exchanger.jobs.history.held_runs import HeldRun, held_runs
from exchanger.jobs.inventory.completeness import Incomplete, incomplete
from exchanger.jobs.inventory.corrected_jobs import AS_NEW, DOUBTFUL, GUARDED, corrected_runs
from exchanger.jobs.inventory.corrections import (
    CorrectedFile,
    awaiting_corrections,
    corrected_files,
)
from exchanger.jobs.inventory.former_answers import FormerAnswers
from exchanger.jobs.inventory.latest import last_applied, overtaken, place_of, superseded
from exchanger.jobs.inventory.left_over import LeftFiles, by_run
from exchanger.jobs.inventory.moved_files import MovedFile, moved_files
from exchanger.jobs.inventory.unclaimed import PassedOver, passed_over
from exchanger.jobs.runtime.import_context import ImportContext
from exchanger.jobs.runtime.options import ImportOptions
from exchanger.jobs.runtime.recognition import recognise
from exchanger.state.inputs.file_ledger import WAITING, KnownVersion
from exchanger.state.inputs.left_over import left_over
from exchanger.state.runs.log import ENDED
from exchanger.state.store import open_state

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from exchanger.config.models import ImportJob
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.outside.s3.bucket import ObjectInfo
    from exchanger.state.inputs.file_ledger import LedgerSnapshot
    from exchanger.state.inputs.left_over import LeftOver
    from exchanger.state.store import ConnectionState


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
        passed_over: Objects that lie there and are no data.
        incomplete: New files that are left for a later run, as they are not complete.
        superseded: New files that are left out for good, as *newest* counts alone.
        newest: The newest file of all, if it counts alone.
        moved_away: Files that were moved once they had been taken, and that a backfill does not
            find where they were moved to.
        seen: All that there is something to say of: files that were new to this call, whether it
            has taken them by now or not, files that wait, those of *left*, *strays*, what was
            passed over, and what tells which files are complete.
    """

    files: list[ObjectInfo]
    held: dict[str, int]
    undecided: list[int]
    doubtful: set[str] = field(default_factory=set)
    guarded: set[str] = field(default_factory=set)
    left: dict[str, LeftOver] = field(default_factory=dict)
    strays: list[ObjectInfo] = field(default_factory=list)
    passed_over: list[ObjectInfo] = field(default_factory=list)
    incomplete: list[Incomplete] = field(default_factory=list)
    superseded: list[ObjectInfo] = field(default_factory=list)
    newest: str = ""
    moved_away: list[str] = field(default_factory=list)
    seen: list[ObjectInfo] = field(default_factory=list)

    @property
    def has_work(self) -> bool:
        """Whether a run would do something: read files, or record that some are left out."""
        return bool(self.files or self.superseded)


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
    applied = call.state.file_ledger.snapshot()
    missing: list[str] = []
    if call.options.as_if_new and listed is not listing.files:
        there = {item.key: item for item in listed}
        moved, missing = moved_files(call, applied, there)
        listed = [*there.values(), *moved]
    found = replace(_found(call, applied, listed), moved_away=missing)
    listing.files, listing.incomplete = found.seen, len(found.incomplete)
    return replace(found, files=[], superseded=[]) if over else found


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
        passed_over: For each job asked for, the objects in its folder that are no data.
        incomplete: For each job asked for, the files that are not complete yet.
        corrected: For each job asked for, the files of corrected rows among those that wait.
        awaiting: Jobs of which rejected rows wait to be corrected.
    """

    files: dict[str, int]
    unfinished: str = ""
    held: dict[str, list[HeldRun]] = field(default_factory=dict)
    left: dict[str, list[LeftFiles]] = field(default_factory=dict)
    strays: list[ObjectInfo] = field(default_factory=list)
    passed_over: dict[str, list[PassedOver]] = field(default_factory=dict)
    incomplete: dict[str, list[Incomplete]] = field(default_factory=dict)
    corrected: dict[str, list[CorrectedFile]] = field(default_factory=dict)
    awaiting: set[str] = field(default_factory=set)


def backlog(context: JobContext, jobs: Mapping[str, ImportJob]) -> Backlog:
    """
    Count the files that wait for jobs, and name the runs that wait for a person. Writes nothing.

    Each folder is listed once, however many jobs read it.

    Raises:
        WorkspaceDiffers: What the state remembers is of another workspace.
        StorageError: S3 refused or did not answer.
    """
    state = open_state(context.bucket, context.state_prefix)
    with state.tenure.begun():
        return _backlog(context, state, jobs)


def _backlog(context: JobContext, state: ConnectionState, jobs: Mapping[str, ImportJob]) -> Backlog:
    recognise(context, state)
    newest = state.runs.newest()
    applied = state.file_ledger.snapshot()
    folders: dict[str, list[ObjectInfo]] = {}
    found: dict[str, WaitingFiles] = {}
    corrected: dict[str, list[CorrectedFile]] = {}
    for name, job in jobs.items():
        if job.source.prefix not in folders:
            folders[job.source.prefix] = list(context.bucket.list(job.source.prefix))
        call = ImportContext(context, state, name, job, ImportOptions())
        found[name] = _found(call, applied, folders[job.source.prefix])
        corrected[name] = corrected_files(call)
    ended = newest is None or newest.document.state in ENDED
    held = {name: held_runs(state, applied, name) for name in jobs}
    return Backlog(
        {name: len(waiting.files) + len(corrected[name]) for name, waiting in found.items()},
        "" if ended or newest is None else newest.document.job,
        held,
        {name: by_run(waiting.left) for name, waiting in found.items()},
        [*{item.key: item for each in found.values() for item in each.strays}.values()],
        {name: passed_over(context.folders, each.passed_over) for name, each in found.items()},
        {name: each.incomplete for name, each in found.items()},
        corrected,
        awaiting_corrections(state, applied, jobs),
    )


def _could_not_read(
    call: ImportContext, applied: LedgerSnapshot, in_turn: Sequence[ObjectInfo]
) -> bool:
    """Return whether this call has tried the newest file, and S3 did not give it out."""
    return any(
        (item.key, item.etag) in call.taken and not applied.knows(item.key, item.etag)
        for item in in_turn[-1:]
    )


def _not_overtaken(
    call: ImportContext, left: dict[str, LeftOver], seen: Sequence[ObjectInfo]
) -> dict[str, LeftOver]:
    """Leave out what is left of older snapshots: a newer one says it all, so none is retried."""
    last = last_applied(call) if left and call.job.source.is_snapshot else None
    if last is None or last.place is None:
        return left
    older = {item.key for item in seen if place_of(item.key, item.last_modified) < last.place}
    return {key: rest for key, rest in left.items() if key not in older}


def _newest_alone(
    call: ImportContext, ready: list[ObjectInfo], in_turn: Sequence[ObjectInfo]
) -> tuple[list[ObjectInfo], list[ObjectInfo], str]:
    """
    Part files into those to be read, and those left out as a newer one counts alone; name that one.

    Raises:
        NothingToBackfill: A person has asked for a snapshot that came before the one applied last.
    """
    ready, older = superseded(ready, in_turn)
    newest = in_turn[-1].key if in_turn else ""
    asked_for = call.options.as_if_new and not call.job.source.is_snapshot
    for file in [] if asked_for else ready[-1:]:
        last = overtaken(call, place_of(file.key, file.last_modified))
        if last is None:
            continue
        if not call.options.as_if_new:
            return [], [*older, *ready], last.key
        detail = (
            f"{file.key} came before {last.key}, which run {last.run} applied, and the newest "
            "snapshot alone says who is there. To make the older one the truth, drop it anew"
        )
        again = f"exchanger backfill {call.name} --prefix {quote(last.key)}"
        raise NothingToBackfill(call.name, detail, f"What Braze should have: {again}")
    return ready, older, newest


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
    others = _Others()
    latest = call.job.source.newest_alone
    counted: list[ObjectInfo] = []
    undecided = applied.undecided(call.name)
    not_taken = left_over(applied, call.name)
    # A run plans them again by themselves, before it takes any file.
    again = set() if call.record else {*corrected_runs(call, undecided)}
    for item, (etag, outcome, seq) in _with_versions(call, applied, listed, others):
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
        if latest and (wanted or not options.as_if_new):
            counted.append(item)
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
    # What was taken before was complete, whatever lies beside its old place by now.
    dropped = [item for item in files if not isinstance(item, MovedFile)]
    not_yet = incomplete(call, dropped, others.signs, others.there)
    unready = {one.item.key for one in not_yet}
    ready = in_order(item for item in files if item.key not in unready)
    in_turn = in_order(item for item in counted if item.key not in unready)
    ready, older, newest = _newest_alone(call, ready, in_turn)
    told = {id(item): item for item in (*seen, *others.all, *others.there.values())}
    return WaitingFiles(
        files=ready,
        held=held,
        undecided=undecided,
        doubtful=in_doubt,
        guarded=guarded,
        left=_not_overtaken(call, left, seen),
        strays=others.strays,
        passed_over=others.passed_over,
        incomplete=not_yet,
        superseded=[] if _could_not_read(call, applied, in_turn) else older,
        newest=newest,
        seen=[*told.values()],
    )


@dataclass(frozen=True)
class _Others:
    """
    What lies in a job's folder and is no file of it.

    Args:
        strays: Files of nobody.
        passed_over: What is no data.
        signs: What says of files that they are complete.
        there: Every object, if manifests name files, or if the newest file counts alone.
    """

    strays: list[ObjectInfo] = field(default_factory=list)
    passed_over: list[ObjectInfo] = field(default_factory=list)
    signs: list[ObjectInfo] = field(default_factory=list)
    there: dict[str, ObjectInfo] = field(default_factory=dict)

    @property
    def all(self) -> list[ObjectInfo]:
        """All but files of the job."""
        return [*self.strays, *self.passed_over, *self.signs]


def _with_versions(
    call: ImportContext,
    applied: LedgerSnapshot,
    listed: Iterable[ObjectInfo],
    others: _Others,
) -> Iterator[tuple[ObjectInfo, KnownVersion]]:
    """
    Put beside each file of a job the latest version that the job knows of its key.

    What is no file of the job is added to *others*.
    """
    drops = _drops(call, listed, others, FormerAnswers(call.state.runs, applied))
    while some := [*islice(drops, _AT_ONCE)]:
        latest = applied.latest(call.name, [item.key for item in some])
        for item in some:
            yield item, latest.get(item.key, _UNKNOWN)


def in_order(files: Iterable[ObjectInfo]) -> list[ObjectInfo]:
    """Return files as they are to be read: as they arrived, and of one second by their names."""
    return sorted(files, key=lambda item: place_of(item.key, item.last_modified))


def _drops(
    call: ImportContext, listed: Iterable[ObjectInfo], others: _Others, former: FormerAnswers
) -> Iterator[ObjectInfo]:
    folders = call.context.folders.of(call.job.source.prefix)
    reader = reader_of(call.name, call.job, call.context.state_prefix, folders.answers)
    rule = call.job.source.complete_when
    all_count = call.job.source.newest_alone or (rule is not None and rule.manifest)
    for item in listed:
        if isinstance(item, MovedFile):
            yield item
            continue
        if all_count:
            others.there[item.key] = item
        if reader.takes(item.key, item.size):
            if not former.has(item.key):
                yield item
            continue
        if reader.is_sign(item.key):
            others.signs.append(item)
            continue
        why = folders.why_not(item.key, item.size)
        if why in NO_DATA:
            others.passed_over.append(item)
        elif why in STRAY and not former.has(item.key):
            others.strays.append(item)


def in_range(item: ObjectInfo, options: ImportOptions) -> bool:
    """Return whether a file is in the range that a call is for; without one, all are."""
    name = item.dropped_as if isinstance(item, MovedFile) else item.key
    return (
        (options.since is None or item.last_modified >= options.since)
        and (options.until is None or item.last_modified < options.until)
        and (options.prefix is None or name.startswith(options.prefix))
    )
