"""What every run of an import has in common before it counts: its number, its report, its plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from exchanger.jobs.planning import Plan, make_plan
from exchanger.jobs.report import FileReport, RunReport, new_run_id

if TYPE_CHECKING:
    from exchanger.jobs.call import ImportCall
    from exchanger.jobs.reading import Reading


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
    report.files = [
        FileReport(file.key, file.outcome, file.rows, file.note) for file in reading.files
    ]
    plan = make_plan(call, reading, report)
    report.notes += reading.notes
    return plan
