"""
The story of a retry: rows that did not reach Braze are given again, in a run of their own.

They are planned against what is held now, by today's configuration; nothing recorded is sent
(law 3). The new run takes up the whole quarantine of the old one: what fails again is in its own.
So a second retry of the same run finds nothing to do.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from exchanger.errors import FileRejected, RunUnsuitable
from exchanger.jobs.intake.batch import REJECTED, note_rejected
from exchanger.jobs.lifecycle.exclusive import plan_and_commit, with_lease_on_run
from exchanger.jobs.lifecycle.finish import finish
from exchanger.jobs.lifecycle.hold import hold_back
from exchanger.jobs.lifecycle.not_kept import (
    IN_A_NEW_FILE,
    building_on_what_is_kept,
    demand_quarantine,
)
from exchanger.jobs.planning.commit import commit
from exchanger.jobs.planning.plan import planned
from exchanger.jobs.quarantine.read import quarantined_rows
from exchanger.jobs.quarantine.refused import UNCERTAIN_ROW, read_refused
from exchanger.jobs.quarantine.superseded import settle_late_rows
from exchanger.jobs.reading.read import read_all_files
from exchanger.jobs.runtime.report import combined, new_report, numbered_report
from exchanger.notes import Note, noted
from exchanger.profiles.frames.columns import FILE, ORDER, ROW

if TYPE_CHECKING:
    from exchanger.config.models import ImportJob
    from exchanger.jobs.intake.batch import InputBatch
    from exchanger.jobs.quarantine.read import QuarantinedRows, RefusedRows
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.jobs.runtime.report import RunReport
    from exchanger.state.runs.log import ClaimedFile, RunDocument, VersionedRun


def retry_run(context: JobContext, name: str, job: ImportJob, seq: int, wait: float) -> RunReport:
    """
    Give again what Braze refused of a run, and what was rejected of it.

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
    if run.hold or run.state not in ("settled", "discarded"):
        raise RunUnsuitable(str(seq), "retry", f"it is {run.state.replace('_', ' ')}")
    if run.continued_by:
        notes.append(noted("given_again_already", run=seq, by=run.continued_by))
        return None
    if run.object != call.kind.name:
        why = f"its rows became {run.object}, and the job makes {call.kind.name} by now"
        raise RunUnsuitable(str(seq), "retry", why)
    demand_quarantine(call, run)
    found = quarantined_rows(call, run)
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
    report = numbered_report(call, number)
    plan = planned(call, report, batch)
    return commit(call, report, batch, plan, parent=seq)


def _read(call: ImportContext, run: RunDocument, found: QuarantinedRows) -> InputBatch:
    batch = read_all_files(call, found.requests)
    files = len(batch.files)
    for owed in found.refused:
        if call.kind.holds_values:
            batch = _add_refused(call, batch, owed)
        else:
            batch = _add_objects(batch, owed)
    for claim, rows in found.gone:
        batch = _add_gone(batch, claim, rows)
    if not call.kind.holds_values:
        return batch
    return settle_late_rows(call, run, _put_last(batch, files), found)


def _put_last(batch: InputBatch, files: int) -> InputBatch:
    """
    Put the rows that were read from files after those that Braze refused.

    Of fields that both speak of, what is left of a rejected row is newer than all rows that had
    been used: what is older gives way.
    """
    count = len(batch.files)
    place = ((pl.col(FILE) + (count - files)) % count).cast(pl.UInt32)
    for rows in (batch.given, batch.rejected, batch.corrections):
        rows.change(lambda frame: frame.with_columns(place))
    return replace(batch, files=batch.files[files:] + batch.files[:files])


def _add_refused(call: ImportContext, batch: InputBatch, owed: RefusedRows) -> InputBatch:
    """Read refused rows by today's configuration, beside those of files."""
    position = len(batch.files)
    claim = replace(owed.claim, outcome="retried", rows=owed.rows.height, note="", facts=())
    try:
        rules, given, rejected = read_refused(
            owed.rows,
            call.job,
            position,
            fields=owed.run.fields,
            types=batch.types,
            key=claim.key,
            order=_order_type(call, batch, owed),
        )
    except FileRejected as error:
        return _add_unfit(batch, claim, owed, error)
    sums = tuple(rule.name for rule in rules if rule.merge == "sum")
    batch.given.add(given)
    batch.rejected.add(rejected)
    return batch.with_file(
        replace(claim, sums=sums),
        rows=owed.rows.height,
        rules={rule.name: rule for rule in rules},
    )


def _add_objects(batch: InputBatch, owed: RefusedRows) -> InputBatch:
    """Give objects again as they were: of those in doubt a person has decided by asking for it."""
    position = pl.lit(len(batch.files), pl.UInt32).alias(FILE)
    batch.ready.add(owed.rows.drop(UNCERTAIN_ROW).with_columns(position))
    claim = replace(owed.claim, outcome="retried", rows=owed.rows.height, note="", facts=())
    return batch.with_file(claim, rows=owed.rows.height)


def _order_type(call: ImportContext, batch: InputBatch, owed: RefusedRows) -> pl.DataType | None:
    """Tell as what refused rows are ordered; None if the job orders by nothing, or otherwise."""
    same = owed.run.order_by == (call.job.source.order_by or "")
    if not same or ORDER not in owed.rows.columns:
        return None
    return batch.given.schema.get(ORDER, owed.rows[ORDER].dtype)


def _add_unfit(
    batch: InputBatch, claim: ClaimedFile, owed: RefusedRows, error: FileRejected
) -> InputBatch:
    """Keep each row in quarantine, as the job cannot take any of them."""
    rows = owed.rows.select(
        pl.lit(len(batch.files), pl.UInt32).alias(FILE),
        ROW,
        pl.lit(error.column or None, pl.String).alias("field"),
        pl.lit(None, pl.String).alias("value"),
        pl.lit(error.reason).alias("reason"),
        pl.lit(error.message).alias("message"),
        pl.lit(None, pl.String).alias("record"),
    )
    batch.rejected.add(rows)
    return batch.with_file(replace(claim, facts=(note_rejected(error),)), rows=owed.rows.height)


def _add_gone(batch: InputBatch, claim: ClaimedFile, rows: pl.DataFrame) -> InputBatch:
    """Keep in quarantine what cannot be read any more."""
    position = len(batch.files)
    still = rows.with_columns(
        pl.lit(position, pl.UInt32).alias(FILE), pl.col("row").alias(ROW)
    ).select(*REJECTED)
    count = still[ROW].n_unique()
    batch.rejected.add(still)
    return batch.with_file(
        replace(claim, outcome="retried", rows=count, note="", facts=()), rows=count
    )
