"""Which files of a job wait to be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from exchanger.files.drops import is_drop
from exchanger.state.applied import WAITING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exchanger.jobs.call import ImportCall
    from exchanger.jobs.options import ImportOptions
    from exchanger.outside.s3 import ObjectInfo


@dataclass(frozen=True)
class WaitingFiles:
    """
    What a listing showed.

    Args:
        files: To be read now, in order of arrival, then by name.
        held: Keys that wait for a person, with the run that was held back for them.
    """

    files: list[ObjectInfo]
    held: dict[str, int]


def waiting_files(call: ImportCall) -> WaitingFiles:
    """
    List the files of a job that this call has yet to take.

    A file is new if its latest version known to the job has another ETag. Writes nothing.
    """
    latest = call.state.applied.snapshot().latest(call.name)
    options = call.options
    files: list[ObjectInfo] = []
    held: dict[str, int] = {}
    for item in _drops(call):
        etag, outcome, seq = latest.get(item.key, ("", "", 0))
        known = etag == item.etag
        waits = known and outcome in WAITING
        # A file that waits is not taken as if new either: its sums would be forgotten.
        chosen = options.force if waits else options.as_if_new or not known
        wanted = chosen and _in_range(item, options)
        if wanted and (item.key, item.etag) not in call.taken:
            files.append(item)
        elif waits:
            held[item.key] = seq
    return WaitingFiles(sorted(files, key=lambda item: (item.last_modified, item.key)), held)


def _drops(call: ImportCall) -> Iterator[ObjectInfo]:
    source = call.job.source
    for item in call.world.bucket.list(source.prefix):
        if is_drop(item.key, source.prefix, source.pattern, call.world.state_prefix):
            yield item


def _in_range(item: ObjectInfo, options: ImportOptions) -> bool:
    return (
        (options.since is None or item.last_modified >= options.since)
        and (options.until is None or item.last_modified < options.until)
        and (options.prefix is None or item.key.startswith(options.prefix))
    )
