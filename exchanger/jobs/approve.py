"""
The story of an approval: a run that was held back is planned again, on what is held by now.

If it would add more than the person was shown, it is held back again instead.
"""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

import polars as pl

from exchanger.errors import RunUnsuitable, StateMissing, StorageMissing
from exchanger.jobs.correct import release_corrections
from exchanger.jobs.history.held_runs import applied_since
from exchanger.jobs.intake.doubtful_types import doubtful_files, note_stray
from exchanger.jobs.intake.requests import FileRequest
from exchanger.jobs.intake.totals import exceed, totals_of
from exchanger.jobs.inventory.corrected_jobs import AS_NEW, GUARDED, newer_since
from exchanger.jobs.inventory.latest import claimed_place, last_applied, overtaken
from exchanger.jobs.lifecycle.create_run import create_run, demand_live
from exchanger.jobs.lifecycle.exclusive import plan_and_commit, with_lease_on_run
from exchanger.jobs.lifecycle.finish import finish
from exchanger.jobs.lifecycle.hold import (
    drop_held_back,
    guarded_again,
    hold_again,
    hold_back,
    still_doubtful,
)
from exchanger.jobs.lifecycle.leavers import note_not_done, remove_leavers
from exchanger.jobs.lifecycle.suitable import building_on_what_is_kept
from exchanger.jobs.planning.guards import (
    MEASURES,
    Guard,
    beyond_what_was_shown,
    decision_guards,
    guards_of,
)
from exchanger.jobs.quarantine.refused import GIVEN, UNCERTAIN_ROW
from exchanger.jobs.reading.read import read_all_files
from exchanger.jobs.runtime.artifacts import load
from exchanger.jobs.runtime.import_context import ImportContext, numbered_report
from exchanger.jobs.runtime.report import combined
from exchanger.notes import noted
from exchanger.profiles.frames.columns import FILE
from exchanger.state.runs.log import LEFT_OUT, VersionedRun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchanger.config.models import ImportJob
    from exchanger.jobs.intake.batch import InputBatch
    from exchanger.jobs.intake.requests import CountMode
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.jobs.runtime.report import RunReport
    from exchanger.state.inputs.file_ledger import LedgerSnapshot
    from exchanger.state.runs.log import ClaimedFile, RunDocument


def approve_run(context: JobContext, name: str, job: ImportJob, seq: int, wait: float) -> RunReport:
    """
    Apply a run that was held back.

    Args:
        context: The outside.
        name: The run's job.
        job: As it is configured now.
        seq: The run that was held back.
        wait: Seconds to wait for another process that writes to the same connection.

    Returns:
        The report of the run that applied it; or of the same run, held back again.

    Raises:
        RunUnsuitable: The run is not held back.
        BrazeError: As for an import.
        StorageError: S3 refused or did not answer.
        JobBusy: Another process writes to this connection.
        Stopped: The process was asked to stop before anything counted.
    """
    demand_live(job, seq, "approve")
    return with_lease_on_run(context, name, job, wait, lambda call: _approve(call, seq))


def _approve(call: ImportContext, seq: int) -> RunReport:
    run = call.state.runs.read(seq).document
    _demand_held(run)
    earlier = remove_leavers(call)
    plan = _release if run.holds_corrections else _plan_and_commit
    with building_on_what_is_kept(seq, "approve", _otherwise(call, seq)):
        outcome = plan_and_commit(call, lambda number: plan(call, number, seq))
    return _finished(call, outcome, earlier)


def _release(call: ImportContext, number: int, seq: int) -> VersionedRun | RunReport:
    held = call.state.runs.read(seq)
    _demand_held(held.document)
    return release_corrections(call, number, held)


def _finished(
    call: ImportContext, outcome: VersionedRun | RunReport, earlier: Sequence[RunReport] = ()
) -> RunReport:
    """Send what was planned, and what becomes of people who left by it."""
    if not isinstance(outcome, VersionedRun):
        return combined([*earlier, outcome], [], nothing=outcome) if earlier else outcome
    done = finish(call.context, call.state, outcome)
    reports = [*earlier, done, *remove_leavers(call)]
    return combined(reports, [], nothing=done) if len(reports) > 1 else done


