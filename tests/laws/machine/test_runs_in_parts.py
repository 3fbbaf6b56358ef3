"""A run that is read in pieces and planned in parts does what it would do in one."""

import io
import json
import sys
import tempfile
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from braze_double import BrazeDouble, Workspace
from bucket_double import BucketDouble, Store
from processes import ProcessClock, Time

from exchanger.config.models import ImportJob
from exchanger.files.scratch.budget import MemoryBudget
from exchanger.jobs.imports import run_import
from exchanger.jobs.runtime.context import JobContext
from exchanger.state.store import open_state

STATE = "_state/"
WHOLE = MemoryBudget()
FIELDS = {
    "total": {"merge": "sum", "type": "integer"},
    "tags": {"merge": "add", "split": "|"},
    "less": {"merge": "remove", "split": "|"},
    "tier": {"merge": "clear", "type": "string"},
    "source": {"merge": "set_if_empty", "type": "string"},
    "best": {"merge": "highest", "type": "integer"},
}
COLUMNS = ("id", *FIELDS, "extra", "at")
BEFORE = {"ada": {"total": 5, "tags": ["x"], "source": "web"}, "bob": {"best": 4, "less": ["x"]}}


class Undisturbed:
    """A process that nothing happens to."""

    keeper = None
    verb = "run"

    def __init__(self, time):
        self.time = time

    def effect(self, kind, apply, **_):
        return apply()

    def fault(self, kind):
        return None

    def tick(self):
        pass

    def sleep(self, seconds):
        self.time.advance(max(seconds, 0))


class Connection:
    """A bucket, a Braze, and a job that runs within some bounds."""

    def __init__(self, folder, bounds, job):
        self.time = Time()
        self.store = Store(self.time, folder / "tables")
        self.workspace = Workspace(self.time, spacing=0, grace=0)
        self.workspace.profiles = json.loads(json.dumps(BEFORE))
        process = Undisturbed(self.time)
        self.job = job
        self.world = JobContext(
            connection="main",
            bucket=BucketDouble(self.store, process),
            braze=lambda: BrazeDouble(self.workspace, process),
            state_prefix=STATE,
            export_root="segment-export",
            clock=ProcessClock(process),
            workdir=folder,
            batch_size=3,
            spacing=0.0,
            grace=0.0,
            bounds=bounds,
            ahead_from=WHOLE.rows if bounds is WHOLE else 1,
            keep=lambda lease, every: nullcontext(),
        )
        self.state = open_state(self.world.bucket, STATE)

    def run(self, files):
        """Drop files, run, and tell everything that came of it."""
        for key, body in files.items():
            self.store.put(key, body)
            self.time.advance(1)
        report = run_import(self.world, "crm", self.job)
        run = self.state.runs.newest().document
        quarantine = self.store.objects.get(report.quarantine)
        # A run that is held back, as its content was added before, has no objects.
        outbox = self._frame(run.outbox) if run.outbox else pl.DataFrame(schema=NO_OBJECTS)
        return {
            "report": {n: v for n, v in report.to_dict().items() if n != "run_id"},
            "types": run.types,
            "outbox": outbox.drop("@item").sort("@profile").to_dicts(),
            "items": outbox["@item"].to_list(),
            "gifts": self._rows(run.gifts),
            "gave": self._rows(run.gave),
            "quarantine": quarantine.body.decode() if quarantine else "",
            "braze": self.workspace.profiles,
        }

    def planned(self):
        """Tell what the last run planned, object by object."""
        run = self.state.runs.newest().document
        return self._frame(run.outbox).to_dicts() if run.outbox else []

    def use(self, engine):
        """Plan parts elsewhere."""
        self.world = replace(self.world, engine=engine)

    def held(self):
        """Tell what is held of everybody."""
        names = [*FIELDS, "extra"]
        everybody = pl.Series(PROFILES)
        return self.state.held.of(everybody, names).sort("@profile").to_dicts()

    def _frame(self, key):
        return pl.read_parquet(io.BytesIO(self.store.get(key).body))

    def _rows(self, key):
        return sorted(map(str, self._frame(key).to_dicts())) if key else []


NO_OBJECTS = {"@item": pl.UInt32, "@profile": pl.String}
PROFILES = ("ada", "bob", "cyd", "dan", "eve", "fay")
numbers = st.sampled_from(("", "1", "-10", "x", "2.5"))
members = st.sampled_from(("", "x", "y", "x|z"))
widening = st.sampled_from(
    ("", "", "1", "20", "1.5", "0.25", "007", "1e3", "true", "2026-01-02", "2026-01-02T03:04:05Z")
)
lines = st.fixed_dictionaries(
    {
        "id": st.sampled_from((*PROFILES, " ada", "")),
        "total": numbers,
        "tags": members,
        "less": members,
        "tier": st.sampled_from(("", "gold", "iron")),
        "source": st.sampled_from(("", "shop")),
        "best": numbers,
        "extra": widening,
        "at": st.sampled_from(("", "1", "2", "3")),
    }
)
files = st.lists(
    st.tuples(st.sampled_from(("csv", "ragged.csv", "ndjson", "parquet")), st.lists(lines)),
    min_size=1,
    max_size=3,
)
jobs = st.fixed_dictionaries(
    {
        "order_by": st.sampled_from((None, "at")),
        "create_missing": st.booleans(),
        "remaining": st.booleans(),
    }
)


