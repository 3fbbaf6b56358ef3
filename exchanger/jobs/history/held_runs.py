"""Runs that wait for a person, and what became of their files since they were held back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exchanger.notes import Note

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exchanger.state.inputs.file_ledger import LedgerSnapshot
    from exchanger.state.runs.log import ClaimedFile
    from exchanger.state.store import ConnectionState


@dataclass(frozen=True)
class HeldRun:
    """
    A run that waits.

    Args:
        seq: Its number.
        files: The keys that wait in it.
        applied_since: Those of them of which a later run applied a version, with that run.
        notes: Why each of them waits, in words, if an earlier version held it back.
        facts: What is noted of why each of them waits.
    """

    seq: int
    files: tuple[str, ...]
    applied_since: dict[str, int]
    notes: dict[str, str]
    facts: dict[str, tuple[Note, ...]]

    def to_dict(self) -> dict[str, Any]:
        """Render for ``--json``."""
        return {
            "run": self.seq,
            "files": list(self.files),
            "applied_since": dict(self.applied_since),
            "notes": dict(self.notes),
            "facts": {key: [note.to_dict() for note in notes] for key, notes in self.facts.items()},
        }


def held_runs(state: ConnectionState, applied: LedgerSnapshot, job: str) -> list[HeldRun]:
    """Find the runs of a job about which a person has yet to decide, the oldest first."""
    found = []
    for seq in applied.undecided(job):
        run = state.runs.read(seq).document
        # One may have been dropped or taken up by a process that died before all of it was noted.
        if run.state != "discarded" and not run.continued_by:
            since = applied_since(state, applied, run.files, seq)
            notes = {file.key: file.note for file in run.files}
            facts = {file.key: file.facts for file in run.files}
            found.append(HeldRun(seq, tuple(notes), since, notes, facts))
    return found


def applied_since(
    state: ConnectionState, applied: LedgerSnapshot, files: Iterable[ClaimedFile], seq: int
) -> dict[str, int]:
    """
    Name the files of which a newer version, or this one in full, was applied meanwhile.

    What a later run applied of a run that was held back earlier is no newer version.

    Args:
        state: The connection.
        applied: Its applied files.
        files: What a run claimed that was held back.
        seq: That run.

    Returns:
        For each such key, the last run that applied it.
    """

    def is_newer(run: int) -> bool:
        parent = state.runs.read(run).document.parent
        return not 0 < parent < seq

    found = {}
    for file in files:
        newer = [run for run in applied.summed_since(file.key, file.sums, seq) if is_newer(run)]
        if newer:
            found[file.key] = max(newer)
    return found