def plan_corrected(call: ImportContext, seq: int) -> RunReport:
    """
    Apply a run that waits because of the type of a column, as its job reads files otherwise by now.

    If there still is such a column, the run goes on waiting, and says so anew.
    """
    outcome = plan_and_commit(
        call, lambda number: _plan_and_commit(call, number, seq, corrected=True)
    )
    return _finished(call, outcome)


def _plan_and_commit(
    call: ImportContext, number: int, seq: int, *, corrected: bool = False
) -> VersionedRun | RunReport:
    """Plan the run again under a number of its own; the report of the old one if it is not sent."""
    held = call.state.runs.read(seq)
    run = held.document
    _demand_held(run)
    applied = call.state.file_ledger.snapshot()
    if call.job.source.newest_alone and (newer := _newer(call, applied, run)):
        told = [noted("newer_file_counts", newest=newer)]
        return drop_held_back(call.context, call.state, held, notes=told)
    since = applied_since(call.state, applied, run.files, seq)
    if any(file.outcome in AS_NEW for file in run.files):
        since |= newer_since(applied, call.name, run.files, seq)
    said = [noted("left_out_since", file=key, run=later, held=seq) for key, later in since.items()]
    said += note_not_done(call)
    chosen = [file for file in run.files if file.key not in since]
    if not chosen:
        return drop_held_back(call.context, call.state, held, notes=said)
    _demand_copies(call, seq, chosen)
    requests = _intakes(call, chosen)
    _demand_certainty(call, seq, chosen, requests)
    report = numbered_report(call, number)
    report.facts += said
    batch = read_all_files(call, requests)
    if corrected and doubtful_files(batch):
        return still_doubtful(call, held, note_stray(batch.stray))
    copies = _hold_copies(call, number, batch)
    if copies is not None:
        report = numbered_report(call, number + 1)
        report.facts += said + [note for file in copies.files for note in file.facts]
    if not batch.files:
        dropped = drop_held_back(call.context, call.state, held, notes=report.facts)
        return copies or dropped
    _demand_differences(call, seq, batch)
    totals = totals_of(batch)
    if not run.reads_as and exceed(totals, run.totals):
        return hold_again(call, held, totals)
    hold = partial(guarded_again, call, held)
    guards = _guards(call, run, batch, corrected=corrected)
    return create_run(call, report, batch, hold=hold, guards=guards, parent=seq)


def _newer(call: ImportContext, applied: LedgerSnapshot, run: RunDocument) -> str | None:
    """Name the file that counts alone by now, if it came after those that wait."""
    places = [claimed_place(file) for file in run.files if file.outcome not in LEFT_OUT]
    last = last_applied(call)
    if last is None or last.place is None or None in places:
        return applied.applied_after(call.name, run.seq)
    return last.key if all(overtaken(call, place) for place in places) else None


def _guards(
    call: ImportContext, run: RunDocument, batch: InputBatch, *, corrected: bool
) -> list[Guard]:
    """List what looks at the new plan: limits of decisions alone, unless guards had a say."""
    shown = [note for file in run.files for note in file.facts if note.code in MEASURES]
    guarded = any(file.outcome == GUARDED for file in run.files)
    watched = corrected or guarded or any(note.code != "budget_exceeded" for note in shown)
    guards = guards_of(call, batch.files, batch.filled) if watched else decision_guards(call)
    return [beyond_what_was_shown(guards, shown)] if guards else []


def _hold_copies(call: ImportContext, number: int, batch: InputBatch) -> RunReport | None:
    """Hold back, in a run of their own, files whose content was applied by another name since."""
    if not batch.waiting:
        return None
    copies = hold_back(call, numbered_report(call, number), batch.waiting)
    return None if copies is None else finish(call.context, call.state, copies)


def _demand_held(run: RunDocument) -> None:
    """
    Check that a run waits for a person.

    Raises:
        RunUnsuitable: It does not.
    """
    if run.state != "held_back":
        raise RunUnsuitable(str(run.seq), "approve", f"it is not held back{_taken_up(run)}")


def _taken_up(run: RunDocument) -> str:
    if not run.continued_by:
        return ""
    dropped = run.report["state"] == "discarded"
    became = "was to apply it, and was discarded" if dropped else "applied it"
    return f"; run {run.continued_by} {became}"


