"""What a run would send, field by field, for a person to look at."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from dataclasses import field as dataclass_field
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from exchanger.config.prices import price_of
from exchanger.errors import PlanUnusable
from exchanger.outside.braze.paces import SHARED_POOL, sending_seconds
from exchanger.profiles.frames.columns import OBJECT, PROFILE, before, wanted
from exchanger.profiles.spelling.profile_key import shown as shown_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exchanger.config.models import Budget
    from exchanger.files.scratch.frame_file import FrameFile
    from exchanger.jobs.history.unfinished import UnfinishedRun
    from exchanger.jobs.inventory.unclaimed import Unclaimed
    from exchanger.jobs.observing.lookup import LookUps
    from exchanger.jobs.planning.exposure import Exposure
    from exchanger.jobs.planning.plan import Plan
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.jobs.runtime.report import RunReport
    from exchanger.jobs.runtime.saved_plan import SavedPlan
    from exchanger.profiles.frames.rules import Rule

Example = tuple[str, str | None, str]
"""Profile, value before (JSON; None if unknown) and value afterwards (JSON)."""
EXAMPLES = 10
"""Changes that are shown of each field, unless a number is asked for."""
REJECTED = 5
"""Rows that are shown of those that would go to quarantine, likewise."""
_WAITS = ("guards_would_hold", "would_be_held_back")
"""What is noted of a plan that a run would not send before a person approves it."""


@dataclass(frozen=True)
class FieldPlan:
    """
    What a run would do to one field.

    Args:
        field: The Braze attribute.
        strategy: How it is merged.
        profiles: Profiles whose value changes: the sum of the next three.
        new: Those that get a value, and of which none was known.
        changed: Those of which a known value becomes another one.
        cleared: Those that have none afterwards.
        unchanged: Profiles that the rows say something of, and whose value stays as it is.
        data_points: What the changes cost.
        cost: The same in money, to the cent; None without a price.
        type: As what its column is read.
        examples: The first changes.
    """

    field: str
    strategy: str
    profiles: int
    new: int
    changed: int
    cleared: int
    unchanged: int
    data_points: int
    cost: str | None
    type: str
    examples: list[Example]


@dataclass(frozen=True)
class Effort:
    """
    Requests to Braze.

    Args:
        requests: How many there are at least.
        seconds: How long they take at the rate limit, about; 0 if they may go at once.
    """

    requests: int = 0
    seconds: float = 0.0


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
class OwedRemoval:
    """
    What a run does first, with people who left a snapshot before.

    Args:
        run: The run that read the snapshot.
        people: How many left with it.
        does: What becomes of them: ``clear_fields``, ``delete``, ``event:NAME``, or ``goes`` where
            they leave an audience.
        data_points: What that costs at most.
    """

    run: int
    people: int
    does: str
    data_points: int


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
        owed: What would be done first with people who left before; not part of the counts either.
        corrections: What the run would do that gives corrected rows before any file is taken; not
            part of the counts either, and all else is planned as if it were not done.
        unclaimed: Files in the folder of the job, and beside it, that no job takes.
        objects: Of jobs that change no values, the first: profile and object (JSON).
        object_count: How many there are, of any job.
        sending: The requests that it takes.
        looking_up: Those that a run would spend on look-ups, if what was looked up is not recorded.
        cost: What all of it costs in money, to the cent; None without a price.
        currency: Of that.
        columns: As what the columns of the files were read.
        layout: How their CSV is written: ``encoding``, ``delimiter``; empty where nothing told.
        would_wait: Whether a guard, or a doubtful column, would hold the run back.
        basis: What it was made of; None where nothing would be done.
    """

    report: RunReport
    fields: list[FieldPlan]
    lookups: int
    rejected: list[RejectedRow] = dataclass_field(default_factory=list)
    unfinished: UnfinishedRun | None = None
    owed: OwedRemoval | None = None
    corrections: PlanReport | None = None
    unclaimed: list[Unclaimed] = dataclass_field(default_factory=list)
    objects: list[tuple[str, str]] = dataclass_field(default_factory=list)
    dropped: list[RejectedRow] = dataclass_field(default_factory=list)
    object_count: int = 0
    sending: Effort = Effort()
    looking_up: Effort = Effort()
    cost: str | None = None
    currency: str | None = None
    columns: Mapping[str, str] = dataclass_field(default_factory=dict)
    layout: Mapping[str, str] = dataclass_field(default_factory=dict)
    would_wait: bool = False
    basis: SavedPlan | None = None

    def save(self, path: Path | str) -> None:
        """
        Save it to a file, for ``run --plan``.

        Raises:
            PlanUnusable: There is nothing to run, another run comes first, or it cannot be written.
        """
        if self.unfinished is not None:
            first = f"run {self.unfinished.run} of {self.unfinished.job} is unfinished and comes"
            raise PlanUnusable(str(path), f"{first} first, which changes what the plan is made of")
        if self.owed is not None:
            first = f"what becomes of people who left with run {self.owed.run} comes first"
            raise PlanUnusable(str(path), f"{first}: exchanger run {self.report.job}")
        if self.basis is None:
            raise PlanUnusable(str(path), "there is nothing to do")
        self.basis.write(Path(path))

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
            "owed_removal": None if self.owed is None else asdict(self.owed),
            "corrections": None if self.corrections is None else self.corrections.to_dict(),
            "unclaimed": [each.to_dict() for each in self.unclaimed],
            "objects": self.objects,
            "object_count": self.object_count,
            "sending": asdict(self.sending),
            "looking_up": asdict(self.looking_up),
            "cost": self.cost,
            "currency": self.currency,
            "columns": dict(self.columns),
            "layout": dict(self.layout),
            "would_wait": self.would_wait,
        }


