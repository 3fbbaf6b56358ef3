"""Runs that take up an earlier one: what was held back, or is given again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exchanger.jobs.runtime.report import RunState
    from exchanger.state.runs.log import RunDocument
    from exchanger.state.store import ConnectionState


def take_up_parent(state: ConnectionState, run: RunDocument) -> bool:
    """
    Take up a run that was held back, before anything of it is sent; may be done again.

    Returns:
        False if a person dropped it after the plan of this run had been made.

    Raises:
        StorageChanged: Another process changed it at the same moment.
    """
    if not run.parent:
        return True
    parent = state.runs.read(run.parent)
    if parent.document.hold and parent.document.state == "held_back":
        if not parent.document.continued_by:
            state.runs.change(parent, continued_by=run.seq)
        return True
    return not parent.document.hold or parent.document.state != "discarded"


def close_parent(state: ConnectionState, run: RunDocument) -> None:
    """Note in the run that was taken up who did so; it is done with then. May be done again."""
    parent = state.runs.read(run.parent)
    if not parent.document.hold:
        if not parent.document.continued_by:
            state.runs.change(parent, continued_by=run.seq)
        return
    if parent.document.state == "discarded":
        return
    report = parent.document.report
    if parent.document.state != "settled":
        became, note = _became(run)
        notes = [*report["notes"], note]
        report |= {"state": became, "finished_at": run.report["finished_at"], "notes": notes}
        state.runs.change(parent, state="settled", continued_by=run.seq, report=report)
    state.run_index.amend(report)


def _became(run: RunDocument) -> tuple[RunState, str]:
    """Return in a word and in a sentence what the run that took it up made of a run that waited."""
    if run.discarded:
        became = f"Not released: run {run.seq} was to apply it, and was discarded."
        return "discarded", f"{became} What Braze had accepted by then stays."
    return "released", f"Released: run {run.seq} applied it."
