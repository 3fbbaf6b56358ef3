"""What a run does for the next ones once it has ended: last, and repeatable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from exchanger.errors import LeaseLost, StateDamaged, Stopped, StorageError
from exchanger.jobs.lifecycle.retention import sweep

if TYPE_CHECKING:
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.state.runs.log import RunDocument
    from exchanger.state.store import ConnectionState

log = structlog.get_logger()


def maintain(context: JobContext, state: ConnectionState, run: RunDocument | None = None) -> None:
    """
    Fold the held values, and what else a run has added to, if it is worth it; sweep what is old.

    The run before has ended already, so being stopped here, losing the lease, or a store that does
    not answer any more is no failure: the next run does it.
    """

    def go_on() -> None:
        if context.stopping.is_set():
            raise Stopped
        context.may_send()

    try:
        state.held_of(run.catalogs if run is not None else ()).maintain(go_on)
        if run is not None and run.event_order:
            state.high_water_marks.by(run.job, run.order_by).maintain(go_on)
        if run is not None and run.row_ids:
            state.rows(run.job).maintain()
    except (Stopped, LeaseLost, StorageError) as error:
        log.info("tables.not_folded", reason=type(error).__name__)
    try:
        sweep(context, state, go_on)
    except (Stopped, LeaseLost, StorageError, StateDamaged) as error:
        log.info("state.not_swept", reason=type(error).__name__, error=str(error))
