"""
Applied files: what each job did with each file version it met.

A file is new to a job if its latest version there has another ETag. What one file gave to a summed
field counts once per connection, whichever job read it, and however the field was merged then: a
value that was set is in Braze like one that was added.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from exchanger.outside.delta.table import Table
    from exchanger.state.runs.log import ClaimedFile, RunDocument, RunLog

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
    "rows": pl.Int64(),
    "rejected": pl.Int64(),
    "refused": pl.Int64(),
}
WAITING = ("equal_content", "replaced", "doubtful_type", "applied_elsewhere", "memory_lost")
"""Outcomes of files that wait in a run which is held back."""
_APPLIED = pl.col("outcome").is_in(("applied", "retried"))
_NOTHING_DONE = ("rejected", "doubtful_type", "applied_elsewhere", "memory_lost")
"""Outcomes of files of which a state has applied nothing, and that no person decided about."""
_VERSION = ("job", "key", "etag")
_FED = ("applied", "retried", "discarded")
"""Outcomes of files that may have given something to the sums they name."""
NOT_YET = 2**62
"""A sequence number above all others, for a run that has none yet."""


class Contributor(NamedTuple):
    """A file that gave to a field: which job read it, in which run, and whether that was summed."""

    job: str
    key: str
    seq: int
    summed: bool


class KnownVersion(NamedTuple):
    """The latest version of a key that a job met, what became of it, and in which run."""

    etag: str
    outcome: str
    seq: int


@dataclass(frozen=True)
class LedgerSnapshot:
    """
    The applied files of a connection as they were at one moment.

    Args:
        found: The table, with ``taken``; it may have many rows: they are never copied.
        unsummed: Names the fields that a run gave to its files' profiles otherwise than as sums.
        new: Rows of files of a run in the making.
    """

    found: FoundRows
    unsummed: Callable[[int], frozenset[str]]
    new: pl.DataFrame = field(default_factory=lambda: _with_taken(pl.DataFrame(schema=_SCHEMA)))

    @property
    def rows(self) -> pl.DataFrame:
        """All rows, with columns as in the table, and ``taken``."""
        return pl.concat([self.found.rows, self.new]) if self.new.height else self.found.rows

    def latest(self, job: str, keys: Iterable[str] | None = None) -> dict[str, KnownVersion]:
        """
        Tell what became of the latest version of keys.

        Args:
            job: Which met them.
            keys: Only these, of which there should be few; every key the job ever met if left out.
        """
        newest = self.newest(job, keys)
        versions = map(KnownVersion, newest["etag"], newest["outcome"], newest["seq"])
        return dict(zip(newest["key"], versions, strict=True))

    def took_nothing(self, job: str, key: str, etag: str) -> bool:
        """Tell whether a job has met a version, and no run has taken anything of it."""
        version = self._where("key", key).filter(job=job, etag=etag)
        return version.height > 0 and not version["taken"].any()

    def newest(self, job: str, keys: Iterable[str] | None = None) -> pl.DataFrame:
        """Keep the row of the latest version of keys that a job met; of all keys if left out."""
        # Rows that are given again belong to the version that was read first.
        ours = [pl.col("job") == job, pl.col("outcome") != "retried"]
        if keys is not None:
            ours.insert(0, pl.col("key").is_in(pl.Series(list(keys), dtype=pl.String).implode()))
        whole = self.rows.filter(*ours)
        met = pl.coalesce("met", "seq")
        ordered = whole.sort(met, "seq", _is("discarded"))
        return ordered.unique("key", keep="last", maintain_order=True)

    def undecided(self, job: str) -> list[int]:
        """Number the runs of a job whose files wait for a person who has not decided yet."""
        return _undecided(self.rows, WAITING, pl.col("job") == job)

    def undecided_elsewhere(self) -> list[int]:
        """Number the runs of all jobs in which files wait that another state applied."""
        return _undecided(self.rows, ("applied_elsewhere",), pl.lit(value=True))

    @property
    def is_unused(self) -> bool:
        """Return whether nothing of any file was ever applied: no memory would be lost with it."""
        return self.rows.filter(_APPLIED, "taken").is_empty()

    def has_applied(self, key: str, etag: str) -> bool:
        """Return whether anything of this version of a file was applied, by any job."""
        return not self._where("key", key).filter(_APPLIED, "taken", etag=etag).is_empty()

    def knows(self, key: str, etag: str) -> bool:
        """Return whether this version was applied, or waits for a person, or was dropped by one."""
        known = ~pl.col("outcome").is_in(_NOTHING_DONE)
        return not self._where("key", key).filter(known, etag=etag).is_empty()

    def given(self, sha256: str, sums: Iterable[str]) -> dict[str, Contributor]:
        """Tell to which of these fields this very content was given already, and by which file."""
        found: dict[str, Contributor] = {}
        for row in self._fed("sha256", sha256):
            for name in self._gave(row, set(sums) - found.keys()):
                found[name] = Contributor(row["job"], row["key"], row["seq"], name in row["sums"])
        return found

    def last_version(self, key: str, sums: Iterable[str]) -> str | None:
        """Tell the SHA-256 of the last version of a key that gave to one of these fields."""
        wanted = set(sums)
        versions = self._fed("key", key, ~_is("retried"))
        return next((str(row["sha256"]) for row in versions if self._gave(row, wanted)), None)

    def brought_difference(self, key: str, etag: str) -> bool:
        """Tell whether a version was applied less what the versions of its key before had given."""
        versions = self._fed("key", key, pl.col("etag") == etag, ~_is("retried"))
        return any(bool(row["replaces"]) for row in versions[:1])

    def summed_by(self, key: str, field: str) -> list[int] | None:
        """
        Number the runs that made up what the last version of a key counts for in a summed field.

        The first one applied some version in full. Every later one applied the difference to a
        newer version, or gave again rows of one of these versions.

        Returns:
            None if it cannot be told: a version gave to the field when that was not summed, and
            none was added in full since.
        """
        chain = []
        for row in self._fed("key", key):
            if field in row["sums"]:
                chain.append(row)
                if row["outcome"] != "retried" and not row["replaces"]:
                    break
            elif self._gave(row, {field}):
                return None
        runs: list[int] = []
        versions: set[str] = set()
        for row in reversed(chain):
            if row["outcome"] != "retried" or row["etag"] in versions:
                runs.append(row["seq"])
                versions.add(row["etag"])
        return list(dict.fromkeys(runs))

    def summed_since(self, key: str, sums: Iterable[str], seq: int) -> dict[int, bool]:
        """
        Number the runs after run *seq* that applied a version of a key.

        Returns:
            For each, whether it applied only the difference to the versions before.
        """
        wanted = set(sums)
        later = self._fed("key", key, pl.col("seq") > seq, ~_is("retried"))
        return {row["seq"]: bool(row["replaces"]) for row in later if self._gave(row, wanted)}

    def with_file(self, job: str, file: ClaimedFile) -> LedgerSnapshot:
        """Show the snapshot as it will be once a run in the making has applied this file too."""
        taken = pl.lit(file.outcome in _FED).alias("taken")
        made = _rows(job, [file], seq=NOT_YET).with_columns(taken)
        return replace(self, new=pl.concat([self.new, made]))

    def _where(self, column: str, value: str) -> pl.DataFrame:
        """List the rows that have a key, or a content."""
        found = self.found.where(column, value)
        return pl.concat([found, self.new.filter(pl.col(column) == value)])

    def _fed(self, column: str, value: str, *which: pl.Expr) -> list[dict[str, Any]]:
        """List such rows of files that may have given something, the newest first."""
        fed = self._where(column, value).filter(*which, "taken")
        return fed.sort("seq", descending=True, maintain_order=True).to_dicts()

    def _gave(self, row: dict[str, Any], sums: set[str]) -> set[str]:
        """Tell to which of these fields a row's file gave: as sums, or otherwise."""
        summed = sums.intersection(row["sums"])
        if summed == sums or row["seq"] == NOT_YET:  # All that it gives is summed.
            return summed
        return summed | (sums & self.unsummed(row["seq"]))


