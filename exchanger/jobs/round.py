"""What every run of an import has in common before it counts: its number, its report, its plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import structlog

from exchanger.jobs.planning import Plan, make_plan
from exchanger.jobs.report import FileReport, RunReport, new_run_id
from exchanger.jobs.unreadable import told

if TYPE_CHECKING:
    from exchanger.jobs.call import ImportCall
    from exchanger.jobs.reading import Reading
    from exchanger.state.runs import ClaimedFile


def new_report(call: ImportCall) -> RunReport:
    """Begin the report of a run."""
    now = call.world.clock.now()
    return RunReport(run_id=new_run_id(call.name, now), job=call.name, started_at=now)


def numbered_report(call: ImportCall, seq: int) -> RunReport:
    """Begin the report of the run that has this number."""
    report = new_report(call)
    report.seq = seq
    structlog.contextvars.bind_contextvars(run_id=report.run_id)
    return report


def planned(call: ImportCall, report: RunReport, reading: Reading) -> Plan:
    """
    Plan a run over what was read, and fill in its report.

    Raises:
        BrazeError: A look-up failed.
    """
    plan = make_plan(call, reading, report)
    places = pl.concat(_rejected_places(plan)).unique()
    rows = dict(places.drop_nulls("row").group_by("file").len().iter_rows())
    # Where nothing is written, the first rows are shown instead.
    why = "quarantine says why" if call.record else "below is why"
    report.files = [_told(file, rows.get(file.key, 0), why) for file in reading.files]
    report.files += told(reading.unreadable)
    report.notes += reading.notes
    return plan


def _rejected_places(plan: Plan) -> list[pl.DataFrame]:
    rejected = plan.rejected
    return [
        rejected.empty().select("file", "row"),
        *map(pl.DataFrame.unique, rejected.frames(["file", "row"])),
    ]


def _told(file: ClaimedFile, rejected: int, why: str) -> FileReport:
    """Report a file of which no row was taken as what it is to people: rejected."""
    if file.outcome == "applied" and 0 < file.rows == rejected:
        rows = "Its only row" if file.rows == 1 else f"None of its {file.rows:,} rows"
        could = "could not" if file.rows == 1 else "could"
        note = f"{rows} {could} be taken; {why}."
        return FileReport(file.key, "rejected", file.rows, note)
    return FileReport(file.key, file.outcome, file.rows, file.note)
