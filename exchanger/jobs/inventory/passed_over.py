"""Objects in the folders of jobs that are no data: noted once, and listed for whoever asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from exchanger.files.folders import NO_DATA
from exchanger.notes import Note, noted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchanger.files.folders import Folders
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.outside.s3.bucket import ObjectInfo


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
