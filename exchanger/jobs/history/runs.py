"""What happened: past runs of a connection, and one run in full."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from exchanger.errors import RunMissing
from exchanger.jobs.history.held_runs import held_runs
from exchanger.notes import noted, with_notes
from exchanger.state.runs.log import ENDED
from exchanger.state.store import open_state

if TYPE_CHECKING:
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.state.store import ConnectionState

Report = dict[str, Any]

LISTED = 1_000
"""Finished runs of a connection that one listing shows at most."""


def list_runs(
    context: JobContext, job: str | None = None, *, latest: bool = False
) -> list[dict[str, Any]]:
    """
    List the reports of finished runs and of an unfinished one, newest first, *LISTED* at most.

    Args:
        context: The outside.
        job: Only runs of this job; of all jobs otherwise.
        latest: Only the newest run of each job, with ``held_back``: the numbers of the runs of that
            job that wait for a person.
    """
    state = open_state(context.bucket, context.state_prefix)
    held = _Held(state)
    reports = [held.decided(one) for one in state.run_index.newest(LISTED, job, latest=latest)]
    begun = _unfinished(state)
    if begun is not None and job in (None, begun["job"]):
        # Why its last process gave up is only in what that one recorded.
        ours = (r["error"] for r in reports if r["run_id"] == begun["run_id"] and r.get("error"))
        begun |= next(({"error": why} for why in ours), {})
        hidden = "job" if latest else "run_id"
        reports = [begun, *(r for r in reports if r[hidden] != begun[hidden])]
    return [held.beside(report) for report in reports] if latest else reports


def show_run(context: JobContext, run: str) -> dict[str, Any]:
    """
    Show one run in full: its report, and its document if it has a sequence number.

    Args:
        context: The outside.
        run: A run id or a sequence number.

    Raises:
        RunMissing: There is no such run.
    """
    state = open_state(context.bucket, context.state_prefix)
    found = state.run_index.find(run)
    begun = _unfinished(state)
    if found is not None:
        report = _Held(state).decided(found)
        if begun is not None and begun["run_id"] == report["run_id"]:
            report["seq"] = begun["seq"]  # It failed, and is still to be finished.
        return report
    if begun is not None and run in (begun["run_id"], str(begun["seq"])):
        return begun
    raise RunMissing(run)


class _Held:
    """What waits for a person, read once for all that is shown, and only where something waits."""

    def __init__(self, state: ConnectionState) -> None:
        self._state = state
        applied = cache(state.file_ledger.snapshot)
        self._of = cache(lambda job: {run.seq: run for run in held_runs(state, applied(), job)})

    def decided(self, report: Report) -> Report:
        """
        Return what a person has decided about a run that was held back, and what others applied.

        The run itself says it first; a process may die before it is in the table, too.
        """
        if report["state"] != "held_back":
            return report
        run = self._state.runs.read(report["seq"]).document
        if run.state in ("settled", "discarded"):
            return run.report
        held = self._of(report["job"]).get(report["seq"])
        if held is None or not held.applied_since:
            return report
        since = held.applied_since.items()
        notes = [noted("applied_since", file=key, run=run) for key, run in since]
        return with_notes(report, notes) | {"applied_since": held.applied_since}

    def beside(self, report: Report) -> Report:
        """Add the numbers of the runs of the same job that wait for a person."""
        return report | {"held_back": sorted(self._of(report["job"]))}


def _unfinished(state: ConnectionState) -> dict[str, Any] | None:
    """Render the run that the next start will go on with, if there is one."""
    newest = state.runs.newest()
    if newest is None or newest.document.state in ENDED:
        return None
    return newest.document.report | {"state": newest.document.state}
