"""
The story of an import: finish what was begun, read what is new, plan, send, settle.

Safe to stop anywhere and to start again: until the run document exists nothing happened, and from
then on every process ends the run in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import structlog

from exchanger.config.answers import takes_corrections
from exchanger.errors import InvalidRow, SchemaBroken, Stopped, StorageChanged, StorageError
from exchanger.jobs.answers.not_read import answer_stopped, answer_unreadable
from exchanger.jobs.answers.taken_files import is_to_be_put_away
from exchanger.jobs.answers.terms import is_due
from exchanger.jobs.approve import plan_corrected
from exchanger.jobs.correct import correct_rows
from exchanger.jobs.intake.doubtful_types import doubtful_files
from exchanger.jobs.intake.requests import FileRequest
from exchanger.jobs.intake.totals import note_what_counts_again
from exchanger.jobs.intake.unreadable import told as told_unreadable
from exchanger.jobs.inventory.completeness import note_incomplete
from exchanger.jobs.inventory.corrected_jobs import corrected_runs
from exchanger.jobs.inventory.corrections import awaiting_corrections, corrected_files
from exchanger.jobs.inventory.latest import claims_of
from exchanger.jobs.inventory.left_over import by_run, note_left
from exchanger.jobs.inventory.listing import WaitingFiles, backlog, waiting_files
from exchanger.jobs.inventory.moved_files import MovedFile
from exchanger.jobs.inventory.planned_files import demand_unmoved, files_of_plan, refuse
from exchanger.jobs.inventory.unclaimed import note_passed_over, note_strays
from exchanger.jobs.lifecycle.create_run import create_run, hold_files
from exchanger.jobs.lifecycle.exclusive import end_others, plan_and_commit, with_lease
from exchanger.jobs.lifecycle.finish import finish
from exchanger.jobs.lifecycle.hold import end_discards, half_dropped, hold_back
from exchanger.jobs.lifecycle.leavers import (
    due_leavers,
    note_not_done,
    owed_leavers,
    remove_leavers,
)
from exchanger.jobs.observing.first_delivery_check import due, read_back
from exchanger.jobs.planning.guards import guards_of
from exchanger.jobs.reading.read import read_files
from exchanger.jobs.runtime.import_context import ImportContext, new_report, numbered_report
from exchanger.jobs.runtime.memories import memories_of
from exchanger.jobs.runtime.options import ImportOptions
from exchanger.jobs.runtime.recognition import establish, recognise
from exchanger.jobs.runtime.report import RunReport, combined
from exchanger.notes import Note, noted
from exchanger.state.runs.log import ENDED
from exchanger.state.store import open_state

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exchanger.config.models import ImportJob
    from exchanger.jobs.intake.batch import InputBatch
    from exchanger.jobs.intake.requests import CountMode, HeldFile
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.outside.s3.bucket import ObjectInfo
    from exchanger.state.runs.log import RunDocument, VersionedRun


log = structlog.get_logger()


def run_import(
    context: JobContext, name: str, job: ImportJob, options: ImportOptions | None = None
) -> RunReport:
    """
    Apply every waiting file of a job.

    What an earlier process left unfinished on this connection is finished first (law 2). One run
    takes at most ``max_rows_per_run`` rows; the report adds up all the runs it took.

    Raises:
        BrazeError: Braze refused the key, or did not answer. What was acknowledged is kept, and
            the next run goes on from there.
        StorageError: S3 refused or did not answer.
        JobBusy: Another process writes to this connection, and did not end while we waited.
        LeaseLost: This process can no longer prove that it is the only writer.
        PlanMoved: What a saved plan was made of, or what it comes to, is not as it was.
    """
    state = open_state(context.bucket, context.state_prefix)
    recognise(context, state)
    call = ImportContext(context, state, name, job, options or ImportOptions())
    demand_unmoved(call)
    begun = new_report(call)
    with state.tenure.begun():
        idle = _idle_notes(call)
    if idle is not None:
        idle_report = replace(begun, finished_at=context.clock.now())
        return _with_what_is_left(call, combined([], idle, nothing=idle_report))
    reports: list[RunReport] = []
    notes: list[Note] = []
    try:
        with_lease(
            context,
            state,
            name,
            call.options.wait,
            lambda held: _run_all(replace(call, context=held), reports, notes),
        )
    except Stopped:
        mine = [*reports, *(report for report in call.ended if report.job == name)]
        if all(report.finished_at for report in mine):
            stopped = [noted("stopped")]
            reports.append(replace(begun, state="partial", facts=stopped, stopped=True))
    begun.finished_at = context.clock.now()
    finished = [
        noted("run_finished", run_id=report.run_id, job=report.job)
        for report in call.ended
        if report.finished_at is not None
    ]
    own = [report for report in call.ended if report.job == name]
    return _with_what_is_left(call, combined([*own, *reports], finished + notes, nothing=begun))


def _see_corrections(call: ImportContext) -> None:
    """Note in the call whether rejected rows of the job are kept that a person may correct."""
    applied = call.state.file_ledger.snapshot()
    found = awaiting_corrections(call.state, applied, {call.name: call.job})
    call.listing.awaits_corrections = bool(found)


def _with_what_is_left(call: ImportContext, report: RunReport) -> RunReport:
    """Return the report with what else was left: files that are not complete, rows to correct."""
    left, awaits = call.listing.incomplete, call.listing.awaits_corrections
    return replace(report, files_incomplete=left or None, awaits_corrections=awaits or None)


def run_once(context: JobContext, name: str, job: ImportJob, options: ImportOptions) -> RunReport:
    """
    Apply as many waiting files as one run takes.

    Returns:
        The report of the run, with ``files_waiting``: the files that wait now. It is left out if
        the process was asked to stop, or S3 did not say.

    Raises:
        ExchangerError: As for ``run_import``.
    """
    report = run_import(context, name, job, options)
    if context.stopping.is_set():
        return report
    if report.state == "nothing_to_do":
        report.files_waiting = 0
    else:
        try:
            # A file that cannot be read yet is no reason to begin again at once.
            unreadable = sum(file.outcome == "unreadable" for file in report.files)
            found = backlog(context, {name: job})
            report.files_waiting = max(found.files[name] - unreadable, 0)
            report.awaits_corrections = name in found.awaiting or None
        except StorageError as error:
            # The run itself is over and done.
            log.warning("waiting.unknown", error=str(error))
    return report


def _idle_notes(call: ImportContext) -> list[Note] | None:
    """Look, without writing anything, whether there is nothing to do; None if there is."""
    if call.options.saved is not None:
        return None
    newest = call.state.runs.newest()
    if newest is not None and _is_unfinished(newest.document):
        return None
    waiting = waiting_files(call)
    if waiting.has_work or corrected_files(call):
        return None
    if due(call) or half_dropped(call.state, waiting.undecided):
        return None
    owed = owed_leavers(call)
    if corrected_runs(call, waiting.undecided) or (owed is not None and not owed.why_not):
        return None
    undone = [] if owed is None else owed.notes
    _see_corrections(call)
    return note_waiting(call, waiting) + note_strays(waiting.strays) + undone


def _is_unfinished(run: RunDocument) -> bool:
    """Return whether a run has not ended, or whoever dropped its files finds it undone."""
    return run.state not in ENDED or is_due(run) or is_to_be_put_away(run)


def _run_all(call: ImportContext, reports: list[RunReport], notes: list[Note]) -> None:
    """
    Finish what was begun, then take run after run until no file waits.

    Raises:
        Stopped: The process was asked to stop, and files wait.
    """
    notes += establish(call.context, call.state)
    call.state.open_ahead(held=call.kind.holds_values)
    last = end_others(call)
    end_discards(call)
    waits = _waits_for_adoption(call)
    if waits is not None:
        reports.append(waits)
        return
    call = replace(call, memories=memories_of(call.context, call.state, record=True))
    told = read_back(call)
    if call.options.saved is not None:
        _demand_nobody_owed(call)
    else:
        undecided = call.state.file_ledger.snapshot().undecided(call.name)
        reports.extend(plan_corrected(call, seq) for seq in corrected_runs(call, undecided))
        reports += remove_leavers(call)
        reports += correct_rows(call)
    told += note_not_done(call)
    while not call.context.stopping.is_set():
        taken = _one_run(call, told, notes)
        if taken.stored is not None:
            told.clear()
            reports.append(finish(call.context, call.state, taken.stored))
            reports += remove_leavers(call)
        elif taken.unreadable:
            reports.append(_nothing_but(call, taken.unreadable))
        if taken.waiting and not call.context.stopping.is_set():
            reports += _held_back(call, taken)
        if _waits_for_adoption(call) is not None:
            break
        if not taken.listed.has_work:
            notes += note_waiting(call, taken.listed) + _new_strays(call, taken.listed, last)
            break
    else:
        if waiting_files(call).has_work:
            raise Stopped
    notes += told
    _see_corrections(call)


def _one_run(call: ImportContext, told: list[Note], notes: list[Note]) -> _Taken:
    """Plan a run; whoever dropped files that it leaves as they are is told why."""
    try:
        taken = plan_and_commit(call, lambda seq: _plan_and_commit(call, seq, told))
    except (InvalidRow, SchemaBroken) as error:
        answer_stopped(call, error)
        raise
    notes += answer_unreadable(call, taken.unreadable)
    return taken


def _demand_nobody_owed(call: ImportContext) -> None:
    """
    Check that a saved plan does not overtake what becomes of people who left before it.

    Raises:
        PlanMoved: The next run of the job has to begin with them.
    """
    if owed := due_leavers(call):
        refuse(call, [noted("plan_owes_leavers", run=owed.run.seq)])


def _nothing_but(call: ImportContext, unreadable: Mapping[tuple[str, str], Note]) -> RunReport:
    """Report files that could not be read, where there were no others."""
    report = new_report(call)
    files = told_unreadable(unreadable)
    return replace(report, state="partial", files=files, finished_at=call.context.clock.now())


@dataclass(frozen=True)
class _Taken:
    """
    What was listed under a number, and the run made of it.

    Beside it the files that wait for a person, and those that could not be read.
    """

    seq: int
    listed: WaitingFiles
    stored: VersionedRun | None = None
    waiting: Sequence[HeldFile] = ()
    unreadable: Mapping[tuple[str, str], Note] = field(default_factory=dict)


def _plan_and_commit(call: ImportContext, seq: int, told: list[Note]) -> _Taken:
    listed = _listed(call, seq)
    if not listed.has_work:
        return _Taken(seq, listed)
    report = numbered_report(call, seq)
    report.facts += told
    batch = read_waiting(call, listed)
    call.taken.update(batch.unreadable)
    is_known_elsewhere = any(f.claim.outcome == "applied_elsewhere" for f in batch.waiting)
    if is_known_elsewhere and call.state.file_ledger.snapshot().is_unused:
        # Once we had applied a file, nobody could adopt the state that knows the others.
        return _Taken(seq, listed, waiting=batch.waiting, unreadable=batch.unreadable)
    if doubtful := doubtful_files(batch):
        return _Taken(seq, listed, waiting=doubtful, unreadable=batch.unreadable)
    if not batch.files and not batch.gone:
        return _Taken(seq, listed, waiting=batch.waiting, unreadable=batch.unreadable)
    if call.options.force:
        report.facts += note_what_counts_again(call, batch)
    hold = partial(hold_files, call, report, batch)
    guards = guards_of(call, batch.files, batch.filled, batch.waiting)
    stored = create_run(call, report, batch, hold=hold, guards=guards)
    call.taken.update((file.key, file.etag) for file in batch.files)
    call.taken.update(batch.gone)
    after = seq + (stored is not None)
    return _Taken(after, listed, stored, batch.waiting, batch.unreadable)


def _listed(call: ImportContext, seq: int) -> WaitingFiles:
    """List what a run of this number takes: of a saved plan exactly its files, and once."""
    if not call.taken:
        demand_unmoved(call, seq=seq)
    return files_of_plan(call, waiting_files(call, again=False))


def _waits_for_adoption(call: ImportContext) -> RunReport | None:
    """Report that nothing is taken before a person decides about files another state knows."""
    applied = call.state.file_ledger.snapshot()
    undecided = applied.undecided_elsewhere()
    if not undecided or not applied.is_unused or call.options.force:
        return None
    waits = noted("waits_for_adoption", runs=list(undecided))
    now = call.context.clock.now()
    return replace(new_report(call), state="held_back", facts=[waits], finished_at=now)


def _held_back(call: ImportContext, taken: _Taken) -> list[RunReport]:
    """Hold back the files that wait, in a run of their own right after the one they came with."""
    try:
        held = hold_back(call, numbered_report(call, taken.seq), taken.waiting)
    except StorageChanged:
        # Another process ended a run meanwhile, perhaps with these files: list and read them anew.
        call.state.tenure.forget()
        return []
    call.taken.update((file.claim.key, file.claim.etag) for file in taken.waiting)
    return [] if held is None else [finish(call.context, call.state, held)]


def read_waiting(call: ImportContext, listed: WaitingFiles) -> InputBatch:
    """Read what waits, and claim what is left out for good beside it."""
    requests = _intakes(call, listed.files)
    batch = read_files(call, requests, call.job.max_rows_per_run, without_all=True)
    not_read = {key for key, _ in (*batch.gone, *batch.unreadable)}
    # A file that nobody can read replaces none.
    older = [] if listed.newest in not_read else listed.superseded
    left_out = claims_of(older, listed.newest)
    return replace(batch, files=(*batch.files, *left_out))


def _intakes(call: ImportContext, files: list[ObjectInfo]) -> list[FileRequest]:
    counting: CountMode = "in_full" if call.options.force else "ask"
    return [
        FileRequest(
            file.key,
            file.etag,
            counting,
            file.last_modified,
            kept=file.kept if isinstance(file, MovedFile) else "",
            size=file.size,
        )
        for file in files
    ]


def note_waiting(call: ImportContext, waiting: WaitingFiles) -> list[Note]:
    """Note which files wait for a person, are not complete, or lie there with rows left."""
    gone, job = waiting.moved_away, call.job
    prefix = job.source.prefix if takes_corrections(job) else None
    return [
        noted("file_waits_as_doubtful", file=key, run=seq)
        if key in waiting.doubtful
        else noted("file_waits_for_guard", file=key, run=seq)
        if key in waiting.guarded
        else noted("file_waits", file=key, run=seq)
        for key, seq in waiting.held.items()
    ] + [
        *note_incomplete(waiting.incomplete),
        *note_left(by_run(waiting.left), prefix=prefix),
        *([noted("moved_files_gone", file=gone[0], files=len(gone))] if gone else []),
    ]


def _new_strays(call: ImportContext, waiting: WaitingFiles, seq: int) -> list[Note]:
    """Note what no job takes, and what is no data, of what came since run *seq*: once each."""
    strays, others = waiting.strays, waiting.passed_over
    if (strays or others) and seq:
        since = call.state.runs.written(seq)
        strays = [item for item in strays if item.last_modified >= since]
        others = [item for item in others if item.last_modified >= since]
    return note_strays(strays) + note_passed_over(call.context, others)
