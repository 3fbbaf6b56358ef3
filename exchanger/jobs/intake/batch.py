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

from exchanger.jobs.intake.deduplication import DIFFERENCE_UNKNOWN
from exchanger.jobs.runtime.partitioned_rows import PartitionedRows
from exchanger.profiles.frames.columns import FILE, PROFILE, ROW

if TYPE_CHECKING:
    from exchanger.errors import FileRejected
    from exchanger.files.scratch.spill import Scratch
    from exchanger.jobs.intake.requests import HeldFile
    from exchanger.profiles.frames.rules import Rule
    from exchanger.profiles.reading.stray_words import StrayWords
    from exchanger.profiles.reading.typed_rows import Given
    from exchanger.state.runs.log import ClaimedFile

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
class InputBatch:
    """
    The rows of one run.

    Args:
        files: Every file it claims, in order; ``@file`` is the position here.
        rules: By attribute, the fields that any of the files speaks of.
        types: Types of the job's columns, ready to be kept.
        rows: Data rows read, the rejected ones included.
        left: Files that did not fit into this run.
        gone: Files that were there in the listing, but not any more in that version.
        unreadable: Files that S3 does not give out as they are, by key and ETag, with why.
        scratch: Where rows are kept.
        key: The column by which rows are parted.
        given: What all files give; a field that a file does not speak of is null there.
        rejected: Rejected rows, ``REJECTED``.
        corrections: What is taken back of what earlier versions of files gave to sums:
            ``@profile``, ``@file`` and typed columns of summed fields.
        superseded: Rows that were read, and of which later runs changed every field.
        repeated: Rows that were read, and of which the file was taken up before.
        ready: Objects that are given again as they were: see ``objects.rows.RowsInput``.
        already: What was given already, and is only known now: in the shape of contributions.
        waiting: Files that wait for a person; none of them is in *files*.
        set_before: Keys of files that give nothing to a summed field, as they, or versions before,
            fed it when it was not summed.
        untold: Of which files nobody can tell the difference to earlier versions, and why.
        words: Of columns that are text because of a few words, these words, ready to be kept.
        stray: What this run found of that which no earlier run has decided, by the file's key.
        left_out: Keys of files that have some columns of which nothing is taken, by why and these.
        notes: Sentences for the report.
    """

    scratch: Scratch
    key: str = PROFILE
    files: list[ClaimedFile] = field(default_factory=list)
    rules: dict[str, Rule] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    rows: int = 0
    left: int = 0
    gone: list[tuple[str, str]] = field(default_factory=list)
    unreadable: dict[tuple[str, str], str] = field(default_factory=dict)
    superseded: int = 0
    repeated: int = 0
    already: list[pl.DataFrame] = field(default_factory=list)
    waiting: list[HeldFile] = field(default_factory=list)
    set_before: dict[str, list[str]] = field(default_factory=dict)
    untold: dict[str, str] = field(default_factory=dict)
    words: dict[str, list[str]] = field(default_factory=dict)
    stray: list[tuple[str, StrayWords]] = field(default_factory=list)
    left_out: dict[tuple[str, ...], list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rejected = self.scratch.spill()
        self.ready = self.scratch.spill()
        self._trimmed = self._pointed = self._wrapped = self._left_out = 0
        self._took_rows = False
        self.part(1)

    def part(self, count: int) -> None:
        """Part rows by their keys; to be said before there are any."""
        named = {PROFILE: pl.String, FILE: pl.UInt32}
        given = named | {ROW: pl.UInt32, self.key: pl.String}
        self.given = PartitionedRows(self.scratch, count, pl.DataFrame(schema=given), self.key)
        self.corrections = PartitionedRows(self.scratch, count, pl.DataFrame(schema=named))

    def add(self, given: Given, rejected: pl.DataFrame) -> None:
        """Take a piece of a file: its rows, and those that are rejected, as ``REJECTED``."""
        self.given.add(given.frame)
        self.rejected.add(rejected)
        self._took_rows |= given.frame.height > 0
        self._trimmed += given.trimmed
        self._pointed += given.pointed
        self._wrapped += given.wrapped
        self._left_out += given.nulls_left_out

    @property
    def types_to_keep(self) -> dict[str, str]:
        """The types that later runs begin with; none where no row was taken: it may all be junk."""
        return self.types if self._took_rows else {}

    def note_stray(self, key: str, found: list[StrayWords]) -> None:
        """Note columns of a file that are text because of a few words."""
        self.stray += [(key, stray) for stray in found]
        self.words |= {stray.column: list(stray.words) for stray in found}

    def end_file(self, key: str) -> None:
        """Note what there is to say of the file whose pieces came last."""
        if self._trimmed:
            self.notes.append(f"{key}: {self._trimmed:,} identifiers had white space around them.")
        if self._pointed:
            self.notes.append(
                f"{key}: {self._pointed:,} identifiers were text like 12345.0, and were read as "
                "12345."
            )
        if self._wrapped:
            self.notes.append(
                f"{key}: {self._wrapped:,} cells were read without what other tools put around "
                'their text: an apostrophe before = + - @, or ="...".'
            )
        if self._left_out:
            self.notes.append(f"{key}: {self._left_out:,} null members of objects were left out.")
        self._trimmed = self._pointed = self._wrapped = self._left_out = 0

    def reject(self, claim: ClaimedFile, error: FileRejected, position: int) -> ClaimedFile:
        """Put a whole file into quarantine."""
        log.warning("file.rejected", file=claim.key, reason=error.reason)
        if error.reason == DIFFERENCE_UNKNOWN:
            self.untold[claim.key] = error.message
        entry = {
            FILE: position,
            ROW: error.row or None,
            "field": error.column or None,
            "reason": error.reason,
            "message": error.message,
        }
        self.rejected.add(pl.DataFrame([entry], schema=REJECTED))
        return replace(claim, outcome="rejected", note=error.message)
