"""What every run of an import has in common before it counts: its number, its report, its plan."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import structlog

from exchanger.jobs.intake.unreadable import told
from exchanger.jobs.planning.plan import Plan, make_plan
from exchanger.jobs.runtime.report import FileReport, RunReport, new_run_id
from exchanger.state.runs.quarantine import source_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exchanger.jobs.intake.batch import InputBatch
    from exchanger.jobs.runtime.call import ImportContext
    from exchanger.state.runs.log import ClaimedFile


def new_report(call: ImportContext) -> RunReport:
    """Begin the report of a run."""
    now = call.world.clock.now()
    return RunReport(run_id=new_run_id(call.name, now), job=call.name, started_at=now)


def numbered_report(call: ImportContext, seq: int) -> RunReport:
    """Begin the report of the run that has this number."""
    report = new_report(call)
    report.seq = seq
    structlog.contextvars.bind_contextvars(run_id=report.run_id)
    return report


def planned(call: ImportContext, report: RunReport, reading: InputBatch) -> Plan:
    """
    Plan a run over what was read, and fill in its report.

    Raises:
        BrazeError: A look-up failed.
    """
    plan = make_plan(call, reading, report)
    rows = _rejected_rows(plan)
    reading.files = [_counted(file, rows) for file in reading.files]
    # Where nothing is written, the first rows are shown instead.
    why = "quarantine says why" if call.record else "below is why"
    report.files = [_told(file, why) for file in reading.files]
    report.files += told(reading.unreadable)
    report.notes += reading.notes
    return plan


def _rejected_rows(plan: Plan) -> dict[tuple[str, str], int]:
    """Count the rejected rows of each file, by its key and by what its row ids begin with."""
    source = pl.col("row_id").str.replace(r"/\d+$", "").alias("source")
    parts = [plan.rejected.empty(), *plan.rejected.frames(["row_id", "file", "row"])]
    places = (part.drop_nulls("row").select("file", source, "row").unique() for part in parts)
    counts = pl.concat(places).unique().group_by("file", "source").len()
    return {(file, source): rows for file, source, rows in counts.iter_rows()}


def _counted(file: ClaimedFile, rejected: Mapping[tuple[str, str], int]) -> ClaimedFile:
    if file.outcome == "rejected":
        return file
    return replace(file, rejected=rejected.get((file.key, source_of(file)), 0))


def _told(file: ClaimedFile, why: str) -> FileReport:
    """Report a file of which no row was taken as what it is to people: rejected."""
    if file.outcome == "applied" and 0 < file.rows == file.rejected:
        rows = "Its only row" if file.rows == 1 else f"None of its {file.rows:,} rows"
        could = "could not" if file.rows == 1 else "could"
        note = f"{rows} {could} be taken; {why}."
        return FileReport(file.key, "rejected", file.rows, note)
    return FileReport(file.key, file.outcome, file.rows, file.note)
