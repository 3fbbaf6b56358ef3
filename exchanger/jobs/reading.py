"""
Reads the files of one run: downloads, claims, and casts them by one set of rules.

A file that cannot be used is claimed as rejected and the next one goes on; so is a file whose sums
were applied before, which waits for ``--force`` instead.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import polars as pl
import structlog

from exchanger.errors import FileRejected, Stopped, StorageChanged, StorageMissing
from exchanger.files.reading import RawTable, read_table
from exchanger.profiles.columns import FILE, PROFILE, ROW
from exchanger.profiles.given import Given, cast_rows
from exchanger.profiles.mapping import settle_rules, widen_rules
from exchanger.profiles.raw import RawColumns
from exchanger.state.runs import ClaimedFile

if TYPE_CHECKING:
    from exchanger.jobs.call import ImportCall
    from exchanger.outside.s3 import ObjectInfo
    from exchanger.profiles.rules import Rule
    from exchanger.state.applied import AppliedSnapshot

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
class OpenedFile:
    """
    One file before its rows are cast.

    Args:
        claim: What becomes of it.
        raw: Its columns; None if it is not applied.
        bad_rows: Rows that are no rows, in the shape of ``files.raw``.
        rules: What is done to its columns.
    """

    claim: ClaimedFile
    raw: RawColumns | None = None
    bad_rows: pl.DataFrame | None = None
    rules: list[Rule] = field(default_factory=list)


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
        notes: Sentences for the report.
    """

    files: list[ClaimedFile] = field(default_factory=list)
    rules: dict[str, Rule] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    rows: int = 0
    left: int = 0
    gone: list[ObjectInfo] = field(default_factory=list)
    frames: list[pl.DataFrame] = field(default_factory=list)
    rejected: list[pl.DataFrame] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def given(self) -> pl.DataFrame:
        """Join what all files give; a field that a file does not speak of is null there."""
        nothing = pl.DataFrame(schema={PROFILE: pl.String, FILE: pl.UInt32, ROW: pl.UInt32})
        return pl.concat(self.frames, how="diagonal") if self.frames else nothing

    def rejected_rows(self) -> pl.DataFrame:
        """Join all rejected rows, ``REJECTED``."""
        return pl.concat([pl.DataFrame(schema=REJECTED), *self.rejected])


def read_files(call: ImportCall, files: list[ObjectInfo]) -> Reading:
    """
    Read as many files as one run takes, each by its exact version.

    Types are settled over all of them first, so that a later file may widen a type before any is
    cast.

    Raises:
        StorageError: A file could not be read; nothing was claimed.
        Stopped: The process was asked to stop; nothing was claimed.
    """
    applied = call.state.applied.snapshot()
    reading = Reading(types=call.state.types.of(call.name))
    opened: list[OpenedFile] = []
    call.world.progress.step("reading files", len(files))
    for item in files:
        if reading.rows >= call.job.max_rows_per_run:
            break
        if call.world.stopping.is_set():
            raise Stopped
        call.world.progress.advance(1)
        try:
            file = _open(call, item, len(opened), applied, reading)
        except (StorageChanged, StorageMissing):
            # Between the listing and now it was replaced or deleted: the next run sees what is so.
            reading.gone.append(item)
            continue
        applied = applied.with_file(call.name, file.claim)
        opened.append(file)
    reading.left = len(files) - len(opened) - len(reading.gone)
    reading.notes += [
        f"{item.key} was replaced or deleted while it was read. The next run takes what is there."
        for item in reading.gone
    ]
    for position, file in enumerate(opened):
        _cast(call, position, file, reading)
    return reading


def _open(
    call: ImportCall, item: ObjectInfo, position: int, applied: AppliedSnapshot, reading: Reading
) -> OpenedFile:
    """Download one file and decide what becomes of it."""
    path = call.world.workdir / "file"
    claim = ClaimedFile(item.key, item.etag, "", "applied")
    try:
        sha256 = call.world.bucket.download(item.key, item.etag, path)
        claim = replace(claim, sha256=sha256)
        table = read_table(path, item.key, call.job.source)
        raw = _raw(table, item.key)
        settled = settle_rules(call.job, raw, reading.types)
    except FileRejected as error:
        return OpenedFile(_rejected(claim, error, position, reading))
    finally:
        path.unlink(missing_ok=True)
    claim, rules = _claim(call, claim, settled.rules, applied)
    if claim.outcome != "applied":
        return OpenedFile(claim)
    reading.types = settled.kept
    reading.rows += table.rows
    reading.notes += [
        f"{item.key}: column {column!r} was left out. {why}"
        for column, why in settled.skipped.items()
    ]
    return OpenedFile(replace(claim, rows=table.rows), raw, table.bad_rows, rules)


