"""Where the rows of a quarantine can be read again: the file, its kept copy, or what is owed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import polars as pl

from exchanger.errors import StorageMissing
from exchanger.jobs.intake.requests import Correction, FileRequest
from exchanger.jobs.runtime.artifacts import load
from exchanger.notes import Note, noted
from exchanger.profiles.frames.columns import FILE, ROW
from exchanger.state.runs.quarantine import no_rows, source_of

if TYPE_CHECKING:
    from exchanger.jobs.intake.requests import CountMode
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.state.inputs.file_ledger import KnownVersion, LedgerSnapshot
    from exchanger.state.runs.log import ClaimedFile, RunDocument


@dataclass(frozen=True)
class RefusedRows:
    """
    Rows that Braze refused.

    Args:
        claim: The file that gave them.
        run: The run that owes them.
        rows: As ``refused.refused_rows`` made them; of other kinds the objects themselves.
    """

    claim: ClaimedFile
    run: RunDocument
    rows: pl.DataFrame


@dataclass
class QuarantinedRows:
    """
    All that is in the quarantine of a run.

    Args:
        requests: Rejected rows, and files that were rejected as a whole.
        refused: Refused rows.
        gone: Rejected rows of files that are not there any more, as quarantine has them.
        notes: What is noted of what is left out.
    """

    requests: list[FileRequest] = field(default_factory=list)
    refused: list[RefusedRows] = field(default_factory=list)
    gone: list[tuple[ClaimedFile, pl.DataFrame]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    @property
    def readable(self) -> bool:
        """Whether there is anything to give again."""
        return bool(self.requests or self.refused)


def quarantined_rows(call: ImportContext, run: RunDocument) -> QuarantinedRows:
    """
    Find the rows of a run's quarantine.

    What a newer version of a file has replaced since is left out: that version says it all.
    """
    found = QuarantinedRows()
    applied = call.state.file_ledger.snapshot()
    rejected = load(call.context, run.rejected) if run.rejected else no_rows()
    owed = load(call.context, run.refused_rows) if run.refused_rows else None
    for position, file in enumerate(run.files):
        rows = rejected.filter(pl.col("row_id").str.starts_with(f"{source_of(file)}/"))
        rows = rows.filter(pl.col("file") == file.key)
        ours = None if owed is None else owed.filter(pl.col(FILE) == position)
        nothing = rows.is_empty() and (ours is None or ours.is_empty())
        if nothing or file.outcome == "corrected":  # Its rows stand for those of another file.
            continue
        if file.outcome == "left" and rows.height:
            found.notes.append(noted("leavers_stay", people=rows["row"].n_unique()))
            rows = rows.clear()
        if any(applied.summed_since(file.key, file.sums, run.seq).values()):
            found.notes.append(noted("replaced_since").about(file.key))
            continue
        if ours is not None and not ours.is_empty():
            found.refused.append(RefusedRows(replace(file, refused_in=run.seq, kept=""), run, ours))
        if not rows.is_empty():
            _add_rejected(call, found, run, (file, rows), applied)
    return found


def _add_rejected(
    call: ImportContext,
    found: QuarantinedRows,
    run: RunDocument,
    rejected: tuple[ClaimedFile, pl.DataFrame],
    applied: LedgerSnapshot,
) -> None:
    file, rows = rejected
    if file.refused_in:
        owner = call.state.runs.read(file.refused_in).document
        still = load(call.context, owner.refused_rows).filter(
            pl.col(ROW).is_in(rows["row"].implode())
        )
        found.refused.append(RefusedRows(file, owner, still))
        return
    # Of a file of which nothing was taken, whatever was taken since says it all.
    untaken = file.outcome == "rejected" or applied.took_nothing(call.name, file.key, file.etag)
    if untaken and not is_latest(
        applied.latest(call.name, [file.key]).get(file.key), file, run.seq
    ):
        found.notes.append(noted("read_again_since").about(file.key))
    elif not _is_there(call, file):
        found.notes.append(noted("file_gone").about(file.key))
        if file.outcome != "rejected":
            found.gone.append((file, rows))
    elif file.outcome == "rejected":
        arrived = file.arrived_at if call.job.source.is_snapshot else None
        found.requests.append(FileRequest(file.key, file.etag, arrived=arrived, kept=file.kept))
    else:
        found.requests.append(_chosen(file, rows, "ask" if untaken else "in_full"))


def _chosen(file: ClaimedFile, rows: pl.DataFrame, counting: CountMode) -> FileRequest:
    """Read the rows of a file that are in quarantine, and only these."""
    unmerged = rows.filter(pl.col("profile").is_not_null())["profile"].unique()
    chosen = rows["row"].drop_nulls().unique()
    return FileRequest(
        file.key,
        file.etag,
        "difference" if file.replaces and unmerged.len() else counting,
        arrived=file.arrived_at,
        kept=file.kept,
        rows=chosen,
        corrected=unmerged,
        correction=as_corrected(file, chosen),
    )


def rejected_rows(call: ImportContext, run: RunDocument, key: str) -> pl.DataFrame:
    """
    Return the rows of a file that a run has put aside as we did not accept them, each once.

    Returns:
        ``row``, and ``profile`` where that was known.
    """
    rejected = load(call.context, run.rejected) if run.rejected else no_rows()
    ours = rejected.filter(
        pl.col("file") == key,
        pl.col("row").is_not_null(),
        ~pl.col("row_id").str.starts_with("run-"),  # What Braze refused has numbers of its own.
    )
    return ours.group_by("row").agg(pl.col("profile").drop_nulls().first()).sort("row")


def as_corrected(file: ClaimedFile, rows: pl.Series) -> Correction | None:
    """Return how rows are read once more as a person has corrected them, if one has."""
    if not file.correction:
        return None
    return Correction(file.correction, file.sha256, rows)


def is_latest(known: KnownVersion | None, file: ClaimedFile, seq: int) -> bool:
    """Return whether a job has read nothing of a key since run *seq* read this version of it."""
    return known is not None and known.etag == file.etag and known.seq <= seq


def _is_there(call: ImportContext, file: ClaimedFile) -> bool:
    try:
        found = call.context.bucket.head(file.kept or file.key)
    except StorageMissing:
        return False
    if file.correction:
        return found.etag == file.correction
    return bool(file.kept) or found.etag == file.etag
