"""Which files of a job wait to be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from exchanger.files.drops import is_drop
from exchanger.state.applied import WAITING

if TYPE_CHECKING:
    from exchanger.config.models import ImportJob
    from exchanger.jobs.options import ImportOptions
    from exchanger.jobs.world import World
    from exchanger.outside.s3 import ObjectInfo
    from exchanger.state.applied import AppliedSnapshot


@dataclass(frozen=True)
class WaitingFiles:
    """
    What a listing showed.

    Args:
        files: To be read now, in order of arrival, then by name.
        for_force: Keys that were met before and wait for ``--force``.
    """

    files: list[ObjectInfo]
    for_force: list[str]


def waiting_files(
    world: World, name: str, job: ImportJob, applied: AppliedSnapshot, options: ImportOptions
) -> WaitingFiles:
    """
    List the files of a job that this run takes.

    A file is new if its latest version known to the job has another ETag. Writes nothing.
    """
    latest = applied.latest(name)
    files: list[ObjectInfo] = []
    for_force: list[str] = []
    source = job.source
    for item in world.bucket.list(source.prefix):
        if not is_drop(item.key, source.prefix, source.pattern, world.state_prefix):
            continue
        etag, outcome = latest.get(item.key, ("", ""))
        if options.as_if_new:
            if _in_range(item, options):
                files.append(item)
        elif etag != item.etag or (options.force and outcome in WAITING):
            files.append(item)
        elif outcome in WAITING:
            for_force.append(item.key)
    return WaitingFiles(sorted(files, key=lambda item: (item.last_modified, item.key)), for_force)


def _in_range(item: ObjectInfo, options: ImportOptions) -> bool:
    return (
        (options.since is None or item.last_modified >= options.since)
        and (options.until is None or item.last_modified < options.until)
        and (options.prefix is None or item.key.startswith(options.prefix))
    )
