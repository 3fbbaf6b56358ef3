"""Leaves out the rows of people who are not in a segment (``only_if: {segment: NAME}``)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import structlog

from exchanger.config.models import Baseline, Completion
from exchanger.jobs.segments.users import SegmentUsers
from exchanger.notes import noted
from exchanger.profiles.frames.columns import PROFILE
from exchanger.profiles.frames.slices import SLICES

if TYPE_CHECKING:
    from exchanger.jobs.intake.batch import InputBatch
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.jobs.runtime.report import RunReport

log = structlog.get_logger()


def leave_out_outsiders(call: ImportContext, batch: InputBatch, report: RunReport) -> InputBatch:
    """
    Export the segment that the job names, if it names one, and leave out who is not in it.

    Args:
        call: The job; without leave to write nothing is exported, which is said.
        batch: The rows, of which others are forgotten.
        report: Gets a sentence where nobody was left out.

    Returns:
        The batch, with the rows that were left out counted.

    Raises:
        SegmentMissing: No such segment, or several.
        ExportIncomplete: Braze did not complete the export in time; the next run waits for it.
        ExportEmpty: Nobody came, so nobody is known to be in it.
        FileRejected: The export is damaged; the next run asks anew.
        Stopped: The process was asked to stop; the next run waits for the same export.
    """
    segment = call.job.gate_segment
    if segment is None:
        return batch
    if not call.record:
        report.facts.append(noted("segment_not_exported", segment=segment))
        return batch
    known = call.job.baseline
    completion = known.completion if isinstance(known, Baseline) else Completion()
    wanted = Baseline(segment=segment, completion=completion)
    users = SegmentUsers.exported(call.context, call.state, wanted, f"{call.name}@only_if", [])
    gone, parts = 0, len(batch.given)
    for number in range(parts):
        call.context.go_on()
        rows = batch.given.part(number)
        # A part is a range of slices, rounded up where they do not divide.
        inside = users.between(-(-number * SLICES // parts), -(-(number + 1) * SLICES // parts))
        is_in = pl.col(PROFILE).is_in(inside[PROFILE].implode())
        kept = rows.filter(is_in)
        gone += rows.height - kept.height
        batch.given.replace(number, kept)
        batch.corrections.replace(number, batch.corrections.part(number).filter(is_in))
    users.done()
    log.info("gate.applied", segment=segment, rows=gone)
    return replace(batch, shut_out=batch.shut_out + gone)
