"""
The story of an import: finish what was begun, read what is new, plan, send, settle.

Safe to stop anywhere and to start again: until the run document exists nothing happened, and from
then on every process ends the run in the same way.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from exchanger.errors import JobBusy, Stopped, StorageChanged
from exchanger.jobs.call import ImportCall
from exchanger.jobs.ending import drain, finish
from exchanger.jobs.holding import holding
from exchanger.jobs.options import ImportOptions
from exchanger.jobs.planning import Plan, make_plan
from exchanger.jobs.preview import PlanReport, preview
from exchanger.jobs.reading import Reading, read_files
from exchanger.jobs.report import FileReport, RunReport, combined, new_run_id
from exchanger.jobs.runfiles import commit
from exchanger.jobs.waiting import WaitingFiles, waiting_files
from exchanger.state.connection import open_state
from exchanger.state.runs import ENDED

if TYPE_CHECKING:
    from exchanger.config.models import ImportJob
    from exchanger.jobs.world import World
    from exchanger.outside.s3 import ObjectInfo
    from exchanger.state.runs import Stored

_RACES = 3
"""How often another process may take the next number before this one gives up."""


def run_import(
    world: World, name: str, job: ImportJob, options: ImportOptions | None = None
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
    """
    state = open_state(world.bucket, world.state_prefix)
    call = ImportCall(world, state, name, job, options or ImportOptions())
    begun = _new_report(call)
    idle = _idle_notes(call)
    if idle is not None:
        return combined([], idle, nothing=replace(begun, finished_at=world.clock.now()))
    reports: list[RunReport] = []
    notes: list[str] = []
    try:
        with holding(world, state, name, call.options.wait) as held:
            _run_all(replace(call, world=held), reports, notes)
    except StorageChanged as error:
        raise JobBusy(name, f"a process that writes {error.key}") from error
    except Stopped:
        stopped = "Stopped as asked. The next run goes on from there."
        reports.append(replace(begun, state="partial", notes=[stopped]))
    begun.finished_at = world.clock.now()
    return combined(reports, notes, nothing=begun)


def plan_import(
    world: World, name: str, job: ImportJob, options: ImportOptions | None = None
) -> PlanReport:
    """
    Tell what ``run_import`` would send, and write nothing anywhere.

    Raises:
        BrazeError: A look-up failed.
        StorageError: S3 refused or did not answer.
    """
    state = open_state(world.bucket, world.state_prefix)
    call = ImportCall(world, state, name, job, options or ImportOptions(), record=False)
    report = _new_report(call)
    waiting = waiting_files(call)
    report.notes += _force_notes(waiting)
    if not waiting.files:
        return preview(replace(report, state="nothing_to_do"), None)
    reading, plan = _planned(call, report, waiting.files)
    plan.expect_all_accepted(report)
    if reading.left:
        report.notes.append(f"{reading.left} more files follow in a run of their own.")
    return preview(report, plan)


def _new_report(call: ImportCall) -> RunReport:
    now = call.world.clock.now()
    return RunReport(run_id=new_run_id(call.name, now), job=call.name, started_at=now)


def _idle_notes(call: ImportCall) -> list[str] | None:
    """Look, without writing anything, whether there is nothing to do; None if there is."""
    newest = call.state.runs.newest()
    if newest is not None and newest.document.state not in ENDED:
        return None
    waiting = waiting_files(call)
    return None if waiting.files else _force_notes(waiting)


def _run_all(call: ImportCall, reports: list[RunReport], notes: list[str]) -> None:
    """Finish what was begun, then take run after run until no file waits."""
    races = 0
    while True:
        # The number comes first: a file of a run that another process ends from here on looks as if
        # it waited, but then its number is taken, and the plan does not count.
        seq = _next_seq(call, reports, notes)
        waiting = waiting_files(call)
        if not waiting.files or call.world.stopping.is_set():
            break
        try:
            stored = _committed(call, waiting.files, seq)
        except StorageChanged:
            races += 1
            if races == _RACES:
                raise
        else:
            reports.append(finish(call.world, call.state, stored))
    notes += _force_notes(waiting)


def _next_seq(call: ImportCall, reports: list[RunReport], notes: list[str]) -> int:
    """Finish what was begun, and tell the number after the last run, which has ended."""
    while True:
        newest = call.state.runs.newest()
        if newest is None or newest.document.state in ENDED or call.world.stopping.is_set():
            return newest.document.seq + 1 if newest else 1
        for report in drain(call.world, call.state):
            if not call.world.stopping.is_set():
                notes.append(
                    f"Finished run {report.run_id} of {report.job}, which was interrupted."
                )
            if report.job == call.name:
                reports.append(report)


def _committed(call: ImportCall, files: list[ObjectInfo], seq: int) -> Stored:
    report = _new_report(call)
    report.seq = seq
    structlog.contextvars.bind_contextvars(run_id=report.run_id)
    reading, plan = _planned(call, report, files)
    stored = commit(call.world, call.state, report, reading, plan)
    call.taken.update((file.key, file.etag) for file in reading.files)
    call.taken.update((item.key, item.etag) for item in reading.gone)
    return stored


def _planned(call: ImportCall, report: RunReport, files: list[ObjectInfo]) -> tuple[Reading, Plan]:
    reading = read_files(call, files)
    report.files = [
        FileReport(file.key, file.outcome, file.rows, file.note) for file in reading.files
    ]
    plan = make_plan(call, reading, report)
    report.notes += reading.notes
    return reading, plan


def _force_notes(waiting: WaitingFiles) -> list[str]:
    return [
        f"{key} waits: its sums may count twice. To apply it in full: run with --force."
        for key in waiting.for_force
    ]
