"""Downloads one file, decides what becomes of it, and casts its rows."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING

import polars as pl

from exchanger.braze.objects import MOST_PROPERTIES
from exchanger.errors import FileRejected
from exchanger.files.formats.read import RawTable, read_table
from exchanger.files.scratch.prefetch import prefetch
from exchanger.files.write import to_ndjson
from exchanger.jobs.history.forgotten_profiles import maybe_forgotten, without_forgotten
from exchanger.jobs.intake.batch import REJECTED, InputBatch
from exchanger.jobs.intake.contributions import contributions
from exchanger.jobs.intake.deduplication import decide
from exchanger.jobs.intake.requests import FileRequest, HeldFile
from exchanger.objects.parts import of_properties
from exchanger.objects.rows import judged_rows
from exchanger.profiles.frames.columns import FILE, PROFILE, ROW
from exchanger.profiles.frames.raw_columns import RawColumns
from exchanger.profiles.merging.contributions import negated
from exchanger.profiles.reading.mapping import settle_rules, widen_rules
from exchanger.profiles.reading.typed_rows import Given, cast_rows
from exchanger.state.runs.log import ClaimedFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.objects.kinds import RowKind
    from exchanger.profiles.frames.rules import Rule
    from exchanger.state.inputs.file_ledger import LedgerSnapshot

_JSON_NUMBERS = (pl.Boolean, pl.Int8, pl.Int16, pl.Int32, pl.Int64)


@dataclass(frozen=True)
class StagedFile:
    """
    One file before its rows are cast.

    Args:
        claim: What becomes of it.
        request: What was asked for.
        table: Its content; None if it is not applied.
        rules: What is done to its columns.
        repeated: Whether each of its rows was taken up before.
    """

    claim: ClaimedFile
    request: FileRequest
    table: RawTable | None = None
    rules: list[Rule] = field(default_factory=list)
    repeated: bool = False


def stage_file(
    call: ImportContext,
    request: FileRequest,
    position: int,
    applied: LedgerSnapshot,
    batch: InputBatch,
) -> StagedFile | HeldFile:
    """
    Download one file and decide what becomes of it.

    Raises:
        StorageError: It could not be read, or is no longer that version.
    """
    path = call.context.workdir / "file"
    claim = ClaimedFile(request.key, request.etag, "", "applied", kept=request.kept)
    table = None
    try:
        claim = replace(claim, sha256=_download(call, request, path))
        table = read_table(path, request.key, call.job.source, scratch=batch.scratch)
        _refuse_other_headers(table, call.job.match[0].external_id, request.key)
        settled = settle_rules(call.job, _in_pieces(table, request.key), batch.types)
        _refuse_many_properties(call, settled.rules, request.key)
        counted = decide(call, claim, request, _mending(call, settled.rules), applied)
    except FileRejected as error:
        if table is not None:
            table.clear()
        return StagedFile(batch.reject(claim, error, position), request)
    finally:
        path.unlink(missing_ok=True)
    if isinstance(counted, HeldFile):
        table.clear()
        return counted
    claim, rules = counted.claim, counted.rules
    for name in counted.set_before:
        batch.set_before.setdefault(name, []).append(claim.key)
    rows = table.rows if request.rows is None else _count_chosen(request, table)
    batch.types = settled.kept
    batch.note_stray(request.key, settled.stray)
    batch.rows += rows
    if not request.retried:
        batch.notes += [f"{request.key}: {note}" for note in table.notes]
    for why, columns in settled.left_out.items():
        batch.left_out.setdefault((why, *columns), []).append(request.key)
    # A file without rows gives nothing, so another one like it counts nothing twice.
    sums = claim.sums if rows or claim.replaces else ()
    claim = replace(claim, rows=rows, sums=sums)
    return StagedFile(claim, request, table, rules, repeated=counted.repeated)


def _mending(call: ImportContext, rules: list[Rule]) -> list[Rule]:
    """Let files that are taken as if new also take back texts that mean null by now."""
    if not call.options.as_if_new:
        return rules
    nulls = call.job.source.nulls
    return [replace(rule, void=(*nulls, *rule.config.nulls)) for rule in rules]


def _download(call: ImportContext, request: FileRequest, path: Path) -> str:
    bucket = call.context.bucket
    if request.kept:
        return bucket.download(request.kept, bucket.head(request.kept).etag, path)
    return bucket.download(request.key, request.etag, path)


def _refuse_other_headers(table: RawTable, column: str, key: str) -> None:
    """
    Refuse a CSV file in which a header with other columns stands among the rows.

    Nobody is called like the column of identifiers. The same columns again were passed over when
    the file was read; what stands below others is no value of the columns above.

    Raises:
        FileRejected: ``header_again``.
    """
    if not table.textual or column not in table.empty.columns:
        return
    for piece in table.pieces([column, ROW]):
        again = piece.filter(pl.col(column).str.strip_chars() == column)
        if again.height:
            row = again[ROW][0]
            message = (
                f"Row {row} is a header again, and names other columns than the first: the file "
                "was joined from several. Drop each of them by itself."
            )
            raise FileRejected(key, "header_again", message, row=row, column=column)


def _refuse_many_properties(call: ImportContext, rules: list[Rule], key: str) -> None:
    """
    Refuse a file of which Braze would leave out properties without a word.

    Raises:
        FileRejected: ``too_many_properties``.
    """
    count = 0 if call.kind.holds_values else len(of_properties(rules))
    if count > MOST_PROPERTIES:
        message = (
            f"The file has {count} columns that would become properties, and Braze takes "
            f"{MOST_PROPERTIES} at most. Leave some out: 'exclude' in 'remaining_properties'."
        )
        raise FileRejected(key, "too_many_properties", message)


def _in_pieces(table: RawTable, key: str) -> RawColumns:
    """Give the columns of an entire file, whose types are to be settled."""
    return replace(_raw(table, table.empty, key), pieces=table.pieces)


def _raw(table: RawTable, frame: pl.DataFrame, key: str) -> RawColumns:
    return RawColumns(
        frame=frame,
        textual=table.textual,
        json_columns=table.json_columns,
        unusable=table.unusable,
        key=key,
        indexes=table.indexes,
    )


def _chosen(request: FileRequest, rows: pl.DataFrame) -> pl.DataFrame:
    """Leave out the rows that are not asked for."""
    return rows if request.rows is None else rows.filter(pl.col(ROW).is_in(request.rows.implode()))


def _count_chosen(request: FileRequest, table: RawTable) -> int:
    pieces = chain(table.pieces([ROW]), table.bad_pieces())
    return sum(_chosen(request, rows).height for rows in pieces)


def cast_file(
    call: ImportContext,
    position: int,
    file: StagedFile,
    applied: LedgerSnapshot,
    batch: InputBatch,
) -> None:
    """Cast the rows of one file by the types of the entire run, and add them to the batch."""
    table = file.table
    if table is None:
        batch.files.append(file.claim)
        return
    try:
        rules = widen_rules(file.rules, batch.types)
        earlier, doubtful = _earlier(call, file, rules, applied)
        casted = _casted(call, position, file, rules, batch, doubtful=doubtful)
        with closing(prefetch(casted)) as pieces:
            for given, rejected in pieces:
                batch.add(given, rejected)
    except FileRejected as error:
        batch.rows -= file.claim.rows
        batch.files.append(batch.reject(replace(file.claim, rows=0), error, position))
        return
    finally:
        table.cells.clear()
    batch.files.append(file.claim)
    batch.rules |= {rule.name: rule for rule in rules}
    batch.end_file(file.claim.key)
    for bad_rows in table.bad_pieces():
        placed = _chosen(file.request, bad_rows).with_columns(
            pl.lit(position, pl.UInt32).alias(FILE)
        )
        batch.rejected.add(placed.select(*REJECTED))
    table.clear()
    if earlier is not None:
        batch.corrections.add(negated(earlier, position))


def _casted(  # noqa: PLR0913 - what a file, its place and its run say
    call: ImportContext,
    position: int,
    file: StagedFile,
    rules: list[Rule],
    batch: InputBatch,
    *,
    doubtful: pl.Expr | None,
) -> Iterator[tuple[Given, pl.DataFrame]]:
    """Cast a file piece by piece; what is wrong with it as a whole shows in its first piece."""
    table = file.table
    if table is None:
        return
    for piece in table.pieces():
        raw = _raw(table, _chosen(file.request, piece), file.claim.key)
        given = cast_rows(raw, rules, call.job, position, batch.types)
        if call.kind.rows is not None:
            given = _judged(call, call.kind.rows, rules, given)
        if file.repeated:
            batch.repeated += given.frame.height
            given = replace(given, frame=given.frame.clear())
        if doubtful is not None:
            given = without_forgotten(given, doubtful, position)
        yield given, with_records(raw, given)


def _judged(call: ImportContext, kind: RowKind, rules: list[Rule], given: Given) -> Given:
    """Reject rows of which the cells are fine, and which are no object that Braze takes."""
    named = {rule.name: rule for rule in rules}
    fine, odd = judged_rows(given.frame, kind, named, call.context.clock.now())
    if odd.is_empty():
        return given
    return replace(given, frame=fine, rejected=pl.concat([given.rejected, odd]))


def _earlier(
    call: ImportContext, file: StagedFile, rules: list[Rule], applied: LedgerSnapshot
) -> tuple[pl.DataFrame | None, pl.Expr | None]:
    """
    Tell what a new version takes back, and of whom that is not known any more.

    None if it is added in full, and if it is known of everybody.
    """
    if not file.claim.replaces:
        return None, None
    earlier = contributions(call, file.claim.key, rules, applied)
    doubtful = maybe_forgotten(call, file.claim.key, file.claim.sums, applied)
    if doubtful is not None:
        earlier = earlier.filter(~doubtful)
    chosen = file.request.corrected
    if chosen is not None:
        earlier = earlier.filter(pl.col(PROFILE).is_in(chosen.implode()))
    return earlier, doubtful


def with_records(raw: RawColumns, given: Given) -> pl.DataFrame:
    """Put beside each rejected row its cells as JSON, so that it can be mended and given again."""
    rows = raw.frame.filter(pl.col(ROW).is_in(given.rejected[ROW].unique().implode()))
    cells = [_in_json(rows[name], name in raw.json_columns) for name in raw.names]
    lines = to_ndjson(rows.select(cells), raw.json_columns)
    records = rows.select(ROW, lines.alias("record"))
    return given.rejected.join(records, on=ROW, how="left").select(*REJECTED)


def _in_json(cells: pl.Series, is_json: bool) -> pl.Series:  # noqa: FBT001 - as of to_ndjson
    """Leave what JSON has a value for; everything else becomes text."""
    kept = cells.dtype in _JSON_NUMBERS or cells.dtype.is_nested() or is_json
    finite = cells.dtype == pl.Float64 and cells.is_finite().all()
    return cells if kept or finite else cells.cast(pl.String, strict=False)
