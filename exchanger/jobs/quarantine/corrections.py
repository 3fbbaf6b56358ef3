"""
Rows that a person has corrected, in place of those that a run had rejected.

They are read as ``retry`` reads rejected rows, but for where their cells come from; what is not
corrected stays aside, and is in the quarantine of the run that takes the corrected rows up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from exchanger.errors import FileRejected
from exchanger.jobs.intake.batch import REJECTED, note_rejected
from exchanger.jobs.intake.requests import TOGETHER, Correction, FileRequest
from exchanger.jobs.quarantine.read import is_latest, rejected_rows
from exchanger.jobs.runtime.artifacts import load
from exchanger.notes import noted
from exchanger.profiles.frames.columns import FILE, PROFILE, ROW
from exchanger.state.runs.log import LEFT_OUT, ClaimedFile
from exchanger.state.runs.quarantine import no_rows, source_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exchanger.jobs.intake.batch import InputBatch
    from exchanger.jobs.intake.requests import PlacedRows
    from exchanger.jobs.inventory.corrections import CorrectedFile
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.state.runs.log import RunDocument

_STAYS = "Braze refused it before. It is given again as it was, by exchanger retry."


@dataclass(frozen=True)
class CorrectedRows:
    """
    What is known of a file of corrected rows before it is read.

    Args:
        file: The file.
        about: The run in whose rejected rows they were.
        head: The run in whose quarantine these are by now.
        claim: The file that they are of, as that run claimed it.
        request: How they are read.
    """

    file: CorrectedFile
    about: RunDocument
    head: RunDocument
    claim: ClaimedFile
    request: FileRequest


def corrected_rows(call: ImportContext, file: CorrectedFile, head: RunDocument) -> CorrectedRows:
    """
    Find for which rejected rows those of a file may stand.

    Args:
        call: The job.
        file: The file of corrected rows.
        head: The run that took up last what was put aside by the one that it is about.

    Raises:
        FileRejected: There are none, or they count otherwise by now.
    """
    about = file.run
    if about is None:
        raise ValueError(file.item.key)
    key, read = _first_rejected(call, about, file)
    still = rejected_rows(call, head, key)
    claims = [one for one in (*head.files, *about.files) if _is_of(one, key)]
    claim = claims[0]
    applied = call.state.file_ledger.snapshot()
    if any(applied.summed_since(key, claim.sums, head.seq).values()):
        detail = f"A newer version of {key} was applied since, which replaces these rows."
        raise FileRejected(file.item.key, "replaced_since", detail)
    untaken = applied.took_nothing(call.name, key, claim.etag)
    if untaken and not is_latest(applied.latest(call.name, [key]).get(key), claim, head.seq):
        detail = f"{key} was read again since, or there is a newer version, which has these rows."
        raise FileRejected(file.item.key, "read_again_since", detail)
    unmerged = still.drop_nulls("profile") if claim.replaces else still.clear()
    together = unmerged.select("row", pl.col("profile").alias(PROFILE)).cast(TOGETHER)  # type: ignore[arg-type]
    correction = Correction(file.item.etag, claim.sha256, read, together)
    request = FileRequest(
        key,
        claim.etag,
        "difference" if unmerged.height else "ask" if untaken else "in_full",
        arrived=claim.arrived_at,
        kept=file.item.key,
        size=file.item.size,
        rows=still["row"],
        correction=correction,
    )
    return CorrectedRows(file, about, head, claim, request)


def _first_rejected(
    call: ImportContext, about: RunDocument, file: CorrectedFile
) -> tuple[str, pl.Series]:
    for key in file.files:
        rows = rejected_rows(call, about, key)
        if rows.height:
            return key, rows["row"]
    detail = (
        f"Run {about.seq} has rejected no single rows of {file.files[0]}, so there is nothing to "
        "correct. The folder and the name of the file have to be those of the rejected rows."
    )
    raise FileRejected(file.item.key, "nothing_rejected", detail)


def _is_of(claim: ClaimedFile, key: str) -> bool:
    whole = claim.outcome in ("rejected", "corrected", *LEFT_OUT)
    return claim.key == key and not claim.refused_in and not whole


def with_corrected_files(batch: InputBatch, corrected: Sequence[CorrectedRows]) -> InputBatch:
    """Claim the files of corrected rows, and reject their rows that stand for none."""
    by_key = {each.request.kept: each for each in corrected}
    for position, claim in enumerate(batch.files):
        each, placed = by_key[claim.kept], batch.placed.get(claim.kept)
        if claim.outcome == "rejected" or placed is None or placed.rows.is_empty():
            own = _claim(each, placed, claim)
            files = (*batch.files[:position], own, *batch.files[position + 1 :])
            batch = _with_strange(replace(batch, files=files), position, placed)
        else:
            own = _claim(each, placed, claim)
            at = len(batch.files)
            batch = _with_strange(batch.with_file(own, rows=0), at, placed)
    for waiting in batch.waiting:
        each = by_key[waiting.claim.kept]
        own = claim_of(each.file)
        batch = with_unusable(batch, own, _waits(own))
    return replace(batch, waiting=())


def with_unusable(batch: InputBatch, claim: ClaimedFile, error: FileRejected) -> InputBatch:
    """Claim a file of corrected rows of which none can be used, and put it aside as a whole."""
    entry = {
        FILE: len(batch.files),
        ROW: None,
        "field": error.column or None,
        "reason": error.reason,
        "message": error.message,
    }
    batch.rejected.add(pl.DataFrame([entry], schema=REJECTED))
    return batch.with_file(replace(claim, facts=(note_rejected(error),)), rows=0)


def claim_of(file: CorrectedFile, sha256: str = "") -> ClaimedFile:
    """Return the claim of a file of corrected rows."""
    arrived = file.item.last_modified.isoformat()
    return ClaimedFile(file.item.key, file.item.etag, sha256, "corrected", arrived=arrived)


def _claim(each: CorrectedRows, placed: PlacedRows | None, claim: ClaimedFile) -> ClaimedFile:
    """Return the claim of a file that was read, beside that of the rows which it stands for."""
    own = claim_of(each.file, placed.sha256 if placed else "")
    if claim.outcome == "rejected" or placed is None:
        return replace(own, facts=claim.facts)
    strange = placed.strange[ROW].n_unique()
    note = noted(
        "rows_corrected",
        original=claim.key,
        run=each.about.seq,
        rows=placed.rows.len(),
        strange=strange,
    )
    rows = placed.rows.len() + strange
    return replace(own, rows=rows, sums=claim.sums if placed.rows.len() else (), facts=(note,))


def _waits(claim: ClaimedFile) -> FileRejected:
    detail = "The rows of the file that these are of were given by another file, or may have been."
    return FileRejected(claim.key, "given_by_another", detail)


def _with_strange(batch: InputBatch, position: int, placed: PlacedRows | None) -> InputBatch:
    """Reject the rows of a file of corrected rows that stand for none."""
    if placed is None or placed.strange.is_empty():
        return batch
    place = pl.lit(position, pl.UInt32).alias(FILE)
    batch.rejected.add(placed.strange.with_columns(place).select(*REJECTED))
    return replace(batch, rows=batch.rows + placed.strange[ROW].n_unique())


def given_rows(batch: InputBatch) -> dict[str, pl.Series]:
    """Return by file the rows that are given corrected."""
    return {claim.key: batch.placed[claim.kept].rows for claim in batch.files if claim.correction}


def keep_the_rest(
    call: ImportContext, head: RunDocument, batch: InputBatch, given: Mapping[str, pl.Series]
) -> InputBatch:
    """
    Keep aside, in the quarantine of the new run, all that is not given corrected.

    Args:
        call: The job.
        head: The run in whose quarantine it was.
        batch: What is given.
        given: By file, the rows of it.
    """
    rejected = load(call.context, head.rejected) if head.rejected else no_rows()
    owed = load(call.context, head.refused_rows) if head.refused_rows else None
    for position, file in enumerate(head.files):
        if file.outcome == "corrected":
            continue
        source = pl.col("row_id").str.starts_with(f"{source_of(file)}/")
        rows = rejected.filter(source, pl.col("file") == file.key)
        if not file.refused_in and file.key in given:
            taken = pl.col("row").is_in(given[file.key].implode()).fill_null(value=False)
            rows = rows.filter(~taken)
        if rows.height:
            batch = _kept(batch, file, rows)
        if owed is not None and (ours := owed.filter(pl.col(FILE) == position)).height:
            left = replace(file, refused_in=head.seq, kept="", correction="")
            batch = _kept(batch, left, _as_rejected(ours))
    return batch


def _kept(batch: InputBatch, file: ClaimedFile, rows: pl.DataFrame) -> InputBatch:
    """Put rows aside once more, as they were."""
    place = pl.lit(len(batch.files), pl.UInt32).alias(FILE)
    batch.rejected.add(rows.with_columns(place, pl.col("row").alias(ROW)).select(*REJECTED))
    count = rows["row"].drop_nulls().n_unique()
    if file.outcome == "rejected":
        return batch.with_file(file, rows=0)
    claim = replace(file, outcome="retried", rows=count, refused=0, note="", facts=())
    return batch.with_file(claim, rows=count)


def _as_rejected(owed: pl.DataFrame) -> pl.DataFrame:
    """Describe what Braze refused as rows that stay aside."""
    return owed.select(
        pl.col(ROW).alias("row"),
        pl.lit(None, pl.String).alias("field"),
        pl.lit(None, pl.String).alias("value"),
        pl.lit("refused_by_braze").alias("reason"),
        pl.lit(_STAYS).alias("message"),
        pl.lit(None, pl.String).alias("record"),
    )
