"""Finished runs, imports and exports alike, one row each with the report as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
import polars as pl

if TYPE_CHECKING:
    from exchanger.outside.tables import Table

_SCHEMA = {
    "run_id": pl.String(),
    "job": pl.String(),
    "seq": pl.Int64(),
    "state": pl.String(),
    "started_at": pl.Datetime("us", "UTC"),
    "finished_at": pl.Datetime("us", "UTC"),
    "report": pl.String(),
}


class FinishedRuns:
    """The table of finished runs of one connection."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def record(self, report: dict[str, Any]) -> None:
        """
        Add one run's report.

        A run with a sequence number is recorded once. A run may fail and be finished later: of
        several rows with one run id, reading keeps the one that finished last.
        """
        frame = _frame(report)
        seq = report.get("seq")
        if seq is None:
            self._table.add(frame)
        else:
            self._table.append(frame, writer="finished", seq=seq)
        self._table.compact()

    def amend(self, report: dict[str, Any]) -> None:
        """Replace the report of a run whose fate changed after it had ended."""
        self._table.add(_frame(report))

    def rows(self, job: str | None = None) -> pl.DataFrame:
        """List runs, newest first, one row per run id; of one job or of all."""
        scanned = self._table.scan()
        if scanned is None:
            return pl.DataFrame(schema=_SCHEMA)
        wanted = pl.lit(True) if job is None else pl.col("job") == job
        return self._table.collect(
            scanned.filter(wanted)
            # A decision may come in the very moment in which the run was held back.
            .sort("finished_at", pl.col("state") != "held_back")
            .unique("run_id", keep="last", maintain_order=True)
            .sort("started_at", descending=True)
        )


def _frame(report: dict[str, Any]) -> pl.DataFrame:
    row = {
        "run_id": report["run_id"],
        "job": report["job"],
        "seq": report.get("seq"),
        "state": report["state"],
        "started_at": _time(report["started_at"]),
        "finished_at": _time(report["finished_at"]),
        "report": orjson.dumps(report).decode(),
    }
    return pl.DataFrame([row], schema=_SCHEMA)


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
