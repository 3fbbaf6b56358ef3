"""Rows of one profile that did not come through, as quarantines have them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson
import polars as pl

from exchanger.errors import StateMissing
from exchanger.jobs.history.runs import LISTED
from exchanger.jobs.runtime.artifacts import fetched
from exchanger.profiles.spelling.json_values import spell_json
from exchanger.profiles.spelling.profile_key import parts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchanger.jobs.runtime.context import JobContext
    from exchanger.state.store import ConnectionState

_WITH_ROWS = ("rows_rejected", "rows_refused", "values_dropped")
"""Counts of runs that put rows aside, or left values out."""
_ROW = ("file", "row", "kind", "field", "value", "reason", "message")
MOST_RUNS = 25
"""Runs of the job with rows put aside whose quarantine is searched, the newest first."""


@dataclass(frozen=True)
class PutAside:
    """A row of the profile in a quarantine of the job, or a value left out of one, with why."""

    run: int
    file: str
    row: int | None
    kind: str
    field: str | None
    value: str | None
    reason: str
    message: str


@dataclass(frozen=True)
class Sought:
    """
    Whose rows are looked for in quarantine.

    Args:
        keys: Of the profile.
        columns: That name a profile in the files of the job.
        field: Only rows about this field, or about the whole row.
        before: Only in runs before this one.
    """

    keys: Sequence[str]
    columns: Sequence[str]
    field: str | None
    before: int | None = None

    def among(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Choose their rows; of those that never got a key, the record of the row tells."""
        if self.field is not None:
            rows = rows.filter(pl.col("field").is_null() | (pl.col("field") == self.field))
        keys = pl.Series(self.keys)
        values = [spell_json(parts_of(key)[1])[1:-1] for key in self.keys]
        named = pl.col("record").str.to_lowercase().str.contains_any([v.lower() for v in values])
        perhaps = pl.col("profile").is_null() & named
        found = rows.filter(
            pl.col("profile").is_in(keys.implode()) | perhaps.fill_null(value=False)
        )
        theirs = [
            row["profile"] is not None or self._names(row["record"]) for row in found.to_dicts()
        ]
        return found.filter(pl.Series(theirs, dtype=pl.Boolean))

    def _names(self, record: str) -> bool:
        try:
            cells = orjson.loads(record)
        except orjson.JSONDecodeError:
            return False
        if not isinstance(cells, dict):
            return False
        values = {parts_of(key)[1].lower() for key in self.keys}
        named = (str(cells.get(column, "")).strip().lower() for column in self.columns)
        return any(text in values for text in named)


def rows_put_aside(
    context: JobContext, state: ConnectionState, name: str, sought: Sought
) -> tuple[list[PutAside], int]:
    """
    Find rows of a profile in the newest quarantines of a job.

    Args:
        context: The outside.
        state: What is remembered.
        name: The job.
        sought: Whose rows.

    Returns:
        The rows, and the newest run with an older quarantine; 0 if there is none.
    """
    runs = [
        report["seq"]
        for report in state.run_index.newest(LISTED, name)
        if report.get("seq") and any(map(report.get, _WITH_ROWS))
    ]
    runs = [seq for seq in runs if not sought.before or seq < sought.before]
    found: list[PutAside] = []
    for seq in runs[:MOST_RUNS]:
        run = state.runs.read(seq).document
        for key in filter(None, (run.rejected, run.dropped)):
            # Retention may have removed it.
            with suppress(StateMissing), fetched(context, key) as frames:
                for frame in frames.frames():
                    rows = sought.among(frame).select(_ROW).iter_rows(named=True)
                    found += [PutAside(run=seq, **row) for row in rows]
    return found, next(iter(runs[MOST_RUNS:]), 0)
