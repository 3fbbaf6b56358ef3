"""What a run would send, field by field, for a person to look at."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from dataclasses import field as dataclass_field
from typing import TYPE_CHECKING, Any

import polars as pl

from exchanger.profiles.frames.columns import OBJECT, PROFILE, before, send, wanted
from exchanger.profiles.spelling.data_points import field_points
from exchanger.profiles.spelling.profile_key import shown as shown_key

if TYPE_CHECKING:
    from exchanger.jobs.history.unfinished import UnfinishedRun
    from exchanger.jobs.inventory.unclaimed import Unclaimed
    from exchanger.jobs.planning.plan import Plan
    from exchanger.jobs.runtime.report import RunReport

EXAMPLES = 3
"""Changes that are shown of each field, unless a number is asked for."""
REJECTED = 5
"""Rows that are shown of those that would go to quarantine, likewise."""


@dataclass(frozen=True)
class FieldPlan:
    """
    What a run would do to one field.

    Args:
        field: The Braze attribute.
        strategy: How it is merged.
        profiles: Profiles whose value changes.
        data_points: What that costs.
        examples: Profile, value before (JSON; None if unknown) and value afterwards (JSON).
    """

    field: str
    strategy: str
    profiles: int
    data_points: int
    examples: list[tuple[str, str | None, str]]


@dataclass(frozen=True)
class RejectedRow:
    """
    A row that would go to quarantine.

    Args:
        file: Its file.
        row: Its number there, from 1.
        field: What it is about; None if it is about the whole row.
        reason: A word for the kind of reason.
        message: A sentence for a person.
    """

    file: str
    row: int
    field: str | None
    reason: str
    message: str


@dataclass(frozen=True)
class PlanReport:
    """
    What a run would do.

    Args:
        report: Files and counts, as the run would report them if Braze accepted every object.
        fields: Every field of the job that this run speaks of.
        lookups: Profiles that were looked up in Braze to tell.
        rejected: The first rows that would go to quarantine.
        unfinished: A run that would be finished first, which is not part of the counts.
        unclaimed: Files in the folder of the job, and beside it, that no job takes.
        objects: Of jobs whose rows are sent one by one, the first: profile and object (JSON).
    """

    report: RunReport
    fields: list[FieldPlan]
    lookups: int
    rejected: list[RejectedRow] = dataclass_field(default_factory=list)
    unfinished: UnfinishedRun | None = None
    unclaimed: list[Unclaimed] = dataclass_field(default_factory=list)
    objects: list[tuple[str, str]] = dataclass_field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, as ``plan --json`` prints it."""
        first = None if self.unfinished is None else asdict(self.unfinished)
        if first is not None:
            first.pop("claimed")
        return {
            "report": self.report.to_dict(),
            "fields": [asdict(field) for field in self.fields],
            "lookups": self.lookups,
            "rejected": [asdict(row) for row in self.rejected],
            "unfinished": first,
            "unclaimed": [each.to_dict() for each in self.unclaimed],
            "objects": self.objects,
        }


def preview(report: RunReport, plan: Plan | None, shown: int | None = None) -> PlanReport:
    """
    Summarise a plan; without one there is nothing to do.

    Args:
        report: Of the run.
        plan: What it would send.
        shown: How many changes of each field, and rejected rows, are shown.
    """
    examples = EXAMPLES if shown is None else shown
    if plan is None:
        return PlanReport(report, [], 0)
    fields = {rule.name: FieldPlan(rule.name, rule.merge, 0, 0, []) for rule in plan.rules}
    objects: list[tuple[str, str]] = []
    for part in plan.outbox.frames():
        if not fields:
            objects += part.head(examples - len(objects)).select(PROFILE, OBJECT).rows()
        fields = {name: _with_part(field, part, examples) for name, field in fields.items()}
    rejected = _first_rejected(plan, REJECTED if shown is None else shown)
    return PlanReport(report, [*fields.values()], plan.lookups, rejected, objects=objects)


def _first_rejected(plan: Plan, most: int) -> list[RejectedRow]:
    """Read the first rejected rows; what is about a whole file is told with the file."""
    found: list[RejectedRow] = []
    for part in plan.rejected.frames(["file", "row", "field", "reason", "message"]):
        rows = part.drop_nulls("row").head(most - len(found))
        found += [RejectedRow(**row) for row in rows.iter_rows(named=True)]
        if len(found) == most:
            break
    return found


def _with_part(so_far: FieldPlan, part: pl.DataFrame, examples: int) -> FieldPlan:
    """Add what a part of the outbox does to a field."""
    name = so_far.field
    changes = part.filter(pl.col(wanted(name)).is_not_null())
    sent = send(name) if send(name) in part.columns else wanted(name)
    points = changes.select(field_points(name, pl.col(sent)).sum()).item()
    more = changes.head(examples - len(so_far.examples)).select(
        shown_key(pl.col(PROFILE)), before(name), wanted(name)
    )
    return replace(
        so_far,
        profiles=so_far.profiles + changes.height,
        data_points=so_far.data_points + int(points),
        examples=[*so_far.examples, *more.iter_rows()],
    )
