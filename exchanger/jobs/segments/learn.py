"""An export shows what Braze holds, so imports of the same connection need not look it up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl
import structlog

from exchanger.profiles.exported.held_rows import attribute_columns, held_columns, id_column

if TYPE_CHECKING:
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.jobs.segments.collect import Chunks
    from exchanger.jobs.segments.pending import PendingExport
    from exchanger.profiles.exported.selection import Selection
    from exchanger.state.store import ConnectionState

log = structlog.get_logger()


def learn_from_export(
    context: JobContext,
    state: ConnectionState,
    pending: PendingExport,
    selection: Selection,
    chunks: Chunks,
) -> None:
    """
    Record the attributes that an export shows, for profiles that have an ``external_id``.

    No lease is needed: what is being delivered meanwhile, or was delivered within the grace before
    the export was asked for, has a higher stamp, and so stays. Without imports nobody folds the
    table, so then only the first export is recorded.

    Args:
        context: Told how far it is.
        state: Where it is recorded.
        pending: The export; its stamp is that of the time it was asked for.
        selection: The columns of the dataset.
        chunks: What was exported.
    """
    ids = id_column(selection)
    columns = attribute_columns(selection, chunks.remaining)
    imports = state.runs.newest() is not None
    if ids is None or not columns or not (imports or not state.held.fields()):
        return
    context.progress.step("remembering what Braze holds", chunks.rows)

    def frames(ids: str) -> Iterator[pl.DataFrame]:
        for kept in chunks.frames.frames([ids, *columns.values()]):
            context.go_on()
            frame = held_columns(kept, ids, columns)
            context.progress.advance(frame.height)
            yield frame

    state.held.observe_all(frames(ids), stamp=pending.stamp, at=pending.asked_at)
    log.info("export.remembered", fields=len(columns))
