"""
Runs that wait because a column is text for a few words alone: would a person send it as text?

Only the first run that has such a column waits: what is applied decides the column's type for good.
Once the job reads files otherwise, such a run is planned again by itself.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from exchanger.jobs.intake.requests import FileRequest, HeldFile
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
    kept = call.state.types.columns(call.name)
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
    note = "A column is text because of a few words, which a note names."
    return [
        HeldFile(
            replace(claim, outcome="doubtful_type", note=note, rows=0),
            FileRequest(claim.key, claim.etag, "in_full"),
        )
        for claim in batch.files
    ]


def stray_in_words(found: Iterable[tuple[str, StrayWords]]) -> list[str]:
    """Describe which columns of which files are text because of a few words, and what to write."""
    return [f"{key}: {_said(stray)}" for key, stray in found]


def _said(stray: StrayWords) -> str:
    words = [json.dumps(word, ensure_ascii=False) for word in stray.words]
    count = sum(stray.words.values())
    scale = f", scale: {stray.type.scale}" if stray.type.type == "decimal" else ""
    return (
        f"column {stray.column!r} is {stray.type} but for {count:,} of {stray.cells:,} cells, "
        f"which say {' or '.join(words)}: they would be sent as text, and in CSV all others "
        f"with them. If they mean that there is nothing, write 'nulls: [{', '.join(words)}]' in "
        f"'source'; if they are slips, 'type: {stray.type.type}{scale}' for this column, and their "
        "rows are rejected; if it is text, 'type: string'."
    )
