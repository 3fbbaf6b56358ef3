"""Words of who left between two snapshots of a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


SNAPSHOT_NOTES: Mapping[str, Callable[..., str]] = {
    "leavers": lambda *, leavers, of: (
        f"Missing in the newest file: {leavers:,} of {of:,} people whom this job had."
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
