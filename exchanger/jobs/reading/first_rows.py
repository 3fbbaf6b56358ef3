"""The first rows of a job's files, as they would be read: before a run, and to try SQL."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import polars as pl

from exchanger.errors import FileRejected
from exchanger.files.formats.read import BAD_ROW_SCHEMA
from exchanger.files.scratch.spill import Scratch
from exchanger.jobs.intake.doubtful_types import undecided_words_apart
from exchanger.jobs.intake.requests import FileRequest
from exchanger.jobs.inventory.listing import waiting_files
from exchanger.jobs.reading.alike import raw_columns
from exchanger.jobs.reading.fetch import fetched_files, read_fetched
from exchanger.jobs.runtime.import_context import ImportContext
from exchanger.jobs.runtime.options import ImportOptions
from exchanger.jobs.runtime.recognition import recognise
from exchanger.objects.rows import judged_rows
from exchanger.profiles.frames.columns import PROFILE, ROW
from exchanger.profiles.reading.mapping import settle_rules
from exchanger.profiles.reading.typed_rows import cast_rows
from exchanger.profiles.spelling.profile_key import shown as shown_key
from exchanger.state.store import open_state

if TYPE_CHECKING:
    from collections.abc import Generator

    from exchanger.config.models import ImportJob
    from exchanger.jobs.reading.fetch import ReadFile
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.profiles.frames.rules import Rule
    from exchanger.profiles.reading.typed_rows import Given
    from exchanger.state.inputs.column_types import KeptColumns

MOST = 10_000
"""Rows that are shown at most: they are for people to look at."""


@dataclass(frozen=True)
class FirstRow:
    """
    A row as it would be read.

    Args:
        file: Its file.
        row: Its number there, from 1; of SQL that joins rows, that of the first.
        profile: Whom it names; None if it would be rejected.
        cells: Its cells by column, as text; None where there is nothing.
        problem: Why it would be rejected, or values left out of it, in words; empty if neither.
    """

    file: str
    row: int
    profile: str | None
    cells: dict[str, str | None]
    problem: str = ""


@dataclass(frozen=True)
class FirstRows:
    """
    The first rows of a job's files.

    Args:
        job: The job.
        rows: The rows.
        applied: Whether no file waits, so that these are of the newest one of all.
        unusable: Files that would be rejected as a whole, with why.
    """

    job: str
    rows: list[FirstRow] = field(default_factory=list)
    applied: bool = False
    unusable: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, as ``preview --json`` prints it."""
        return asdict(self)


def first_rows(context: JobContext, name: str, job: ImportJob, rows: int) -> FirstRows:
    """
    Read the first rows of the files that wait, or of the newest file if none does.

    Nothing is written, and Braze is not asked.

    Args:
        context: The outside.
        name: The job's name.
        job: The job.
        rows: How many rows to show.

    Raises:
        StorageError: S3 refused or did not answer.
    """
    state = open_state(context.bucket, context.state_prefix)
    recognise(context, state)
    call = ImportContext(context, state, name, job, ImportOptions(), record=False)
    requests = _requests(call)
    found = FirstRows(name, applied=not requests)
    if not requests:
        every = ImportContext(context, state, name, job, ImportOptions(full=True), record=False)
        requests = _requests(every)[-1:]
    kept = undecided_words_apart(call)
    most = min(rows, MOST)
    with closing(_read_in_turn(call, requests, kept)) as files:
        for read in files:
            try:
                found.rows.extend(_rows(call, read, kept, most - len(found.rows)))
            except FileRejected as error:
                found.unusable[read.request.key] = error.message
            if len(found.rows) >= most:
                break
    return found


def _requests(call: ImportContext) -> list[FileRequest]:
    waiting = waiting_files(call).files
    return [FileRequest(item.key, item.etag, size=item.size) for item in waiting]


def _read_in_turn(
    call: ImportContext, requests: list[FileRequest], kept: KeptColumns
) -> Generator[ReadFile]:
    """Read one file after the other, for as long as somebody asks."""
    scratch = Scratch(call.context.workdir, call.context.bounds)
    with (
        TemporaryDirectory(dir=call.context.workdir, prefix="fetched-") as folder,
        closing(fetched_files(call, requests, Path(folder))) as fetched,
    ):
        for file in fetched:
            yield read_fetched(call, file, scratch, kept.layout)


def _rows(call: ImportContext, read: ReadFile, kept: KeptColumns, most: int) -> list[FirstRow]:
    """
    Read the first rows of a file by the types of all of it.

    Raises:
        FileRejected: None of it can be used.
        StorageError: It could not be read.
    """
    if read.table is None:
        raise read.error or LookupError(read.request.key)
    table, key = read.table, read.request.key
    whole = replace(raw_columns(table, table.empty, key), pieces=table.pieces)
    settled = settle_rules(call.job, whole, kept.types)
    rows = next(iter(table.pieces())).head(most)
    given = cast_rows(raw_columns(table, rows, key), settled.rules, call.job, 0, settled.kept)
    named = given.frame.select(ROW, shown_key(pl.col(PROFILE))).rows()
    rejected = _rejected(call, settled.rules, given)
    problems = _messages([given.dropped]) | _messages(rejected)
    unused = {row for each in rejected for row in each[ROW]}
    last = rows[ROW].max() if rows.height == most else table.rows
    bad = next(table.bad_pieces(), pl.DataFrame(schema=BAD_ROW_SCHEMA))
    unread = bad.filter(pl.col(ROW) <= last).head(most)
    table.clear()
    return _shown(key, rows, {k: v for k, v in named if k not in unused}, problems, unread)[:most]


def _rejected(call: ImportContext, rules: list[Rule], given: Given) -> list[pl.DataFrame]:
    """Find the rows that would be rejected, each with an entry for each of its cells at fault."""
    named = {rule.name: rule for rule in rules}
    faults = call.kind.faults(rules, call.context.clock.now())
    fine, odd = judged_rows(given.frame, faults, named)
    rejected = [given.rejected, odd]
    if call.kind.shaped is not None:
        rejected.append(call.kind.shaped(fine, named, call.job).rejected)
    return rejected


def _messages(found: list[pl.DataFrame]) -> dict[int, str]:
    """Name what is wrong with rows, in a sentence for each of their cells at fault."""
    told = pl.concat(found).group_by(ROW).agg(pl.col("message").str.join(" "))
    return {int(row): str(message) for row, message in told.rows()}


def _shown(
    key: str,
    rows: pl.DataFrame,
    profiles: dict[int, str],
    problems: dict[int, str],
    unread: pl.DataFrame,
) -> list[FirstRow]:
    cells = rows.drop(ROW).select(pl.all().cast(pl.String, strict=False)).to_dicts()
    found = [
        FirstRow(
            key,
            row,
            profiles.get(row),
            dict(texts),
            problems.get(row, ""),
        )
        for row, texts in zip(rows[ROW].to_list(), cells, strict=True)
    ]
    found += [
        FirstRow(key, row, None, {}, message)
        for row, message in unread.select(ROW, "message").rows()
    ]
    return sorted(found, key=lambda each: each.row)
