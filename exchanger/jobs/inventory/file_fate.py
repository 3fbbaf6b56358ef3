"""What became of one file: every version that a run met, and what is to come."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from exchanger.config.answers import AnswerNames
from exchanger.config.findings import closest
from exchanger.errors import StorageError, StorageMissing
from exchanger.files.folders import wider_pattern
from exchanger.jobs.inventory.former_answers import FormerAnswers
from exchanger.jobs.inventory.left_over import is_of_snapshot, takes_corrected
from exchanger.notes import read_notes, without_choices
from exchanger.state.inputs.file_ledger import WAITING
from exchanger.state.inputs.left_over import history, left_over
from exchanger.state.runs.log import ENDED
from exchanger.state.store import open_state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchanger.files.folders import Why
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.outside.s3.bucket import ObjectInfo
    from exchanger.state.inputs.file_ledger import LedgerSnapshot
    from exchanger.state.store import ConnectionState

Stand = Literal["to_be_read", "begun", "held_back", "left_over", "dropped", "superseded", "taken"]
"""
How a job stands to a file: the next run reads it; a run has begun with it; it waits for a person;
something of it can be given again; a person dropped it; it was left out, as a newer file counts
alone; all of it was taken.
"""
_NOTED = 5
"""Runs of which the sentence about the file is read, the newest first."""
LISTED = 20
"""Files that are listed if none is named."""


@dataclass(frozen=True)
class JobStand:
    """
    How a job stands to a file that it takes.

    Args:
        job: The job.
        stand: How it stands to it.
        run: The run that this is about, if there is one.
        left: What is left over, if something is: the file, some of its rows, those of a snapshot,
            or rows that nobody but Braze had something against.
        rejected_rows: The folder of the rows that were rejected, if they can be corrected.
        corrected_rows: That into which they are dropped then.
    """

    job: str
    stand: Stand
    run: int = 0
    left: Literal["", "file", "rows", "snapshot", "refused"] = ""
    rejected_rows: str = ""
    corrected_rows: str = ""


@dataclass(frozen=True)
class FileFate:
    """
    What a connection knows of an object.

    Args:
        key: The object.
        there: As it is in the bucket now; None if it is not there.
        versions: What runs did with its versions, the newest run first.
        jobs: The jobs of the connection that take it.
        others: Jobs of other connections that do.
        why: Why no job takes it, if none does.
        around: The jobs below whose folder it lies, and their patterns.
        nearest: The folder of a job that may have been meant, or the name of an object there.
        pattern: A pattern that would take it as well, if one is known.
        moved_to: Where the version lies that a run has moved last; empty if none has.
    """

    key: str
    there: ObjectInfo | None
    versions: list[dict[str, Any]]
    jobs: list[JobStand]
    others: list[str] = field(default_factory=list)
    why: Why | None = None
    around: dict[str, str] = field(default_factory=dict)
    nearest: str = ""
    pattern: str = ""
    moved_to: str = ""

    @property
    def is_known(self) -> bool:
        """Whether it is there, or ever was as far as is remembered."""
        return self.there is not None or bool(self.versions)

    def to_dict(self) -> dict[str, Any]:
        """Render for ``--json``."""
        there = self.there
        return {
            "key": self.key,
            "in_bucket": there is not None,
            "size": there.size if there else None,
            "last_modified": there.last_modified.isoformat() if there else None,
            "etag": there.etag if there else None,
            "versions": self.versions,
            "jobs": [vars(job) for job in self.jobs],
            "other_jobs": self.others,
            "why": self.why,
            "patterns": self.around,
            "nearest": self.nearest,
            "wider_pattern": self.pattern,
            "moved_to": self.moved_to or None,
        }


def fate_of(context: JobContext, jobs: Sequence[str], key: str) -> FileFate:
    """
    Return which runs took an object and with what result, or why no job takes it. Writes nothing.

    Args:
        context: The outside.
        jobs: The imports of the connection.
        key: The object.

    Raises:
        StorageError: S3 refused or did not answer.
    """
    state = open_state(context.bucket, context.state_prefix)
    applied = state.file_ledger.snapshot()
    there = None
    with suppress(StorageMissing):
        there = context.bucket.head(key)
    folders = context.folders
    size = there.size if there else 1
    takers, why = folders.takers(key, size), folders.why_not(key, size)
    if correcting := folders.correcting(key, size):
        takers, why = correcting, None
    elif FormerAnswers(state.runs, applied).has(key):
        takers, why = [], "ours"
    around = folders.around(key)
    versions = _with_notes(state, history(applied, key), key)
    places = (version["moved_to"] for version in versions[:_NOTED] if version.get("moved_to"))
    fate = FileFate(
        key=key,
        there=there,
        versions=versions,
        jobs=[_stand(state, applied, job, key, there) for job in takers if job in jobs],
        others=[job for job in takers if job not in jobs],
        why=why,
        around={reader.job: reader.pattern for reader in around},
        nearest="" if takers else _nearest(context, key, there),
        pattern=(wider_pattern(key, around) or "") if why == "pattern" else "",
        moved_to=next(places, ""),
    )
    if fate.is_known:
        return fate
    return FileFate(key, None, [], [], why=why, nearest=_nearest(context, key, there))


def recent_files(context: JobContext) -> list[dict[str, Any]]:
    """List what the last runs did with their files, the newest run first."""
    return history(open_state(context.bucket, context.state_prefix).file_ledger.snapshot())[:LISTED]


def _stand(
    state: ConnectionState,
    applied: LedgerSnapshot,
    job: str,
    key: str,
    there: ObjectInfo | None,
) -> JobStand:
    known = applied.latest(job).get(key)
    if there is not None and (known is None or known.etag != there.etag):
        return _new(state, job, key, there)
    if known is None:
        return JobStand(job, "to_be_read")
    left = left_over(applied, job).get(key)
    if left is not None:
        if left.rejected and not left.whole:
            return _rejected_in_part(state, job, left.seq)
        return JobStand(job, "left_over", left.seq, "file" if left.whole else "refused")
    outcome, seq = applied.became(job, key)
    return JobStand(job, _became(outcome), seq)


def _rejected_in_part(state: ConnectionState, job: str, seq: int) -> JobStand:
    """Return how rows that a run rejected of a file can be given, by what it kept of its job."""
    with suppress(StorageMissing):
        run = state.runs.read(seq).document
        if is_of_snapshot(run):
            return JobStand(job, "left_over", seq, "snapshot")
        if takes_corrected(run):
            places = AnswerNames(run.answers["prefix"]).correcting(seq)
            return JobStand(job, "left_over", seq, "rows", *places)
    return JobStand(job, "left_over", seq, "rows")


def _became(outcome: str) -> Stand:
    if outcome in WAITING:
        return "held_back"
    if outcome == "superseded":
        return "superseded"
    return "dropped" if outcome == "discarded" else "taken"


def _new(state: ConnectionState, job: str, key: str, there: ObjectInfo) -> JobStand:
    """Return whether the run that is under way, or was interrupted, has begun with a version."""
    newest = state.runs.newest()
    if newest is not None and newest.document.state not in ENDED:
        run = newest.document
        if run.job == job and any((f.key, f.etag) == (key, there.etag) for f in run.files):
            return JobStand(job, "begun", run.seq)
    return JobStand(job, "to_be_read")


def _with_notes(
    state: ConnectionState, versions: list[dict[str, Any]], key: str
) -> list[dict[str, Any]]:
    """Add what the newest runs noted of the file, and which runs were taken back since."""
    for version in versions[:_NOTED]:
        with suppress(StorageMissing):
            run = state.runs.read(version["run"]).document
            told = (file for file in run.report.get("files", []) if file["key"] == key)
            file: dict[str, Any] = next(told, {})
            facts = without_choices(read_notes(file.get("facts", [])), run.report.get("state", ""))
            plain = [note.to_dict() for note in facts]
            version |= {"note": file.get("note", ""), "facts": plain}
            moved = (one.moved_to for one in run.files if one.key == key)
            version["moved_to"] = next(filter(None, moved), None)
    taken_back = state.run_index.taken_back() if versions else {}
    for version in versions:
        if undo := taken_back.get(version["run"]):
            version["taken_back_by"] = undo
    return versions


def _nearest(context: JobContext, key: str, there: ObjectInfo | None) -> str:
    """Find what may have been meant: the object of another name, or the folder of another job."""
    parent = key[: key.rfind("/") + 1]
    if there is None:
        with suppress(StorageError):
            _, beside = context.bucket.level(parent)
            return closest(key, [item.key for item in beside])
    folders = {reader.prefix for reader in context.folders.readers}
    return "" if parent in folders else closest(parent, sorted(folders))
