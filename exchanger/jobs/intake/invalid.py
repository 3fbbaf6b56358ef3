"""What a run does with values that cannot be used: it leaves them out, or stops."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from exchanger.errors import InvalidRow
from exchanger.notes import Note, noted
from exchanger.profiles.frames.columns import FILE, ROW

if TYPE_CHECKING:
    from exchanger.files.scratch.frame_file import FrameFile
    from exchanger.jobs.intake.batch import InputBatch
    from exchanger.jobs.runtime.import_context import ImportContext

_MOST = 10
"""Fields that a note names."""


def note_dropped(dropped: FrameFile, rows: int) -> list[Note]:
    """
    Note which values are left out while the rest of their rows is applied.

    Args:
        dropped: In the shape of quarantine.
        rows: Of how many rows.
    """
    if not dropped.rows:
        return []
    fields: Counter[str] = Counter()
    for part in dropped.frames(["field"]):
        fields.update(dict(part["field"].value_counts().iter_rows()))
    # No value: run documents are kept for good.
    [first, *_] = next(dropped.frames(["file", "row", "field", "reason"])).iter_rows(named=True)
    most = fields.most_common(_MOST)
    return [
        noted(
            "values_dropped",
            file=first["file"],
            values=dropped.rows,
            rows=rows,
            fields=[name for name, _ in most],
            counts=[count for _, count in most],
            row=first["row"],
            field=first["field"],
            reason=first["reason"],
        )
    ]


def demand_valid(call: ImportContext, batch: InputBatch) -> None:
    """
    Check that every row that was read can be used, of a job that stops otherwise.

    Raises:
        InvalidRow: One cannot.
    """
    if not _stops(call):
        return
    for part in batch.rejected.frames([FILE, ROW, "field", "reason", "message"]):
        for found in part.drop_nulls(ROW).head(1).iter_rows(named=True):
            key = batch.files[found[FILE]].key
            raise InvalidRow(call.name, key, found[ROW], found["field"] or "", found["message"])


def demand_none_rejected(call: ImportContext, rejected: FrameFile) -> None:
    """
    Check that planning has rejected no row either.

    Args:
        call: The job.
        rejected: In the shape of quarantine.

    Raises:
        InvalidRow: It has.
    """
    if not _stops(call):
        return
    for part in rejected.frames(["file", "row", "field", "message"]):
        for row in part.drop_nulls("row").head(1).iter_rows(named=True):
            raise InvalidRow(call.name, row["file"], row["row"], row["field"] or "", row["message"])


def note_stop(call: ImportContext, rejected: FrameFile) -> list[Note]:
    """Note in a plan that the run would stop."""
    stops = call.job.on_invalid == "stop" and not call.record
    rows = any(part["row"].count() for part in rejected.frames(["row"])) if stops else False
    return [noted("would_stop")] if rows else []


def _stops(call: ImportContext) -> bool:
    return call.job.on_invalid == "stop" and call.record
