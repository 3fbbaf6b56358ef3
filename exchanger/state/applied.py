"""
Applied files: what each job did with each file version it met.

A file is new to a job if its latest version there has another ETag. What one file gave to a summed
field counts once per connection, whichever job read it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exchanger.outside.tables import Table
    from exchanger.state.runs import ClaimedFile

_SCHEMA = {
    "job": pl.String(),
    "key": pl.String(),
    "etag": pl.String(),
    "sha256": pl.String(),
    "seq": pl.Int64(),
    "outcome": pl.String(),
    "sums": pl.List(pl.String()),
    "replaces": pl.Boolean(),
    "met": pl.Int64(),
}
WAITING = ("equal_content", "replaced")
"""Outcomes of files that wait in a run which is held back."""
_FED = ("applied", "retried", "discarded")
"""Outcomes of files that may have given something to the sums they name."""
_NOT_YET = 2**62
"""A sequence number above all others, for a run that has none yet."""


class KnownVersion(NamedTuple):
    """The latest version of a key that a job met, what became of it, and in which run."""

    etag: str
    outcome: str
    seq: int


class SummedContent(NamedTuple):
    """Where the same content was added before: the job, the file that held it, and the run."""

    job: str
    key: str
    seq: int


@dataclass(frozen=True)
class AppliedSnapshot:
    """The applied files of a connection as they were at one moment; columns as in the table."""

    rows: pl.DataFrame

    def latest(self, job: str) -> dict[str, KnownVersion]:
        """Tell, for every key the job ever met, what became of its latest version."""
        # Rows that are given again belong to the version that was read first.
        whole = self.rows.filter(pl.col("job") == job, pl.col("outcome") != "retried")
        met = pl.coalesce("met", "seq")
        ordered = whole.sort(met, "seq", _is("discarded"))
        newest = ordered.unique("key", keep="last", maintain_order=True)
        return {
            row["key"]: KnownVersion(row["etag"], row["outcome"], row["seq"])
            for row in newest.iter_rows(named=True)
        }

    def summed(self, sha256: str, sums: Iterable[str]) -> SummedContent | None:
        """Tell which file already gave this very content to one of these summed fields."""
        fed = self._fed(sums).filter(pl.col("sha256") == sha256).select(SummedContent._fields)
        return None if fed.is_empty() else SummedContent(*fed.row(0))

    def summed_version(self, key: str, sums: Iterable[str]) -> str | None:
        """Tell the SHA-256 of the last version of a key that gave to one of these fields."""
        fed = self._fed(sums).filter(pl.col("key") == key, ~_is("retried")).sort("seq")
        return None if fed.is_empty() else str(fed["sha256"][-1])

    def summed_by(self, key: str, sums: Iterable[str]) -> list[int]:
        """
        Number the runs that made up what the last version of a key counts for.

        The first one applied some version in full. Every later one applied the difference to a
        newer version, or gave again rows of one of these versions.
        """
        runs: list[int] = []
        versions: set[str] = set()
        fed = self._fed(sums).filter(pl.col("key") == key).sort("seq")
        for row in fed.iter_rows(named=True):
            if row["outcome"] == "retried":
                runs += [row["seq"]] if row["etag"] in versions else []
            elif row["replaces"]:
                runs.append(row["seq"])
                versions.add(row["etag"])
            else:
                runs, versions = [row["seq"]], {row["etag"]}
        return list(dict.fromkeys(runs))

    def summed_since(self, key: str, sums: Iterable[str], seq: int) -> dict[int, bool]:
        """
        Number the runs after run *seq* that applied a version of a key.

        Returns:
            For each, whether it applied only the difference to the versions before.
        """
        later = self._fed(sums).filter(pl.col("key") == key, pl.col("seq") > seq, ~_is("retried"))
        return {row["seq"]: bool(row["replaces"]) for row in later.iter_rows(named=True)}

    def with_file(self, job: str, file: ClaimedFile) -> AppliedSnapshot:
        """Show the snapshot as it will be once a run in the making has applied this file too."""
        return AppliedSnapshot(pl.concat([self.rows, _rows(job, [file], seq=_NOT_YET)]))

    def _fed(self, sums: Iterable[str]) -> pl.DataFrame:
        shared = pl.col("sums").list.set_intersection(list(sums)).list.len() > 0
        return self.rows.filter(shared, pl.col("outcome").is_in(_FED))


class AppliedFiles:
    """The table of applied files of one connection."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def snapshot(self) -> AppliedSnapshot:
        """Pin the table as it is now."""
        rows = self._table.rows()
        nothing = pl.DataFrame(schema=_SCHEMA)
        if rows is None:
            return AppliedSnapshot(nothing)
        if rows.schema != nothing.schema:  # It was begun before some column was thought of.
            rows = pl.concat([nothing, rows], how="diagonal_relaxed")
        return AppliedSnapshot(rows)

    def record(self, job: str, files: Iterable[ClaimedFile], *, seq: int, origin: int = 0) -> None:
        """
        Record what run *seq* did with its files; once, however often it is called.

        Args:
            job: The job.
            files: What the run claimed.
            seq: Its number.
            origin: The run that met these versions, if this one took it up: newer versions may
                have been met since.
        """
        rows = _rows(job, files, seq=seq)
        if origin:
            rows = rows.with_columns(met=pl.lit(origin, pl.Int64))
        if rows.height:
            self._table.append(rows, writer="files", seq=seq)
            self._table.compact()

    def discard(self, job: str, files: Iterable[ClaimedFile], *, seq: int) -> None:
        """Record that files which waited in run *seq* were dropped; again does no harm."""
        rows = _rows(job, files, seq=seq)
        if rows.height:
            self._table.add(rows.with_columns(outcome=pl.lit("discarded"), sums=_NO_SUMS))


_NO_SUMS = pl.lit([], dtype=pl.List(pl.String))


def _is(outcome: str) -> pl.Expr:
    return pl.col("outcome") == outcome


def _rows(job: str, files: Iterable[ClaimedFile], *, seq: int) -> pl.DataFrame:
    rows = [
        {
            "job": job,
            "key": file.key,
            "etag": file.etag,
            "sha256": file.sha256,
            "seq": seq,
            "outcome": file.outcome,
            "sums": list(file.sums),
            "replaces": file.replaces,
            "met": seq,
        }
        for file in files
    ]
    return pl.DataFrame(rows, schema=_SCHEMA)
