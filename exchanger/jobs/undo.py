"""
The story of an undo: what a run changed goes back, in a run of its own.

It is planned against what is held now, and only what still is as the run left it goes back; what
later runs or others have changed stays, and is told. The new run changes values as any other: it
is delivered, settled and remembered alike, and so it can be taken back itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from exchanger.errors import RunUnsuitable
from exchanger.files.scratch.spill import Scratch
from exchanger.jobs.history.taken_back import to_take_back
from exchanger.jobs.history.unfinished import unfinished_run
from exchanger.jobs.lifecycle.create_run import create_run, demand_live, leave_as_it_is
from exchanger.jobs.lifecycle.exclusive import plan_and_commit, with_lease_on_run
from exchanger.jobs.lifecycle.finish import finish
from exchanger.jobs.lifecycle.suitable import building_on_what_is_kept
from exchanger.jobs.lifecycle.undoing import Undoing
from exchanger.jobs.planning.budgets import note_price
from exchanger.jobs.planning.guards import decision_guards
from exchanger.jobs.planning.plan import planned
from exchanger.jobs.planning.preview import PlanReport, preview
from exchanger.jobs.runtime.import_context import ImportContext, new_report, numbered_report
from exchanger.jobs.runtime.memories import values_elsewhere
from exchanger.jobs.runtime.options import ImportOptions
from exchanger.jobs.runtime.recognition import recognise
from exchanger.jobs.runtime.report import combined
from exchanger.notes import Note, noted
from exchanger.objects.kinds import kind_named
from exchanger.state.store import open_state

if TYPE_CHECKING:
    from exchanger.config.models import ImportJob
    from exchanger.jobs.planning.exposure import Exposure
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.jobs.runtime.report import RunReport
    from exchanger.state.runs.log import RunDocument, VersionedRun

_INSTEAD = "Give the values of before in a file"


def undo_run(context: JobContext, name: str, job: ImportJob, seq: int, wait: float) -> RunReport:
    """
    Take back what a run changed.

    Its arguments are those of ``approve_run``.

    Raises:
        RunUnsuitable: The run has not ended, changed no attributes, or what it changed is not kept.
        BrazeError: As for an import.
        StorageError: S3 refused or did not answer.
        JobBusy: Another process writes to this connection.
        Stopped: The process was asked to stop before anything counted.
    """
    demand_live(job, seq, "undo")
    return with_lease_on_run(context, name, job, wait, lambda call: _undo(call, seq))


def plan_undo(
    context: JobContext, name: str, job: ImportJob, seq: int, *, rows: int | None = None
) -> PlanReport:
    """
    Return what ``undo_run`` would do, and write nothing anywhere.

    Args:
        context: The outside.
        name: The run's job.
        job: As it is configured now.
        seq: The run.
        rows: How many changes of each field to show.

    Raises:
        RunUnsuitable: As for ``undo_run``.
        BrazeError: A look-up failed.
        StorageError: S3 refused or did not answer.
    """
    state = open_state(context.bucket, context.state_prefix)
    recognise(context, state)
    call = ImportContext(context, state, name, job, ImportOptions(), record=False)
    call = replace(call, memories=values_elsewhere(context, state))
    first = unfinished_run(context, state)
    newest = state.runs.newest()
    report = new_report(call)
    with building_on_what_is_kept(seq, "undo", _INSTEAD):
        undoing = _begun(call, seq, newest.document.seq if newest else 0, report)
        plan = planned(call, report, undoing.batch, undoing.parts)
    exposure = plan.exposure(report, context.batch_size)
    reasons = [*chain.from_iterable(guard(exposure) for guard in decision_guards(call))]
    report.facts += [*note_price(context.budget, exposure.data_points), *reasons]
    report.facts += [noted("guards_would_hold")] if reasons else []
    exposure.expect_all_accepted(report)
    if not exposure.objects:
        report.state = "nothing_to_do"
    return replace(preview(call, report, plan, exposure, rows), unfinished=first)


def _undo(call: ImportContext, seq: int) -> RunReport:
    begun = new_report(call)
    reports: list[RunReport] = []
    notes: list[Note] = []
    with building_on_what_is_kept(seq, "undo", _INSTEAD):
        stored = plan_and_commit(call, lambda number: _plan_and_commit(call, number, seq, notes))
    if stored is not None:
        reports.append(finish(call.context, call.state, stored))
    nothing = replace(begun, finished_at=call.context.clock.now())
    return combined(reports, notes if stored is None else [], nothing=nothing)


def _plan_and_commit(
    call: ImportContext, number: int, seq: int, notes: list[Note]
) -> VersionedRun | None:
    report = numbered_report(call, number)
    undoing = _begun(call, seq, number - 1, report)

    def hold(reasons: Sequence[Note], exposure: Exposure) -> None:
        if reasons != _NOTHING:
            leave_as_it_is(call, seq, "undo", reasons, exposure)
        notes[:] = report.facts

    return create_run(
        call,
        report,
        undoing.batch,
        hold=hold,
        guards=[_demand_objects, *decision_guards(call)],
        takes_back=seq,
        parts=undoing.parts,
    )


_NOTHING = [noted("nothing_to_undo")]


def _demand_objects(exposure: Exposure) -> Sequence[Note]:
    """Hold a plan back that sends nothing: it needs no run."""
    return [] if exposure.objects else _NOTHING


def _begun(call: ImportContext, seq: int, last: int, report: RunReport) -> Undoing:
    run = _demand(call, seq)
    scratch = Scratch(call.context.workdir, call.context.bounds)
    found = to_take_back(call, scratch, run, last)
    if not found.profiles and run.report.get("fields_changed"):
        detail = f"what it changed is not kept any more, or was forgotten. {_INSTEAD}"
        raise RunUnsuitable(str(seq), "undo", detail)
    report.facts.append(noted("takes_back", run=seq))
    return Undoing(call, found, scratch)


def _demand(call: ImportContext, seq: int) -> RunDocument:
    """
    Read a run that can be taken back.

    Raises:
        RunUnsuitable: It cannot.
    """
    run = call.state.runs.read(seq).document
    if run.hold or run.state not in ("settled", "discarded"):
        detail = f"it is {run.state.replace('_', ' ')}"
        if run.hold and run.continued_by:
            detail = f"it was taken up by run {run.continued_by}: exchanger undo {run.continued_by}"
        raise RunUnsuitable(str(seq), "undo", detail)
    if not kind_named(run.object).taken_back:
        why = f"its rows became {run.object}, and only attributes can be taken back"
        raise RunUnsuitable(str(seq), "undo", why)
    if run.object != call.kind.name:
        why = f"its rows became {run.object}, and the job makes {call.kind.name} by now"
        raise RunUnsuitable(str(seq), "undo", why)
    if run.members:
        why = "it says whom its job has, so the next snapshot would take for gone whom it named"
        raise RunUnsuitable(str(seq), "undo", f"{why}. {_INSTEAD}")
    if any(file.outcome == "tested" for file in run.files):
        why = "it tried one row, which counts with its file: give what is right in that"
        raise RunUnsuitable(str(seq), "undo", why)
    return run
