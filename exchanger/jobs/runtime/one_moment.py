"""
Checks that a state is of one moment, before anything builds on it.

Objects can be put back one by one: a backup of a table, a version of a document. Runs say what they
have written to the tables, and each table which runs have written to it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from exchanger.errors import StateOlder, TableOlder
from exchanger.notes import Note, noted
from exchanger.outside.delta.table import TableVersion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exchanger.state.inputs.column_types import KeptColumns
    from exchanger.state.inputs.high_water_marks import JobHighWaterMarks
    from exchanger.state.runs.log import RunDocument
    from exchanger.state.store import ConnectionState

_LOOK_BACK = 64
"""Runs that recorded no file, after which nobody looks for one that should have."""
_LOOK_BACK_FOR_VALUES = 4
"""Runs that held nothing, likewise: other kinds of objects have such runs by the hour."""


def has_lost_files(state: ConnectionState) -> bool:
    """
    Return whether applied files are gone, and the runs that applied them are not.

    Raises:
        StateOlder: It is the other way round, so numbers of runs would come again.
    """
    recorded, newest = state.file_ledger.snapshot().last_recorded, state.runs.newest()
    last = newest.document.seq if newest else 0
    made = last or state.runs.last_made()
    if last < max(made, recorded):
        raise StateOlder(state.names.prefix, state.names.run(max(made, recorded)), last)
    for run in _runs_back(state, max(recorded, last - _LOOK_BACK)):
        if run.state == "settled" and run.files:
            # Who does not hold the lease may see what was recorded since.
            return state.file_ledger.snapshot().last_recorded < run.seq
    return False


def demand_values_of_now(state: ConnectionState) -> None:
    """
    See to it that nothing is read of what is held unless it is as the last runs have left it.

    Reading raises ``TableOlder`` then. A table that is gone is no older one: all is looked up.
    """
    newest = state.runs.newest()
    last = newest.document.seq if newest else 0
    for run in _runs_back(state, max(last - _LOOK_BACK_FOR_VALUES, 0)):
        if run.held_table:
            version = TableVersion(run.held_table, run.held_version)
            state.held.table.demand(version, TableOlder(state.names.held, run.seq))
            return


def note_lost_values(state: ConnectionState) -> list[Note]:
    """Note that what was held was found to be gone, so that more is sent and billed."""
    held = state.held.table
    return [noted("values_lost", table=state.names.held)] if held.is_lost else []


def demand_rows_of_now(state: ConnectionState, job: str) -> None:
    """
    Check that the ledger of a job's rows has what its last run took up.

    Raises:
        TableOlder: It has not, so rows would count again.
    """
    last = state.file_ledger.snapshot().last_run(job)
    if last is None or state.rows(job).last_recorded() >= last:
        return
    run = state.runs.read(last).document
    took_up = run.report.get("rows_applied") or run.report.get("rows_in_doubt")
    if run.row_ids and run.state == "settled" and took_up:
        raise TableOlder(state.names.row_ledger(job), last, "row_id")


def demand_order_of_now(
    state: ConnectionState, job: str, column: str, orders: JobHighWaterMarks
) -> None:
    """
    Check that the orders of a job by a column, once some were read, have what its last run reached.

    Raises:
        TableOlder: They have not, so late rows would undo newer ones.
    """
    last = state.file_ledger.snapshot().last_run(job)
    if last is None or orders.last_recorded() >= last:
        return
    run = state.runs.read(last).document
    if run.ordered and run.order_by == column:
        raise TableOlder(state.names.high_water_marks(job, column), last, "order_by")


def columns_of_now(state: ConnectionState, job: str) -> KeptColumns:
    """
    Read what is kept of a job's columns, as the last run left it if that was one of the job.

    Its document says what it settled on, so nothing is lost with an earlier one of the columns.
    """
    kept, newest = state.types.columns(job), state.runs.newest()
    run = None if newest is None else newest.document
    if run is None or (run.job, run.state) != (job, "settled") or not run.types:
        return kept
    reset = {name for name, last in kept.forgotten.items() if last >= run.seq}
    return replace(
        kept,
        types={name: kind for name, kind in run.types.items() if name not in reset},
        words={name: words for name, words in run.words.items() if name not in reset},
        layout=run.layout,
        columns=run.columns or kept.columns,
    )


def _runs_back(state: ConnectionState, after: int) -> Iterator[RunDocument]:
    """Yield the runs behind run *after*, the newest first."""
    newest = state.runs.newest()
    if newest is None:
        return
    for seq in range(newest.document.seq, after, -1):
        current = seq == newest.document.seq
        yield newest.document if current else state.runs.read(seq).document