def preview(
    call: ImportContext,
    report: RunReport,
    plan: Plan,
    exposure: Exposure,
    shown: int | None = None,
) -> PlanReport:
    """
    Summarise a plan.

    Args:
        call: The job.
        report: Of the run.
        plan: What it would send.
        exposure: What that would do.
        shown: How many changes of each field, and rejected rows, are shown.
    """
    examples, objects = _examples(plan, exposure, examples_shown(shown))
    budget = call.context.budget
    cost = price_of(budget, exposure.data_points, exposure.requests)
    return PlanReport(
        report,
        [_of_field(rule, plan, exposure, budget, examples[rule.name]) for rule in plan.rules],
        plan.lookups.profiles,
        _first(plan.rejected, REJECTED if shown is None else shown),
        dropped=_first(plan.dropped, REJECTED if shown is None else shown),
        objects=objects,
        object_count=exposure.objects,
        sending=_sending(call, exposure),
        looking_up=_looking_up(call, plan.lookups),
        cost=cost,
        currency=budget.currency if budget is not None and cost is not None else None,
        would_wait=any(fact.code in _WAITS for fact in report.facts),
    )


def examples_shown(asked: int | None) -> int:
    """Return how many changes of each field, or objects, are shown: a few, if nobody asked."""
    return EXAMPLES if asked is None else asked


def _of_field(
    rule: Rule, plan: Plan, exposure: Exposure, budget: Budget | None, examples: list[Example]
) -> FieldPlan:
    found = exposure.fields[rule.name]
    changed = found.replaced - found.cleared
    return FieldPlan(
        field=rule.name,
        strategy=rule.merge,
        profiles=found.profiles,
        new=found.profiles - changed - found.emptied,
        changed=changed,
        cleared=found.emptied,
        unchanged=max(plan.spoken.profiles[rule.name] - found.profiles, 0),
        data_points=found.data_points,
        cost=price_of(budget, found.data_points),
        type=rule.type,
        examples=examples,
    )


def _sending(call: ImportContext, exposure: Exposure) -> Effort:
    context = call.context
    seconds = sending_seconds(exposure.requests_to, context.rate_limit, context.hourly_limit)
    return Effort(exposure.requests, round(seconds, 1))


def _looking_up(call: ImportContext, lookups: LookUps) -> Effort:
    # Groups have a limit that is far wider.
    limit = SHARED_POOL if call.job.subscription is not None else call.context.lookup_limit
    return Effort(lookups.requests, round(limit.seconds(lookups.requests), 1))


def _examples(
    plan: Plan, exposure: Exposure, most: int
) -> tuple[dict[str, list[Example]], list[tuple[str, str]]]:
    """Read the first changes of each field; the first objects where no values are changed."""
    found: dict[str, list[Example]] = {rule.name: [] for rule in plan.rules}
    if not found:
        parts = plan.outbox.frames([PROFILE, OBJECT], rows=max(most, 1))
        objects = chain.from_iterable(part.select(PROFILE, OBJECT).rows() for part in parts)
        return found, list(islice(objects, most))
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
