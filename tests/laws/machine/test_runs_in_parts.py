"""A run that is read in pieces and planned in parts does what it would do in one."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from support.machine.parts import (
    BEFORE,
    PROFILES,
    WHOLE,
    Connection,
    StopIn,
    Undisturbed,
    Watched,
    a_row,
    check,
    files,
    jobs,
    rendered,
    the_job,
)

from exchanger.files.scratch.budget import MemoryBudget
from exchanger.jobs.imports import run_import

NIGHTLY = pytest.mark.nightly
FORMATS = ("ndjson", "parquet")


@pytest.mark.long(18)
@seed(20260915)
@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(
    rows=st.integers(1, 5),
    size=st.sampled_from((500, 1 << 20)),
    room=st.sampled_from((0, 3_000, 1 << 20)),
    job=jobs,
    batches=st.lists(files, min_size=1, max_size=2),
)
def test_pieces_and_parts_change_nothing(rows, size, room, job, batches):
    """
    Whatever the files hold, a run in pieces of a few rows does what a run in one piece does.

    Types widen in late pieces, profiles come in many pieces, rows are rejected in several.
    """
    check(MemoryBudget(rows=rows, size=size, room=room), the_job(**job), batches)


@NIGHTLY
@pytest.mark.parametrize("kind", ["csv", *FORMATS])
def test_a_file_of_many_pieces(kind):
    """Hundreds of rows in pieces of seven: a late cell settles the type, late rows are rejected."""
    rows = [a_row(n, extra=str(n), tags="x" if n % 5 else "y") for n in range(300)]
    rows += [a_row(300, extra="1.25"), a_row(301, total="x"), a_row(302, id=""), a_row(303)]
    job = the_job(order_by="at", create_missing=True, remaining=True)

    check(MemoryBudget(rows=7, size=2_000, room=0), job, [[(kind, rows)], [(kind, rows[::-1])]])


def test_late_rows_in_some_parts():
    """Rows that come late, of different fields and only in some parts, are told of once a file."""
    job = the_job(order_by="at", create_missing=True, remaining=False)
    newer = [a_row(n, at="3", tier="gold", source="shop") for n in range(6)]
    older = [a_row(0, tier="iron"), a_row(1, source="web"), a_row(2, at="3", tier="iron"), a_row(9)]

    check(
        MemoryBudget(rows=1, room=0), job, [[("csv", newer)], [("csv", older), ("csv", older[:1])]]
    )


@pytest.mark.parametrize("bounds", [WHOLE, MemoryBudget(rows=2, room=0)])
def test_a_process_ends_a_run_with_the_plan_that_it_has(tmp_path, bounds):
    """What it wrote for whoever takes over is not downloaded again, and does not stay here."""
    job = the_job(order_by="at", create_missing=True, remaining=True)
    connection = Connection(tmp_path, bounds, job)
    bucket = Watched(connection.store, Undisturbed(connection.time))
    connection.context = replace(connection.context, bucket=bucket)
    rows = [a_row(n, tags="x", tier="gold") for n in range(8)] + [a_row(8, total="x")]
    connection.run(rendered(0, [("csv", rows)]))
    assert ["inbox/0-0.csv"] == [key for key in bucket.downloaded if "-event-order" not in key]
    assert [] == list(tmp_path.glob("left-*"))


@pytest.mark.parametrize("step", ["reading files", "planning"])
def test_a_stop_before_a_plan_counts_claims_nothing(tmp_path, step):
    """Between two files or two parts it ends as done in part; the next run takes everything."""
    job = the_job(order_by="at", create_missing=True, remaining=True)
    connection = Connection(tmp_path, MemoryBudget(rows=1, room=0), job)
    progress = StopIn(step)
    progress.stopping = connection.context.stopping
    connection.context = replace(connection.context, progress=progress)
    rows = [a_row(n, id=PROFILES[n], total="1") for n in range(6)]
    for key, body in rendered(0, [("csv", rows[:3]), ("csv", rows[3:])]).items():
        connection.store.put(key, body)
    report = run_import(connection.context, "crm", job)
    assert ("partial", 4, 1) == (report.state, report.exit_code, progress.units)
    assert connection.state.runs.newest() is None
    assert [] == [key for key in connection.store.objects if "outbox" in key]
    assert BEFORE == connection.workspace.profiles
    connection.context.stopping.clear()
    progress.step_to_stop_in = ""
    assert 6 == connection.run({})["report"]["rows_applied"]
