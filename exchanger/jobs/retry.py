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

from exchanger.config.findings import listed
from exchanger.errors import RunUnsuitable
from exchanger.jobs.intake.batch import REJECTED
from exchanger.jobs.inventory.latest import claimed_place, overtaken
from exchanger.jobs.lifecycle.create_run import create_run, demand_live, leave_as_it_is
from exchanger.jobs.lifecycle.exclusive import plan_and_commit, with_lease_on_run
from exchanger.jobs.lifecycle.finish import finish
from exchanger.jobs.lifecycle.hold import hold_back
from exchanger.jobs.lifecycle.leavers import due_leavers
from exchanger.jobs.lifecycle.not_kept import (
    IN_A_NEW_FILE,
    building_on_what_is_kept,
    demand_quarantine,
)
from exchanger.jobs.planning.guards import decision_guards
from exchanger.jobs.quarantine.given_again import GIVEN_AGAIN
from exchanger.jobs.quarantine.read import quarantined_rows
from exchanger.jobs.reading.read import read_all_files
from exchanger.jobs.runtime.report import combined, new_report, numbered_report
from exchanger.jobs.snapshots.removal import about_the_same, there_again
from exchanger.notes import Note, noted
from exchanger.profiles.frames.columns import FILE, PROFILE, ROW

if TYPE_CHECKING:
    from exchanger.config.models import ImportJob
    from exchanger.jobs.intake.batch import InputBatch
    from exchanger.jobs.quarantine.read import QuarantinedRows
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.jobs.runtime.report import RunReport
    from exchanger.state.runs.log import ClaimedFile, RunDocument, VersionedRun

NOBODY = pl.Series(PROFILE, [], pl.String)


def retry_run(context: JobContext, name: str, job: ImportJob, seq: int, wait: float) -> RunReport:
    """
    Send again what Braze refused of a run, and what was rejected of it.

    Args:
        context: The outside.
        name: The run's job.
        job: As it is configured now.
        seq: The run.
        wait: Seconds to wait for another process that writes to the same connection.

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
    _demand_suitable(call, run)
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


def _demand_suitable(call: ImportContext, run: RunDocument) -> None:
    """
    Check that what a run has put aside can be given again, and need be.

    Raises:
        RunUnsuitable: It cannot, or need not.
    """
    why = ""
    if run.hold or run.state not in ("settled", "discarded"):
        why = f"it is {run.state.replace('_', ' ')}"
    elif run.object != call.kind.name:
        why = f"its rows became {run.object}, and the job makes {call.kind.name} by now"
    elif owed := due_leavers(call):
        why = f"people left with run {owed.run.seq}, which comes first: exchanger run {call.name}"
    why = why or _other_items(run, call.job) or _comes_otherwise(run) or _overtaken(call, run)
    if why:
        raise RunUnsuitable(str(run.seq), "retry", why)


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


def _comes_otherwise(run: RunDocument) -> str:
    """Return why rows need not be given again: those of tests, and of undos; empty if they do."""
    if run.takes_back:
        return f"it takes run {run.takes_back} back: exchanger undo {run.takes_back} does the rest"
    again = [file for file in run.files if file.outcome == "tested" and file.etag]
    if not again or run.report.get("rows_in_doubt"):
        return ""
    return f"it tried one row, which comes with its file: {again[0].key}"


def _overtaken(call: ImportContext, run: RunDocument) -> str:
    """Return why rows of a snapshot need not be given again: a newer one came; empty if not."""
    if not call.job.source.is_snapshot:
        return ""
    ours = (file for file in run.files if file.outcome != "superseded")
    newer = next(filter(None, (overtaken(call, claimed_place(file)) for file in ours)), None)
    if newer is None:
        return ""
    return (
        f"its rows are of a snapshot that came before {newer.key}, which run {newer.run} applied: "
        "whoever is there by now is in that one. What Braze should have: exchanger backfill "
        f"{call.name} --prefix {newer.key}"
    )


def _other_items(run: RunDocument, job: ImportJob) -> str:
    """Return why items of a run cannot be given to what the job does by now; empty if they can."""
    if job.catalog_column is None and {*run.catalogs} - {job.one_catalog}:
        theirs = listed(run.catalogs, "and")
        return f"its rows are items of the catalog {theirs}, and the job's of {job.one_catalog}"
    if run.removes != (job.mode == "delete"):
        now = "deletes" if job.mode == "delete" else "no longer deletes"
        return f"the job {now} items by now"
    return ""
