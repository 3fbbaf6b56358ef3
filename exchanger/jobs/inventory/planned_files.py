"""Whether what a saved plan was made of is still there: its job, what is held, its files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from exchanger.errors import PlanMoved, StorageMissing
from exchanger.jobs.runtime.saved_plan import configuration_of, identity_of
from exchanger.notes import Note, noted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchanger.jobs.inventory.listing import WaitingFiles
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.jobs.runtime.saved_plan import SavedPlan


def demand_unmoved(call: ImportContext, *, seq: int | None = None) -> None:
    """
    Check that a run may still do what its saved plan says, as far as nothing need be read for it.

    Args:
        call: The job; without a saved plan nothing is checked.
        seq: The number that the run would have; if left out, the one after the newest run.

    Raises:
        PlanMoved: The job, its connection or what is held is another one.
    """
    saved = call.options.saved
    if saved is None:
        return
    newest = call.state.runs.newest()
    last = (newest.document.seq if newest else 0) if seq is None else seq - 1
    moved = [*_of_another(call, saved), *_reconfigured(call, saved)]
    if not moved and last != saved.after_run:
        by = newest.document.job if newest is not None else ""
        moved.append(noted("plan_overtaken", after=saved.after_run, run=last, job=by))
    if moved:
        refuse(call, moved)


def files_of_plan(call: ImportContext, listed: WaitingFiles) -> WaitingFiles:
    """
    Choose the files of the saved plan, of all that wait.

    Raises:
        PlanMoved: One of them waits no more in that version.
    """
    saved = call.options.saved
    if saved is None or call.taken:
        return listed
    planned = set(saved.files)
    files = [file for file in listed.files if (file.key, file.etag) in planned]
    older = [file for file in listed.superseded if (file.key, file.etag) in planned]
    there = {(file.key, file.etag) for file in (*files, *older)}
    if gone := [file for file in saved.files if file not in there]:
        refuse(call, [_gone(call, *file) for file in gone])
    return replace(listed, files=files, superseded=older)


def refuse(call: ImportContext, moved: Sequence[Note]) -> None:
    """
    Refuse to run a saved plan, as something is not as it was.

    Raises:
        PlanMoved: Always.
    """
    raise PlanMoved(call.name, " ".join(map(call.context.words, moved)))


def _of_another(call: ImportContext, saved: SavedPlan) -> list[Note]:
    here = identity_of(call.context)
    moved = []
    if saved.job != call.name:
        moved.append(noted("plan_of_another", what="job", was=saved.job, now=call.name))
    for what in ("braze", "state"):
        was = saved.connection.get(what, "")
        if was != here[what]:
            moved.append(noted("plan_of_another", what=what, was=was, now=here[what]))
    return moved


def _reconfigured(call: ImportContext, saved: SavedPlan) -> list[Note]:
    now, was = configuration_of(call.job), saved.configuration
    keys = sorted(key for key in now.keys() | was.keys() if now.get(key) != was.get(key))
    if saved.job != call.name or not keys:
        return []
    return [noted("plan_reconfigured", keys=keys)]


def _gone(call: ImportContext, key: str, etag: str) -> Note:
    """Note what became of a file that does not wait any more."""
    try:
        found = call.context.bucket.head(key)
    except StorageMissing:
        return noted("plan_file_moved", file=key, how="gone")
    return noted("plan_file_moved", file=key, how="changed" if found.etag != etag else "taken")
