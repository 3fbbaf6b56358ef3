"""
The story of an import: finish what was begun, read what is new, plan, send, settle.

Safe to stop anywhere and to start again: until the run document exists nothing happened, and from
then on every process ends the run in the same way.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from exchanger.errors import JobBusy, StorageChanged
from exchanger.jobs.ending import drain, finish
from exchanger.jobs.options import ImportOptions
from exchanger.jobs.planning import make_plan
from exchanger.jobs.reading import Reading, read_files
from exchanger.jobs.report import FileReport, RunReport, combined
from exchanger.jobs.runfiles import commit
from exchanger.jobs.waiting import WaitingFiles, waiting_files
from exchanger.state.connection import open_state

if TYPE_CHECKING:
    from exchanger.config.models import ImportJob
    from exchanger.jobs.planning import Plan
    from exchanger.jobs.world import World
    from exchanger.outside.s3 import ObjectInfo
    from exchanger.state.connection import ConnectionState

log = structlog.get_logger()

_RACES = 3
"""How often planning starts again because another process took the next number."""


@dataclass(frozen=True)
class PlannedImport:
    """
    What a run would do.

    Args:
        report: Files and counts, as the run would report them if Braze accepted every object.
        plan: What would be sent, for previews.
    """

    report: RunReport
    plan: Plan | None


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
        JobBusy: Another process is writing runs of this connection.
    """
    options = options or ImportOptions()
    state = open_state(world.bucket, world.state_prefix)
    begun = new_report(world, name)
    try:
        reports, notes = _drained(world, state, name)
        taken: set[tuple[str, str]] = set()
        waiting = _waiting(world, state, name, job, options, taken)
        while waiting.files and not world.stopping.is_set():
            reports.append(_one_run(world, state, name, job, options, waiting.files, taken))
            waiting = _waiting(world, state, name, job, options, taken)
    except StorageChanged as error:
        raise JobBusy(name, f"a process that writes {error.key}") from error
    notes += _force_notes(waiting)
    begun.finished_at = world.clock.now()
    return combined(reports, notes, nothing=begun)


def plan_import(
    world: World, name: str, job: ImportJob, options: ImportOptions | None = None
) -> PlannedImport:
    """
    Tell what ``run_import`` would send, and write nothing anywhere.

    Raises:
        BrazeError: A look-up failed.
        StorageError: S3 refused or did not answer.
    """
    options = options or ImportOptions()
    state = open_state(world.bucket, world.state_prefix)
    report = new_report(world, name)
    waiting = _waiting(world, state, name, job, options, set())
    report.notes += _force_notes(waiting)
    if not waiting.files:
        report.state = "nothing_to_do"
        return PlannedImport(report, None)
    reading = _read(world, state, name, job, options, waiting.files)
    report.files = _file_reports(reading)
    plan = make_plan(world, state, job, reading, report, record=False)
    report.notes += reading.notes
    plan.expect_all_accepted(report)
    return PlannedImport(report, plan)


def new_report(world: World, name: str) -> RunReport:
    """Begin a report: a run id that sorts by time and names the job."""
    now = world.clock.now()
    run_id = f"{now:%Y%m%dT%H%M%SZ}-{name}-{secrets.token_hex(2)}"
    return RunReport(run_id=run_id, job=name, started_at=now)


def _drained(world: World, state: ConnectionState, name: str) -> tuple[list[RunReport], list[str]]:
    """Finish what was begun; a run of another job becomes a note, as it is not this job's work."""
    reports = drain(world, state)
    notes = [
        f"Finished run {report.run_id} of {report.job}, which had been interrupted."
        for report in reports
    ]
    return [report for report in reports if report.job == name], notes


def _one_run(  # noqa: PLR0913 - the parts of the story
    world: World,
    state: ConnectionState,
    name: str,
    job: ImportJob,
    options: ImportOptions,
    files: list[ObjectInfo],
    taken: set[tuple[str, str]],
) -> RunReport:
    """Read, plan and commit one run, and bring it to its end."""
    for attempt in range(_RACES):
        newest = state.runs.newest()
        base = newest.document.seq if newest else 0
        report = new_report(world, name)
        structlog.contextvars.bind_contextvars(run_id=report.run_id)
        reading = _read(world, state, name, job, options, files)
        report.seq = base + 1
        report.files = _file_reports(reading)
        plan = make_plan(world, state, job, reading, report, record=True)
        report.notes += reading.notes
        try:
            stored = commit(world, state, report, reading, plan)
        except StorageChanged:
            # Another process took this number first: its run comes before ours.
            if attempt == _RACES - 1:
                raise
            drain(world, state)
            continue
        break
    taken.update((file.key, file.etag) for file in reading.files)
    return finish(world, state, stored)


def _read(  # noqa: PLR0913 - as above
    world: World,
    state: ConnectionState,
    name: str,
    job: ImportJob,
    options: ImportOptions,
    files: list[ObjectInfo],
) -> Reading:
    applied = state.applied.snapshot()
    return read_files(world, job, files, applied, state.types.of(name), options)


def _waiting(  # noqa: PLR0913 - as above
    world: World,
    state: ConnectionState,
    name: str,
    job: ImportJob,
    options: ImportOptions,
    taken: set[tuple[str, str]],
) -> WaitingFiles:
    """List what waits, without what this very call has taken already."""
    found = waiting_files(world, name, job, state.applied.snapshot(), options)
    files = [item for item in found.files if (item.key, item.etag) not in taken]
    return WaitingFiles(files, found.for_force)


def _file_reports(reading: Reading) -> list[FileReport]:
    return [FileReport(file.key, file.outcome, file.rows, file.note) for file in reading.files]


def _force_notes(waiting: WaitingFiles) -> list[str]:
    return [
        f"{key} waits: its sums may count twice. To apply it in full: run with --force."
        for key in waiting.for_force
    ]
