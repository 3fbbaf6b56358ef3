"""All that the bucket remembers of one connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from exchanger.state.changes import Changes
from exchanger.state.forgotten import Forgotten
from exchanger.state.group_status import GroupStatusHint
from exchanger.state.held.items import HeldItems
from exchanger.state.held.table import HeldValues
from exchanger.state.inputs.column_types import ColumnTypes
from exchanger.state.inputs.file_ledger import FileLedger
from exchanger.state.inputs.high_water_marks import HighWaterMarks
from exchanger.state.inputs.members import Members
from exchanger.state.inputs.row_ledger import RowLedger
from exchanger.state.names import StateNames
from exchanger.state.runs.first_deliveries import FirstDeliveries
from exchanger.state.runs.index import RunIndex
from exchanger.state.runs.log import RunLog
from exchanger.state.swept import Swept
from exchanger.state.tenure import Tenure
from exchanger.state.workspace import StateRegister, WorkspaceDocument

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from exchanger.outside.s3.bucket import Bucket


@dataclass(frozen=True)
class ConnectionState:
    """
    The stores of one connection, all below one prefix.

    Args:
        names: Names below the prefix where the state really lies.
        workspace: Whose memory it is.
        register: The states of the bucket.
        tenure: What is remembered of it while its lease is held.
        runs, held, changes, high_water_marks, file_ledger, run_index, types, first_deliveries,
            members: The stores.
        rows: Opens the ledger of rows of a job.
        items: Opens what is held of the items of a catalog.
    """

    names: StateNames
    workspace: WorkspaceDocument
    register: StateRegister
    tenure: Tenure
    runs: RunLog
    held: HeldValues
    changes: Changes
    high_water_marks: HighWaterMarks
    file_ledger: FileLedger
    run_index: RunIndex
    types: ColumnTypes
    first_deliveries: FirstDeliveries
    swept: Swept
    forgotten: Forgotten
    group_status: GroupStatusHint
    rows: Callable[[str], RowLedger]
    items: Callable[[str], HeldValues]
    members: Members

    def open_ahead(self, *, held: bool) -> None:
        """
        Begin to open the tables that a run writes at its end, while it does something else.

        Args:
            held: Whether it holds values, too, which it reads to plan.
        """
        for table in (*([self.held.table] if held else []), self.run_index.table):
            table.open_ahead()

    def held_of(self, catalogs: Sequence[str]) -> HeldValues | HeldItems:
        """Return what is held of the items of catalogs; of profiles if none is named."""
        if len(catalogs) > 1:
            return HeldItems(self.items, catalogs)
        return self.items(catalogs[0]) if catalogs else self.held


def open_state(bucket: Bucket, prefix: str) -> ConnectionState:
    """
    Open the stores of a state prefix: those of the state that took its place, if one did.

    Only the document that says so is read.

    Args:
        bucket: The connection's bucket.
        prefix: The state prefix, ending in ``/``.
    """
    names = StateNames(prefix)
    workspace = WorkspaceDocument(bucket, names.workspace)
    while workspace.found is not None and workspace.found.memory_at:
        names = StateNames(workspace.found.memory_at)
        workspace = WorkspaceDocument(bucket, names.workspace)
    tenure = Tenure()
    runs = RunLog(bucket, names, tenure)
    return ConnectionState(
        names=names,
        workspace=workspace,
        register=StateRegister(bucket),
        tenure=tenure,
        runs=runs,
        held=HeldValues(bucket.table(names.held)),
        changes=Changes(bucket, names),
        high_water_marks=HighWaterMarks(bucket, names),
        file_ledger=FileLedger(bucket.table(names.file_ledger), runs, tenure),
        run_index=RunIndex(bucket.table(names.run_index)),
        types=ColumnTypes(bucket, names),
        first_deliveries=FirstDeliveries(bucket, names, tenure),
        swept=Swept(bucket, names),
        forgotten=Forgotten(bucket, names),
        group_status=GroupStatusHint(bucket, names),
        rows=lambda job: RowLedger(bucket.table(names.row_ledger(job))),
        items=lambda catalog: HeldValues(bucket.table(names.held_items(catalog))),
        members=Members(bucket, names, runs),
    )
