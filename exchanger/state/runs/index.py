"""Finished runs, imports and exports alike, one row each with the report as JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from exchanger.outside.delta.table import Table

_SCHEMA = {
    "run_id": pl.String(),
    "job": pl.String(),
    "seq": pl.Int64(),
    "state": pl.String(),
    "started_at": pl.Datetime("us", "UTC"),
    "finished_at": pl.Datetime("us", "UTC"),
    "report": pl.String(),
}


class FieldCosts(NamedTuple):
    """
    What a run has cost.

    Args:
        job: Its job.
        started_at: When it began.
        data_points: All in all.
        by_field: As ``RunReport.by_field``; None of runs of earlier versions.
    """

    job: str
    started_at: datetime
    data_points: int
    by_field: dict[str, dict[str, int]] | None


class RunIndex:
    """The table of finished runs of one connection."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @property
    def table(self) -> Table:
        """Where they are kept."""
        return self._table

    def record(self, report: dict[str, Any]) -> None:
        """
        Add one run's report.

        A run with a sequence number is recorded once. A run may fail and be finished later: of
        several rows with one run id, reading keeps the one that finished last.
        """
        frame = _frame([report])
        seq = report.get("seq")
        if seq is None:
            self._table.add(frame)
        else:
            self._table.append(frame, writer="run_index", seq=seq)
        self._table.compact()

    def record_all(self, reports: Iterable[dict[str, Any]], *, seq: int) -> None:
        """Add the reports of many runs at once, of which *seq* is the last."""
        self._table.append(_frame(reports), writer="run_index", seq=seq)
        self._table.compact()

    def amend(self, report: dict[str, Any], at: datetime | None = None) -> None:
        """
        Replace the report of a run of which more became known after it had ended.

        Args:
            report: The new one.
            at: When that was, if its ``finished_at`` is as it was: the last report counts.
        """
        frame = _frame([report])
        later = frame.with_columns(pl.lit(at).cast(_SCHEMA["finished_at"]).alias("finished_at"))
        self._table.add(frame if at is None else later)

    def newest(
        self, most: int, job: str | None = None, *, latest: bool = False
    ) -> list[dict[str, Any]]:
        """
        List the reports of runs, newest first, one for each run id.

        Args:
            most: How many at most.
            job: Only runs of this job.
            latest: Only the newest run of each job.
        """
        wanted = pl.lit(value=True) if job is None else pl.col("job") == job
        known = self._collect(wanted, [name for name in _SCHEMA if name != "report"])
        runs = _last_of_each(known).sort("started_at", descending=True, maintain_order=True)
        if latest:
            runs = runs.unique("job", keep="first", maintain_order=True)
        return self._reports(runs.head(most)["run_id"])

    def find(self, run: str) -> dict[str, Any] | None:
        """Read the report of a run by its id or its number; None if there is none."""
        alike = pl.col("seq") == int(run) if run.isdecimal() else pl.col("run_id") == run
        found = self._collect(alike, ["run_id", "started_at"])
        ids = found.sort("started_at", descending=True, maintain_order=True)["run_id"]
        return next(iter(self._reports(ids.head(1))), None)

    def costs(self, since: datetime) -> list[tuple[datetime, int]]:
        """List when each run began, of those since a time, and how many data points it cost."""
        points = pl.col("report").str.json_path_match("$.data_points").cast(pl.Int64).alias("cost")
        told: list[str | pl.Expr] = ["run_id", "state", "started_at", "finished_at", points]
        runs = _last_of_each(self._collect(pl.col("started_at") >= since.astimezone(UTC), told))
        return runs.filter(pl.col("cost") > 0).select("started_at", "cost").rows()

    def by_field(
        self, job: str | None = None, since: datetime | None = None
    ) -> Iterator[FieldCosts]:
        """
        Yield what each run has cost.

        Args:
            job: Only runs of this job.
            since: Only runs that began then or later.
        """
        wanted = pl.lit(value=True) if job is None else pl.col("job") == job
        if since is not None:
            wanted &= pl.col("started_at") >= since.astimezone(UTC)
        points = pl.col("report").str.json_path_match("$.data_points").cast(pl.Int64)
        fields = pl.col("report").str.json_path_match("$.by_field")
        told: list[str | pl.Expr] = ["run_id", "state", "finished_at", "job", "started_at"]
        told += [points.alias("cost"), fields.alias("fields")]
        runs = _last_of_each(self._collect(wanted, told))
        for one, began, cost, text in runs.select("job", "started_at", "cost", "fields").rows():
            yield FieldCosts(one, began, cost or 0, None if text is None else orjson.loads(text))

    def numbers(self, after: int, job: str, *, every: bool) -> dict[str, list[int]]:
        """
        List by job the runs whose rows named no profiles, so that they became something else.

        Args:
            after: Only runs of a higher number.
            job: Of this one list all runs if *every* is set.
            every: Whether they are listed.

        Returns:
            Their numbers, the newest first.
        """
        named = pl.col("report").str.json_path_match("$.profiles_named")
        other = (named == "0").fill_null(value=False)
        own = (pl.col("job") == job) & pl.lit(every)
        found = self._collect((pl.col("seq") > after) & (own | other), ["job", "seq"])
        runs: dict[str, list[int]] = {}
        for name, seq in found.unique().sort("seq", descending=True).rows():
            runs.setdefault(name, []).append(seq)
        return runs

    def taken_back(self) -> dict[int, int]:
        """Name by its number each run that is taken back by now, and the run that did so."""
        said = pl.col("report").str.contains('"takes_back"', literal=True)
        told = _last_of_each(self._collect(said, ["run_id", "state", "finished_at", "report"]))
        undos = {
            report["seq"]: fact["run"]
            for report in map(orjson.loads, told["report"])
            for fact in report.get("facts", [])
            if fact["code"] == "takes_back" and report.get("seq")
        }
        found: dict[int, int] = {}
        for seq in sorted(undos, reverse=True):
            if seq not in found:  # It was not taken back itself.
                found.setdefault(undos[seq], seq)
        return found

    def _reports(self, ids: pl.Series) -> list[dict[str, Any]]:
        """Read the reports of few of many runs, in the order of their ids."""
        rows = _last_of_each(self._collect(pl.col("run_id").is_in(ids.implode()), [*_SCHEMA]))
        texts = dict(rows.select("run_id", "report").iter_rows())
        return [orjson.loads(texts[run]) for run in ids]

    def _collect(self, which: pl.Expr, columns: Sequence[str | pl.Expr]) -> pl.DataFrame:
        scanned = self._table.scan_at_once()
        if scanned is None:
            return pl.DataFrame(schema=_SCHEMA).select(columns)
        return self._table.collect(scanned.filter(which).select(columns))


def _last_of_each(runs: pl.DataFrame) -> pl.DataFrame:
    """Choose for each run id the row that tells how it ended."""
    # A decision may come in the very moment in which the run was held back.
    ordered = runs.sort("finished_at", pl.col("state") != "held_back", maintain_order=True)
    return ordered.unique("run_id", keep="last", maintain_order=True)


def _frame(reports: Iterable[dict[str, Any]]) -> pl.DataFrame:
    rows = [
        {
            "run_id": report["run_id"],
            "job": report["job"],
            "seq": report.get("seq"),
            "state": report["state"],
            "started_at": _time(report["started_at"]),
            "finished_at": _time(report["finished_at"]),
            "report": orjson.dumps(report).decode(),
        }
        for report in reports
    ]
    return pl.DataFrame(rows, schema=_SCHEMA)


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
