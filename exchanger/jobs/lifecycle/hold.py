"""
Runs that wait for a person: their files may count twice, a column may not be what it seems, or a
guard found that they would do too much.

The run is numbered like any other, claims its files, and keeps their content. It blocks nothing
but these files. ``approve`` plans them against what is held then; ``discard`` drops them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog

from exchanger.jobs.answers.terms import answer_terms, with_plan
from exchanger.jobs.answers.write import answer_run
from exchanger.jobs.intake.deduplication import NO_ROW_NAMES
from exchanger.jobs.intake.doubtful_types import note_stray
from exchanger.jobs.intake.totals import note_totals, totals_of
from exchanger.jobs.inventory.corrected_jobs import DOUBTFUL, GUARDED, reads_as
from exchanger.jobs.planning.guards import MEASURES
from exchanger.jobs.reading.read import read_files
from exchanger.jobs.runtime.report import FileReport, RunReport
from exchanger.notes import Note, noted
from exchanger.state.runs.log import RunDocument, new_nonce

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from exchanger.jobs.intake.requests import HeldFile
    from exchanger.jobs.planning.exposure import Exposure
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.state.runs.log import ClaimedFile, VersionedRun
    from exchanger.state.store import ConnectionState

log = structlog.get_logger()

_NAMED = 10
"""Files of a run that one event names."""
_UNRECOGNISED = ("applied_elsewhere", "memory_lost")


def hold_back(
    call: ImportContext,
    report: RunReport,
    waiting: Sequence[HeldFile],
    *,
    plan: Mapping[str, Any] | None = None,
) -> VersionedRun | None:
    """
    Create the run that waits.

    Args:
        call: The job.
        report: A new one, with the run's number.
        waiting: Its files.
        plan: What it would do, as ``Exposure.to_dict`` tells it, if a guard has looked at that.

    Returns:
        None if none of the files is there any more.

    Raises:
        StorageChanged: Another process created a run of this number first.
    """
    seq = report.seq or 1
    nonce = new_nonce()
    batch = read_files(call, [file.request for file in waiting])
    gone = set(batch.gone)
    waiting = [file for file in waiting if (file.claim.key, file.claim.etag) not in gone]
    if not waiting:
        return None
    claims = [
        replace(
            file.claim,
            facts=(
                *file.claim.facts,
                _choices(call, seq, file.claim, batch.untold.get(file.claim.key)),
            ),
            kept=_keep(call, file, seq, nonce, position),
        )
        for position, file in enumerate(waiting)
    ]
    totals = totals_of(batch)
    report.files = [FileReport(file.key, file.outcome, 0, file.note, file.facts) for file in claims]
    report.facts += [*note_stray(batch.stray), *note_totals(totals)]
    report.totals = totals or None
    doubtful = any(file.outcome == DOUBTFUL for file in claims)
    document = RunDocument(
        seq=seq,
        run_id=report.run_id,
        job=call.name,
        state="planned",
        nonce=nonce,
        counter=1,
        created_at=call.context.clock.now().isoformat(),
        files=tuple(claims),
        hold=True,
        totals=totals,
        reads_as=reads_as(call.job) if doubtful else "",
        report=report.to_dict(),
        answers=with_plan(answer_terms(call), plan),
    )
    return call.state.runs.create(document)


def wait_for_a_person(
    context: JobContext, state: ConnectionState, stored: VersionedRun
) -> RunReport:
    """Bring a run that waits to its end for now; may be done again."""
    run, of = stored.document, context.option
    finished_at = context.clock.now().isoformat()
    state.file_ledger.record(run.job, run.files, seq=run.seq)
    report = RunReport.from_dict(run.report | {"finished_at": finished_at})
    report.state = "held_back"
    report.check()
    state.run_index.record(report.to_dict())
    state.runs.change(stored, state="held_back", report=report.to_dict())
    log.warning(
        "run.held_back",
        seq=run.seq,
        files=[file.key for file in run.files[:_NAMED]],
        more_files=max(len(run.files) - _NAMED, 0),
        totals=run.totals,
        next=[f"exchanger {verb} {run.seq}{of}" for verb in ("approve", "discard")],
    )
    return report


def hold_again(call: ImportContext, stored: VersionedRun, totals: dict[str, str]) -> RunReport:
    """
    Show a person the totals as they are by now, as they go beyond what was approved.

    They are shown before they count as shown: should this process die between the two, the next
    approval finds that they go beyond what counts, shows them again, and both agree.
    """
    run = stored.document
    report = RunReport.from_dict(run.report)
    report.finished_at = call.context.clock.now()
    report.notes, report.facts = [], [noted("totals_differ", run=run.seq), *note_totals(totals)]
    report.totals = totals or None
    return _shown(call, stored, report, totals=totals)


def still_doubtful(call: ImportContext, stored: VersionedRun, notes: list[Note]) -> RunReport:
    """Show a person what is still doubtful of a run, now that its job reads files otherwise."""
    run = stored.document
    report = RunReport.from_dict(run.report)
    report.finished_at = call.context.clock.now()
    report.notes, report.facts = [], notes
    return _shown(call, stored, report, reads_as=reads_as(call.job))


def guarded_again(
    call: ImportContext, stored: VersionedRun, reasons: Sequence[Note], exposure: Exposure
) -> RunReport:
    """Show a person what guards find by now, as it goes beyond what was approved."""
    run = stored.document
    report = RunReport.from_dict(run.report)
    report.finished_at = call.context.clock.now()
    report.notes, report.facts = [], [noted("guards_differ", run=run.seq), *reasons]
    report.facts += note_totals(run.totals)
    files = tuple(
        replace(file, facts=(*reasons, *(n for n in file.facts if n.code not in MEASURES)))
        for file in run.files
    )
    report.files = [FileReport(file.key, file.outcome, 0, file.note, file.facts) for file in files]
    told = reads_as(call.job) if run.reads_as else ""
    answers = with_plan(run.answers, exposure.to_dict())
    return _shown(call, stored, report, files=files, reads_as=told, answers=answers)


def _shown(
    call: ImportContext, stored: VersionedRun, report: RunReport, **changes: Any
) -> RunReport:
    """Keep what a person is shown of a run that goes on waiting, and answer with it."""
    call.state.run_index.amend(report.to_dict())
    changes |= {"report": report.to_dict(), "answered": False}
    stored = call.state.runs.change(stored, **changes)
    report.facts += answer_run(call.context, call.state, stored)
    return report


def _keep(call: ImportContext, file: HeldFile, seq: int, nonce: str, position: int) -> str:
    """
    Keep the content of a file.

    Not that of a whole history which waits to be recognised, nor corrected rows: a retry reads
    these where they lie.
    """
    if file.claim.outcome in _UNRECOGNISED or file.request.correction is not None:
        return ""
    key, bucket = call.state.names.kept_file(seq, nonce, position), call.context.bucket
    path = call.context.workdir / "kept"
    if moved := file.request.kept:
        bucket.download(moved, bucket.head(moved).etag, path)
    else:
        bucket.download(file.claim.key, file.claim.etag, path)
    bucket.upload(key, path)
    path.unlink()
    return key


def _choices(call: ImportContext, seq: int, file: ClaimedFile, untold: str | None) -> Note:
    """Note what a person can decide about a file."""
    difference = file.outcome == "replaced"
    if untold is None and difference and call.counts_files:
        untold = NO_ROW_NAMES
    if untold is not None:
        return noted("decide_without_difference", why=untold, run=seq, job=call.name)
    if file.outcome == DOUBTFUL:
        return noted("decide_doubtful", run=seq)
    if file.outcome == GUARDED:
        return noted("decide_guarded", run=seq)
    if file.outcome in _UNRECOGNISED:
        return noted("decide_unrecognised", run=seq, adopt=file.outcome == "applied_elsewhere")
    return noted("decide_count", run=seq, job=call.name, difference=difference)


def drop_held_back(
    context: JobContext,
    state: ConnectionState,
    stored: VersionedRun,
    notes: list[Note] | None = None,
) -> RunReport:
    """
    Drop a run of which nothing was sent; dropping it again changes nothing.

    Args:
        context: The outside.
        state: Where it is noted.
        stored: The run, held back.
        notes: What is noted of it.
    """
    run = stored.document
    report = RunReport.from_dict(run.report)
    if run.state != "discarded":
        report.state = "discarded"
        report.finished_at = context.clock.now()
        report.facts += notes or [noted("discarded")]
        changes = {"state": "discarded", "report": report.to_dict(), "answered": False}
        stored = state.runs.change(stored, **changes)
    state.run_index.amend(report.to_dict())
    report.facts += answer_run(context, state, stored)
    # Last: its files wait until then, by which the next import finds what is half done.
    state.file_ledger.discard(run.job, run.files, seq=run.seq)
    log.info("run.discarded", seq=run.seq)
    return report


def half_dropped(state: ConnectionState, undecided: Iterable[int]) -> list[VersionedRun]:
    """
    Find runs that a person dropped, in a process that died before all of it was noted.

    Args:
        state: The connection.
        undecided: Runs whose files wait (``LedgerSnapshot.undecided``).
    """
    found = (state.runs.read(seq) for seq in undecided)
    return [stored for stored in found if stored.document.state == "discarded"]


def end_discards(call: ImportContext) -> None:
    """Bring to their end what earlier processes began to drop of a job; may be done again."""
    for stored in half_dropped(call.state, call.state.file_ledger.snapshot().undecided(call.name)):
        drop_held_back(call.context, call.state, stored)
