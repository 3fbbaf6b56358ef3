"""Rows that are prepared beside a table count once, when they are named, and are unseen before."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from itertools import count

import polars as pl
import pytest

from exchanger.errors import StorageError
from exchanger.outside.delta.folders import BucketFolder, LocalFolder
from exchanger.outside.delta.staged_files import TableFiles
from exchanger.outside.delta.table import MANY_FILES, Table
from exchanger.state.held.table import HeldValues, PreparedRows
from exchanger.state.names import StateNames

AT = datetime(2026, 9, 15, 10, tzinfo=UTC)
LATER = AT + timedelta(minutes=5)
PREFIX = StateNames("_exchanger/main/").held
NAMES = [f"p{n}" for n in range(40)]


class Overtaken(Table):
    """A table of which something happens right before its first commits of columns, or of files."""

    def __init__(self, bucket, *, columns=(), files=()):
        folder = BucketFolder(bucket, PREFIX)
        super().__init__(f"s3://{bucket.name}/{PREFIX}", bucket.storage_options, folder=folder)
        self._before_columns = iter(columns)
        self._before_files = iter(files)

    def _widen(self, table, files):
        next(self._before_columns, lambda: None)()
        return super()._widen(table, files)

    def _name(self, table, files, marks):
        next(self._before_files, lambda: None)()
        super()._name(table, files, marks)


@pytest.fixture
def path(tmp_path):
    numbers = count()
    return lambda: tmp_path / f"file-{next(numbers)}"


@pytest.fixture
def table(bucket):
    return bucket.table(PREFIX)


def said(*profiles, **fields):
    cells = {"@profile": list(profiles), "@exists": [True] * len(profiles)}
    return pl.DataFrame(cells | {name: [text] * len(profiles) for name, text in fields.items()})


def prepared(table, path, seq, *frames, at=AT):
    rows = HeldValues(table).prepare(path, seq=seq)
    for frame in frames:
        rows.add(frame, at=at)
    return rows


def held(table, *fields, profiles=NAMES):
    """Read what is held of each profile, and count the rows that say so."""
    rows = table.scan()
    number = 0 if rows is None else rows.select(pl.len()).collect().item()
    found = HeldValues(table).history_of(pl.Series("@profile", profiles), fields)
    return number, {row[0]: row[1:] for row in found.select("@profile", *fields).iter_rows()}


@pytest.mark.parametrize("is_first", [True, False])
def test_prepared_rows_are_seen_when_they_are_recorded(bucket, table, path, is_first):
    """Whether they begin the table or follow others; and columns that it lacks come in."""
    before = {} if is_first else {"a": (None, '"iron"')}
    if not is_first:
        HeldValues(table).deliver(said("a", tier='"iron"'), seq=1, at=AT)
    rows = prepared(table, path, 2, said("b", points="1"), said("c", points="2"))
    rows.files.finish()
    assert (len(before), before) == held(table, "points", "tier", profiles=["a", "b", "c"])

    HeldValues(bucket.table(PREFIX)).deliver_prepared(rows)
    expected = before | {"b": ("1", None), "c": ("2", None)}
    assert (len(expected), expected) == held(table, "points", "tier", profiles=["a", "b", "c"])


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("new_column", [True, False])
@pytest.mark.parametrize("other", ["prepared", "delivered"])
def test_of_two_processes_that_record_a_run_one_does(bucket, path, is_first, new_column, other):
    """However close they come: before this one looks, or between its look and its commit."""
    table = bucket.table(PREFIX)
    field = "points" if new_column else "tier"
    if not is_first:
        HeldValues(table).deliver(said("a", tier="0"), seq=1, at=AT)
    frame = said("b", "c", **{field: "1"})

    def by_another():
        values = HeldValues(bucket.table(PREFIX))
        if other == "prepared":
            values.deliver_prepared(prepared(bucket.table(PREFIX), path, 2, frame))
        else:
            values.deliver(frame, seq=2, at=LATER)

    slow = Overtaken(bucket, files=[by_another])
    HeldValues(slow).deliver_prepared(prepared(slow, path, 2, frame))
    late = bucket.table(PREFIX)
    HeldValues(late).deliver_prepared(prepared(late, path, 2, frame))
    HeldValues(late).deliver(frame, seq=2, at=LATER)

    expected = {"b": ("1",), "c": ("1",)}
    assert (3 - is_first, expected) == held(table, field, profiles=["b", "c"])


def test_others_may_write_meanwhile(bucket, table, path):
    """An observation that comes between look and commit is kept, and a new column of it too."""
    HeldValues(table).deliver(said("a", tier="0"), seq=1, at=AT)

    def observed():
        HeldValues(bucket.table(PREFIX)).observe(said("d", seen="9"), stamp=1, at=AT)

    slow = Overtaken(bucket, columns=[observed], files=[observed])
    HeldValues(slow).deliver_prepared(prepared(slow, path, 2, said("b", points="1")))
    rows, values = held(table, "tier", "points", "seen", profiles=["a", "b", "d"])
    assert {"a": ("0", None, None), "b": (None, "1", None), "d": (None, None, "9")} == values
    assert 4 == rows, "what was observed twice is there twice"


def test_a_run_is_recorded_once_although_columns_were_added_meanwhile(bucket, table, path):
    """Adding columns takes no notice of who recorded the run since, so it is looked at again."""
    HeldValues(table).deliver(said("a", tier="0"), seq=1, at=AT)

    def by_another():
        HeldValues(bucket.table(PREFIX)).deliver(said("b", tier="1"), seq=2, at=AT)

    slow = Overtaken(bucket, columns=[by_another])
    HeldValues(slow).deliver_prepared(prepared(slow, path, 2, said("b", points="1")))
    assert (2, {"b": ("1", None)}) == held(table, "tier", "points", profiles=["b"])


def test_without_rows_nothing_is_recorded(bucket, table, path):
    """No file, no table and no mark come of a run of which nothing is known."""
    rows = prepared(table, path, 1, said("a", tier="0").clear())
    HeldValues(table).deliver_prepared(rows)
    rows.drop()
    assert [] == list(bucket.list(PREFIX))
    HeldValues(table).deliver(said("p1", tier="1"), seq=1, at=AT)
    assert (1, {"p1": ("1",)}) == held(table, "tier")


@pytest.mark.parametrize("file_size", [1, 100 << 20])
def test_what_is_dropped_leaves_nothing(bucket, path, tmp_path, file_size):
    """Neither files that were sent already, nor one under construction, in S3 or here."""
    files = TableFiles(BucketFolder(bucket, PREFIX), path, file_size=file_size)
    rows = PreparedRows(files, 1)
    for name in NAMES[:3]:
        rows.add(said(name, tier="0"), at=AT)
    assert (3 if file_size == 1 else 0) == len(list(bucket.list(PREFIX)))

    rows.drop()
    assert [] == list(bucket.list(PREFIX))
    assert [] == list(tmp_path.glob("file-*"))


def test_what_may_have_been_recorded_is_not_dropped(table, path):
    """A process that cannot tell whether its commit took effect leaves the files alone."""
    HeldValues(table).deliver(said("a", tier="0"), seq=1, at=AT)
    rows = prepared(table, path, 2, said("b", tier="1"))
    HeldValues(table).deliver_prepared(rows)
    rows.drop()
    assert (2, {"a": ("0",), "b": ("1",)}) == held(table, "tier", profiles=["a", "b"])


def test_what_cannot_be_stored_records_nothing(bucket, table, path):
    """A store that fails is told of, and the other way is open."""

    class Failing(LocalFolder):
        def upload(self, name):
            raise StorageError("write", bucket.name, name)

    rows = PreparedRows(TableFiles(Failing(path()), path), 1)
    with pytest.raises(StorageError):
        rows.add(said("a", tier="0"), at=AT)
    rows.drop()
    HeldValues(table).deliver(said("a", tier="0"), seq=1, at=AT)
    assert (1, {"a": ("0",)}) == held(table, "tier", profiles=["a"])


def test_prepared_files_are_like_the_librarys_own(bucket, table, path):
    """Columns have the same types, and files tell their rows and slices to who leaves them out."""
    frame = said(*NAMES, tier='"x"', points=None).with_columns(pl.col("points").cast(pl.String))
    HeldValues(table).deliver(frame, seq=1, at=AT)
    other = bucket.table("other/")
    HeldValues(other).deliver_prepared(prepared(other, path, 1, frame.head(10), frame.tail(30)))

    own, ours = table.open(), other.open()
    assert own.schema() == ours.schema()
    assert own.metadata().configuration == ours.metadata().configuration
    told = ["num_records", "min.slice", "max.slice", "null_count.slice"]
    numbers = [
        pl.DataFrame(t.get_add_actions(flatten=True)).select(told).rows() for t in (own, ours)
    ]
    assert numbers[0] == numbers[1]
    assert table.scan().collect_schema() == other.scan().collect_schema()
    columns = ("slice", "profile", "tier")
    read = [t.scan().sort("profile").select(columns).collect().rows() for t in (table, other)]
    assert read[0] == read[1]


def test_all_that_is_done_to_a_table_works_over_prepared_files(tmp_path, path):
    """Reading by slice, sampling, folding, joining small files and checkpoints: nothing is lost."""
    table = Table(str(tmp_path / "held"), {})
    values = HeldValues(table, rows_at_once=8)
    runs = MANY_FILES + 2
    for seq in range(1, runs + 1):
        files = TableFiles(LocalFolder(tmp_path / "held"), path, file_size=1)
        rows = PreparedRows(files, seq)
        rows.add(said(*NAMES[: seq % 7 + 1], tier=f"{seq}"), at=AT)
        rows.add(said(*NAMES[20:22], tier="?"), at=AT)
        values.deliver_prepared(rows)
    expected = values.history_of(pl.Series(NAMES), ["tier"]).sort("@profile").to_dicts()
    assert 2 * runs == table.size().files

    table.compact()
    assert 1 == table.size().files
    assert expected == values.history_of(pl.Series(NAMES), ["tier"]).sort("@profile").to_dicts()
    assert values.fold(lambda: None)
    parts = [values.between(first, end, ["tier"]) for first, end in values.slices()]
    assert expected == pl.concat(parts).sort("@profile").to_dicts()
    assert {"p0", "p1"} <= set(values.sample(["tier"], 99, 1))


def test_files_that_were_never_named_are_swept_one_day(tmp_path, path):
    """A process that died before its commit leaves litter for some days; what is named stays."""
    folder = tmp_path / "held"
    table = Table(str(folder), {})
    values = HeldValues(table)
    litter = prepared(table, path, 1, said("a", tier="0"))
    litter.files.finish()
    [lost] = folder.glob("*.parquet")
    values.deliver_prepared(prepared(table, path, 1, said("a", tier="1")))
    for file in folder.glob("*.parquet"):
        os.utime(file, (0, 0))
    young = prepared(table, path, 2, said("a", tier="2"))
    young.files.finish()
    for seq in range(2, MANY_FILES + 2):
        values.deliver(said("b", tier=f"{seq}"), seq=seq, at=AT)
    assert lost.exists()
    table.compact()
    assert not lost.exists()
    assert {"a": ("1",), "b": (f"{MANY_FILES + 1}",)} == held(table, "tier", profiles=["a", "b"])[1]
    assert 1 == len([*folder.glob(f"ahead-{young.files._nonce}-*")]), "it may yet be named"
