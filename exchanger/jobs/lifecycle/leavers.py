"""
What becomes of people who left a snapshot: a run of its own, once for each snapshot.

It is owed from the moment on at which the run that read the snapshot is settled, and until another
run has taken it up: before anything of that is sent, this is noted in the first one (protocol 2).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from exchanger.jobs.lifecycle.create_run import create_run
from exchanger.jobs.lifecycle.exclusive import plan_and_commit
from exchanger.jobs.lifecycle.finish import finish
from exchanger.jobs.planning.preview import OwedRemoval
from exchanger.jobs.runtime.import_context import ImportContext, numbered_report
from exchanger.jobs.runtime.options import ImportOptions
from exchanger.jobs.snapshots.removal import leaver_rows, points_of_removal, removal_of, removing
from exchanger.notes import noted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchanger.jobs.planning.exposure import Exposure
    from exchanger.jobs.runtime.report import RunReport
    from exchanger.notes import Note
    from exchanger.state.runs.log import RunDocument, VersionedRun


@dataclass(frozen=True)
class OwedLeavers:
    """
    People who left with a snapshot, and of whom nothing became yet.

    Args:
        run: The run that read the snapshot.
        why_not: Why nothing becomes of them by now: nobody knows any more who they were (``lost``),
            the job says something else (``otherwise``), which was never shown to anybody, or it
            only tries things out (``shadow``): it would count as done then. Empty if it is to be
            done.
    """

    run: RunDocument
    why_not: str

    @property
    def people(self) -> int:
        """How many they are."""
        return int(self.run.report["leavers"])

    @property
    def notes(self) -> list[Note]:
        """What is noted of it, if it cannot be done."""
        if not self.why_not:
            return []
        why, run = self.why_not, self.run.seq
        return [noted("leavers_not_done", run=run, people=self.people, why=why)]


def owed_leavers(call: ImportContext) -> OwedLeavers | None:
    """Find the people who left with the last snapshot of a job, if nothing became of them yet."""
    known = call.state.members.of(call.name) if call.job.source.is_snapshot else None
    if known is None or not known.run.left or known.run.removed_by or not known.run.on_removed:
        return None
    why = ""
    if not known.left_kept:
        why = "lost"
    elif known.run.on_removed != removal_of(call.job):
        why = "otherwise"
    elif call.job.delivery.shadow:
        why = "shadow"
    return OwedLeavers(known.run, why)


def due_leavers(call: ImportContext) -> OwedLeavers | None:
    """Find those of whom the next run of the job makes what it says, before anything else."""
    owed = owed_leavers(call)
    return None if owed is None or owed.why_not else owed


def note_not_done(call: ImportContext) -> list[Note]:
    """Note it if people left of whom nothing becomes by now."""
    owed = owed_leavers(call)
    return [] if owed is None else owed.notes


def removal_ahead(call: ImportContext) -> OwedRemoval | None:
    """Return what the next run of a job does first, as some people have left before."""
    owed = due_leavers(call)
    if owed is None:
        return None
    does = owed.run.on_removed
    points = points_of_removal(does, owed.run.fields) * owed.people
    return OwedRemoval(owed.run.seq, owed.people, does, points)


def remove_leavers(call: ImportContext) -> list[RunReport]:
    """
    Do with people who left what their job says, if that is owed.

    Returns:
        The report of the run that does it; nothing if nobody is owed anything, or the process was
        asked to stop: the next run of the job does it then.

    Raises:
        BrazeError: As for an import.
        StateMissing: Who they are got lost just now; the next run says so.
    """
    if call.context.stopping.is_set() or due_leavers(call) is None:
        return []
    stored = plan_and_commit(call, lambda seq: _planned(call, seq))
    return [] if stored is None else [finish(call.context, call.state, stored)]


def _planned(call: ImportContext, seq: int) -> VersionedRun | None:
    owed = due_leavers(call)
    if owed is None:
        return None
    run = owed.run
    job = removing(call.job, run.on_removed, run.fields)
    call = replace(call, job=job, options=ImportOptions())
    return create_run(call, numbered_report(call, seq), leaver_rows(call, run), hold=_never)


def _never(_reasons: Sequence[Note], _exposure: Exposure) -> None:
    """Hold nothing back: the guards have looked at who left with the snapshot itself."""
