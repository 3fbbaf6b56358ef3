"""Held values that are made while a run is sent count only if they are what the run's end says."""

import io
import threading
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from structlog.testing import capture_logs
from support.machine.braze_double import BrazeDouble
from support.machine.bucket_double import BucketDouble, FolderDouble, TableDouble
from support.machine.parts import WHOLE, Connection, Undisturbed, a_row, rendered, the_job

from exchanger.errors import StorageUnreachable
from exchanger.files.scratch.budget import MemoryBudget
from exchanger.jobs.delivery import sender as delivery
from exchanger.jobs.imports import run_import
from exchanger.outside.braze.answers import TrackAnswer
from exchanger.outside.delta.table import DeltaError

PARTS = MemoryBudget(rows=2, room=2_000)
PEOPLE = ("ada", "bob", "cyd", "dan", "eve", "fay")


class Slow(BrazeDouble):
    """Takes a second for each request, and does what a test says about some."""

    def __init__(self, connection, happens):
        super().__init__(connection.workspace, Undisturbed(connection.time))
        self._connection = connection
        self._happens = happens

    async def track(self, body, endpoint, group=""):
        self._connection.time.advance(1)
        self.requests += 1
        told = self._happens(self.requests)
        if told is not None:
            return told
        self.requests -= 1
        return await super().track(body, endpoint)


class Meddled(BucketDouble):
    """
    A bucket in which something else happens beside what this process does.

    Args:
        kept: Called with the key and content of every object that was written.
        table: Makes the tables.
    """

    def __init__(self, connection, kept=lambda *_: None, table=TableDouble):
        super().__init__(connection.store, Undisturbed(connection.time))
        self._kept = kept
        self._table = table

    def write(self, key, body, **conditions):
        etag = super().write(key, body, **conditions)
        self._kept(key, body)
        return etag

    def table(self, prefix):
        return self._table(self._store.folder / prefix, self._process)


@pytest.fixture
def connection(tmp_path, monkeypatch):
    """A connection whose runs are sent in parts of two, and whose held values are made ahead."""
    monkeypatch.setattr(delivery, "WINDOW", 3)
    monkeypatch.setattr(delivery, "OPEN", 1)
    made = Connection(tmp_path, PARTS, the_job(order_by=None, create_missing=True, remaining=True))
    made.context = replace(made.context, braze=lambda: Slow(made, lambda _: None))
    return made


def rows_of_all():
    return rendered(0, [("csv", [a_row(n, tier="gold", total=str(n + 1)) for n in range(6)])])


def run(connection, files=None):
    """Drop files, run, and tell what was logged."""
    for key, body in (files or rows_of_all()).items():
        connection.store.put(key, body)
    with capture_logs() as logs:
        report = run_import(connection.context, "crm", connection.job)
    assert [] == [thread for thread in threading.enumerate() if "held-ahead" in thread.name]
    return report, [entry["event"] for entry in logs]


def data_files(connection):
    """Name the files of the held values: all, and those that were made ahead."""
    folder = Path(connection.state.names.held)
    names = [path.name for path in (connection.store.folder / folder).glob("*.parquet")]
    return names, [name for name in names if name.startswith("ahead-")]


def delivered(connection):
    """Tell the total that is held of each profile, and how many rows say so."""
    rows = connection.state.held._table.scan().filter(~pl.col("observed")).collect()
    return dict(rows.select("profile", "total").iter_rows()), rows


def test_a_large_run_commits_what_was_made_while_it_was_sent(connection):
    """One file of ours and none of the library's, and nothing of it is left on this machine."""
    report, logged = run(connection)
    assert ("succeeded", 6) == (report.state, report.profiles_updated + report.profiles_new)
    names, ours = data_files(connection)
    assert (1, 1) == (len([n for n in names if n in ours]), len(ours))
    assert [] == [event for event in logged if event.startswith("held.")]
    assert [] == list(connection.context.workdir.glob("shelf-*"))


def test_a_small_run_does_not(connection):
    """It would take longer to begin a thread than to make its rows."""
    connection.context = replace(connection.context, bounds=WHOLE, ahead_from=7)
    run(connection)
    assert 0 == len(data_files(connection)[1])
    assert 6 == len(delivered(connection)[0])


def test_rows_are_as_old_as_the_answers_to_their_part(connection):
    """None is older than its own answer, and none is younger than the end of its run."""
    answered = {}

    def note(key, body):
        if "/acks/" in key:
            items = pl.read_parquet(io.BytesIO(body))["@item"]
            connection.time.advance(1)
            answered.update(dict.fromkeys(items, connection.context.clock.now()))

    connection.context = replace(connection.context, bucket=Meddled(connection, note), batch_size=1)
    run(connection)
    document = connection.state.runs.newest().document
    outbox = connection._frame(document.outbox)
    items = dict(outbox.select("@profile", "@item").iter_rows())
    times = dict(delivered(connection)[1].select("profile", "at").iter_rows())
    assert set(items) == set(times)
    ended = datetime.fromisoformat(document.acked_at)
    assert all(answered[items[name]] <= at <= ended for name, at in times.items())
    assert timedelta() == max(at - ended for at in times.values())


