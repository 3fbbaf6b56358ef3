"""
Applied files: what each job did with each file version it met.

A file is new to a job if its latest version there has another ETag. What one file gave to a summed
field counts once per connection, whichever job read it, and however the field was merged then: a
value that was set is in Braze like one that was added.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from exchanger.state.inputs.ledger_rows import FoundRows, MadeRows
from exchanger.state.tenure import Tenure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from exchanger.outside.delta.table import Table
    from exchanger.state.inputs.ledger_rows import Row
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
    "row": pl.Int64(),
}
WAITING = (
    "equal_content",
    "replaced",
    "doubtful_type",
    "guarded",
    "applied_elsewhere",
    "memory_lost",
)
"""Outcomes of files that wait in a run which is held back."""
_APPLIED = ("applied", "retried", "tested")
PARTS = ("retried", "tested", "undone", "left")
"""Outcomes of some rows of a version, which decide nothing about the version as a whole."""
NOT_CONTENTS = (*PARTS, "known")
"""Outcomes of rows that do not tell what became of a content, as another row does."""
_OF_A_VERSION = ("retried", "undone")
"""Outcomes that count with the version that was read before, if that one does."""
_NOTHING_DONE = (
    "rejected",
    "doubtful_type",
    "guarded",
    "applied_elsewhere",
    "memory_lost",
    "superseded",
)
"""Outcomes of files of which a state has applied nothing, and that no person decided about."""
_VERSION = ("job", "key", "etag")
_FED = ("applied", *PARTS, "corrected", "discarded")
"""Outcomes of files that may have given something to the sums they name."""
_SNAPSHOT = "applied files"
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
        made: Rows of files of a run in the making.
        count: How many of these are shown.
    """

    found: FoundRows
    unsummed: Callable[[int], frozenset[str]]
    made: MadeRows = field(default_factory=MadeRows)
    count: int = 0

    @property
    def rows(self) -> pl.DataFrame:
        """All rows, with columns as in the table, and ``taken``."""
        if not self.count:
            return self.found.rows
        schema = self.found.rows.schema
        return pl.concat([self.found.rows, pl.DataFrame(self.made.first(self.count), schema)])

    def look_up(self, *, keys: Iterable[str] = (), contents: Iterable[str] = ()) -> None:
        """Find what there is of many keys, and of many contents, before each is asked for."""
        self.found.look_up("key", keys)
        self.found.look_up("sha256", contents)

    def recorded(self, key: str) -> LedgerSnapshot:
        """Return what is recorded of one key alone, without the run in the making."""
        return LedgerSnapshot(FoundRows(self.found.narrowed("key", key)), self.unsummed)

    def latest(self, job: str, keys: Iterable[str] | None = None) -> dict[str, KnownVersion]:
        """
        Return what became of the latest version of keys.

        Args:
            job: Which met them.
            keys: Only these, of which there should be few; every key the job ever met if left out.
        """
        newest = self.newest(job, keys)
        versions = map(KnownVersion, newest["etag"], newest["outcome"], newest["seq"])
        return dict(zip(newest["key"], versions, strict=True))

    def runs_of(self, key: str) -> list[int]:
        """Number the runs that met a key, of whichever job, the newest first."""
        return sorted({int(row["seq"]) for row in self._where("key", key)}, reverse=True)

    def met_before(self, job: str, key: str, sha256: str) -> int | None:
        """Number the run in which a job met this content last under a key, unless others came."""
        last = self._last_met(job, key)
        if last is None or last["sha256"] != sha256 or last["outcome"] in WAITING:
            return None
        return int(last["seq"])

    def became(self, job: str, key: str) -> tuple[str, int]:
        """Return what became of the latest content of a key that a job met, and in which run."""
        last = self._last_met(job, key)
        return ("", 0) if last is None else (last["outcome"], int(last["seq"]))

    def _last_met(self, job: str, key: str) -> Row | None:
        """Find the row of the version met last; of equal contents in a row, of the first."""
        rows = (row for row in self._where("key", key) if row["job"] == job)
        whole = [row for row in rows if row["outcome"] not in NOT_CONTENTS]
        return max(whole, key=_when_met, default=None)

    def took_nothing(self, job: str, key: str, etag: str) -> bool:
        """Return whether a job has met a version, and no run has taken anything of it."""
        version = [row for row in self._version(key, etag) if row["job"] == job]
        return bool(version) and not any(row["taken"] for row in version)

    def newest(
        self, job: str, keys: Iterable[str] | None = None, *, without: Sequence[str] = PARTS
    ) -> pl.DataFrame:
        """
        Keep the row of the latest version of keys that a job met.

        Args:
            job: The job.
            keys: The keys; all if left out.
            without: Outcomes of rows that are left out: those that are given again belong to the
                version that was read first.
        """
        ours = [pl.col("job") == job, ~pl.col("outcome").is_in(without)]
        if keys is not None:
            ours.insert(0, pl.col("key").is_in(pl.Series(list(keys), dtype=pl.String).implode()))
        whole = self.rows.filter(*ours)
        met = pl.coalesce("met", "seq")
        ordered = whole.sort(met, "seq", _is("discarded"))
        return ordered.unique("key", keep="last", maintain_order=True)

    def has_rejected(self, job: str) -> bool:
        """Return whether any row of a job was ever rejected, so that it may be given corrected."""
        rejected = pl.col("rejected").fill_null(0) > 0
        return not self.rows.filter(pl.col("job") == job, rejected).is_empty()

    def rejecting(self, job: str) -> list[int]:
        """
        Number the runs of a job that have rejected rows aside, which no later run has taken up.

        Rows of files of corrected rows that stand for none are not theirs.
        """
        ours = self.rows.filter(pl.col("job") == job).with_columns(met=pl.coalesce("met", "seq"))
        counts = ~pl.col("outcome").is_in(("corrected", "tested"))
        aside = ours.filter(counts, pl.col("rejected").fill_null(0) > 0)["seq"].unique()
        taken_up = ours.filter(pl.col("met") != pl.col("seq"))["met"].unique()
        return aside.filter(~aside.is_in(taken_up.implode())).sort().to_list()

    def last_applied(self, job: str) -> tuple[str, int] | None:
        """Return the key of the file with rows that a job applied last, and how many these were."""
        ours = self.rows.filter(
            pl.col("job") == job, pl.col("outcome") == "applied", pl.col("rows") > 0
        )
        last = ours.filter(pl.col("seq") == pl.col("seq").max()).tail(1)
        return next(last.select("key", "rows").iter_rows(), None)

    def last_run(self, job: str) -> int | None:
        """Number the run that applied the file with rows that a job applied last."""
        applied = pl.col("outcome") == "applied"
        seqs = self.rows.filter(pl.col("job") == job, applied, pl.col("rows") > 0)["seq"]
        return None if seqs.is_empty() else int(seqs.sort()[-1])

    def runs_that_applied(self, job: str) -> list[int]:
        """Number the runs of a job that applied files, in order."""
        ours = self.rows.filter(pl.col("job") == job, pl.col("outcome") == "applied")
        return ours["seq"].unique().sort().to_list()

    def applied_after(self, job: str, seq: int) -> str | None:
        """Return the key of a file that a job met after run *seq*, and applied; None if none is."""
        met = pl.coalesce("met", "seq")
        later = self.rows.filter(pl.col("job") == job, pl.col("outcome") == "applied", met > seq)
        key: str | None = next(later.sort("seq").tail(1).select("key").iter_rows(), (None,))[0]
        return key

    def undecided(self, job: str) -> list[int]:
        """Number the runs of a job whose files wait for a person who has not decided yet."""
        return _undecided(self.rows, WAITING, pl.col("job") == job)

    def undecided_elsewhere(self) -> list[int]:
        """Number the runs of all jobs in which files wait that another state applied."""
        return _undecided(self.rows, ("applied_elsewhere",), pl.lit(value=True))

    @property
    def last_recorded(self) -> int:
        """The highest number of a run whose files are recorded; 0 if there is none."""
        last = self.found.rows.select(pl.col("seq").max()).item()
        return int(last or 0)

    @property
    def is_unused(self) -> bool:
        """Return whether nothing of any file was ever applied: no memory would be lost with it."""
        return self.rows.filter(pl.col("outcome").is_in(_APPLIED), "taken").is_empty()

    def has_applied(self, key: str, etag: str) -> bool:
        """Return whether anything of this version of a file was applied, by any job."""
        version = self._version(key, etag)
        return any(row["outcome"] in _APPLIED and row["taken"] for row in version)

    def knows(self, key: str, etag: str) -> bool:
        """Return whether this version was applied, or waits for a person, or was dropped by one."""
        return any(row["outcome"] not in _NOTHING_DONE for row in self._version(key, etag))

    def given(
        self, sha256: str, sums: Iterable[str], *, retried: str = ""
    ) -> dict[str, Contributor]:
        """
        Return to which of these fields this content was given already, and by which file.

        Args:
            sha256: The content.
            sums: The fields.
            retried: The file whose rows the run in the making gives again, from several places.
        """
        found: dict[str, Contributor] = {}
        for row in self._fed("sha256", sha256):
            if (row["key"], row["seq"]) == (retried, NOT_YET):
                continue
            for name in self._gave(row, set(sums) - found.keys()):
                found[name] = Contributor(row["job"], row["key"], row["seq"], name in row["sums"])
        return found

    def last_version(self, key: str, sums: Iterable[str]) -> str | None:
        """Return the SHA-256 of the last version of a key that gave to one of these fields."""
        wanted = set(sums)
        versions = (row for row in self._fed("key", key) if row["outcome"] not in PARTS)
        return next((str(row["sha256"]) for row in versions if self._gave(row, wanted)), None)

    def brought_difference(self, key: str, etag: str) -> bool:
        """Return whether a version was applied less what its key's versions before had given."""
        versions = (
            bool(row["replaces"])
            for row in self._fed("key", key)
            if row["etag"] == etag and row["outcome"] not in PARTS
        )
        return next(versions, False)

    def tests(self, job: str, key: str, sha256: str) -> dict[int, int]:
        """
        Return which rows of a file were given alone by a job, and may be in Braze.

        Under whatever name: unless a file of another name was applied as a whole since, which has
        them then.

        Returns:
            By row, the run that gave it.
        """
        return {
            row["row"]: row["seq"]
            for row in reversed(self._fed("sha256", sha256))
            if _is_test(row)
            and row["job"] == job
            and not row["refused"]
            and self._owner(row, set(row["sums"])) in (None, key)
        }

    def tested_alone(self, key: str, sums: Iterable[str]) -> set[str]:
        """
        Return the contents of a key of which single rows gave to one of these fields.

        Empty if a version was applied as a whole since then.
        """
        wanted = set(sums)
        contents = set()
        for row in self._fed("key", key):
            if not self._gave(row, wanted):
                continue
            if row["outcome"] not in PARTS:
                break
            if row["outcome"] == "tested" and self._owner(row, wanted) is None:
                contents.add(str(row["sha256"]))
        return contents

    def only_tried(self, key: str, sha256: str, sums: Iterable[str]) -> bool:
        """
        Return whether nothing but single rows of a content gave to these fields, by another name.

        What these gave is known then, so that the content can be applied without it.
        """
        wanted = set(sums)
        gave = [row for row in self._fed("sha256", sha256) if self._gave(row, wanted)]
        return bool(gave) and all(
            _is_test(row)
            and row["key"] != key
            and self._gave(row, wanted) <= set(row["sums"])
            and self._owner(row, wanted) is None
            for row in gave
        )

    def summed_by(self, key: str, field: str) -> list[int] | None:
        """Number the runs that made up what the last version of a key counts for in a field."""
        given = self.given_under(key, field)
        return None if given is None else list(dict.fromkeys(seq for seq, _ in given))

    def given_under(self, key: str, field: str, sha256: str = "") -> list[tuple[int, str]] | None:
        """
        Name the runs that made up what the last version of a key counts for in a summed field.

        The first one applied some version in full. Every later one applied the difference to a
        newer version, gave again rows of one of these versions, or took back what one gave. Rows
        that were given alone belong to the first version of their key or content that was applied
        as a whole.

        Args:
            key: A key in the bucket.
            field: The field.
            sha256: The content of its next version, of which rows may have been given alone.

        Returns:
            Each with the key under which it gave. None if it cannot be told: a version gave to the
            field when that was not summed, and none was added in full since.
        """
        chain = []
        for row in self._fed("key", key):
            if field in row["sums"]:
                chain.append(row)
                if row["outcome"] not in PARTS and not row["replaces"]:
                    break
            elif self._gave(row, {field}):
                return None
        found: list[tuple[int, str]] = []
        versions: set[str] = set()
        for row in reversed(chain):
            if row["outcome"] == "tested" and self._owner(row, {field}) not in (None, key):
                continue
            if row["outcome"] not in _OF_A_VERSION or row["etag"] in versions:
                found.append((row["seq"], key))
                versions.add(row["etag"])
            if row["outcome"] not in PARTS and row["replaces"]:
                found += self._tried_elsewhere(key, row["sha256"], field, owner=key)
        found += self._tried_elsewhere(key, sha256, field, owner=None)
        return list(dict.fromkeys(found))

    def _tried_elsewhere(
        self, key: str, sha256: str, field: str, *, owner: str | None
    ) -> list[tuple[int, str]]:
        """Name the runs that gave single rows of a content under other keys, and belong to one."""
        return [
            (row["seq"], row["key"])
            for row in (self._fed("sha256", sha256) if sha256 else ())
            if _is_test(row)
            and row["key"] != key
            and field in row["sums"]
            and self._owner(row, {field}) == owner
        ]

    def _owner(self, test: Row, sums: set[str]) -> str | None:
        """Return the key of the file that was applied as a whole after a row was given alone."""
        versions = (*self._fed("key", test["key"]), *self._fed("sha256", test["sha256"]))
        since = (
            row
            for row in versions
            if row["seq"] > test["seq"]
            and row["outcome"] not in PARTS
            and (self._gave(row, sums) if sums else row["job"] == test["job"])
        )
        first = min(since, key=lambda row: int(row["seq"]), default=None)
        return None if first is None else str(first["key"])

    def summed_since(self, key: str, sums: Iterable[str], seq: int) -> dict[int, bool]:
        """
        Number the runs after run *seq* that applied a version of a key.

        Returns:
            For each, whether it applied only the difference to the versions before.
        """
        wanted = set(sums)
        later = (
            row for row in self._fed("key", key) if row["seq"] > seq and row["outcome"] not in PARTS
        )
        return {row["seq"]: bool(row["replaces"]) for row in later if self._gave(row, wanted)}

    def with_file(self, job: str, file: ClaimedFile) -> LedgerSnapshot:
        """Show the snapshot as it will be once a run in the making has applied this file too."""
        made = self.made
        if len(made) != self.count:  # Another snapshot went on from here.
            made = MadeRows(made.first(self.count))
        made.add(_row(job, file, seq=NOT_YET) | {"taken": file.outcome in _FED})
        return replace(self, made=made, count=len(made))

    def _where(self, column: str, value: str) -> list[Row]:
        """List the rows that have a key, or a content."""
        found = self.found.where(column, value)
        return [*found, *self.made.where(column, value, self.count)]

    def _version(self, key: str, etag: str) -> list[Row]:
        """List the rows of one version of a key."""
        return [row for row in self._where("key", key) if row["etag"] == etag]

    def _fed(self, column: str, value: str) -> list[Row]:
        """List the rows of files that may have given something, the newest first."""
        fed = [row for row in self._where(column, value) if row["taken"]]
        return sorted(fed, key=lambda row: -int(row["seq"]))

    def _gave(self, row: Row, sums: set[str]) -> set[str]:
        """Return to which of these fields a row's file gave: as sums, or otherwise."""
        summed = sums.intersection(row["sums"])
        if summed == sums or row["seq"] == NOT_YET:  # All that it gives is summed.
            return summed
        return summed | (sums & self.unsummed(row["seq"]))