class FoundRows:
    """
    Rows of the table, each found by a hash: a run asks for every file that it takes.

    Args:
        rows: Columns as in the table.
    """

    def __init__(self, rows: pl.DataFrame) -> None:
        self.rows = rows
        self._hashes: dict[str, pl.Series] = {}

    def where(self, column: str, value: str) -> pl.DataFrame:
        """List the rows in which a column of texts has a value."""
        if column not in self._hashes:
            self._hashes[column] = self.rows[column].hash()
        alike = self._hashes[column] == pl.Series([value]).hash()[0]
        found: pl.DataFrame = self.rows[alike.arg_true()]
        return found.filter(pl.col(column) == value)


class FileLedger:
    """The table of applied files of one connection."""

    def __init__(self, table: Table, runs: RunLog) -> None:
        self._table = table
        self._runs = runs
        self._found = FoundRows(_with_taken(pl.DataFrame(schema=_SCHEMA)))
        self._read: pl.DataFrame | None = None

    def snapshot(self) -> LedgerSnapshot:
        """Pin the table as it is now."""
        rows = self._table.rows()
        if rows is not self._read:
            self._read, self._found = rows, FoundRows(_with_taken(_whole(rows)))

        @cache
        def unsummed(seq: int) -> frozenset[str]:
            return _unsummed(self._runs.read(seq).document)

        return LedgerSnapshot(self._found, unsummed)

    def record(self, job: str, files: Iterable[ClaimedFile], *, seq: int, parent: int = 0) -> None:
        """
        Record what run *seq* did with its files; once, however often it is called.

        Args:
            job: The job.
            files: What the run claimed.
            seq: Its number.
            parent: The run that met these versions, if this one took it up: newer versions may
                have been met since.
        """
        rows = _rows(job, files, seq=seq)
        if parent:
            rows = rows.with_columns(met=pl.lit(parent, pl.Int64))
        if rows.height:
            self._table.append(rows, writer="files", seq=seq)
            self._table.compact()

    def discard(self, job: str, files: Iterable[ClaimedFile], *, seq: int) -> None:
        """Record that files which waited in run *seq* were dropped; again does no harm."""
        rows = _rows(job, files, seq=seq)
        if rows.height:
            self._table.add(rows.with_columns(outcome=pl.lit("discarded"), sums=_NO_SUMS))


