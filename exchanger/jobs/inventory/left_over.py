"""Files that a job has read and not taken all of: what can be given again, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exchanger.jobs.runtime.report import named

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


def left_in_words(runs: Sequence[LeftFiles], of: str = "") -> list[str]:
    """
    Describe what lies there and is not read again by itself, and what to type.

    Args:
        runs: As *by_run* gives them; the newest few are named.
        of: What a command needs besides, where there are several connections.
    """
    said = [f"{_what(run)} {_how(run)}{of}" for run in runs[:_TOLD]]
    if rest := runs[_TOLD:]:
        files = sum(len(run.files) for run in rest)
        said.append(
            f"Of {files:,} more {'file' if files == 1 else 'files'}, older runs did not take all: "
            "exchanger files KEY says of each what to type."
        )
    return said


def retry_in_words(report: RunReport) -> list[str]:
    """Return in the report of a run that put something into quarantine how it is given again."""
    rejected = report.rows_rejected or any(file.outcome == "rejected" for file in report.files)
    if not report.quarantine or report.seq is None:
        return []
    if not rejected:
        return [f"To give again what Braze refused: exchanger retry {report.seq}"]
    said = (
        "Give what was rejected either corrected in a new file or, once the job is corrected, by: "
        f"exchanger retry {report.seq}. The same file, dropped again, is not read again."
    )
    return [said]


def _what(run: LeftFiles) -> str:
    if len(run.files) > 1:
        return f"Run {run.seq} did not take all of {named([*run.files])}, which still lie there."
    [(key, rest)] = run.files.items()
    if rest.whole:
        return f"Run {run.seq} took nothing of {key}, which still lies there."
    count, did = rest.rejected + rest.refused, "rejected" if rest.rejected else "could not deliver"
    return f"Run {run.seq} {did} {count:,} of the {rest.rows:,} rows of {key}."


def _how(run: LeftFiles) -> str:
    if all(rest.refused and not rest.rejected for rest in run.files.values()):
        return f"To give these again: exchanger retry {run.seq}"
    return (
        "The same content, dropped again, is not read again. Once the job is corrected: exchanger "
        f"retry {run.seq}"
    )
