"""
What was read of a run: a batch that does not change, and the draft that it is made from.

A file that cannot be used is claimed as rejected and the next one goes on. A file whose sums may
count twice is left for a run of its own, which a person approves.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import polars as pl
import structlog

from exchanger.jobs.intake.deduplication import DIFFERENCE_UNKNOWN
from exchanger.jobs.runtime.partitioned_rows import PartitionedRows
from exchanger.notes import Note, noted
from exchanger.profiles.frames.columns import BESIDE, FAULTY, FILE, PROFILE, ROW
from exchanger.profiles.reading.typed_rows import NAMED_TWICE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from exchanger.errors import FileRejected
    from exchanger.files.raw.table import RawTable, ReadAs
    from exchanger.files.scratch.spill import Scratch, Spill
    from exchanger.jobs.intake.requests import FileRequest, HeldFile, PlacedRows
    from exchanger.profiles.frames.rules import Rule
    from exchanger.profiles.reading.contract import ColumnChange
    from exchanger.profiles.reading.stray_words import StrayWords
    from exchanger.state.inputs.column_types import KeptColumns
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


@dataclass(frozen=True)
class InputBatch:
    """
    The rows of one run. Its frames wait in scratch, and are forgotten as they are used.

    Args:
        scratch: Where rows are kept.
        given: What all files give; a field that a file does not speak of is null there.
        rejected: Rejected rows, ``REJECTED``.
        dropped: Values that are left out of rows that are given, ``faults.DROPPED``.
        corrections: What is taken back of what earlier versions of files gave to sums:
            ``@profile``, ``@file`` and typed columns of summed fields.
        files: Every file it claims, in order; ``@file`` is the position here.
        rules: By attribute, the fields that any of the files speaks of.
        types: Types of the job's columns.
        rows: Data rows read, the rejected ones included.
        mentioned: Whom rejected rows of a snapshot name: ``@profile``.
        beside: What else names people in rows, as ``typed_rows.NAMED_TWICE``, parted by that.
        leavers_of: The run by whose snapshot the people left whom the rows are about, if they are.
        removal: What becomes of these, in a word.
        nameless: Rows of a snapshot of which nobody can tell whom they name.
        ready: Objects that are given again as they were: see ``objects.rows.RowsInput``.
        took_rows: Whether any row was taken: else it may all be junk.
        left: Files that did not fit into this run.
        gone: Files that were there in the listing, but not any more in that version.
        unreadable: Files that S3 does not give out as they are, by key and ETag, with why.
        superseded: Rows that were read, and of which later runs changed every field.
        shut_out: Rows that were read, of people who are not in the segment that the job names.
        repeated: Rows that were read, and of which the file was taken up before.
        already: What was given already, and is only known now: in the shape of contributions.
        waiting: Files that wait for a person; none of them is in *files*.
        untold: Of which files nobody can tell the difference to earlier versions, and why.
        words: Of columns that are text because of a few words, these words, ready to be kept.
        stray: What this run found of that which no earlier run has decided, by the file's key.
        layout: How the job's CSV is written.
        columns: The columns of its files, and of those before.
        filled: By field, of which share of the rows that were taken it has a value, in percent.
        placed: For which rows those of files of corrected rows stand, by the key of such a file.
        notes: What is noted of it, for the report.
    """

    scratch: Scratch
    given: PartitionedRows
    rejected: Spill
    dropped: Spill
    corrections: PartitionedRows
    ready: Spill
    mentioned: PartitionedRows
    beside: PartitionedRows
    nameless: int = 0
    leavers_of: int = 0
    removal: str = ""
    files: tuple[ClaimedFile, ...] = ()
    rules: Mapping[str, Rule] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    rows: int = 0
    took_rows: bool = False
    left: int = 0
    gone: tuple[tuple[str, str], ...] = ()
    unreadable: Mapping[tuple[str, str], Note] = field(default_factory=dict)
    superseded: int = 0
    shut_out: int = 0
    repeated: int = 0
    already: tuple[pl.DataFrame, ...] = ()
    waiting: tuple[HeldFile, ...] = ()
    untold: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, Sequence[str]] = field(default_factory=dict)
    stray: tuple[tuple[str, StrayWords], ...] = ()
    layout: Mapping[str, str] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    filled: Mapping[str, float] = field(default_factory=dict)
    placed: Mapping[str, PlacedRows] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()

    def with_file(
        self, claim: ClaimedFile, *, rows: int, rules: Mapping[str, Rule] | None = None
    ) -> InputBatch:
        """Return the batch with one more file; whoever asks adds its rows to the frames."""
        return replace(
            self,
            files=(*self.files, claim),
            rows=self.rows + rows,
            rules={**self.rules, **{k: v for k, v in (rules or {}).items() if k not in self.rules}},
        )


class BatchDraft:
    """
    A batch while its files are read: what is taken of them, and what is noted beside it.

    Args:
        scratch: Where rows are kept.
        key: The column by which rows are parted.
        kept: What is kept of the job's columns by now.
    """

    def __init__(self, scratch: Scratch, key: str, kept: KeptColumns) -> None:
        self.scratch = scratch
        self._key = key
        self.types: Mapping[str, str] = kept.types
        self.words: dict[str, Sequence[str]] = dict(kept.words)
        self.layout = dict(kept.layout)
        self.kept_layout = dict(kept.layout)
        self.columns: Sequence[str] = kept.columns
        self.changes: dict[ColumnChange, list[str]] = {}
        self.commas: dict[tuple[str, ...], list[str]] = {}
        self.read_as: dict[ReadAs, list[str]] = {}
        self.rejected, self.dropped = scratch.spill(), scratch.spill()
        self.files: list[ClaimedFile] = []
        self.rules: dict[str, Rule] = {}
        self.rows = self.repeated = self.nameless = 0
        self.took_rows = False
        self.gone: list[tuple[str, str]] = []
        self.unreadable: dict[tuple[str, str], Note] = {}
        self.waiting: list[HeldFile] = []
        self.set_before: dict[str, list[str]] = {}
        self.untold: dict[str, str] = {}
        self.stray: list[tuple[str, StrayWords]] = []
        self.left_out: dict[tuple[str, ...], list[str]] = {}
        self.placed: dict[str, PlacedRows] = {}
        self.notes: list[Note] = []
        self._taken = 0
        self._filled: Counter[str] = Counter()
        self._refused: list[dict[str, object]] = []
        self.part(1)

    def part(self, count: int) -> None:
        """Part rows by their keys; to be said before there are any."""
        named = {PROFILE: pl.String, FILE: pl.UInt32}
        given = pl.DataFrame(schema=named | {ROW: pl.UInt32, self._key: pl.String})
        self.given = PartitionedRows(self.scratch, count, given, self._key)
        self.corrections = PartitionedRows(self.scratch, count, pl.DataFrame(schema=named))
        nobody = pl.DataFrame(schema={PROFILE: pl.String})
        self.mentioned = PartitionedRows(self.scratch, count, nobody)
        twice = pl.DataFrame(schema=NAMED_TWICE)
        self.beside = PartitionedRows(self.scratch, count, twice, BESIDE)

    def give(self, rows: pl.DataFrame) -> None:
        """Take rows of files."""
        self.given.add(rows)
        self.took_rows |= rows.height > 0
        self._taken += rows.height
        for cells in rows.iter_columns():
            if not cells.name.startswith("@"):
                self._filled[cells.name] += rows.height - cells.null_count()

    def mark_faulty(self, rows: pl.DataFrame) -> None:
        """Take rejected rows, so that what goes with them can be rejected as well."""
        self.given.add(rows.with_columns(pl.lit(value=True).alias(FAULTY)))

    def mention(self, profiles: pl.Series) -> None:
        """Take whom rejected rows name, null where that is nobody."""
        self.nameless += profiles.null_count()
        self.mentioned.add(profiles.drop_nulls().to_frame(PROFILE))

    def note_stray(self, key: str, found: Sequence[StrayWords]) -> None:
        """Note columns of a file that are text because of a few words."""
        self.stray += [(key, stray) for stray in found]
        self.words |= {stray.column: list(stray.words) for stray in found}

    def note_layout(self, request: FileRequest, table: RawTable) -> None:
        """Note how a file is written. What the first file has shown counts for all others."""
        self.layout = {**table.layout, **self.layout}
        if table.read_as is not None and not request.retried:
            self.read_as.setdefault(table.read_as, []).append(request.key)

    def keep_layout(self, table: RawTable) -> None:
        """Keep for the job how a file is written that it takes: others show nothing of it."""
        self.kept_layout = {**table.layout, **self.kept_layout}

    def note_columns(self, key: str, names: Sequence[str], changes: Iterable[ColumnChange]) -> bool:
        """
        Note what has changed in the columns of a file that is taken.

        Returns:
            Whether it has columns that no file before it had.
        """
        for change in changes:
            self.changes.setdefault(change, []).append(key)
        new = [name for name in names if name not in self.columns]
        self.columns = [*self.columns, *new]
        return bool(new)

    def note_cells(self, key: str, counts: Mapping[str, int]) -> None:
        """Note how often cells of a file were not read as they stand there, as ``NOTED``."""
        count = Counter(counts)
        notes = {
            "trimmed": noted("identifiers_trimmed", identifiers=count["trimmed"]),
            "pointed": noted("identifiers_pointed", identifiers=count["pointed"]),
            "decomposed": noted("identifiers_decomposed", identifiers=count["decomposed"]),
            "wrapped": noted("cells_unwrapped", cells=count["wrapped"]),
            "stand_ins": noted("cells_stand_in", cells=count["stand_ins"]),
            "nulls_left_out": noted("nulls_left_out", members=count["nulls_left_out"]),
        }
        self.notes += [note.about(key) for kind, note in notes.items() if count[kind]]

    def refuse(self, claim: ClaimedFile, error: FileRejected, position: int) -> ClaimedFile:
        """Put a whole file into quarantine."""
        self.rejected.add(self.refused(claim, error, position))
        return as_refused(claim, error)

    def refused(self, claim: ClaimedFile, error: FileRejected, position: int) -> pl.DataFrame:
        """Note that a whole file cannot be used, and tell what becomes of it, as ``REJECTED``."""
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
        return pl.DataFrame([entry], schema=REJECTED)

    def made(self, left: int) -> InputBatch:
        """Return the batch; *left* files did not fit into it."""
        return InputBatch(
            scratch=self.scratch,
            given=self.given,
            rejected=self.rejected,
            dropped=self.dropped,
            corrections=self.corrections,
            ready=self.scratch.spill(),
            mentioned=self.mentioned,
            beside=self.beside,
            nameless=self.nameless,
            files=tuple(self.files),
            rules=self.rules,
            types=self.types,
            rows=self.rows,
            took_rows=self.took_rows,
            left=left,
            gone=tuple(self.gone),
            unreadable=self.unreadable,
            waiting=tuple(self.waiting),
            repeated=self.repeated,
            untold=self.untold,
            words=self.words,
            stray=tuple(self.stray),
            layout=self.kept_layout,
            columns=tuple(self.columns),
            placed=self.placed,
            filled={name: n * 100 / self._taken for name, n in self._filled.items() if self._taken},
            notes=tuple(self.notes),
        )


def as_refused(claim: ClaimedFile, error: FileRejected) -> ClaimedFile:
    """Return the claim of a file that cannot be used."""
    return replace(claim, outcome="rejected", facts=(note_rejected(error),))


def note_rejected(error: FileRejected) -> Note:
    """Note why a file cannot be used; the words are those of its quarantine."""
    return noted("file_rejected", reason=error.reason, message=error.message)
