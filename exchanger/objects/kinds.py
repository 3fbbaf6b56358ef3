"""
The kinds of objects that an import can make of its rows, and how each is dealt with.

What differs between kinds is said here, in words that planning, settling and ``retry`` have each in
one table (or one ``match``) of their own. So a new kind is an entry here; only a new way of doing
something is an entry there, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from exchanger.braze import endpoints
from exchanger.braze.objects import MOST_PROPERTIES
from exchanger.objects.audiences import (
    crossings_of,
    members,
    memberships,
    shape_of_both,
    shape_of_cohort,
)
from exchanger.objects.events import event_faults, event_members, event_points
from exchanger.objects.items import shape_of_items
from exchanger.objects.orders.events import order_faults
from exchanger.objects.orders.lines import Lines
from exchanger.objects.people.aliases import ALIAS, alias_faults
from exchanger.objects.people.calls import EachCall
from exchanger.objects.people.deletions import DELETION
from exchanger.objects.people.identify import IDENTIFY, identify_faults
from exchanger.objects.people.merges import MERGE, merge_faults
from exchanger.objects.people.renames import RENAME, rename_faults
from exchanger.objects.purchases import purchase_faults, purchase_members, purchase_points
from exchanger.objects.rows import EachRow
from exchanger.objects.states import Shaped, email_states, group_states

if TYPE_CHECKING:
    import polars as pl

    from exchanger.braze.endpoints import Endpoint
    from exchanger.config.models import ImportJob, OnUnknown
    from exchanger.objects.parts import Fault
    from exchanger.profiles.frames.rules import Rule
    from exchanger.profiles.planning.part import Shape

Settled = Literal["held_values", "row_ledger", "people", "members"]
"""What accepted objects become: a step of ``jobs/settlement/settle.py`` each."""
GivenAgain = Literal["values", "objects"]
"""As what ``retry`` gives refused rows again: a way of ``jobs/quarantine/given_again.py`` each."""


@dataclass(frozen=True)
class Folded:
    """
    Rows fold into one object for each profile, which says what differs from held values.

    Args:
        shape: What is sent of the changes, given the job and, by catalog, the other fields that
            anything is held of; attributes of profiles if left out.
        changes: What is sent of the changes, given the job alone.
        crossings: What is sent of who came and who went, given the job, the time, and whether these
            are its first files; None of values.
        consent: Whether they are states of subscriptions rather than attributes.
        there: Whether Braze is asked first who is there: nobody is created, and that it took no
            notice of somebody, its answer does not tell.
    """

    shape: Callable[[ImportJob, Mapping[str, Iterable[str]]], Shape] | None = None
    changes: Callable[[ImportJob], Shape] | None = None
    crossings: Callable[[ImportJob, datetime, bool], Shape] | None = None
    consent: bool = False
    there: bool = False


Making = Folded | EachRow | Lines | EachCall
"""How rows become objects: ``jobs/planning/parts.py`` has what each of them has to know before."""


def _no_faults(_rules: Sequence[Rule], _now: datetime) -> list[Fault]:
    return []


@dataclass(frozen=True)
class ObjectKind:
    """
    What a job makes of rows.

    Args:
        name: As the job says it, and the document of each of its runs.
        making: How rows become objects.
        settles: What accepted objects become, step by step.
        looked_up: Whether a look-up of a profile shows what was sent, or those fields of it that
            ``columns.is_shown``. Then plans that became old, requests without an answer and first
            deliveries are compared with what Braze has.
        taken_back: Whether ``undo`` can take back what a run of it changed.
        faults: What is wrong with rows whose cells are fine each: given the rules and the time.
        most_properties: How many properties Braze takes of an object; None of kinds without any.
        shaped: How rows become values of fields, where these are not what the job names; given the
            rows, the rules of what the job names, and the job.
    """

    name: str
    making: Making
    settles: tuple[Settled, ...]
    looked_up: bool = False
    taken_back: bool = False
    faults: Callable[[Sequence[Rule], datetime], list[Fault]] = _no_faults
    most_properties: int | None = None
    shaped: Callable[[pl.DataFrame, Mapping[str, Rule], ImportJob], Shaped] | None = None

    @property
    def holds_values(self) -> bool:
        """Whether what Braze accepts becomes held values, and what is in doubt an uncertain one."""
        return "held_values" in self.settles

    @property
    def given_again(self) -> GivenAgain:
        """As what refused rows are given again: as values, planned anew, or as the objects."""
        return "values" if self.holds_values else "objects"

    @property
    def counts_rows(self) -> bool:
        """Whether a row counts once more whenever it is sent, so that it is remembered."""
        return "row_ledger" in self.settles


_EVENTS: Mapping[OnUnknown, Endpoint] = {
    "hold": endpoints.EVENTS,
    "resend": endpoints.EVENTS_AGAIN,
    "ask": endpoints.EVENTS_ASKED,
}


_KINDS: Mapping[str, ObjectKind] = {
    kind.name: kind
    for kind in (
        ObjectKind("attributes", Folded(), ("held_values",), looked_up=True, taken_back=True),
        ObjectKind(
            "events",
            EachRow(endpoints=_EVENTS, members=event_members, points=event_points),
            ("row_ledger",),
            faults=event_faults,
            most_properties=MOST_PROPERTIES,
        ),
        ObjectKind(
            "purchases",
            EachRow(
                endpoints={
                    "hold": endpoints.PURCHASES,
                    "resend": endpoints.PURCHASES_AGAIN,
                    "ask": endpoints.PURCHASES_ASKED,
                },
                members=purchase_members,
                points=purchase_points,
            ),
            ("row_ledger",),
            faults=purchase_faults,
            most_properties=MOST_PROPERTIES,
        ),
        ObjectKind("catalog_items", Folded(shape_of_items), ("held_values",)),
        ObjectKind("orders", Lines(endpoints=_EVENTS), ("row_ledger",), faults=order_faults),
        ObjectKind(
            "subscriptions",
            Folded(consent=True),
            ("held_values",),
            looked_up=True,
            shaped=group_states,
        ),
        ObjectKind(
            "email_state",
            Folded(consent=True),
            ("held_values",),
            looked_up=True,
            shaped=email_states,
        ),
        ObjectKind(
            "audience", Folded(), ("held_values",), looked_up=True, taken_back=True, shaped=members
        ),
        ObjectKind(
            "audience_events", Folded(crossings=crossings_of), ("members",), shaped=memberships
        ),
        ObjectKind(
            "audience_cohort",
            Folded(changes=shape_of_cohort, there=True),
            ("held_values",),
            shaped=members,
        ),
        ObjectKind(
            "audience_and_cohort",
            Folded(changes=shape_of_both, there=True),
            ("held_values",),
            looked_up=True,
            shaped=members,
        ),
        ObjectKind("renames", RENAME, ("people",), faults=rename_faults),
        ObjectKind("aliases", ALIAS, ("people",), faults=alias_faults),
        ObjectKind("merges", MERGE, ("people",), faults=merge_faults),
        ObjectKind("identify", IDENTIFY, ("people",), faults=identify_faults),
        ObjectKind("deletions", DELETION, ("people",)),
    )
}


def kind_of(job: ImportJob) -> ObjectKind:
    """Return what a job makes of its rows."""
    return kind_named(job.kind)


def kind_named(name: str) -> ObjectKind:
    """Return the kind that a job, or the document of a run, names."""
    return _KINDS[name]


def every_kind() -> tuple[ObjectKind, ...]:
    """Return all kinds."""
    return (*_KINDS.values(),)
