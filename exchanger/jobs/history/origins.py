"""Runs that take up an earlier one: what was held back, or is given again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchanger.notes import noted, with_notes

if TYPE_CHECKING:
    from exchanger.jobs.runtime.report import RunState
    from exchanger.state.runs.log import RunDocument
    from exchanger.state.store import ConnectionState


def take_up_parent(state: ConnectionState, run: RunDocument) -> bool:
    """
    Take up a run that was held back, or the people who left by it; may be done again.

    Returns:
        False if a person dropped it after the plan of this run had been made, or another run did.

    Raises:
        StorageChanged: Another process changed it at the same moment.
    """
    if run.leavers_of:
        return take_up_leavers(state, run)
    return all(_taken_up(state, run, seq) for seq in run.takes_up)


def _taken_up(state: ConnectionState, run: RunDocument, seq: int) -> bool:
    parent = state.runs.read(seq)
    if parent.document.hold and parent.document.state == "held_back":
        if not parent.document.continued_by:
            state.runs.change(parent, continued_by=run.seq)
        return True
    return not parent.document.hold or parent.document.state != "discarded"


def take_up_leavers(state: ConnectionState, run: RunDocument) -> bool:
    """
    Note in the run that read a snapshot which one is about who left by it; may be done again.

    Returns:
        Whether that is this run, or it is about nobody who left.

    Raises:
        StorageChanged: Another process changed it at the same moment.
    """
    if not run.leavers_of:
        return True
    snapshot = state.runs.read(run.leavers_of)
    if not snapshot.document.removed_by:
        state.runs.change(snapshot, removed_by=run.seq)
        return True
    return snapshot.document.removed_by == run.seq


def close_parents(state: ConnectionState, run: RunDocument) -> None:
    """Note in what was taken up who did so; it is done with then. May be done again."""
    for seq in run.takes_up:
        _close(state, run, seq)


def _close(state: ConnectionState, run: RunDocument, seq: int) -> None:
    parent = state.runs.read(seq)
    if not parent.document.hold:
        if not parent.document.continued_by:
            state.runs.change(parent, continued_by=run.seq)
        return
    if parent.document.state == "discarded":
        return
    report = parent.document.report
    if parent.document.state != "settled":
        became: RunState = "discarded" if run.discarded else "released"
        note = noted("not_released" if run.discarded else "released", run=run.seq)
        report = with_notes(report, [note])
        report |= {"state": became, "finished_at": run.report["finished_at"]}
        state.runs.change(parent, state="settled", continued_by=run.seq, report=report)
    state.run_index.amend(report)
