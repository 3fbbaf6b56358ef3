"""The kinds of objects that an import can make of its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl

from exchanger.braze import endpoints
from exchanger.objects.events import event_faults, event_members, event_points
from exchanger.objects.purchases import purchase_faults, purchase_members, purchase_points

if TYPE_CHECKING:
    from exchanger.braze.endpoints import Endpoint
    from exchanger.config.models import ImportJob, ObjectName, OnUnknown
    from exchanger.objects.parts import Fault
    from exchanger.profiles.frames.rules import Rule


@dataclass(frozen=True)
class RowKind:
    """
    A kind of which each row is an object of its own, which counts once more whenever it is sent.

    Args:
        endpoints: Where it is sent, by what happens to objects in doubt.
        faults: What is wrong with rows whose cells are fine each: given the rules and the time.
        members: The members of an object beside who it is about; given the rules.
        points: Data points of each row.
    """

    endpoints: Mapping[OnUnknown, Endpoint]
    faults: Callable[[Sequence[Rule], datetime], list[Fault]]
    members: Callable[[Sequence[Rule]], list[pl.Expr]]
    points: Callable[[Sequence[Rule]], pl.Expr]


@dataclass(frozen=True)
class ObjectKind:
    """
    What a job makes of rows.

    Args:
        name: As the job says it.
        rows: How, if each row is an object of its own; None of attributes, which fold into one
            object for each profile, and whose values are held.
    """

    name: ObjectName
    rows: RowKind | None = None

    @property
    def holds_values(self) -> bool:
        """Whether what Braze accepts becomes held values."""
        return self.rows is None


_KINDS: dict[ObjectName, ObjectKind] = {
    "attributes": ObjectKind("attributes"),
    "events": ObjectKind(
        "events",
        RowKind(
            endpoints={"hold": endpoints.EVENTS, "resend": endpoints.EVENTS_AGAIN},
            faults=event_faults,
            members=event_members,
            points=event_points,
        ),
    ),
    "purchases": ObjectKind(
        "purchases",
        RowKind(
            endpoints={"hold": endpoints.PURCHASES, "resend": endpoints.PURCHASES_AGAIN},
            faults=purchase_faults,
            members=purchase_members,
            points=purchase_points,
        ),
    ),
}


def kind_of(job: ImportJob) -> ObjectKind:
    """Return what a job makes of its rows."""
    return _KINDS[job.object]