def _whole(rows: pl.DataFrame | None) -> pl.DataFrame:
    nothing = pl.DataFrame(schema=_SCHEMA)
    if rows is None or rows.schema == nothing.schema:
        return nothing if rows is None else rows
    # It was begun before some column was thought of.
    return pl.concat([nothing, rows], how="diagonal_relaxed")


def _unsummed(run: RunDocument) -> frozenset[str]:
    if run.discarded and not run.ack_parts:
        return frozenset()  # Nothing of it was sent.
    return frozenset(name for name, told in run.fields.items() if told["merge"] != "sum")


def _undecided(rows: pl.DataFrame, outcomes: tuple[str, ...], ours: pl.Expr) -> list[int]:
    waiting = rows.filter(pl.col("outcome").is_in(outcomes), ours).select("seq").unique()
    if waiting.is_empty():
        return []
    decided = rows.filter(~pl.col("outcome").is_in(WAITING), ours)
    numbers = decided.select(pl.coalesce("met", "seq").alias("seq"))
    return waiting.join(numbers, on="seq", how="anti")["seq"].sort().to_list()


_NO_SUMS = pl.lit([], dtype=pl.List(pl.String))


def _with_taken(rows: pl.DataFrame) -> pl.DataFrame:
    """
    Add ``taken``: whether something of a row's file version may have reached Braze.

    A version counts as a whole: of one whose rows were rejected and given again later, the run
    that read it first tells how it counts. One that replaced another took something back.
    """
    fed = pl.col("outcome").is_in(_FED)
    # What waited and was dropped had not been read; of all else that is told, rows were.
    read = (pl.col("rows") > 0) | _is("discarded")
    all_rejected = (read & (pl.col("rejected") >= pl.col("rows"))).fill_null(value=False)
    gave = fed & ~(all_rejected & ~pl.col("replaces").fill_null(value=False))
    # Mostly there are none, or few, among very many.
    odd = rows.filter(fed & ~gave).select(_VERSION).unique()
    again = rows.filter(gave).join(odd, on=_VERSION, how="semi").select(_VERSION).unique()
    if again.is_empty():
        return rows.with_columns(taken=gave)
    marked = again.with_columns(again=pl.lit(value=True))
    joined = rows.join(marked, on=_VERSION, how="left", maintain_order="left")
    return joined.with_columns(taken=gave | (fed & pl.col("again").fill_null(value=False))).drop(
        "again"
    )


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
            "rows": file.rows,
            "rejected": file.rejected,
            "refused": file.refused,
        }
        for file in files
    ]
    return pl.DataFrame(rows, schema=_SCHEMA)
