"""What happened: past runs of a connection, and one run in full."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import polars as pl

from exchanger.errors import RunMissing
from exchanger.state.connection import open_state
from exchanger.state.runs import ENDED

if TYPE_CHECKING:
    from exchanger.jobs.world import World
    from exchanger.state.connection import ConnectionState

LISTED = 1_000
"""Finished runs of a connection that one listing shows at most."""


def list_runs(
    world: World, job: str | None = None, *, latest: bool = False
) -> list[dict[str, Any]]:
    """
    List the reports of finished runs and of an unfinished one, newest first, *LISTED* at most.

    Args:
        world: The outside.
        job: Only runs of this job; of all jobs otherwise.
        latest: Only the newest run of each job.
    """
    state = open_state(world.bucket, world.state_prefix)
    rows = state.finished.rows(job)
    if latest:
        rows = rows.unique("job", keep="first", maintain_order=True)
    reports = [_decided(state, orjson.loads(text)) for text in rows.head(LISTED)["report"]]
    begun = _unfinished(state)
    if begun is not None and job in (None, begun["job"]):
        hidden = "job" if latest else "run_id"
        reports = [begun, *(r for r in reports if r[hidden] != begun[hidden])]
    return reports


def show_run(world: World, run: str) -> dict[str, Any]:
    """
    Show one run in full: its report, and its document if it has a sequence number.

    Args:
        world: The outside.
        run: A run id or a sequence number.

    Raises:
        RunMissing: There is no such run.
    """
    state = open_state(world.bucket, world.state_prefix)
    matching = pl.col("seq") == int(run) if run.isdecimal() else pl.col("run_id") == run
    found = state.finished.rows().filter(matching)
    begun = _unfinished(state)
    if not found.is_empty():
        report = _decided(state, orjson.loads(found["report"][0]))
        if begun is not None and begun["run_id"] == report["run_id"]:
            report["seq"] = begun["seq"]  # It failed, and is still to be finished.
        return report
    if begun is not None and run in (begun["run_id"], str(begun["seq"])):
        return begun
    raise RunMissing(run)


def _decided(state: ConnectionState, report: dict[str, Any]) -> dict[str, Any]:
    """
    Tell what a person has decided about a run that was held back.

    The run itself says it first; a process may die before it is in the table, too.
    """
    if report["state"] != "held_back":
        return report
    run = state.runs.read(report["seq"]).document
    return run.report if run.state in ("settled", "discarded") else report


def _unfinished(state: ConnectionState) -> dict[str, Any] | None:
    """Render the run that the next start will go on with, if there is one."""
    newest = state.runs.newest()
    if newest is None or newest.document.state in ENDED:
        return None
    return newest.document.report | {"state": newest.document.state}