@pytest.mark.parametrize("outcome", ["ok", "unknown"])
def test_what_another_process_was_told_counts_as_well(connection, outcome):
    """A part that somebody else has written makes what was prepared worthless, and it goes."""
    refused = TrackAnswer(accepted=True, refused={0: "bad"})
    connection.context = replace(
        connection.context,
        braze=lambda: Slow(connection, lambda nth: refused if nth == 1 else None),
        batch_size=1,
    )

    def by_another(key, body):
        acks = pl.read_parquet(io.BytesIO(body)) if "/acks/" in key else pl.DataFrame()
        bad = acks.filter(pl.col("outcome") == "refused") if acks.height else acks
        if bad.height:
            theirs = bad.with_columns(outcome=pl.lit(outcome), uncertain=pl.lit(value=True))
            written = io.BytesIO()
            theirs.write_parquet(written)
            connection.store.put(f"{key.rsplit('/', 1)[0]}/other.parquet", written.getvalue())

    connection.context = replace(connection.context, bucket=Meddled(connection, by_another))
    _, logged = run(connection)
    expected = outcome == "ok"
    assert expected == ("held.made_again" in logged), "unknown says less than refused"
    assert expected == (not data_files(connection)[1])
    assert (6 if expected else 5) == len(delivered(connection)[0])


def test_refusals_are_taken_as_at_settling(connection):
    """What was refused is not held, what is doubtful is uncertain, and the counts add up."""
    answers = {
        1: TrackAnswer(accepted=True, refused={0: "bad"}),
        3: TrackAnswer(accepted=True, refused={0: "bad"}, uncertain=True),
    }
    connection.context = replace(
        connection.context, braze=lambda: Slow(connection, answers.get), batch_size=1
    )
    report, _ = run(connection)
    assert ("partial", 2) == (report.state, report.profiles_refused)
    assert 1 == len(data_files(connection)[1])
    values, rows = delivered(connection)
    assert (5, 1) == (rows.height, list(values.values()).count("?"))


class FullDisk(TableDouble):
    """A table beside which no file can be put while a run is sent."""

    def __init__(self, folder, process):
        super().__init__(folder, process)
        self._folder = NoRoom(folder, process)


class NoRoom(FolderDouble):
    def upload(self, name):
        raise OSError(28, "No space left on device")


class Late(FolderDouble):
    """A folder into which a file cannot be put any more once it is whole."""

    def upload(self, name):
        upload = super().upload(name)

        def fail(path):
            raise StorageUnreachable("write", "bucket", name)

        upload.finish = fail
        return upload


class LateDisk(FullDisk):
    def __init__(self, folder, process):
        super().__init__(folder, process)
        self._folder = Late(folder, process)


class Uncommitted(TableDouble):
    """A table that takes no files that the library has not written itself."""

    def _name(self, table, files, marks):
        raise DeltaError("it takes no files")


class LostAnswer(TableDouble):
    """A table whose commits take effect, although the store says that they failed."""

    def _name(self, table, files, marks):
        super()._name(table, files, marks)
        raise DeltaError("the answer was lost")


@pytest.mark.parametrize("table", [FullDisk, LateDisk, Uncommitted, LostAnswer])
def test_a_run_does_not_fail_because_nothing_could_be_made_ahead(connection, table):
    """Whatever fails is told in the log, and settling does it all; what took effect stays once."""
    connection.context = replace(connection.context, bucket=Meddled(connection, table=table))
    report, logged = run(connection)
    assert "succeeded" == report.state
    assert (table is LostAnswer) == ("held.not_made_ahead" not in logged)
    values, rows = delivered(connection)
    assert (6, 6) == (len(values), rows.height)


@pytest.mark.parametrize(("waits", "state"), [(True, "partial"), (False, "nothing_to_do")])
def test_who_is_stopped_while_files_wait_does_not_say_that_there_was_nothing(
    connection, waits, state
):
    """Asked to stop before it took anything, a process has done nothing of what there was."""
    connection.context.stopping.set()
    report, _ = run(connection, rows_of_all() if waits else {"other/a.csv": b""})
    assert (state, None) == (report.state, report.seq)

    connection.context.stopping.clear()
    assert ("succeeded" if waits else "nothing_to_do") == run(connection, {"x/y": b""})[0].state


def test_a_process_that_is_asked_to_stop_leaves_nothing(connection):
    """What was made until then goes, on this machine and beside the table; the next run ends it."""
    moments = iter([False, True])

    def stop(_):
        if next(moments, False):
            connection.context.stopping.set()

    connection.context = replace(
        connection.context, braze=lambda: Slow(connection, stop), batch_size=1
    )
    with capture_logs():
        for key, body in rows_of_all().items():
            connection.store.put(key, body)
        report = run_import(connection.context, "crm", connection.job)
    assert "partial" == report.state
    assert [] == [thread for thread in threading.enumerate() if "held-ahead" in thread.name]
    assert [] == data_files(connection)[1]
    assert [] == list(connection.context.workdir.glob("shelf-*"))

    connection.context.stopping.clear()
    run(connection)
    assert 6 == delivered(connection)[1].height
    assert [] == data_files(connection)[1], "of a run that was resumed nothing is made ahead"
