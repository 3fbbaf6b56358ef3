"""
Notes of runs for a person: each code has its words here, for the terminal, JSON, alerts and pages.

What earlier versions noted stands in their documents as sentences, which are shown as they are.
Words are put beside facts once, by whoever shows a result; what is stored has the facts alone.
"""

from __future__ import annotations

from dataclasses import replace
from inspect import signature
from string import Formatter
from typing import TYPE_CHECKING, Any, TypeVar

from exchanger.app.messages.notes.changes import CHANGE_NOTES
from exchanger.app.messages.notes.exports import EXPORT_NOTES
from exchanger.app.messages.notes.files import FILE_NOTES
from exchanger.app.messages.notes.guards import GUARD_NOTES
from exchanger.app.messages.notes.holds import HOLD_NOTES
from exchanger.app.messages.notes.plans import PLAN_NOTES
from exchanger.app.messages.notes.runs import RUN_NOTES
from exchanger.app.messages.notes.snapshots import SNAPSHOT_NOTES
from exchanger.app.messages.words import with_connection
from exchanger.notes import Note, read_notes, without_choices

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from exchanger.app.messages.words import Words
    from exchanger.jobs.drift import DriftReport
    from exchanger.jobs.explain import Explanation
    from exchanger.jobs.forget import ForgetReport
    from exchanger.jobs.planning.preview import PlanReport
    from exchanger.jobs.rebuild import RebuildReport
    from exchanger.jobs.runtime.report import RunReport

T = TypeVar("T", "DriftReport", "Explanation", "ForgetReport", "RebuildReport", "RunReport")

WORDS: Mapping[str, Words] = {
    **CHANGE_NOTES,
    **EXPORT_NOTES,
    **FILE_NOTES,
    **GUARD_NOTES,
    **SNAPSHOT_NOTES,
    **HOLD_NOTES,
    **PLAN_NOTES,
    **RUN_NOTES,
}
"""By code, what says it."""


def facts_of(words: Words) -> AbstractSet[str]:
    """Name the facts of which something is said."""
    if isinstance(words, str):
        return {name for _, name, _, _ in Formatter().parse(words) if name}
    return signature(words).parameters.keys()


def in_words(note: Note, of: str = "") -> str:
    """
    Describe a note in a sentence; one of a newer version, whose words are not here, as facts.

    Args:
        note: The note.
        of: What names its connection in a command; empty where there is only one.
    """
    words = WORDS.get(note.code)
    if words is None:
        return str(note)
    facts, needed = dict(note.facts), facts_of(words)
    file = "" if "file" in needed else facts.pop("file", "")
    if facts.keys() != needed:
        return str(note)
    said = words.format(**facts) if isinstance(words, str) else words(**facts)
    said = with_connection(said, of)
    return f"{file}: {said}" if file else said


def worded(content: Mapping[str, Any], of: str) -> dict[str, Any]:
    """
    Put words beside the facts of a report, and of each of its files.

    Args:
        content: As ``RunReport.to_dict`` renders it, or another report that has notes.
        of: What names its connection in a command.

    Returns:
        The same with ``notes``, and with the ``note`` of each file.
    """
    state = content.get("state", "")
    facts = without_choices(read_notes(content.get("facts", [])), state)
    words = [in_words(note, of) for note in facts]
    said = {**content, "notes": [*content.get("notes", []), *words]}
    if "files" in content:
        said["files"] = [worded_file(file, of, state) for file in content["files"]]
    return said


def worded_file(file: Mapping[str, Any], of: str, state: str = "") -> dict[str, Any]:
    """Put words beside the facts of what became of one file, in a run that ended in a state."""
    facts = without_choices(read_notes(file.get("facts", [])), state)
    return {**file, "note": _said(file.get("note", ""), facts, of)}


def worded_hold(run: Mapping[str, Any], of: str) -> dict[str, Any]:
    """Put words beside the facts of why each file of a run waits, as ``HeldRun.to_dict`` has it."""
    said = {
        key: _said(run["notes"].get(key, ""), read_notes(facts), of)
        for key, facts in run["facts"].items()
    }
    return {**run, "notes": said}


def with_words(report: T, of: str) -> T:
    """Return a report that has notes with the words of them."""
    return replace(report, notes=[*report.notes, *(in_words(note, of) for note in report.facts)])


def plan_with_words(plan: PlanReport, of: str) -> PlanReport:
    """Return a plan with the words of what is noted in it, and of each of its files."""
    report = with_words(plan.report, of)
    report.files = [replace(file, note=_said(file.note, file.facts, of)) for file in report.files]
    corrections = None if plan.corrections is None else plan_with_words(plan.corrections, of)
    return replace(plan, report=report, corrections=corrections)


def worded_plan(content: Mapping[str, Any], of: str) -> dict[str, Any]:
    """Put words beside the facts of a plan, as ``PlanReport.to_dict`` has it."""
    told = {**content, "report": worded(content["report"], of)}
    if content["corrections"] is not None:
        told["corrections"] = worded_plan(content["corrections"], of)
    return told


def _said(before: str, notes: Iterable[Note], of: str) -> str:
    """Describe all that is noted of one file, after what an earlier version said of it."""
    return " ".join(filter(None, [before, *(in_words(note, of) for note in notes)]))
