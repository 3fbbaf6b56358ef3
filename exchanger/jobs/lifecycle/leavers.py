"""
What becomes of people who left a snapshot: a run of its own, once for each snapshot.

It is owed from the moment on at which the run that read the snapshot is settled, and until another
run has taken it up: before anything of that is sent, this is noted in the first one (protocol 2).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from exchanger.errors import StateMissing
from exchanger.jobs.lifecycle.create_run import create_run
from exchanger.jobs.lifecycle.exclusive import plan_and_commit
from exchanger.jobs.lifecycle.finish import finish
from exchanger.jobs.runtime.options import ImportOptions
from exchanger.jobs.runtime.report import numbered_report
from exchanger.jobs.snapshots.removal import leaver_rows, removal_of, removing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchanger.jobs.planning.exposure import Exposure
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.jobs.runtime.report import RunReport
    from exchanger.notes import Note
    from exchanger.state.runs.log import RunDocument, VersionedRun


def owed_leavers(call: ImportContext) -> RunDocument | None:
    """
    Return the run by whose snapshot people left of whom nothing became yet.

    None also if the job does something else with them by now: that was never shown to anybody. And
    as long as the job only tries things out, as it would count as done then.
    """
    if not call.job.source.is_snapshot or call.job.delivery.shadow:
        return None
    known = call.state.members.of(call.name)
    if known is None or not known.run.left or known.run.removed_by:
        return None
    same = known.run.on_removed and known.run.on_removed == removal_of(call.job)
    return known.run if same else None


def remove_leavers(call: ImportContext) -> list[RunReport]:
    """
    Do with people who left what their job says, if that is owed.

    Returns:
        The report of the run that does it; nothing if nobody is owed anything, or the process was
        asked to stop: the next run of the job does it then.

    Raises:
        BrazeError: As for an import.
    """
    if call.context.stopping.is_set() or owed_leavers(call) is None:
        return []
    stored = plan_and_commit(call, lambda seq: _planned(call, seq))
    return [] if stored is None else [finish(call.context, call.state, stored)]


def _planned(call: ImportContext, seq: int) -> VersionedRun | None:
    run = owed_leavers(call)
    if run is None:
        return None
    job = removing(call.job, run.on_removed, run.fields)
    call = replace(call, job=job, options=ImportOptions())
    try:
        batch = leaver_rows(call, run)
    except StateMissing:
        return None  # Nobody knows who they were, so nothing becomes of them.
    return create_run(call, numbered_report(call, seq), batch, hold=_never)


def _never(_reasons: Sequence[Note], _exposure: Exposure) -> None:
    """Hold nothing back: the guards have looked at who left with the snapshot itself."""
