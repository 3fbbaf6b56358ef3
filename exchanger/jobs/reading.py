"""
Reads the files of one run, and casts them by one set of rules.

A file that cannot be used is claimed as rejected and the next one goes on. A file whose sums may
count twice is left for a run of its own, which a person approves.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import polars as pl
import structlog

from exchanger.profiles.columns import FILE, PROFILE, ROW

if TYPE_CHECKING:
    from exchanger.errors import FileRejected
    from exchanger.jobs.intake import WaitingFile
    from exchanger.profiles.rules import Rule
    from exchanger.state.runs import ClaimedFile

log = structlog.get_logger()

REJECTED = {
    FILE: pl.UInt32(),
    ROW: pl.UInt32(),
    "field": pl.String(),
    "value": pl.String(),
    "reason": pl.String(),
    "message": pl.String(),
    "record": pl.String(),
}
"""Rejected rows of a run; ``@row`` is null for a file that is rejected as a whole."""


@dataclass
class Reading:
    """
    The rows of one run.

    Args:
        files: Every file it claims, in order; ``@file`` is the position here.
        rules: By attribute, the fields that any of the files speaks of.
        types: Types of the job's columns, ready to be kept.
        rows: Data rows read, the rejected ones included.
        left: Files that did not fit into this run.
        gone: Files that were there in the listing, but not any more in that version.
        frames: What each file gives.
        rejected: Rejected rows, ``REJECTED``.
        corrections: What is taken back of what earlier versions of files gave to sums.
        superseded: Rows that were read, and of which later runs changed every field.
        already: What was given already, and is only known now: in the shape of gifts.
        waiting: Files that wait for a person; none of them is in *files*.
        notes: Sentences for the report.
    """

    files: list[ClaimedFile] = field(default_factory=list)
    rules: dict[str, Rule] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    rows: int = 0
    left: int = 0
    gone: list[tuple[str, str]] = field(default_factory=list)
    frames: list[pl.DataFrame] = field(default_factory=list)
    rejected: list[pl.DataFrame] = field(default_factory=list)
    corrections: list[pl.DataFrame] = field(default_factory=list)
    superseded: int = 0
    already: list[pl.DataFrame] = field(default_factory=list)
    waiting: list[WaitingFile] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def given(self) -> pl.DataFrame:
        """Join what all files give; a field that a file does not speak of is null there."""
        nothing = pl.DataFrame(schema={PROFILE: pl.String, FILE: pl.UInt32, ROW: pl.UInt32})
        return pl.concat(self.frames, how="diagonal") if self.frames else nothing

    def rejected_rows(self) -> pl.DataFrame:
        """Join all rejected rows, ``REJECTED``."""
        return pl.concat([pl.DataFrame(schema=REJECTED), *self.rejected])

    def taken_back(self) -> pl.DataFrame:
        """Join all corrections: ``@profile``, ``@file`` and typed columns of summed fields."""
        nothing = pl.DataFrame(schema={PROFILE: pl.String, FILE: pl.UInt32})
        return pl.concat([nothing, *self.corrections], how="diagonal_relaxed")

    def reject(self, claim: ClaimedFile, error: FileRejected, position: int) -> ClaimedFile:
        """Put a whole file into quarantine."""
        log.warning("file.rejected", file=claim.key, reason=error.reason)
        entry = {
            FILE: position,
            ROW: error.row or None,
            "field": error.column or None,
            "reason": error.reason,
            "message": error.message,
        }
        self.rejected.append(pl.DataFrame([entry], schema=REJECTED))
        return replace(claim, outcome="rejected", note=error.message)
