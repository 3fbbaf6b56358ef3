"""
Runs that wait because a column is text for a few words alone: would a person send it as text?

Only the first run that has such a column waits: what is applied decides the column's type for good.
Once the job reads files otherwise, such a run is planned again by itself.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from exchanger.jobs.intake import Intake, WaitingFile
from exchanger.profiles.mapping import column_nulls

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exchanger.config.models import ImportJob
    from exchanger.jobs.call import ImportCall
    from exchanger.jobs.reading import Reading
    from exchanger.profiles.stray_words import StrayWords
    from exchanger.state.applied import AppliedSnapshot
    from exchanger.state.kept_types import KeptColumns
    from exchanger.state.runs import ClaimedFile

DOUBTFUL = "doubtful_type"
"""The outcome of files that wait in such a run."""
_READS = {"source", "match", "fields", "remaining_fields"}


def reads_as(job: ImportJob) -> str:
    """Name in short what a job says of reading files: it changes when that is corrected."""
    return hashlib.sha256(job.model_dump_json(include=_READS).encode()).hexdigest()


def undecided_words_apart(call: ImportCall) -> KeptColumns:
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


def doubtful_files(reading: Reading) -> list[WaitingFile]:
    """Let all files of a run wait if a column of one is text for a few words; else none."""
    if not any(stray.few for _, stray in reading.stray):
        return []
    note = "A column is text because of a few words, which a note names."
    return [
        WaitingFile(
            replace(claim, outcome="doubtful_type", note=note, rows=0),
            Intake(claim.key, claim.etag, "in_full"),
        )
        for claim in reading.files
    ]


def corrected_runs(call: ImportCall, undecided: Iterable[int]) -> list[int]:
    """Number the runs that wait for such a column, and whose job reads otherwise by now."""
    now = reads_as(call.job)
    found = ((seq, call.state.runs.read(seq).document) for seq in undecided)
    return [seq for seq, run in found if run.reads_as not in ("", now) and not run.taken_up_by]


def newer_since(
    applied: AppliedSnapshot, job: str, files: Iterable[ClaimedFile], seq: int
) -> dict[str, int]:
    """Name the files of which a run after run *seq* has applied another version, with that run."""
    latest = applied.latest(job)
    found = {}
    for file in files:
        known = latest.get(file.key)
        if known is not None and known.etag != file.etag and known.outcome == "applied":
            found[file.key] = known.seq
    return {key: later for key, later in found.items() if later > seq}


def stray_in_words(reading: Reading) -> list[str]:
    """Say which columns are text because of a few words, and what to write."""
    return [f"{key}: {_said(stray)}" for key, stray in reading.stray]


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
