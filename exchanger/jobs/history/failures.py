"""Failed runs belong to what happened, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from exchanger.errors import PlanMoved, RunUnsuitable, StorageError, WorkspaceDiffers
from exchanger.state.store import open_state

if TYPE_CHECKING:
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.jobs.runtime.report import RunReport

log = structlog.get_logger()


def remember_failure(context: JobContext, report: RunReport, error: Exception) -> None:
    """
    Add a failed run to the finished runs, unless the bucket itself is what failed.

    A wish that the named run, or the saved plan, could not meet is no run, and what another
    workspace's state is not for is not noted there.

    The failure is what must reach the user, so one more failure here is only logged.
    """
    if isinstance(error, StorageError | RunUnsuitable | PlanMoved | WorkspaceDiffers):
        return
    try:
        open_state(context.bucket, context.state_prefix).run_index.record(report.to_dict())
    except Exception as second:  # noqa: BLE001 - the first error is the one that is reported
        log.warning("failure.not_recorded", error=type(second).__name__)
