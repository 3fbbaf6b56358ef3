"""Runs that wait for the type of a column, and whose job reads files otherwise by now."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exchanger.config.models import ImportJob
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.state.inputs.file_ledger import LedgerSnapshot
    from exchanger.state.runs.log import ClaimedFile, FileOutcome


DOUBTFUL: FileOutcome = "doubtful_type"
"""The outcome of files that wait in such a run."""
GUARDED: FileOutcome = "guarded"
"""The outcome of files that wait because of what a guard says."""
AS_NEW = (DOUBTFUL, GUARDED)
"""Of files of which nothing was ever decided: once approved, they are read as if they just came."""

_OF_OBJECTS = {"event", "purchase", "order", "row_id", "item_id"}
_READS = {"source", "match", "fields", "remaining_fields"} | _OF_OBJECTS


def reads_as(job: ImportJob) -> str:
    """Name in short what a job says of reading files: it changes when that is corrected."""
    return hashlib.sha256(job.model_dump_json(include=_READS).encode()).hexdigest()


def corrected_runs(call: ImportContext, undecided: Iterable[int]) -> list[int]:
    """Number the runs that wait for such a column, and whose job reads otherwise by now."""
    now = reads_as(call.job)
    found = ((seq, call.state.runs.read(seq).document) for seq in undecided)
    return [seq for seq, run in found if run.reads_as not in ("", now) and not run.continued_by]


def newer_since(
    applied: LedgerSnapshot, job: str, files: Iterable[ClaimedFile], seq: int
) -> dict[str, int]:
    """Name the files of which a run after run *seq* has applied another version, with that run."""
    latest = applied.latest(job)
    found = {}
    for file in files:
        known = latest.get(file.key)
        if known is not None and known.etag != file.etag and known.outcome == "applied":
            found[file.key] = known.seq
    return {key: later for key, later in found.items() if later > seq}
