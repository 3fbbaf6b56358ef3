"""The run that an earlier process left unfinished, for a person who asks what the next one does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from exchanger.jobs.runtime.artifacts import fetched
from exchanger.profiles.frames.columns import ITEM, POINTS
from exchanger.state.runs.acknowledgements import Acknowledgements
from exchanger.state.runs.log import ENDED

if TYPE_CHECKING:
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.state.runs.log import RunDocument
    from exchanger.state.store import ConnectionState


@dataclass(frozen=True)
class UnfinishedRun:
    """
    A run that the next one finishes before anything else.

    Args:
        run: Its number.
        job: Its job.
        profiles: Profiles that are still to be sent, at most.
        data_points: Their data points.
        claimed: Key and ETag of the file versions that it brings to their end.
    """

    run: int
    job: str
    profiles: int
    data_points: int
    claimed: frozenset[tuple[str, str]]


def unfinished_run(context: JobContext, state: ConnectionState) -> UnfinishedRun | None:
    """
    Find the run that the next one has to finish, and what is left of it. Writes nothing.

    Returns:
        None if there is none, or if it only has to be noted that it waits for a person.

    Raises:
        StorageError: S3 refused or did not answer.
    """
    newest = state.runs.newest()
    if newest is None or newest.document.state in ENDED or newest.document.hold:
        return None
    run = newest.document
    profiles, points = _left(context, state, run)
    claimed = frozenset((file.key, file.etag) for file in run.files if file.outcome != "tested")
    return UnfinishedRun(run.seq, run.job, profiles, points, claimed)


def _left(context: JobContext, state: ConnectionState, run: RunDocument) -> tuple[int, int]:
    """Count the profiles of a run that have no answer yet, and their data points."""
    if run.discarded or run.state == "settling" or not run.objects:
        return 0, 0
    acks = Acknowledgements(context.bucket, state.names, run.seq)
    answered = acks.read(acks.parts()).items
    profiles = points = 0
    with fetched(context, run.outbox, run.outbox_sha256) as outbox:
        for part in outbox.frames([ITEM, POINTS]):
            left = part.filter(~pl.col(ITEM).is_in(answered.implode()))
            profiles += left.height
            points += int(left[POINTS].sum())
    return profiles, points
