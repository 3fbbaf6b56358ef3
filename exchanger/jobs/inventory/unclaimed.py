"""
Files that no job takes: below the folders of jobs, and beside these, within bounds.

Objects in the folders of jobs that are no data are noted once, and listed for whoever asks.

The bucket as a whole is never listed: a folder beside is looked into once, and only so far.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog

from exchanger.errors import StorageError
from exchanger.files.drops import looks_like_data
from exchanger.files.folders import NO_DATA, Folders, Level, alike, levels
from exchanger.notes import Note, noted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from exchanger.jobs.runtime.context import JobContext
    from exchanger.outside.s3.bucket import ObjectInfo

log = structlog.get_logger()

_LEVELS = 20
"""Folders around those of the jobs that are listed at most, a request for each."""
_BESIDE = 30
"""Folders beside those of the jobs that are looked into at most, a request for each."""
_BELOW = 100_000
"""Objects in the folder of a job that are looked at, if only to list what no job takes."""
OBJECTS = 1_000
"""Objects of such a folder that are looked at: those of one request."""


@dataclass(frozen=True)
class Unclaimed:
    """
    A file that no job takes, or a folder with such files that no job reads.

    Args:
        key: The file; of a folder, the folder, which ends in ``/``.
        why: ``pattern``: a job reads the folder, and the name does not fit. ``folder``: none does.
        job: The job that it may have been meant for; empty if nothing tells.
        folder: The folder of that job.
        pattern: The pattern that it does not fit, if that is why.
        files: How many files there are; of a folder, as far as it was looked into.
        example: One of them.
    """

    key: str
    why: str
    job: str
    folder: str
    pattern: str = ""
    files: int = 1
    example: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Render for ``--json``."""
        return asdict(self)


def below(folders: Folders, items: Iterable[ObjectInfo]) -> list[Unclaimed]:
    """Describe of files in the folders of jobs which pattern leaves them out."""
    found = []
    for item in items:
        reader = max(folders.around(item.key), key=lambda each: len(each.prefix))
        found.append(
            Unclaimed(item.key, "pattern", reader.job, reader.prefix, reader.pattern, 1, item.key)
        )
    return found


def unclaimed_files(context: JobContext, jobs: Sequence[str]) -> list[Unclaimed]:
    """
    List the folders of jobs, so far, and look beside them.

    Raises:
        StorageError: S3 refused or did not answer.
    """
    strays: dict[str, ObjectInfo] = {}
    for prefix in dict.fromkeys(r.prefix for r in context.folders.readers if r.job in jobs):
        folders = context.folders.of(prefix)
        for item in islice(context.bucket.list(prefix), _BELOW):
            if folders.is_stray(item.key, item.size):
                strays[item.key] = item
    return [*below(context.folders, strays.values()), *beside(context, jobs)]


def beside(context: JobContext, jobs: Sequence[str]) -> list[Unclaimed]:
    """
    Look for files beside the folders of jobs; S3 may refuse that, and then there are none.

    Args:
        context: The outside.
        jobs: The jobs; those of other connections in the same bucket are known, too.
    """
    found: list[Unclaimed] = []
    asked: set[str] = set()
    for parent, around in islice(_levels(context.folders, jobs).items(), _LEVELS):
        try:
            found += _beside(context, parent, around, asked)
        except StorageError as error:
            # Keys are often allowed to list no more than the folders that they are for.
            log.info("unclaimed.unknown", folder=parent, error=str(error))
    return found


def note_strays(found: Sequence[ObjectInfo]) -> list[Note]:
    """Note that a folder has files that no job takes, and name one of them."""
    files = [item.key for item in found if looks_like_data(item.key)]
    return [noted("not_taken", file=files[0], files=len(files))] if files else []


class PassedOver(NamedTuple):
    """An object that is no data, and why it counts as none."""

    key: str
    why: str


def passed_over(folders: Folders, items: Sequence[ObjectInfo]) -> list[PassedOver]:
    """Return of objects that were passed over why."""
    found = ((item.key, folders.why_not(item.key, item.size)) for item in items)
    return [PassedOver(key, why) for key, why in found if why in NO_DATA]


def note_passed_over(context: JobContext, items: Sequence[ObjectInfo]) -> list[Note]:
    """Note what was passed over, and name one of it; marks of folders are known to nobody."""
    keys = [one.key for one in passed_over(context.folders, items) if not one.key.endswith("/")]
    return [noted("passed_over", file=keys[0], files=len(keys))] if keys else []


def _levels(folders: Folders, jobs: Sequence[str]) -> dict[str, list[tuple[str, Level]]]:
    """Put together the jobs whose folders lie in one, the folders directly above them first."""
    found: dict[str, list[tuple[str, Level]]] = {}
    steps = [
        (reader.job, level)
        for reader in folders.readers
        if reader.job in jobs
        for level in levels(reader.prefix)
    ]
    for job, level in sorted(steps, key=lambda step: not step[1].near):
        found.setdefault(level.parent, []).append((job, level))
    return found


def _beside(
    context: JobContext, parent: str, around: Sequence[tuple[str, Level]], asked: set[str]
) -> Iterator[Unclaimed]:
    near = [(job, level) for job, level in around if level.near]
    inside, items = context.bucket.level(parent)
    if near:
        job, level = near[0]
        for item in items:
            stray = context.folders.why_not(item.key, item.size) == "folder"
            if stray and looks_like_data(item.key):
                own = f"{level.parent}{level.name}/"
                yield Unclaimed(item.key, "folder", job, own, files=1, example=item.key)
    for folder in inside:
        if folder in asked or not context.folders.may_hold_strays(folder):
            continue
        name = folder.removeprefix(parent).rstrip("/")
        meant = next((step for step in around if alike(name, step[1].name)), None)
        if (near or meant) and len(asked) < _BESIDE:
            asked.add(folder)
            yield from _inside(context, folder, meant)


def _inside(
    context: JobContext, folder: str, meant: tuple[str, Level] | None
) -> Iterator[Unclaimed]:
    items = islice(context.bucket.list(folder), OBJECTS)
    keys = [
        item.key
        for item in items
        if context.folders.is_stray(item.key, item.size) and looks_like_data(item.key)
    ]
    if keys:
        job, own = "", ""
        if meant is not None:
            job, level = meant
            own = f"{level.parent}{level.name}/"
        yield Unclaimed(folder, "folder", job, own, files=len(keys), example=keys[0])
