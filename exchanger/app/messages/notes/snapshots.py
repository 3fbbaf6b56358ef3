"""Words of who left between two snapshots of a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


SNAPSHOT_NOTES: Mapping[str, Callable[..., str]] = {
    "leavers": lambda *, leavers, of: (
        f"Missing in the newest file: {leavers:,} of {of:,} people whom this job had."
    ),
    "leavers_back": lambda *, people: (
        f"Left as they are, as they are there again: {people:,} of the people who left."
    ),
    "leavers_cleared": lambda *, people: (
        f"The fields of this job are cleared of people who are missing: {people:,}."
    ),
    "leavers_deleted": lambda *, people: (
        f"People who are missing are deleted for good: {people:,}."
    ),
    "leavers_get_event": lambda *, people, event: (
        f"The event '{event}' is sent for people who are missing: {people:,}."
    ),
    "leavers_of_run": lambda *, run, people: (
        f"People whom this job had, and who are missing in the file as run {run} read it: "
        f"{people:,}."
    ),
    "leavers_stay": lambda *, people: (
        f"Left as they are, as nobody can tell who is meant: {people:,} of the people who left."
    ),
    "leavers_wait": lambda *, rows: (
        f"Nobody is deleted, as nobody can tell whom {rows:,} rows of the file name: any of them "
        "may be somebody who seems to be missing. They count as there until a file names everybody."
    ),
    "members_begin": lambda: (
        "This is the first snapshot of the job, so nobody has left: who is missing is told from "
        "the next one on."
    ),
    "members_unknown": lambda: (
        "Whom this job had before is not known (any more), so nobody counts as having left: who "
        "is missing is told from the next snapshot on."
    ),
}
