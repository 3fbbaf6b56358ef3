"""
The story of a plan: what an import would send by now, and nothing is written anywhere.

It reads and decides as a run does, so what it shows is what the next run sends.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from exchanger.jobs.correct import chosen_corrections, read_corrections
from exchanger.jobs.history.unfinished import unfinished_run
from exchanger.jobs.imports import note_waiting, read_waiting
from exchanger.jobs.intake.doubtful_types import doubtful_files
from exchanger.jobs.intake.totals import note_what_counts_again
from exchanger.jobs.intake.unreadable import told
from exchanger.jobs.inventory.corrections import corrected_files, note_corrected
from exchanger.jobs.inventory.listing import waiting_files
from exchanger.jobs.inventory.unclaimed import below, beside
from exchanger.jobs.lifecycle.leavers import note_not_done, removal_ahead
from exchanger.jobs.planning.budgets import note_price
from exchanger.jobs.planning.commit import canary_of
from exchanger.jobs.planning.guards import decision_guards, guards_of
from exchanger.jobs.planning.plan import planned
from exchanger.jobs.planning.preview import PlanReport, examples_shown, preview
from exchanger.jobs.runtime.import_context import ImportContext, new_report
from exchanger.jobs.runtime.memories import memories_of
from exchanger.jobs.runtime.options import ImportOptions
from exchanger.jobs.runtime.recognition import establish, recognise
from exchanger.jobs.runtime.report import FileReport
from exchanger.jobs.runtime.saved_plan import SavedPlan, configuration_of, identity_of
from exchanger.notes import Note, noted
from exchanger.state.store import open_state

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from exchanger.config.models import ImportJob
    from exchanger.jobs.intake.batch import InputBatch
    from exchanger.jobs.inventory.corrections import CorrectedFile
    from exchanger.jobs.inventory.listing import WaitingFiles
    from exchanger.jobs.planning.exposure import Exposure
    from exchanger.jobs.planning.guards import Guard
    from exchanger.jobs.planning.plan import Plan
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.jobs.runtime.report import RunReport


def plan_import(  # noqa: PLR0913 - one for each thing that may be asked of a plan
    context: JobContext,
    name: str,
    job: ImportJob,
    options: ImportOptions | None = None,
    *,
    record: bool = False,
    rows: int | None = None,
    kept: bool = True,
) -> PlanReport:
    """
    Return what ``run_import`` would send, and write nothing anywhere.

    What an unfinished run has claimed is told apart: the next one finishes it first.

    Args:
        context: The outside.
        name: The job's name.
        job: The job.
        options: Which files, and how they are taken.
        record: Record what was looked up, as an observation, so that a run need not ask again.
        rows: How many changes of each field, and rejected rows, to show.
        kept: Whether the plan may be saved, and so has to stand for all that is sent.

    Raises:
        BrazeError: A look-up failed.
        StorageError: S3 refused or did not answer.
    """
    state = open_state(context.bucket, context.state_prefix)
    recognise(context, state)
    call = ImportContext(
        context,
        state,
        name,
        job,
        options or ImportOptions(),
        record=False,
        learn=record,
        shown=None if kept else examples_shown(rows),
    )
    report = new_report(call)
    if record:
        report.facts += establish(context, state)
    # Before anything is read: a run that ends meanwhile makes the plan an old one.
    newest = state.runs.newest()
    last = newest.document.seq if newest is not None else 0
    first = unfinished_run(context, state)
    if first is not None and first.job == name:
        call.taken.update(first.claimed)
    waiting = waiting_files(call)
    report.facts += note_waiting(call, waiting) + note_not_done(call)
    corrected = corrected_files(call)
    report.facts += note_corrected(corrected)
    call = replace(call, memories=memories_of(call.context, call.state, record=False))
    found = PlanReport(replace(report, state="nothing_to_do"), [], 0)
    if waiting.has_work:
        found = _of_waiting(call, report, waiting, rows, last)
    return replace(
        found,
        unfinished=first,
        owed=removal_ahead(call),
        corrections=_of_corrected(call, corrected, rows) if corrected else None,
        unclaimed=[*below(context.folders, waiting.strays), *beside(context, [name])],
    )


def _of_waiting(
    call: ImportContext, report: RunReport, waiting: WaitingFiles, rows: int | None, last: int
) -> PlanReport:
    """Return what a run would send of the files that wait."""
    batch = read_waiting(call, waiting)
    if call.options.force:
        report.facts += note_what_counts_again(call, batch)
    if doubtful_files(batch):
        report.facts.append(noted("would_be_held_back"))
    guards = guards_of(call, batch.files, batch.filled, batch.waiting)
    return _previewed(call, report, batch, guards, rows=rows, last=last)


def _of_corrected(
    call: ImportContext, waiting: Sequence[CorrectedFile], rows: int | None
) -> PlanReport:
    """Return what a run would send of rows that people have corrected."""
    corrections = chosen_corrections(call, waiting)
    report = new_report(call)
    batch, parent = read_corrections(call, corrections)
    report.files += told(batch.unreadable)
    batch = replace(batch, left=len(waiting) - len(corrections.files))
    if not batch.files:
        return PlanReport(replace(report, state="nothing_to_do"), [], 0)
    guards = decision_guards(call) if parent else []
    return _previewed(call, report, batch, guards, rows=rows)


def _previewed(  # noqa: PLR0913 - what was read, who may say no, and how it is shown
    call: ImportContext,
    report: RunReport,
    batch: InputBatch,
    guards: Sequence[Guard],
    *,
    rows: int | None,
    last: int | None = None,
) -> PlanReport:
    """Plan what was read, and show it; what it was made of only with the number of the last run."""
    plan = planned(call, report, batch)
    report.files += [
        FileReport(file.claim.key, file.claim.outcome, 0, facts=file.claim.facts)
        for file in batch.waiting
    ]
    exposure = plan.exposure(report, call.context.batch_size)
    report.facts += _guard_notes(call, guards, exposure)
    if first := canary_of(call, batch, exposure.objects):
        report.facts.append(noted("canary_first", first=first, objects=exposure.objects))
    exposure.expect_all_accepted(report)
    if batch.left:
        report.facts.append(noted("files_follow", files=batch.left))
    return replace(
        preview(call, report, plan, exposure, rows),
        columns=batch.types,
        layout=batch.layout,
        basis=None if last is None or plan.content is None else _basis(call, plan, exposure, last),
    )


def _basis(call: ImportContext, plan: Plan, exposure: Exposure, last: int) -> SavedPlan:
    """Return what a plan was made of, for a person who keeps it."""
    return SavedPlan(
        job=call.name,
        connection=identity_of(call.context),
        configuration=configuration_of(call.job),
        after_run=last,
        files=tuple((file.key, file.etag) for file in plan.files),
        totals=exposure.numbers,
        made_at=call.context.clock.now().isoformat(),
    )


def _guard_notes(call: ImportContext, guards: Iterable[Guard], exposure: Exposure) -> list[Note]:
    """Note what guards would say of a plan, and what it would cost in money."""
    reasons = [*chain.from_iterable(guard(exposure) for guard in guards)]
    held = [noted("guards_would_hold")] if reasons else []
    price = note_price(call.context.budget, exposure.data_points, exposure.requests)
    return [*price, *reasons, *held]
