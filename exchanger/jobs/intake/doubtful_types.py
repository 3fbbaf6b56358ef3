"""
Runs that wait because a column is text for a few words alone: would a person send it as text?

Only the first run that has such a column waits: what is applied decides the column's type for good.
Once the job reads files otherwise, such a run is planned again by itself.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from exchanger.jobs.intake.requests import FileRequest, HeldFile
from exchanger.jobs.runtime.one_moment import columns_of_now
from exchanger.notes import Note, noted
from exchanger.profiles.reading.field_columns import column_nulls

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exchanger.jobs.intake.batch import InputBatch
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.profiles.reading.stray_words import StrayWords
    from exchanger.state.inputs.column_types import KeptColumns


def undecided_words_apart(call: ImportContext) -> KeptColumns:
    """
    Read what is kept of a job's columns, without types that are due to words which mean null now.

    So writing ``nulls`` is enough to give a column its other type.
    """
    kept = columns_of_now(call.state, call.name)
    mended = {
        column
        for column, words in kept.words.items()
        if set(words).issubset(column_nulls(call.job, column))
    }
    return replace(
        kept,
        types={column: kind for column, kind in kept.types.items() if column not in mended},
        words={column: words for column, words in kept.words.items() if column not in mended},
    )


def doubtful_files(batch: InputBatch) -> list[HeldFile]:
    """Let all files of a run wait if a column of one is text for a few words; else none."""
    if not any(stray.few for _, stray in batch.stray):
        return []
    note = noted("doubtful_column")
    return [
        HeldFile(
            replace(claim, outcome="doubtful_type", facts=(note,), rows=0),
            FileRequest(claim.key, claim.etag, "in_full", kept=claim.kept),
        )
        for claim in batch.files
    ]


def note_stray(found: Iterable[tuple[str, StrayWords]]) -> list[Note]:
    """Note which columns of which files are text because of a few words."""
    return [
        noted(
            "stray_words",
            column=stray.column,
            type=stray.type.type,
            scale=stray.type.scale if stray.type.type == "decimal" else None,
            words=list(stray.words),
            cells=sum(stray.words.values()),
            of=stray.cells,
        ).about(key)
        for key, stray in found
    ]
