"""Objects in the folders of jobs that are no data: told once, and listed for whoever asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from exchanger.files.folders import NO_DATA

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchanger.files.folders import Folders
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.outside.s3.bucket import ObjectInfo

_KINDS = {
    "hidden": "a name with _ or . in front",
    "marker": "no content",
    "unfinished": "the name of a file still on its way",
    "companion": "about the files beside it",
}
_LISTED = 20
"""Objects that a person is shown, of each job."""


class PassedOver(NamedTuple):
    """An object that is no data, and why it counts as none."""

    key: str
    why: str


def passed_over(folders: Folders, items: Sequence[ObjectInfo]) -> list[PassedOver]:
    """Return of objects that were passed over why."""
    found = ((item.key, folders.why_not(item.key, item.size)) for item in items)
    return [PassedOver(key, why) for key, why in found if why in NO_DATA]


def told_once(context: JobContext, items: Sequence[ObjectInfo]) -> list[str]:
    """Describe in one sentence what was passed over; marks of folders are known to nobody."""
    found = [one.key for one in passed_over(context.folders, items) if not one.key.endswith("/")]
    if not found:
        return []
    more = f" and {len(found) - 1:,} more" if len(found) > 1 else ""
    are = "they are" if len(found) > 1 else "it is"
    return [f"Passed over, as {are} no data: {found[0]}{more}. Which: exchanger jobs --waiting"]


def in_words(found: Sequence[PassedOver]) -> list[str]:
    """List what was passed over, each with why, and how many there are besides."""
    said = [f"passed over: {one.key} ({_KINDS.get(one.why, one.why)})" for one in found[:_LISTED]]
    if len(found) > _LISTED:
        said.append(f"and {len(found) - _LISTED:,} more that are no data")
    return said
