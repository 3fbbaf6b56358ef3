"""Words of who left between two snapshots of a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exchanger.app.messages.words import Words

_NOT_DONE = {
    "lost": "who they were is not kept any more. Compare its file (exchanger show {run}) with the "
    "one before, and give these people to a job of their own.",
    "otherwise": "on_removed of the job says something else by now. To do it after all, put that "
    "back before the next snapshot.",
    "shadow": "the job is in shadow. It comes first once the job sends.",
}

SNAPSHOT_NOTES: Mapping[str, Words] = {
    "leavers": "Missing in the newest file: {leavers:,} of {of:,} people whom this job had.",
    "leavers_back": "Left as they are, as they are there again: {people:,} of the people who left.",
    "leavers_cleared": "The fields of this job are cleared of people who are missing: {people:,}.",
    "leavers_deleted": "People who are missing are deleted for good: {people:,}.",
    "leavers_get_event": "The event '{event}' is sent for people who are missing: {people:,}.",
    "leavers_not_done": lambda *, run, people, why: (
        f"Nothing became of {people:,} people who left with the snapshot of run {run}: "
        f"{_NOT_DONE[why].format(run=run)}"
    ),
    "leavers_of_run": (
        "People whom this job had, and who are missing in the file as run {run} read it: "
        "{people:,}."
    ),
    "leavers_stay": (
        "Left as they are, as nobody can tell who is meant: {people:,} of the people who left."
    ),
    "leavers_wait": (
        "Nobody is deleted, as nobody can tell whom {rows:,} rows of the file name: any of them "
        "may be somebody who seems to be missing. They count as there until a file names everybody."
    ),
    "members_begin": (
        "This is the first snapshot of the job, so nobody has left: who is missing is told from "
        "the next one on."
    ),
    "members_unknown": (
        "Whom this job had before is not known (any more), so nobody counts as having left: who "
        "is missing is told from the next snapshot on."
    ),
}
