"""
The story of a retry: rows that did not reach Braze are given again, in a run of their own.

They are planned against what is held now, by today's configuration; nothing recorded is sent
(law 3). The new run takes up the whole quarantine of the old one: what fails again is in its own.
So a second retry of the same run finds nothing to do.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from exchanger.errors import RunUnsuitable
from exchanger.jobs.intake.batch import REJECTED
from exchanger.jobs.lifecycle.create_run import create_run, demand_live, leave_as_it_is
from exchanger.jobs.lifecycle.exclusive import plan_and_commit, with_lease_on_run
from exchanger.jobs.lifecycle.finish import finish
from exchanger.jobs.lifecycle.hold import hold_back
from exchanger.jobs.lifecycle.suitable import (
    IN_A_NEW_FILE,
    building_on_what_is_kept,
    demand_quarantine,
    demand_suitable,
)
from exchanger.jobs.planning.guards import decision_guards
from exchanger.jobs.quarantine.given_again import GIVEN_AGAIN
from exchanger.jobs.quarantine.read import quarantined_rows
from exchanger.jobs.reading.read import read_all_files
from exchanger.jobs.runtime.import_context import ImportContext, new_report, numbered_report
from exchanger.jobs.runtime.report import combined
from exchanger.jobs.snapshots.removal import about_the_same, there_again
from exchanger.notes import Note, noted
from exchanger.profiles.frames.columns import FILE, PROFILE, ROW

if TYPE_CHECKING:
    from exchanger.config.models import ImportJob
    from exchanger.jobs.intake.batch import InputBatch
    from exchanger.jobs.quarantine.read import QuarantinedRows
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.jobs.runtime.report import RunReport
    from exchanger.state.runs.log import ClaimedFile, RunDocument, VersionedRun

NOBODY = pl.Series(PROFILE, [], pl.String)


def retry_run(context: JobContext, name: str, job: ImportJob, seq: int, wait: float) -> RunReport:
    """
    Send again what Braze refused of a run, and what was rejected of it.

    Its arguments are those of ``approve_run``.

    Raises:
        RunUnsuitable: The run has not ended yet.
        BrazeError: As for an import.
        StorageError: S3 refused or did not answer.
        JobBusy: Another process writes to this connection.
        Stopped: The process was asked to stop before anything counted.
    """
    demand_live(job, seq, "retry")
    return with_lease_on_run(context, name, job, wait, lambda call: _retry(call, seq))


def _retry(call: ImportContext, seq: int) -> RunReport:
    begun = new_report(call)
    reports: list[RunReport] = []
    notes: list[Note] = []
    with building_on_what_is_kept(seq, "retry", IN_A_NEW_FILE):
        stored = plan_and_commit(
            call, lambda number: _plan_and_commit(call, number, seq, reports, notes)
        )
    if stored is not None:
        reports.append(finish(call.context, call.state, stored))
    nothing = replace(begun, finished_at=call.context.clock.now())
    return combined(reports, [*dict.fromkeys(notes)], nothing=nothing)


def _plan_and_commit(
    call: ImportContext, number: int, seq: int, reports: list[RunReport], notes: list[Note]
) -> VersionedRun | None:
    """
    Plan the rows anew and make the plan count.

    Files whose sums may count twice are held back first, in a run of their own: once the plan
    counts, the quarantine is taken up.
    """
    run = call.state.runs.read(seq).document
    call = about_the_same(call, run)
    if run.continued_by and not run.hold:
        notes.append(noted("given_again_already", run=seq, by=run.continued_by))
        return None
    demand_suitable(call, run)
    demand_quarantine(call, run)
    found = _without_members(call, run, quarantined_rows(call, run))
    notes += found.notes
    if not found.readable:
        notes.append(noted("nothing_left", run=seq))
        return None
    batch = _read(call, run, found)
    for key, why in batch.untold.items():
        raise RunUnsuitable(str(seq), "retry", f"{key}: {why} {IN_A_NEW_FILE}")
    if batch.waiting:
        held = hold_back(call, numbered_report(call, number), batch.waiting)
        if held is not None:
            reports.append(finish(call.context, call.state, held))
            number += 1
    if not batch.files:
        return None
    batch = replace(batch, removal=run.removal)
    report = numbered_report(call, number)
    hold = partial(leave_as_it_is, call, seq, "retry")
    guards = decision_guards(call)
    return create_run(call, report, batch, hold=hold, guards=guards, parent=seq)


def _without_members(
    call: ImportContext, run: RunDocument, found: QuarantinedRows
) -> QuarantinedRows:
    """Leave out people who had left a snapshot, and are there again by a newer one."""
    people = pl.concat([owed.rows[PROFILE] for owed in found.refused] or [NOBODY])
    there = there_again(call, run, people)
    if there.is_empty():
        return found
    gone = ~pl.col(PROFILE).is_in(there.implode())
    refused = [replace(owed, rows=owed.rows.filter(gone)) for owed in found.refused]
    notes = [*found.notes, noted("leavers_back", people=there.n_unique())]
    return replace(found, refused=refused, notes=notes)


def _read(call: ImportContext, run: RunDocument, found: QuarantinedRows) -> InputBatch:
    batch = read_all_files(call, found.requests)
    again = GIVEN_AGAIN[call.kind.given_again]
    for owed in found.refused:
        batch = again.added(call, batch, owed)
    for claim, rows in found.gone:
        batch = _add_gone(batch, claim, rows)
    return again.put_right(call, run, batch, found)


def _add_gone(batch: InputBatch, claim: ClaimedFile, rows: pl.DataFrame) -> InputBatch:
    """Keep in quarantine what cannot be read any more."""
    position = len(batch.files)
    still = rows.with_columns(
        pl.lit(position, pl.UInt32).alias(FILE), pl.col("row").alias(ROW)
    ).select(*REJECTED)
    count = still[ROW].n_unique()
    batch.rejected.add(still)
    claim = replace(claim, outcome="retried", rows=count, refused=0, note="", facts=())
    return batch.with_file(claim, rows=count)