def the_job(order_by, create_missing, remaining):
    """Configure a job with every kind of field."""
    source = {"prefix": "inbox/"} | ({"order_by": order_by} if order_by else {})
    return ImportJob.model_validate(
        {
            "type": "import",
            "source": source,
            "match": [{"external_id": "id"}],
            "create_missing": create_missing,
            "fields": FIELDS,
            "remaining_fields": [{"columns": "extra", "merge": "set"}] if remaining else [],
        }
    )


def rendered(batch, drops):
    """Write files as people do; a ragged one has rows with too many cells."""
    made = {}
    for number, (kind, rows) in enumerate(drops):
        key = f"inbox/{batch}-{number}.{kind}"
        if kind == "ndjson":
            text = "\n".join(map(json.dumps, rows)) + "\nnot json\n"
        elif kind == "parquet":
            body = io.BytesIO()
            pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String)).write_parquet(body)
            made[key] = body.getvalue()
            continue
        else:
            ragged = kind == "ragged.csv"
            body = [
                ",".join(row.values()) + ",?" * (ragged and n % 2) for n, row in enumerate(rows)
            ]
            text = "\n".join((",".join(COLUMNS), *body)) + "\n"
        made[key] = text.encode()
    return made


def check(bounds, job, batches):
    """Run the same drops in one and in many, and compare all that came of them."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as many:
        whole = Connection(Path(one), WHOLE, job)
        parted = Connection(Path(many), bounds, job)
        for number, drops in enumerate(batches):
            content = rendered(number, drops)
            expected, found = whole.run(content), parted.run(content)
            assert expected == found
            assert expected["items"] == list(range(len(expected["items"])))
        assert whole.held() == parted.held()


@pytest.mark.long(18)
@seed(20260915)
@settings(
    max_examples=12,
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


def a_row(number, **cells):
    """Make a row that is fine."""
    plain = dict.fromkeys(COLUMNS, "") | {"id": PROFILES[number % 6], "total": "1", "at": "1"}
    return plain | cells


@pytest.mark.parametrize("kind", ["csv", "ndjson", "parquet"])
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


class Watched(BucketDouble):
    """A bucket that remembers what was downloaded."""

    def download(self, key, etag, path):
        self.downloaded = [*getattr(self, "downloaded", ()), key]
        return super().download(key, etag, path)


@pytest.mark.parametrize("bounds", [WHOLE, MemoryBudget(rows=2, room=0)])
def test_a_process_ends_a_run_with_the_plan_that_it_has(tmp_path, bounds):
    """What it wrote for whoever takes over is not downloaded again, and does not stay here."""
    job = the_job(order_by="at", create_missing=True, remaining=True)
    connection = Connection(tmp_path, bounds, job)
    bucket = Watched(connection.store, Undisturbed(connection.time))
    connection.world = replace(connection.world, bucket=bucket)
    rows = [a_row(n, tags="x", tier="gold") for n in range(8)] + [a_row(8, total="x")]
    connection.run(rendered(0, [("csv", rows)]))
    assert ["inbox/0-0.csv"] == [key for key in bucket.downloaded if "-orders" not in key]
    assert [] == list(tmp_path.glob("left-*"))


class StopIn:
    """Asks a process to stop as soon as the first unit of a step is done."""

    def __init__(self, step):
        self.step_to_stop_in = step
        self.current = ""
        self.units = 0
        self.stopping = None

    def step(self, what, total=None):
        self.current = what

    def advance(self, units):
        if self.current == self.step_to_stop_in:
            self.units += units
            self.stopping.set()


@pytest.mark.parametrize("step", ["reading files", "planning"])
def test_a_stop_before_a_plan_counts_claims_nothing(tmp_path, step):
    """Between two files or two parts it ends as done in part; the next run takes everything."""
    job = the_job(order_by="at", create_missing=True, remaining=True)
    connection = Connection(tmp_path, MemoryBudget(rows=1, room=0), job)
    progress = StopIn(step)
    progress.stopping = connection.world.stopping
    connection.world = replace(connection.world, progress=progress)
    rows = [a_row(n, id=PROFILES[n], total="1") for n in range(6)]
    for key, body in rendered(0, [("csv", rows[:3]), ("csv", rows[3:])]).items():
        connection.store.put(key, body)
    report = run_import(connection.world, "crm", job)
    assert ("partial", 4, 1) == (report.state, report.exit_code, progress.units)
    assert connection.state.runs.newest() is None
    assert [] == [key for key in connection.store.objects if "outbox" in key]
    assert BEFORE == connection.workspace.profiles
    connection.world.stopping.clear()
    progress.step_to_stop_in = ""
    assert 6 == connection.run({})["report"]["rows_applied"]
