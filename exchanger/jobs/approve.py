"""
The story of an approval: a run that was held back is planned again, on what is held by now.

If it would add more than the person was shown, it is held back again instead.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from exchanger.errors import RunUnsuitable
from exchanger.jobs.call import ImportCall
from exchanger.jobs.discard import drop_held_back
from exchanger.jobs.ending import finish
from exchanger.jobs.held_back import hold_again
from exchanger.jobs.intake import Intake
from exchanger.jobs.options import ImportOptions
from exchanger.jobs.read_files import read_all_files
from exchanger.jobs.round import numbered_report, planned
from exchanger.jobs.runfiles import commit
from exchanger.jobs.totals import exceed, totals_of
from exchanger.jobs.turn import committed, in_turn
from exchanger.state.connection import open_state
from exchanger.state.runs import Stored

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchanger.config.models import ImportJob
    from exchanger.jobs.report import RunReport
    from exchanger.jobs.world import World
    from exchanger.state.runs import ClaimedFile


def approve_run(world: World, name: str, job: ImportJob, seq: int, wait: float) -> RunReport:
    """
    Apply a run that was held back.

    Args:
        world: The outside.
        name: The run's job.
        job: As it is configured now.
        seq: The run that was held back.
        wait: Seconds to wait for another process that writes to the same connection.

    Returns:
        The report of the run that applied it; or of the same run, held back again.

    Raises:
        RunUnsuitable: The run is not held back.
        BrazeError: As for an import.
        StorageError: S3 refused or did not answer.
        JobBusy: Another process writes to this connection.
        Stopped: The process was asked to stop before anything counted.
    """
    state = open_state(world.bucket, world.state_prefix)
    call = ImportCall(world, state, name, job, ImportOptions(wait=wait))
    return in_turn(world, state, name, wait, lambda held: _approve(replace(call, world=held), seq))


def _approve(call: ImportCall, seq: int) -> RunReport:
    outcome = committed(call, lambda number: _plan_and_commit(call, number, seq))
    return finish(call.world, call.state, outcome) if isinstance(outcome, Stored) else outcome


def _plan_and_commit(call: ImportCall, number: int, seq: int) -> Stored | RunReport:
    """Plan the run again under a number of its own; the report of the old one if it is not sent."""
    held = call.state.runs.read(seq)
    run = held.document
    if run.state != "held_back":
        by = f"; run {run.taken_up_by} applied it" if run.taken_up_by else ""
        raise RunUnsuitable(str(seq), "approve", f"it is not held back{by}")
    overtaken = _overtaken(call, run.files, seq)
    said = [
        f"{file.key} was left out: a version of it was applied after the run was held back."
        for file in overtaken
    ]
    chosen = [file for file in run.files if file not in overtaken]
    if not chosen:
        return drop_held_back(call.world, call.state, held, notes=said)
    report = numbered_report(call, number)
    report.notes += said
    reading = read_all_files(call, _intakes(chosen))
    totals = totals_of(reading)
    if exceed(totals, run.totals):
        return hold_again(call.state, held, totals, call.world.clock.now().isoformat())
    plan = planned(call, report, reading)
    return commit(call, report, reading, plan, origin=seq)


def _intakes(files: Sequence[ClaimedFile]) -> list[Intake]:
    return [
        Intake(
            file.key,
            file.etag,
            "difference" if file.outcome == "replaced" else "in_full",
            kept=file.kept,
        )
        for file in files
    ]


def _overtaken(call: ImportCall, files: Sequence[ClaimedFile], seq: int) -> list[ClaimedFile]:
    """
    Name the files of which a newer version, or this one in full, was applied meanwhile.

    What a later run applied of a run that was held back earlier is no newer version.
    """
    applied = call.state.applied.snapshot()

    def is_newer(run: int) -> bool:
        origin = call.state.runs.read(run).document.origin
        return not 0 < origin < seq

    return [
        file
        for file in files
        if any(is_newer(run) for run in applied.summed_since(file.key, file.sums, seq))
    ]