def _intakes(call: ImportContext, files: Sequence[ClaimedFile]) -> list[FileRequest]:
    """
    Count each file as a new version of its key, if another version was applied last.

    That may have happened since it was held back: a copy of what had been applied then brings the
    difference by now.
    """
    applied = call.state.file_ledger.snapshot()

    def counting(file: ClaimedFile) -> CountMode:
        last = applied.last_version(file.key, file.sums)
        if file.outcome in AS_NEW:
            return "ask"
        replaces = file.outcome == "replaced" or last not in (None, file.sha256)
        return "difference" if replaces else "in_full"

    # Of others that would tell anew whether another memory has them, which a person has decided.
    told = call.job.source.is_snapshot
    return [
        FileRequest(
            file.key,
            file.etag,
            counting(file),
            arrived=file.arrived_at if told else None,
            kept=file.kept,
        )
        for file in files
    ]


def _demand_copies(call: ImportContext, seq: int, files: Sequence[ClaimedFile]) -> None:
    """
    Check that what waits is still there.

    Raises:
        RunUnsuitable: The copy of a file is gone.
    """
    for file in (file for file in files if file.kept):
        try:
            call.context.bucket.head(file.kept)
        except StorageMissing as error:
            detail = (
                f"the copy of {file.key} that waits in it, {file.kept}, is not in the bucket any "
                f"more. To drop it: exchanger discard {seq}"
            )
            raise RunUnsuitable(str(seq), "approve", detail) from error


def _demand_certainty(
    call: ImportContext, seq: int, files: Sequence[ClaimedFile], requests: Sequence[FileRequest]
) -> None:
    """
    Check that what the version before really gave is known: a difference builds on it.

    A sum that was refused after an attempt without an answer may have been applied. Giving it again
    finds out.
    """
    applied = call.state.file_ledger.snapshot()
    for file, request in zip(files, requests, strict=True):
        for run in _made_up(applied, file) if request.counting != "in_full" else ():
            if _may_have_given_more(call, seq, run, file):
                detail = (
                    f"Braze may have applied more of {file.key} than it said in run {run}; first "
                    f"find out with: exchanger retry {run}"
                )
                raise RunUnsuitable(str(seq), "approve", detail)


def _made_up(applied: LedgerSnapshot, file: ClaimedFile) -> list[int]:
    """Number the runs that made up what a file's key counts for."""
    runs = (applied.summed_by(file.key, name) or [] for name in file.sums)
    return sorted(set(chain.from_iterable(runs)))


def _demand_differences(call: ImportContext, seq: int, batch: InputBatch) -> None:
    """
    Check that anything can be applied; of several files, those that cannot are rejected.

    Raises:
        RunUnsuitable: What earlier versions gave is not kept any more, for any file.
    """
    if batch.untold and len(batch.untold) == len(batch.files):
        key, why = next(iter(batch.untold.items()))
        raise RunUnsuitable(str(seq), "approve", f"{key}: {why} {_otherwise(call, seq)}")


def _otherwise(call: ImportContext, seq: int) -> str:
    return (
        f"To add it in full: exchanger run {call.name} --force. To drop it: exchanger discard {seq}"
    )


def _may_have_given_more(call: ImportContext, approved: int, seq: int, file: ClaimedFile) -> bool:
    run = call.state.runs.read(seq).document
    if not run.refused_rows or run.continued_by:
        return False
    ours = [position for position, other in enumerate(run.files) if other.key == file.key]
    over = seq <= call.state.swept.load().quarantine
    try:
        owed = load(call.context, run.refused_rows)
    except StateMissing:
        if over:  # Where anything was uncertain, it would have been kept.
            return False
        raise
    doubtful = owed.filter(UNCERTAIN_ROW, pl.col(FILE).is_in(ours))
    given = [GIVEN + name for name in file.sums if GIVEN + name in owed.columns]
    if over and any(doubtful[name].count() for name in given):
        detail = (
            f"Braze may have applied more of {file.key} than it said in run {seq}, whose rows are "
            f"not kept any more, so nobody can tell the difference. {_otherwise(call, approved)}"
        )
        raise RunUnsuitable(str(approved), "approve", detail)
    return any(doubtful[name].count() for name in given)
