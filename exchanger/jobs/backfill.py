"""A range of history, or everything, through the same import or export."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchanger.config.models import ExportJob
from exchanger.errors import NothingToBackfill
from exchanger.files.folders import reader_of
from exchanger.jobs.exports import run_export
from exchanger.jobs.imports import run_import
from exchanger.jobs.inventory.listing import in_range
from exchanger.jobs.inventory.moved_files import moved_files
from exchanger.jobs.plan import plan_import
from exchanger.jobs.runtime.import_context import ImportContext
from exchanger.notes import Note, noted
from exchanger.state.store import open_state

if TYPE_CHECKING:
    from exchanger.config.models import ImportJob, Job
    from exchanger.jobs.planning.preview import PlanReport
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.jobs.runtime.options import ImportOptions
    from exchanger.jobs.runtime.report import RunReport


def backfill(context: JobContext, name: str, job: Job, options: ImportOptions) -> RunReport:
    """
    Apply files of a range as if they were new, or export a segment anew.

    Safe to stop and to start again: values that Braze has already are not sent, and what a file
    gave to a sum is not added a second time unless ``force`` says so.

    Raises:
        NothingToBackfill: The options name no range, or one for an export, which is always of the
            whole segment; or its newest snapshot came before the one that was applied last.
    """
    if isinstance(job, ExportJob):
        if options.since or options.until or options.prefix or options.force:
            raise NothingToBackfill(name, "an export always covers the whole segment")
        return run_export(context, name, job)
    if not options.as_if_new:
        raise NothingToBackfill(name, "no range was named")
    report = run_import(context, name, job, options)
    if report.state == "nothing_to_do":
        report.facts = [*report.facts, *_none_in_range(context, name, job, options)]
    return report


def plan_backfill(
    context: JobContext, name: str, job: ImportJob, options: ImportOptions
) -> PlanReport:
    """
    Return what *backfill* of an import would send, and write nothing anywhere.

    Raises:
        BrazeError: A look-up failed.
        NothingToBackfill: As for *backfill*.
        StorageError: S3 refused or did not answer.
    """
    planned = plan_import(context, name, job, options)
    if planned.report.state == "nothing_to_do":
        planned.report.facts += _none_in_range(context, name, job, options)
    return planned


def _none_in_range(
    context: JobContext, name: str, job: ImportJob, options: ImportOptions
) -> list[Note]:
    """Note it if no file of a job is in the range that was asked for."""
    source, answers = job.source, context.folders.answers
    reader = reader_of(name, job, context.state_prefix, answers)
    there = {item.key: item for item in context.bucket.list(source.prefix)}
    state = open_state(context.bucket, context.state_prefix)
    call = ImportContext(context, state, name, job, options, record=False)
    files = [item for item in there.values() if reader.takes(item.key, item.size)]
    files += moved_files(call, state.file_ledger.snapshot(), there)[0]
    if any(in_range(item, options) for item in files):
        return []
    return [noted("no_file_matched", folder=source.prefix, files=len(files))]
