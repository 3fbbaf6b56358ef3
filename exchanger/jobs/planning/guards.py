"""Why a plan is not to be sent before a person has looked at it: the guards that a job names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING

from exchanger.files.signs import empty_parts
from exchanger.jobs.planning.budgets import budget_guards
from exchanger.jobs.planning.exposure import Exposure
from exchanger.notes import Note, noted

if TYPE_CHECKING:
    from exchanger.config.models import Guards
    from exchanger.jobs.intake.requests import HeldFile
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.jobs.runtime.saved_plan import SavedPlan
    from exchanger.state.runs.log import ClaimedFile

Guard = Callable[[Exposure], Sequence[Note]]
"""Returns why a plan that would do this is not to be sent; nothing if it may be."""
FileBefore = tuple[str, int]
"""The key of a file, and how many rows it had."""

MEASURES: dict[str, tuple[str, ...]] = {
    "budget_exceeded": ("spent", "points"),
    "empty_file": (),
    "fewer_rows": ("percent",),
    "field_emptier": ("empty",),
    "too_many_changed": ("profiles",),
    "too_many_cleared": ("profiles",),
    "too_many_deletes": ("deletes",),
    "too_many_leavers": ("leavers",),
    "too_many_points": ("points",),
    "too_many_rejected": ("rows",),
}
"""By the code of what a guard notes, the facts that say how bad it is, which are added up."""


def guards_of(
    call: ImportContext,
    files: Iterable[ClaimedFile],
    filled: Mapping[str, float] | None = None,
    waiting: Iterable[HeldFile] = (),
) -> list[Guard]:
    """
    List what looks at a plan of files before it counts: the job's guards and the budgets.

    Args:
        call: The job.
        files: What the plan claims, in order.
        filled: What share of its rows has a value, by field; None if it has no rows.
        waiting: Files that came with them, and wait for a person.
    """
    guards = call.job.watched_by
    looks: list[Guard] = [
        partial(look, allowed)
        for look, allowed in (
            (_changed, guards.max_changed_percent),
            (_cleared, guards.max_cleared_percent),
            (_rejected, guards.max_rejected_percent),
            (_points, guards.max_data_points),
            (_leavers, guards.max_leavers_percent),
        )
        if allowed is not None
    ]
    if guards.max_fewer_rows_percent is not None or guards.empty_file == "hold":
        came = [(file.key, file.rows) for file in files if file.outcome == "applied"]
        # What waits may count twice, so it has rows.
        beside = [(file.claim.key, None) for file in waiting]
        parts = empty_parts([*came, *beside], call.job.source.complete_when)
        taken = [(key, rows) for key, rows in came if key not in parts]
        before = call.state.file_ledger.snapshot().last_applied(call.name)
        looks.append(lambda _: notes_on_files(guards, taken, before))
    allowed = guards.max_more_empty_percent
    if allowed is not None and filled:
        now, limit, had = filled, allowed, _filled_before(call, filled)
        looks.append(lambda _: notes_on_emptier(limit, now, had))
    return [*looks, *decision_guards(call)]


def _filled_before(call: ImportContext, now: Mapping[str, float]) -> Mapping[str, float]:
    """Return what share had a value when the job applied a file last, of fields that it has."""
    seq = call.state.file_ledger.snapshot().last_run(call.name)
    before = call.state.runs.read(seq).document.filled if seq else {}
    named, any_column = {*call.job.cells, *now}, bool(call.job.remaining_cells)
    return {name: share for name, share in before.items() if any_column or name in named}


def notes_on_emptier(
    allowed: float, now: Mapping[str, float], before: Mapping[str, float]
) -> list[Note]:
    """
    Note which fields have far fewer values than before; a column that is not there has none.

    Args:
        allowed: By how many percent of the rows.
        now: What share of the rows has a value, in percent.
        before: The same of the file before.
    """
    return [
        noted(
            "field_emptier",
            field=name,
            empty=round(100 - now.get(name, 0.0), 2),
            empty_before=round(100 - share, 2),
            allowed=allowed,
        )
        for name, share in before.items()
        if share - now.get(name, 0.0) > allowed
    ]


def decision_guards(call: ImportContext) -> list[Guard]:
    """List what also looks at what a person has decided: the limit of deletions, and budgets."""
    deletes: list[Guard] = []
    if call.job.object == "deletions":
        deletes = [lambda exposure: _deletes(call.job.guards, exposure.deletes)]
    elif call.job.source.on_removed == "delete":
        deletes = [lambda exposure: _deletes(call.job.guards, exposure.leavers)]
    return [*deletes, *budget_guards(call)]


def beyond_what_was_shown(guards: Sequence[Guard], shown: Iterable[Note]) -> Guard:
    """
    Build the guard of an approval: it lets through what a person was shown, and nothing worse.

    Args:
        guards: What looks at the plan.
        shown: What these noted when the run was held back.
    """
    known = {_subject(note): note for note in shown}

    def guard(exposure: Exposure) -> Sequence[Note]:
        reasons = [*chain.from_iterable(each(exposure) for each in guards)]
        pairs = ((note, known.get(_subject(note))) for note in reasons)
        worse = any(was is None or _measure(note) > _measure(was) for note, was in pairs)
        return reasons if worse else []

    return guard


def guard_of_plan(saved: SavedPlan) -> Guard:
    """Build the guard of a saved plan: it finds the first number that is not as it was."""

    def guard(exposure: Exposure) -> Sequence[Note]:
        now, was = exposure.numbers, saved.totals
        differing = (name for name in {**was, **now} if was.get(name) != now.get(name))
        return [
            noted("plan_differs", name=name, was=str(was.get(name, 0)), now=str(now.get(name, 0)))
            for name in islice(differing, 1)
        ]

    return guard


def notes_on_files(
    guards: Guards, files: Iterable[FileBefore], before: FileBefore | None
) -> list[Note]:
    """
    Note which files are empty, or have far fewer rows than the file before.

    Args:
        guards: What is looked for.
        files: The files of a run, in order.
        before: The file that was applied last; None if there is none.
    """
    notes = []
    for key, rows in files:
        if not rows and guards.empty_file == "hold":
            notes.append(noted("empty_file", file=key))
            continue
        if before is not None:
            notes += _fewer(guards, (key, rows), before)
        before = (key, rows) if rows else before
    return notes


def _fewer(guards: Guards, file: FileBefore, before: FileBefore) -> list[Note]:
    (key, rows), (other, of) = file, before
    allowed = guards.max_fewer_rows_percent
    if allowed is None or not (share := _beyond(allowed, of - rows, of)):
        return []
    return [
        noted(
            "fewer_rows", file=key, rows=rows, before=other, of=of, percent=share, allowed=allowed
        )
    ]


def _changed(allowed: float, plan: Exposure) -> list[Note]:
    found, of = plan.profiles_replaced, plan.profiles_known
    share = _beyond(allowed, found, of)
    note = noted("too_many_changed", profiles=found, of=of, percent=share, allowed=allowed)
    return [note] if share else []


def _cleared(allowed: float, plan: Exposure) -> list[Note]:
    found, of = plan.profiles_cleared, plan.profiles_known
    share = _beyond(allowed, found, of)
    note = noted("too_many_cleared", profiles=found, of=of, percent=share, allowed=allowed)
    return [note] if share else []


def _rejected(allowed: float, plan: Exposure) -> list[Note]:
    found, of = plan.rows_rejected, plan.rows_read
    share = _beyond(allowed, found, of)
    note = noted("too_many_rejected", rows=found, of=of, percent=share, allowed=allowed)
    return [note] if share else []


def _leavers(allowed: float, plan: Exposure) -> list[Note]:
    found, of = plan.leavers, plan.members_before
    share = _beyond(allowed, found, of)
    note = noted("too_many_leavers", leavers=found, of=of, percent=share, allowed=allowed)
    return [note] if share else []


def _points(limit: float, plan: Exposure) -> list[Note]:
    note = noted("too_many_points", points=plan.data_points, limit=limit)
    return [note] if plan.data_points > limit else []


def _deletes(guards: Guards, deletes: int) -> list[Note]:
    if deletes <= guards.max_deletes:
        return []
    return [noted("too_many_deletes", deletes=deletes, most=guards.max_deletes)]


def _beyond(allowed: float, found: int, of: int) -> float:
    """Return the share in percent if it is more than is allowed, else 0."""
    if found <= 0 or found * 100 <= of * allowed:
        return 0.0
    return max(round(found * 100 / of, 2), 0.01) if of else 100.0


def _subject(note: Note) -> tuple[object, ...]:
    return note.code, *map(note.facts.get, ("file", "period", "field"))


def _measure(note: Note) -> float:
    return sum(float(note.facts.get(name, 0)) for name in MEASURES.get(note.code, ()))
