"""What runs did with files: every version of one, and what of its latest version is left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from exchanger.state.inputs.file_ledger import NOT_CONTENTS

if TYPE_CHECKING:
    from exchanger.state.inputs.file_ledger import LedgerSnapshot


class LeftOver(NamedTuple):
    """
    What was not taken of the latest version of a key, and can be given again.

    ``seq`` is the run in whose quarantine it is, and ``etag`` the version. If the run rejected
    it as a whole, there are no ``rows``: it has not read any.
    """

    seq: int
    etag: str
    rows: int
    rejected: int
    refused: int

    @property
    def whole(self) -> bool:
        """Whether nothing of the file was taken."""
        return self.rejected >= self.rows


def left_over(applied: LedgerSnapshot, job: str) -> dict[str, LeftOver]:
    """Return, for every key of whose latest version something can be given again, what it is."""
    unsettled = (pl.col("rejected") + pl.col("refused") > 0) | (pl.col("outcome") == "rejected")
    # What is wrong with rows that were corrected is left of their own file.
    ours = applied.rows.filter(pl.col("job") == job, pl.col("outcome") != "corrected")
    keys = ours.filter(unsettled).select("key").unique()
    if keys.is_empty():
        return {}
    newest = applied.newest(job, keys["key"], without=NOT_CONTENTS)
    latest = newest.select("key", "etag", first=pl.col("seq"))
    again = ours.filter(pl.col("outcome") == "retried")
    later = again.join(latest, on=["key", "etag"]).filter(pl.col("seq") > pl.col("first"))
    tries = pl.concat([newest, later.select(newest.columns)])
    last = tries.filter(pl.col("seq") == pl.col("seq").max().over("key"))
    counts = last.group_by("key", "seq", "etag", maintain_order=True).agg(
        pl.col("rows", "rejected", "refused").sum(),
        (pl.col("outcome") == "rejected").any().alias("whole"),
    )
    left = counts.filter(pl.col("whole") | (pl.col("rejected") + pl.col("refused") > 0))
    return {
        row["key"]: LeftOver(*(row[name] for name in LeftOver._fields))
        for row in left.iter_rows(named=True)
    }


def history(applied: LedgerSnapshot, key: str | None = None) -> list[dict[str, Any]]:
    """List what runs did with the versions of a key, or of all keys, the newest run first."""
    ours = applied.rows if key is None else applied.rows.filter(pl.col("key") == key)
    told = ours.sort("seq", descending=True, maintain_order=True)
    return told.select(
        pl.col("seq").alias("run"), "job", "key", "etag", "outcome", "rows", "rejected", "refused"
    ).to_dicts()
