"""
Applied files: what each job did with each file version it met.

A file is new to a job if its latest version there has another ETag. What one file gave to a summed
field counts once per connection, whichever job read it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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
}
WAITING = ("equal_content", "replaced")
"""Outcomes of files that wait for ``--force``."""
_NOT_YET = 2**62
"""A sequence number above all others, for a run that has none yet."""


@dataclass(frozen=True)
class AppliedSnapshot:
    """The applied files of a connection as they were at one moment; columns as in the table."""

    rows: pl.DataFrame

    def latest(self, job: str) -> dict[str, tuple[str, str]]:
        """Tell, for every key the job ever met, the ETag and outcome of its latest version."""
        newest = self.rows.filter(pl.col("job") == job).sort("seq").unique("key", keep="last")
        return {row["key"]: (row["etag"], row["outcome"]) for row in newest.iter_rows(named=True)}

    def summed(self, sha256: str, sums: Iterable[str]) -> str | None:
        """Name the file that already gave this very content to one of these summed fields."""
        fed = self._fed(sums).filter(pl.col("sha256") == sha256)
        return None if fed.is_empty() else str(fed["key"][0])

    def summed_key(self, key: str, sums: Iterable[str]) -> bool:
        """Tell whether some version of this key already gave to one of these summed fields."""
        return not self._fed(sums).filter(pl.col("key") == key).is_empty()

    def with_file(self, job: str, file: ClaimedFile) -> AppliedSnapshot:
        """Show the snapshot as it will be once a run in the making has applied this file too."""
        return AppliedSnapshot(pl.concat([self.rows, _rows(job, [file], seq=_NOT_YET)]))

    def _fed(self, sums: Iterable[str]) -> pl.DataFrame:
        shared = pl.col("sums").list.set_intersection(list(sums)).list.len() > 0
        return self.rows.filter(shared, pl.col("outcome") == "applied")


class AppliedFiles:
    """The table of applied files of one connection."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def snapshot(self) -> AppliedSnapshot:
        """Pin the table as it is now."""
        rows = self._table.scan()
        return AppliedSnapshot(pl.DataFrame(schema=_SCHEMA) if rows is None else rows.collect())

    def record(self, job: str, files: Iterable[ClaimedFile], *, seq: int) -> None:
        """Record what run *seq* did with its files; once, however often it is called."""
        rows = _rows(job, files, seq=seq)
        if rows.height:
            self._table.append(rows, writer="files", seq=seq)
            self._table.compact()


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
        }
        for file in files
    ]
    return pl.DataFrame(rows, schema=_SCHEMA)
