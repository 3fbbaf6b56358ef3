"""
The story of corrected rows: what a person has corrected is given in place of what was rejected.

Each run of it takes up the whole quarantine that the rows were in, as a retry does: what is given
is given once, and what is not corrected, or still wrong, is in the quarantine of the new run.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from exchanger.config.answers import not_correctable
from exchanger.errors import FileRejected, RunUnsuitable, SchemaBroken, StateMissing
from exchanger.jobs.intake.unreadable import told
from exchanger.jobs.inventory.corrections import CorrectedFile, corrected_files
from exchanger.jobs.lifecycle.create_run import create_run
from exchanger.jobs.lifecycle.exclusive import plan_and_commit
from exchanger.jobs.lifecycle.finish import finish
from exchanger.jobs.lifecycle.suitable import demand_quarantine, demand_suitable
from exchanger.jobs.planning.guards import decision_guards
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
from exchanger.jobs.reading.read import read_corrected
from exchanger.jobs.runtime.report import FileReport, new_report, numbered_report
from exchanger.notes import Note, noted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from exchanger.jobs.intake.batch import InputBatch
    from exchanger.jobs.planning.exposure import Exposure
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.jobs.runtime.report import RunReport
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


@dataclass
class _Taken:
    """The run that was made of some files, and of others why they are left for now."""

    stored: VersionedRun | None = None
    left: list[FileReport] = field(default_factory=list)
    facts: list[Note] = field(default_factory=list)


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
            left = replace(new_report(call), state="partial", files=taken.left, facts=taken.facts)
            reports.append(replace(left, finished_at=now))
    return reports


def _plan_and_commit(call: ImportContext, seq: int) -> _Taken:
    """Plan the first files that can be taken together, and make the plan count."""
    corrections = chosen_corrections(call, corrected_files(call))
    files = [each.file.item for each in corrections.rows]
    files += [file.item for file, _ in corrections.unusable]
    batch, parent = read_corrections(call, corrections)
    taken = _Taken(left=told(batch.unreadable))

    def hold(reasons: Sequence[Note], _exposure: Exposure) -> None:
        why = noted("corrections_left")
        taken.left = [FileReport(item.key, "unreadable", facts=(why,)) for item in files]
        taken.facts = [*reasons]

    if batch.files:
        report = numbered_report(call, seq)
        guards = decision_guards(call) if parent else []
        taken.stored = create_run(call, report, batch, hold=hold, guards=guards, parent=parent)
    call.taken.update((item.key, item.etag) for item in files)
    return taken


def chosen_corrections(call: ImportContext, waiting: Iterable[CorrectedFile]) -> Corrections:
    """
    Choose the files that one run takes: of one quarantine, and one for each file.

    Those of which nothing can be given come first, by themselves.
    """
    rows: list[CorrectedRows] = []
    unusable: list[tuple[CorrectedFile, FileRejected]] = []
    for file in waiting:
        try:
            rows.append(_looked_up(call, file))
        except FileRejected as error:
            unusable.append((file, error))
    if unusable or not rows:
        return Corrections(unusable=unusable)
    first: dict[str, CorrectedRows] = {}
    for each in rows:
        if each.head.seq == rows[0].head.seq:
            first.setdefault(each.claim.key, each)
    return Corrections(rows[0].head, [*first.values()])


def read_corrections(call: ImportContext, corrections: Corrections) -> tuple[InputBatch, int]:
    """
    Read files of corrected rows, with all that stays aside beside them.

    Returns:
        The batch, and the run whose quarantine it takes up; 0 if it gives no row of it.
    """
    try:
        batch = read_corrected(call, [each.request for each in corrections.rows])
    except SchemaBroken as error:
        [broken] = [each.file for each in corrections.rows if each.claim.key == error.key]
        unfit = FileRejected(broken.item.key, "schema_broken", error.message)
        return read_corrections(call, Corrections(unusable=[(broken, unfit)]))
    for file, unusable in corrections.unusable:
        batch = with_unusable(batch, claim_of(file), unusable)
    head = corrections.head
    if head is None or not batch.files:
        return batch, 0
    found = QuarantinedRows(requests=[each.request for each in corrections.rows])
    batch = GIVEN_AGAIN[call.kind.given_again].put_right(call, head, batch, found)
    batch = with_corrected_files(batch, corrections.rows)
    given = given_rows(batch)
    if not given:
        return batch, 0
    return keep_the_rest(call, head, batch, given), head.seq


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
