"""Files that a job has read and not taken all of: what can be given again, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exchanger.config.answers import AnswerNames
from exchanger.notes import Note, noted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exchanger.jobs.runtime.report import RunReport
    from exchanger.state.inputs.left_over import LeftOver
    from exchanger.state.runs.log import RunDocument

_TOLD = 3
"""Runs that are named at most, the newest first."""
_AS_A_WHOLE = ("rejected", "corrected")
"""Outcomes of files of which no rejected rows lie beside the folder."""


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

    @property
    def in_part(self) -> bool:
        """Whether rows were rejected one by one: of a whole file none lie beside the folder."""
        return any(rest.rejected and not rest.whole for rest in self.files.values())

    def to_dict(self) -> dict[str, Any]:
        """Render for ``--json``."""
        return {"run": self.seq, "files": [*self.files]}


def by_run(left: Mapping[str, LeftOver]) -> list[LeftFiles]:
    """Put together what one retry gives again, the newest run first."""
    runs: dict[int, dict[str, LeftOver]] = {}
    for key, rest in left.items():
        runs.setdefault(rest.seq, {})[key] = rest
    return [LeftFiles(seq, runs[seq]) for seq in sorted(runs, reverse=True)]


def note_left(
    runs: Sequence[LeftFiles], connection: str = "", prefix: str | None = None
) -> list[Note]:
    """
    Note what lies there and is not read again by itself.

    Args:
        runs: As *by_run* gives them; the newest few are named.
        connection: What a command has to name, where there are several connections.
        prefix: The folder of the job, if it takes rejected rows corrected beside it.
    """
    notes = [_left(run, connection) for run in runs[:_TOLD]]
    in_part = [run.seq for run in runs[:_TOLD] if run.in_part]
    if in_part and prefix is not None:
        notes.append(_in_place(prefix, in_part[0]))
    if rest := runs[_TOLD:]:
        notes.append(noted("older_files_left", files=sum(len(run.files) for run in rest)))
    return notes


def note_retry(report: RunReport, run: RunDocument) -> list[Note]:
    """Note in the report of a run that put something into quarantine how it is given again."""
    rejected = report.rows_rejected or any(file.outcome == "rejected" for file in report.files)
    if not report.quarantine or report.seq is None:
        return []
    if run.takes_back:
        return [noted("undo_again", run=run.takes_back)]
    if not rejected and any(fact.code == "canary_held" for fact in report.facts):
        return []  # It says that itself.
    if not rejected:
        return [noted("retry_refused", run=report.seq)]
    if is_of_snapshot(run):
        return [noted("retry_of_snapshot", run=report.seq)]
    notes = [noted("retry_rejected", run=report.seq)]
    in_part = any(file.rejected and file.outcome not in _AS_A_WHOLE for file in run.files)
    if in_part and takes_corrected(run):
        notes.append(_in_place(run.answers["prefix"], report.seq))
    return notes


def is_of_snapshot(run: RunDocument) -> bool:
    """Return whether a file of a few rows, dropped after those of a run, says that others left."""
    return bool(run.members or run.answers.get("snapshot"))


def takes_corrected(run: RunDocument) -> bool:
    """Return whether rows that a run rejected lie beside the folder, and are taken corrected."""
    return bool(run.answers.get("corrected")) and not run.shadow


def _in_place(prefix: str, run: int) -> Note:
    rejected, corrected = AnswerNames(prefix).correcting(run)
    return noted("correct_in_place", rejected_rows=rejected, corrected_rows=corrected)


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
