"""The story of column types: what is kept of a job's columns, and how one is told anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchanger.jobs.lifecycle.exclusive import with_lease
from exchanger.state.store import open_state

if TYPE_CHECKING:
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.state.inputs.column_types import KeptColumns


def kept_columns(context: JobContext, job: str) -> KeptColumns:
    """
    Read what is kept of a job's columns. Writes nothing.

    Raises:
        StorageError: S3 refused or did not answer.
    """
    return open_state(context.bucket, context.state_prefix).types.columns(job)


def forget_columns(context: JobContext, job: str, columns: list[str], wait: float) -> KeptColumns:
    """
    Reset columns of a job: their types are told from the next file that has them.

    Args:
        context: The outside.
        job: The job's name.
        columns: Their names.
        wait: Seconds to wait for another process that writes to the same connection.

    Returns:
        What is left.

    Raises:
        StorageError: S3 refused or did not answer.
        JobBusy: Another process writes to this connection; its run would decide them again.
    """
    state = open_state(context.bucket, context.state_prefix)

    def forget(_: JobContext) -> KeptColumns:
        newest = state.runs.newest()
        state.types.forget(job, columns, last=newest.document.seq if newest else 0)
        return state.types.columns(job)

    return with_lease(context, state, job, wait, forget)
