"""All that the bucket remembers of one connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from exchanger.files.names import StateNames
from exchanger.state.applied import AppliedFiles
from exchanger.state.finished import FinishedRuns
from exchanger.state.first_deliveries import FirstDeliveries
from exchanger.state.forgotten import Forgotten
from exchanger.state.held import HeldValues
from exchanger.state.kept_types import KeptTypes
from exchanger.state.orders import Orders
from exchanger.state.runs import RunLog
from exchanger.state.swept import Swept

if TYPE_CHECKING:
    from exchanger.outside.s3 import Bucket


@dataclass(frozen=True)
class ConnectionState:
    """The stores of one connection, all below its state prefix."""

    names: StateNames
    runs: RunLog
    held: HeldValues
    orders: Orders
    applied: AppliedFiles
    finished: FinishedRuns
    types: KeptTypes
    first_deliveries: FirstDeliveries
    swept: Swept
    forgotten: Forgotten


def open_state(bucket: Bucket, prefix: str) -> ConnectionState:
    """
    Open the stores below a state prefix. Nothing is read or written yet.

    Args:
        bucket: The connection's bucket.
        prefix: The state prefix, ending in ``/``.
    """
    names = StateNames(prefix)
    runs = RunLog(bucket, names)
    return ConnectionState(
        names=names,
        runs=runs,
        held=HeldValues(bucket.table(names.held)),
        orders=Orders(bucket, names),
        applied=AppliedFiles(bucket.table(names.applied), runs),
        finished=FinishedRuns(bucket.table(names.finished)),
        types=KeptTypes(bucket, names),
        first_deliveries=FirstDeliveries(bucket, names),
        swept=Swept(bucket, names),
        forgotten=Forgotten(bucket, names),
    )
