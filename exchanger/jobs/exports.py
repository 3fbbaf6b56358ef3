"""
The story of an export: find the segment, request, wait, normalise, write, publish.

Safe to stop anywhere and to start again: the next run waits for the same segment export, and what
was written without a manifest is litter that it removes (law 8).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal

import structlog

from exchanger.config.models import ExportJob
from exchanger.errors import ExchangerError, FileRejected, Stopped
from exchanger.files.manifest import Manifest, RunFolder, SchemaColumn
from exchanger.jobs.runtime.cancellation import stoppable
from exchanger.jobs.runtime.context import JobContext
from exchanger.jobs.runtime.recognition import establish
from exchanger.jobs.runtime.report import RunReport, new_run_id
from exchanger.jobs.segments.collect import Chunks, collect
from exchanger.jobs.segments.dataset import Dataset, settle_columns, write_dataset
from exchanger.jobs.segments.empty import without_users
from exchanger.jobs.segments.learn import learn_from_export
from exchanger.jobs.segments.outdated import hide, outdated_folders
from exchanger.jobs.segments.pending import PendingDocument, PendingExport
from exchanger.jobs.segments.publish import publish, sweep
from exchanger.jobs.segments.wait import (
    CompleteExport,
    ExportWait,
    find_segment,
)
from exchanger.notes import Note, noted
from exchanger.profiles.exported.selection import Selection, fields_to_export, selection_of
from exchanger.state.store import ConnectionState, open_state

log = structlog.get_logger()

_Beside = Literal["learning", "recording", "removing"]
"""What is done beside a dataset, which does not depend on it."""


def run_export(context: JobContext, name: str, job: ExportJob, *, fresh: bool = False) -> RunReport:
    """
    Turn the job's segment into a dataset in the bucket.

    Must be called where no event loop runs.

    Args:
        context: The connection.
        name: The job's name.
        job: The job.
        fresh: Ask Braze for a new export even if an earlier run still waits for one.

    Returns:
        What was written; ``partial`` if the process was asked to stop before.

    Raises:
        ConfigError: A column names what Braze does not export.
        SegmentMissing: No such segment, or several.
        ExportIncomplete: Braze did not complete the export in time.
        ExportEmpty: No file came, and the job does not say that this is fine.
        FileRejected: What Braze exported is damaged; the next run asks anew.
        BrazeError: Braze refused, or could not be reached.
        StorageError: S3 refused, or could not be reached.
        JobBusy: Another process runs the job.
    """
    run = _Run.begun(context, name, job)
    try:
        export = asyncio.run(stoppable(_exported(run, fresh=fresh), context.stopping))
        _make_dataset(run, export)
    except Stopped:
        run.report.state, run.report.stopped = "partial", True
        run.report.facts.append(noted("export_stopped"))
    run.report.finished_at = context.clock.now()
    with _without_failing(run, "recording"):
        run.state.run_index.record(run.report.to_dict())
    return run.report


@dataclass(frozen=True)
class _Run:
    context: JobContext
    job: ExportJob
    selection: Selection
    document: PendingDocument
    report: RunReport
    state: ConnectionState

    @classmethod
    def begun(cls, context: JobContext, name: str, job: ExportJob) -> _Run:
        selection = selection_of(job)
        started = context.clock.now()
        run_id = new_run_id(name, started)
        structlog.contextvars.bind_contextvars(run_id=run_id)
        report = RunReport(run_id=run_id, job=name, started_at=started)
        state = open_state(context.bucket, context.state_prefix)
        report.facts += establish(context, state)
        document = PendingDocument(context.bucket, state.names, name)
        return cls(context, job, selection, document, report, state)

    @property
    def folder(self) -> RunFolder:
        return RunFolder(self.job.target.prefix, self.report.run_id)


async def _exported(run: _Run, *, fresh: bool) -> CompleteExport:
    wanted = fields_to_export(run.selection)
    async with run.context.braze() as braze:
        segment = find_segment(await braze.segments(), run.job.segment)
        wait = ExportWait(run.context, braze, run.job.completion, run.document, run.state.runs)
        pending = await wait.requested(segment.id, wanted, run.report.run_id, fresh=fresh)
        export = await wait.complete(segment, pending)
        run.report.requests = sum(braze.requests_by_endpoint.values())
    return export


def _make_dataset(run: _Run, export: CompleteExport) -> None:
    context, document, folder, report = run.context, run.document, run.folder, run.report
    pending = export.pending.with_folder(folder.key)
    document.save(pending)
    try:
        chunks = collect(context, export, run.selection)
    except FileRejected:
        # Waiting for this export again would meet the same damage.
        document.save(replace(pending, published=True))
        raise
    if not export.files and not chunks.rows:
        _take_for_empty(run, export)
    with _without_failing(run, "learning"):
        learn_from_export(context, run.state, export.pending, run.selection, chunks)
    columns = settle_columns(run.selection, chunks)
    dataset = write_dataset(context, chunks, columns, run.job.target, folder)
    context.go_on()
    report.facts += _notes(run.selection, chunks, dataset)
    manifest = _manifest(run, export, dataset)
    # Whoever lost the document to another run must not publish.
    document.save(pending)
    if not publish(context.bucket, folder, manifest):
        report.facts.append(noted("newer_published"))
    report.rows_written, report.bytes_written = manifest.rows, manifest.size
    report.manifest = folder.manifest
    log.info("export.published", manifest=folder.manifest, rows=manifest.rows)
    with _without_failing(run, "removing"):
        _clear_away(run, pending, manifest)


def _clear_away(run: _Run, pending: PendingExport, manifest: Manifest) -> None:
    """Remove what nobody needs now, so that whoever dies here leaves word of it to the next run."""
    context, folder, target = run.context, run.folder, run.job.target
    done = pending.as_used(raw=run.job.raw, folders=pending.folders)
    run.document.save(done)
    outdated = outdated_folders(context.bucket, folder, manifest, target.keep)
    if outdated:
        done = replace(done, folders=(*done.folders, *outdated))
        run.document.save(done)
        hide(context.bucket, outdated)
        log.info("export.outdated_removed", datasets=len(outdated))
    sweep(context, done, folder)
    run.document.save(replace(done, folders=()))


@contextmanager
def _without_failing(run: _Run, what: _Beside) -> Iterator[None]:
    """Do what a dataset does not depend on: a failure is noted, and fails no run."""
    try:
        yield
    except Stopped:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the dataset is what was asked for
        log.warning("export.not_completed", what=what, error=type(error).__name__)
        detail = str(error) if isinstance(error, ExchangerError) else type(error).__name__
        run.report.facts.append(noted("not_completed", what=what, detail=detail))


def _take_for_empty(run: _Run, export: CompleteExport) -> None:
    """Publish an export without a file only if the job says that its segment may be empty."""
    nobody = without_users(run.context, export, may_be_allowed=True)
    if run.job.empty == "fail":
        # The next run asks anew: what Braze wrote elsewhere does not come here by waiting.
        run.document.save(replace(export.pending.with_folder(run.folder.key), published=True))
        raise nobody
    if nobody.estimate:
        run.report.facts.append(
            noted(
                "segment_taken_for_empty",
                segment=nobody.segment,
                folder=nobody.folder,
                files=nobody.files,
                estimate=nobody.estimate,
            )
        )


def _notes(selection: Selection, chunks: Chunks, dataset: Dataset) -> list[Note]:
    notes = [column.note for column in dataset.columns if column.note]
    notes += [one.note(selection.remaining_prefix or "") for one in chunks.renamed]
    if dataset.duplicates:
        notes.append(noted("users_exported_twice", users=dataset.duplicates))
    if not chunks.rows:
        return [*notes, noted("segment_empty")]
    notes += [
        noted("column_empty", column=column.name, path=column.path)
        for column in selection.columns
        if not chunks.observed[column.name].filled
    ]
    return notes


def _manifest(run: _Run, export: CompleteExport, dataset: Dataset) -> Manifest:
    return Manifest(
        job=run.report.job,
        run_id=run.report.run_id,
        segment_id=export.segment.id,
        segment=export.segment.name,
        object_prefix=export.pending.object_prefix,
        requested_at=export.pending.requested_at,
        created_at=run.context.clock.now(),
        format=run.job.target.format,
        columns=tuple(SchemaColumn(c.name, c.type.label) for c in dataset.columns),
        parts=dataset.parts,
        duplicates=dataset.duplicates,
        warnings=tuple(map(run.context.words, run.report.facts)),
    )