def _raw(table: RawTable, key: str) -> RawColumns:
    return RawColumns(
        frame=table.frame,
        textual=table.textual,
        json_columns=table.json_columns,
        unusable=table.unusable,
        key=key,
    )


def _claim(
    call: ImportCall, claim: ClaimedFile, rules: list[Rule], applied: AppliedSnapshot
) -> tuple[ClaimedFile, list[Rule]]:
    """
    See to it that what a file gave to a sum counts once per connection.

    A file taken as if new gives nothing to sums that it fed before; a new file that would feed
    them again waits, unless a person forces it.
    """
    sums = tuple(rule.name for rule in rules if rule.merge == "sum")
    claim = replace(claim, sums=sums)
    equal = applied.summed(claim.sha256, sums)
    replaced = applied.summed_key(claim.key, sums)
    if call.options.force or not (equal or replaced):
        return claim, rules
    if call.options.as_if_new:
        return replace(claim, sums=()), [rule for rule in rules if rule.merge != "sum"]
    again = f"To apply it in full: exchanger run {call.name} --force"
    if equal:
        note = f"Its content is equal to {equal}, which was added already. {again}"
        return replace(claim, outcome="equal_content", note=note), []
    note = f"An earlier version of this file was added already. {again}"
    return replace(claim, outcome="replaced", note=note), []


def _cast(call: ImportCall, position: int, file: OpenedFile, reading: Reading) -> None:
    """Cast the rows of one file by the types of the entire run."""
    if file.raw is None or file.bad_rows is None:
        reading.files.append(file.claim)
        return
    rules = widen_rules(file.rules, reading.types)
    try:
        given = cast_rows(file.raw, rules, call.job, position, reading.types)
    except FileRejected as error:
        reading.rows -= file.claim.rows
        reading.files.append(_rejected(replace(file.claim, rows=0), error, position, reading))
        return
    reading.files.append(file.claim)
    reading.rules |= {rule.name: rule for rule in rules}
    reading.frames.append(given.frame)
    reading.rejected.append(_with_records(file.raw, given))
    reading.rejected.append(
        file.bad_rows.with_columns(pl.lit(position, pl.UInt32).alias(FILE)).select(*REJECTED)
    )
    reading.notes += _notes(file.claim.key, given)


def _rejected(
    claim: ClaimedFile, error: FileRejected, position: int, reading: Reading
) -> ClaimedFile:
    """Put a whole file into quarantine."""
    log.warning("file.rejected", file=claim.key, reason=error.reason)
    entry = {
        FILE: position,
        ROW: error.row or None,
        "field": error.column or None,
        "reason": error.reason,
        "message": error.message,
    }
    reading.rejected.append(pl.DataFrame([entry], schema=REJECTED))
    return replace(claim, outcome="rejected", note=error.message)


def _with_records(raw: RawColumns, given: Given) -> pl.DataFrame:
    """Put beside each rejected row its cells as JSON, so that it can be mended and given again."""
    rows = raw.frame.filter(pl.col(ROW).is_in(given.rejected[ROW].unique().implode()))
    flat = [name for name in raw.names if not rows[name].dtype.is_nested()]
    records = rows.select(
        ROW,
        pl.struct(
            *(pl.col(name).cast(pl.String, strict=False) for name in flat),
            *(pl.col(name) for name in raw.names if name not in flat),
        )
        .struct.json_encode()
        .alias("record"),
    )
    return given.rejected.join(records, on=ROW, how="left").select(*REJECTED)


def _notes(key: str, given: Given) -> list[str]:
    notes = []
    if given.trimmed:
        notes.append(f"{key}: {given.trimmed:,} identifiers had white space around them.")
    if given.nulls_left_out:
        notes.append(f"{key}: {given.nulls_left_out:,} null members of objects were left out.")
    return notes
