"""What a run is to answer to whoever dropped its files, as its document keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exchanger.config.answers import as_they_are, not_correctable
from exchanger.state.runs.log import ENDED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from exchanger.config.models import ImportJob
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.state.runs.log import RunDocument


def answer_terms(call: ImportContext, layout: Mapping[str, str] | None = None) -> dict[str, Any]:
    """
    Return what a run of a job is to answer, and where; nothing if that is nothing.

    It is kept with the run, so that any process answers alike, whatever its job says by then.

    Args:
        call: The job.
        layout: How its CSV is written.
    """
    job = call.job
    if call.context.pages is None or not (job.after.report or job.after.rejected):
        return {}
    return {
        "prefix": job.source.prefix,
        "report": job.after.report,
        "rejected": job.after.rejected and as_they_are(job.source),
        "format": job.source.format,
        "delimiter": _delimiter(job, layout or {}),
        "masked": sorted(set(masked_names(job))),
        "columns": _columns(job),
        "beside": _beside(call),
        "corrected": job.after.rejected and not not_correctable(job),
        "snapshot": job.source.is_snapshot,
    }


def after_terms(job: ImportJob) -> dict[str, Any]:
    """Return what becomes of the files of a run once it is settled; nothing if they stay."""
    after = job.after
    if not (after.moves or after.tag):
        return {}
    return {
        "prefix": job.source.prefix,
        "move_to": after.move_to or "",
        "suffix": after.suffix or "",
        "tag": dict(after.tag),
    }


def with_plan(answers: Mapping[str, Any], plan: Mapping[str, Any] | None) -> dict[str, Any]:
    """Add to what a run is to answer what its plan would do, if that is known."""
    return {**answers, "plan": dict(plan)} if answers and plan is not None else dict(answers)


def is_due(run: RunDocument) -> bool:
    """Return whether a run has ended, or waits for a person, and has not answered yet."""
    return bool(run.answers) and not run.answered and run.state in ENDED


def masked_names(job: ImportJob) -> Iterator[str]:
    """Yield the columns of which nothing is shown, and all that a report may call them."""
    for column in job.mask:
        yield column
        yield from (block.prefix + column for block in job.remaining_cells)
    for name, cell in job.cells.items():
        if (cell.from_ or name) in job.mask and cell.value is None:
            yield from (name, name.rpartition(".")[2])
    for match in job.match:
        if set(match.columns) & set(job.mask):
            yield from (match.kind, "match")
    if job.row_name in job.mask:
        yield "row_id" if job.order is None else "id"
    if job.item_id in job.mask:
        yield "id"
    if job.catalog_column in job.mask:
        yield "catalog"
    if job.subscription is not None and job.subscription.group.from_ in job.mask:
        yield "group"


def _beside(call: ImportContext) -> list[str]:
    """List what other jobs take of the same folder, and answer about beside this one."""
    prefix, readers = call.job.source.prefix, call.context.folders.readers
    return [one.pattern for one in readers if one.prefix == prefix and one.job != call.name]


def _columns(job: ImportJob) -> dict[str, str]:
    """Name the columns of identifiers and attributes that are called otherwise than these."""
    found: dict[str, str] = {match.kind: match.columns[0] for match in job.match if match.columns}
    found |= {name: cell.from_ for name, cell in job.cells.items() if cell.from_}
    return {name: column for name, column in found.items() if column != name}


def _delimiter(job: ImportJob, layout: Mapping[str, str]) -> str:
    named = job.source.csv.delimiter
    return layout.get("delimiter", ",") if named == "auto" else named