class FileLedger:
    """The table of applied files of one connection."""

    def __init__(self, table: Table, runs: RunLog, tenure: Tenure | None = None) -> None:
        self._table = table
        self._runs = runs
        self._tenure = tenure or Tenure()
        self._found = FoundRows(_with_taken(pl.DataFrame(schema=_SCHEMA)))
        self._read: pl.DataFrame | None = None

    def snapshot(self) -> LedgerSnapshot:
        """Pin the table as it is now; while the lease is held, as it was read or written last."""
        return self._tenure.known(_SNAPSHOT, self._pinned)

    def _pinned(self) -> LedgerSnapshot:
        rows = self._table.rows()
        if rows is not self._read:
            self._read, self._found = rows, FoundRows(_with_taken(_whole(rows)))

        @cache
        def unsummed(seq: int) -> frozenset[str]:
            return _unsummed(self._runs.read(seq).document)

        return LedgerSnapshot(self._found, unsummed)

    def record(
        self,
        job: str,
        files: Iterable[ClaimedFile],
        *,
        seq: int,
        parent: int = 0,
        releases: int = 0,
    ) -> None:
        """
        Record what run *seq* did with its files; once, however often it is called.

        Args:
            job: The job.
            files: What the run claimed.
            seq: Its number.
            parent: The run that met these versions, if this one took it up: newer versions may
                have been met since.
            releases: The same of files of corrected rows, if they waited in a run.
        """
        own = pl.lit(releases or seq, pl.Int64)
        others = pl.lit(parent or seq, pl.Int64)
        rows = _rows(job, files, seq=seq)
        rows = rows.with_columns(met=pl.when(_is("corrected")).then(own).otherwise(others))
        if rows.height:
            self._tenure.forget(_SNAPSHOT)
            self._table.append(rows, writer="files", seq=seq)
            self._table.compact()

    def discard(self, job: str, files: Iterable[ClaimedFile], *, seq: int) -> None:
        """Record that files which waited in run *seq* were dropped; again does no harm."""
        rows = _rows(job, files, seq=seq)
        if rows.height:
            self._tenure.forget(_SNAPSHOT)
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


def _is_test(row: Row) -> bool:
    """Return whether a row of a file was given alone: what is given by hand counts by itself."""
    return row["outcome"] == "tested" and bool(row["etag"])


def _when_met(row: Row) -> tuple[int, int, bool]:
    """Order the rows of a key by when the version was met, as ``LedgerSnapshot.newest`` does."""
    return row["met"] or row["seq"], row["seq"], row["outcome"] == "discarded"


def _is(outcome: str) -> pl.Expr:
    return pl.col("outcome") == outcome


def _rows(job: str, files: Iterable[ClaimedFile], *, seq: int) -> pl.DataFrame:
    return pl.DataFrame([_row(job, file, seq=seq) for file in files], schema=_SCHEMA)


def _row(job: str, file: ClaimedFile, *, seq: int) -> Row:
    return {
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
        "row": file.row,
    }
