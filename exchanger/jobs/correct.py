"""
The story of corrected rows: what a person has corrected is given in place of what was rejected.

Each run of it takes up the whole quarantine that the rows were in, as a retry does: what is given
is given once, and what is not corrected, or still wrong, is in the quarantine of the new run.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from exchanger.config.answers import not_correctable
from exchanger.errors import (
    FileRejected,
    RunUnsuitable,
    SchemaBroken,
    StateMissing,
    StorageMissing,
)
from exchanger.jobs.intake.requests import HeldFile
from exchanger.jobs.intake.totals import exceed, totals_of
from exchanger.jobs.intake.unreadable import told
from exchanger.jobs.inventory.corrected_jobs import GUARDED
from exchanger.jobs.inventory.corrections import CorrectedFile, corrected_file, corrected_files
from exchanger.jobs.lifecycle.create_run import create_run
from exchanger.jobs.lifecycle.exclusive import plan_and_commit
from exchanger.jobs.lifecycle.finish import finish
from exchanger.jobs.lifecycle.hold import drop_held_back, guarded_again, hold_again, hold_back
from exchanger.jobs.lifecycle.suitable import demand_quarantine, demand_suitable
from exchanger.jobs.planning.guards import MEASURES, beyond_what_was_shown, decision_guards
from exchanger.jobs.quarantine.corrections import (
    CorrectedRows,
    claim_of,
    corrected_rows,
    given_rows,
    keep_the_rest,
    with_corrected_files,
    with_unusable,
)
from exchanger.jobs.quarantine.given_again import GIVEN_AGAIN
from exchanger.jobs.quarantine.read import QuarantinedRows
from exchanger.jobs.reading.read import read_files
from exchanger.jobs.runtime.import_context import ImportContext, new_report, numbered_report
from exchanger.jobs.runtime.report import FileReport
from exchanger.notes import noted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from exchanger.jobs.intake.batch import InputBatch
    from exchanger.jobs.planning.exposure import Exposure
    from exchanger.jobs.runtime.report import RunReport
    from exchanger.notes import Note
    from exchanger.state.runs.log import RunDocument, VersionedRun


@dataclass(frozen=True)
class Corrections:
    """
    Files of corrected rows that are taken by one run.

    Args:
        head: The run in whose quarantine their rows are; None if no row of theirs can be given.
        rows: Those of which rows may be given.
        unusable: Others, and why.
    """

    head: RunDocument | None = None
    rows: Sequence[CorrectedRows] = ()
    unusable: Sequence[tuple[CorrectedFile, FileRejected]] = ()

    @property
    def files(self) -> list[CorrectedFile]:
        """All of them."""
        return [*(each.file for each in self.rows), *(file for file, _ in self.unusable)]


@dataclass
class _Taken:
    """The run that was made of some files, or holds them; and why others are left for now."""

    stored: VersionedRun | None = None
    left: list[FileReport] = field(default_factory=list)


def correct_rows(call: ImportContext) -> list[RunReport]:
    """
    Apply the files of corrected rows that lie beside the folder of a job, each once.

    Raises:
        BrazeError: A look-up failed.
        StorageError: S3 refused or did not answer.
        Stopped: The process was asked to stop.
    """
    reports: list[RunReport] = []
    while not call.context.stopping.is_set() and corrected_files(call):
        taken = plan_and_commit(call, lambda seq: _plan_and_commit(call, seq))
        if taken.stored is not None:
            reports.append(finish(call.context, call.state, taken.stored))
        elif taken.left:
            now = call.context.clock.now()
            left = replace(new_report(call), state="partial", files=taken.left)
            reports.append(replace(left, finished_at=now))
    return reports


def _plan_and_commit(call: ImportContext, seq: int) -> _Taken:
    """Plan the first files that can be taken together, and make the plan count."""
    corrections = chosen_corrections(call, corrected_files(call))
    batch, parent = read_corrections(call, corrections)
    taken = _Taken(left=told(batch.unreadable))
    if batch.files:
        report = numbered_report(call, seq)
        read = {file.key for file in batch.files if file.outcome == "corrected"}
        waiting = [each for each in corrections.rows if each.file.item.key in read]
        hold = partial(_hold, call, seq, waiting)
        guards = decision_guards(call) if parent else []
        taken.stored = create_run(call, report, batch, hold=hold, guards=guards, parent=parent)
    call.taken.update((file.item.key, file.item.etag) for file in corrections.files)
    return taken


def _hold(
    call: ImportContext,
    seq: int,
    waiting: Sequence[CorrectedRows],
    reasons: Sequence[Note],
    exposure: Exposure,
) -> VersionedRun | None:
    """Let corrected rows wait for a person, in a run in place of the planned one."""
    held = numbered_report(call, seq)
    held.facts += reasons
    files = [
        HeldFile(
            replace(
                claim_of(each.file),
                outcome=GUARDED,
                facts=tuple(reasons),
                correction=each.file.item.etag,
            ),
            each.request,
        )
        for each in waiting
    ]
    return hold_back(call, held, files, plan=exposure.to_dict())


def release_corrections(
    call: ImportContext, number: int, held: VersionedRun
) -> VersionedRun | RunReport:
    """
    Plan corrected rows again that wait; the report of their run if they go on waiting, or nowhere.

    Args:
        call: The job.
        number: Of the run that gives them.
        held: The run in which they wait.

    Raises:
        RunUnsuitable: A file is not there any more as it was.
    """
    run = held.document
    files, said = _waiting_in(call, run)
    if not files:
        return drop_held_back(call.context, call.state, held, notes=said)
    report = numbered_report(call, number)
    report.facts += said
    batch, parent = read_corrections(call, _told_apart(call, files))
    for key, _ in (*batch.unreadable, *batch.gone):
        raise _not_there(call, run, key)
    totals = totals_of(batch)
    if exceed(totals, run.totals):
        return hold_again(call, held, totals)
    shown = [note for file in run.files for note in file.facts if note.code in MEASURES]
    guards = [beyond_what_was_shown(decision_guards(call), shown)]
    hold = partial(guarded_again, call, held)
    return create_run(
        call, report, batch, hold=hold, guards=guards, parent=parent, releases=run.seq
    )


def _waiting_in(call: ImportContext, run: RunDocument) -> tuple[list[CorrectedFile], list[Note]]:
    """Find the files that wait in a run, as they lie there; note which were decided about since."""
    latest = call.state.file_ledger.snapshot().latest(call.name, [file.key for file in run.files])
    files: list[CorrectedFile] = []
    said: list[Note] = []
    for file in run.files:
        later = latest[file.key].seq
        if later != run.seq:
            said.append(noted("left_out_since", file=file.key, run=later, held=run.seq))
            continue
        try:
            item = call.context.bucket.head(file.key)
        except StorageMissing as error:
            raise _not_there(call, run, file.key) from error
        if item.etag != file.etag:
            raise _not_there(call, run, file.key)
        files.append(corrected_file(call, item))
    return files, said


def _not_there(call: ImportContext, run: RunDocument, key: str) -> RunUnsuitable:
    detail = (
        f"{key} is not there any more as it was. What lies there by now is taken by: exchanger run "
        f"{call.name}. To drop what waits: exchanger discard {run.seq}"
    )
    return RunUnsuitable(str(run.seq), "approve", detail)


def chosen_corrections(call: ImportContext, waiting: Iterable[CorrectedFile]) -> Corrections:
    """
    Choose the files that one run takes: of one quarantine, and one for each file.

    Those of which nothing can be given come first, by themselves.
    """
    found = _told_apart(call, waiting)
    if found.unusable or not found.rows:
        return Corrections(unusable=found.unusable)
    first: dict[str, CorrectedRows] = {}
    for each in found.rows:
        if each.head.seq == found.rows[0].head.seq:
            first.setdefault(each.claim.key, each)
    return Corrections(found.head, [*first.values()])


def _told_apart(call: ImportContext, waiting: Iterable[CorrectedFile]) -> Corrections:
    """Separate files of which rows may be given from those of which none can."""
    rows: list[CorrectedRows] = []
    unusable: list[tuple[CorrectedFile, FileRejected]] = []
    for file in waiting:
        try:
            rows.append(_looked_up(call, file))
        except FileRejected as error:
            unusable.append((file, error))
    return Corrections(rows[0].head if rows else None, rows, unusable)


def read_corrections(call: ImportContext, corrections: Corrections) -> tuple[InputBatch, int]:
    """
    Read files of corrected rows, with all that stays aside beside them.

    Returns:
        The batch, and the run whose quarantine it takes up; 0 if it gives no row of it.
    """
    requests = [each.request for each in corrections.rows]
    try:
        batch = read_files(call, requests, without_all=True)
    except SchemaBroken as error:
        return read_corrections(call, _without(corrections, error))
    head, given = corrections.head, {}
    if head is not None and batch.files:
        found = QuarantinedRows(requests=requests)
        batch = GIVEN_AGAIN[call.kind.given_again].put_right(call, head, batch, found)
        batch = with_corrected_files(batch, corrections.rows)
        given = given_rows(batch)
    for file, unusable in corrections.unusable:
        batch = with_unusable(batch, claim_of(file), unusable)
    if head is None or not given:
        return batch, 0
    return keep_the_rest(call, head, batch, given), head.seq


def _without(corrections: Corrections, error: SchemaBroken) -> Corrections:
    """Set a file apart that has other columns than its job puts up with."""
    [broken] = [each for each in corrections.rows if each.claim.key == error.key]
    unfit = FileRejected(broken.file.item.key, "schema_broken", error.message)
    rows = [each for each in corrections.rows if each is not broken]
    head = corrections.head if rows else None
    return Corrections(head, rows, [*corrections.unusable, (broken.file, unfit)])


def _looked_up(call: ImportContext, file: CorrectedFile) -> CorrectedRows:
    """
    Find what the rows of a file stand for.

    Raises:
        FileRejected: Nothing, or they cannot be given.
    """
    key, run = file.item.key, file.run
    if run is None or run.job != call.name:
        whose = f"Run {file.folder} is one of {run.job}." if run else "There is no such run."
        detail = (
            f"Its folder, {file.folder or 'none'}, has to be that in which the rejected rows lie, "
            f"which is the number of a run of {call.name}. {whose}"
        )
        raise FileRejected(key, "no_such_run", detail)
    if why := not_correctable(call.job):
        raise FileRejected(key, "not_correctable", why)
    head = run
    while head.continued_by:
        head = call.state.runs.read(head.continued_by).document
    try:
        demand_quarantine(call, head)
        demand_suitable(call, head)
        return corrected_rows(call, file, head)
    except (RunUnsuitable, StateMissing) as error:
        detail = f"What run {run.seq} rejected cannot be given again: {_detail(error)}."
        raise FileRejected(key, "not_correctable", detail) from error


def _detail(error: RunUnsuitable | StateMissing) -> str:
    if isinstance(error, StateMissing):
        return f"{error.key} is not in the bucket any more"
    return error.detail.rstrip(".")
