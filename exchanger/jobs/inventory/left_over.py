"""Files that a job has read and not taken all of: what can be given again, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exchanger.notes import Note, noted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exchanger.jobs.runtime.report import RunReport
    from exchanger.state.inputs.left_over import LeftOver

_TOLD = 3
"""Runs that are named at most, the newest first."""


@dataclass(frozen=True)
class LeftFiles:
    """
    Files of which a run did not take all, so that a retry of it can.

    Args:
        seq: The run in whose quarantine the rest of them is.
        files: What is left of each, by its key.
    """

    seq: int
    files: Mapping[str, LeftOver]

    def to_dict(self) -> dict[str, Any]:
        """Render for ``--json``."""
        return {"run": self.seq, "files": [*self.files]}


def by_run(left: Mapping[str, LeftOver]) -> list[LeftFiles]:
    """Put together what one retry gives again, the newest run first."""
    runs: dict[int, dict[str, LeftOver]] = {}
    for key, rest in left.items():
        runs.setdefault(rest.seq, {})[key] = rest
    return [LeftFiles(seq, runs[seq]) for seq in sorted(runs, reverse=True)]


def note_left(runs: Sequence[LeftFiles], connection: str = "") -> list[Note]:
    """
    Note what lies there and is not read again by itself.

    Args:
        runs: As *by_run* gives them; the newest few are named.
        connection: What a command has to name, where there are several connections.
    """
    notes = [_left(run, connection) for run in runs[:_TOLD]]
    if rest := runs[_TOLD:]:
        notes.append(noted("older_files_left", files=sum(len(run.files) for run in rest)))
    return notes


def note_retry(report: RunReport, takes_back: int = 0) -> list[Note]:
    """
    Note in the report of a run that put something into quarantine how it is given again.

    Args:
        report: Of the run.
        takes_back: The run that it takes back, if it does.
    """
    rejected = report.rows_rejected or any(file.outcome == "rejected" for file in report.files)
    if not report.quarantine or report.seq is None:
        return []
    if takes_back:
        return [noted("undo_again", run=takes_back)]
    if not rejected and any(fact.code == "canary_held" for fact in report.facts):
        return []  # It says that itself.
    if not rejected:
        return [noted("retry_refused", run=report.seq)]
    return [noted("retry_rejected", run=report.seq)]


def _left(run: LeftFiles, connection: str) -> Note:
    refused = all(rest.refused and not rest.rejected for rest in run.files.values())
    key, rest = next(iter(run.files.items()))
    if len(run.files) > 1:
        return noted(
            "files_left",
            run=run.seq,
            file=key,
            files=len(run.files),
            refused=refused,
            connection=connection,
        )
    return noted(
        "file_left",
        run=run.seq,
        file=key,
        rows=rest.rows,
        left=None if rest.whole else rest.rejected + rest.refused,
        rejected=rest.rejected > 0,
        refused=refused,
        connection=connection,
    )
