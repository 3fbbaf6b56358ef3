"""What a run would send, field by field, for a person to look at."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from dataclasses import field as dataclass_field
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import polars as pl

from exchanger.profiles.frames.columns import OBJECT, PROFILE, before, wanted
from exchanger.profiles.spelling.profile_key import shown as shown_key

if TYPE_CHECKING:
    from exchanger.files.scratch.frame_file import FrameFile
    from exchanger.jobs.history.unfinished import UnfinishedRun
    from exchanger.jobs.inventory.unclaimed import Unclaimed
    from exchanger.jobs.planning.exposure import Exposure
    from exchanger.jobs.planning.plan import Plan
    from exchanger.jobs.runtime.report import RunReport

Example = tuple[str, str | None, str]
"""Profile, value before (JSON; None if unknown) and value afterwards (JSON)."""
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
        examples: The first changes.
    """

    field: str
    strategy: str
    profiles: int
    data_points: int
    examples: list[Example]


@dataclass(frozen=True)
class RejectedRow:
    """
    A row that would go to quarantine, or a value that would be left out of its row.

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
        dropped: The first values that would be left out, likewise.
        unfinished: A run that would be finished first, which is not part of the counts.
        unclaimed: Files in the folder of the job, and beside it, that no job takes.
        objects: Of jobs that change no values, the first: profile and object (JSON).
        object_count: How many there are, of any job.
    """

    report: RunReport
    fields: list[FieldPlan]
    lookups: int
    rejected: list[RejectedRow] = dataclass_field(default_factory=list)
    unfinished: UnfinishedRun | None = None
    unclaimed: list[Unclaimed] = dataclass_field(default_factory=list)
    objects: list[tuple[str, str]] = dataclass_field(default_factory=list)
    dropped: list[RejectedRow] = dataclass_field(default_factory=list)
    object_count: int = 0

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
            "dropped": [asdict(row) for row in self.dropped],
            "unfinished": first,
            "unclaimed": [each.to_dict() for each in self.unclaimed],
            "objects": self.objects,
            "object_count": self.object_count,
        }


def preview(
    report: RunReport, plan: Plan | None, exposure: Exposure, shown: int | None = None
) -> PlanReport:
    """
    Summarise a plan; without one there is nothing to do.

    Args:
        report: Of the run.
        plan: What it would send.
        exposure: What that would do.
        shown: How many changes of each field, and rejected rows, are shown.
    """
    if plan is None:
        return PlanReport(report, [], 0)
    most = EXAMPLES if shown is None else shown
    examples, objects = _examples(plan, exposure, most)
    fields = []
    for rule in plan.rules:
        found = exposure.fields[rule.name]
        told = found.profiles, found.data_points, examples[rule.name]
        fields.append(FieldPlan(rule.name, rule.merge, *told))
    most_rows = REJECTED if shown is None else shown
    rejected, dropped = (_first(rows, most_rows) for rows in (plan.rejected, plan.dropped))
    return PlanReport(
        report,
        fields,
        plan.lookups,
        rejected,
        dropped=dropped,
        objects=objects,
        object_count=exposure.objects,
    )


def _examples(
    plan: Plan, exposure: Exposure, most: int
) -> tuple[dict[str, list[Example]], list[tuple[str, str]]]:
    """Read the first changes of each field; the first objects where no values are changed."""
    found: dict[str, list[Example]] = {rule.name: [] for rule in plan.rules}
    if not found:
        objects = (part.select(PROFILE, OBJECT).rows() for part in plan.outbox.frames())
        return found, list(islice(chain.from_iterable(objects), most))
    left = {name: min(most, exposure.fields[name].profiles) for name in found}
    for part in plan.outbox.frames():
        for name in [name for name, number in left.items() if number]:
            changes = part.filter(pl.col(wanted(name)).is_not_null()).head(left[name])
            sides = shown_key(pl.col(PROFILE)), before(name), wanted(name)
            found[name] += changes.select(sides).rows()
            left[name] -= changes.height
        if not any(left.values()):
            break
    return found, []


def _first(rejected: FrameFile, most: int) -> list[RejectedRow]:
    """Read the first rejected rows, or values; what is about a whole file is told with the file."""
    found: list[RejectedRow] = []
    for part in rejected.frames(["file", "row", "field", "reason", "message"]):
        rows = part.drop_nulls("row").head(most - len(found))
        found += [RejectedRow(**row) for row in rows.iter_rows(named=True)]
        if len(found) == most:
            break
    return found
