"""Runs of a connection in pieces and parts, and all that comes of them."""

import io
import json
import tempfile
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import polars as pl
from hypothesis import strategies as st

from exchanger.files.scratch.budget import MemoryBudget
from exchanger.jobs.imports import run_import
from exchanger.state.store import open_state
from support.contexts import job_context
from support.jobs import import_model
from support.machine.braze_double import BrazeDouble, Workspace
from support.machine.bucket_double import BucketDouble, Store
from support.machine.processes import ProcessClock, Time

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
        self.context = job_context(
            BucketDouble(self.store, process),
            lambda: BrazeDouble(self.workspace, process),
            folder,
            state_prefix=STATE,
            clock=ProcessClock(process),
            batch_size=3,
            spacing=0.0,
            grace=0.0,
            bounds=bounds,
            ahead_from=WHOLE.rows if bounds is WHOLE else 1,
            keep=lambda lease, every: nullcontext(),
        )
        self.state = open_state(self.context.bucket, STATE)

    def run(self, files):
        """Drop files, run, and tell everything that came of it."""
        for key, body in files.items():
            self.store.put(key, body)
            self.time.advance(1)
        report = run_import(self.context, "crm", self.job)
        run = self.state.runs.newest().document
        quarantine = self.store.objects.get(report.quarantine)
        # A run that is held back, as its content was added before, has no objects.
        outbox = self._frame(run.outbox) if run.outbox else pl.DataFrame(schema=NO_OBJECTS)
        return {
            "report": {n: v for n, v in report.to_dict().items() if n != "run_id"},
            "types": run.types,
            "outbox": outbox.drop("@item").sort("@profile").to_dicts(),
            "items": outbox["@item"].to_list(),
            "contributions": self._rows(run.contributions),
            "gave": self._rows(run.settled_contributions),
            "quarantine": quarantine.body.decode() if quarantine else "",
            "braze": self.workspace.profiles,
        }

    def planned(self):
        """Tell what the last run planned, object by object."""
        run = self.state.runs.newest().document
        return self._frame(run.outbox).to_dicts() if run.outbox else []

    def use(self, engine):
        """Plan parts elsewhere."""
        self.context = replace(self.context, engine=engine)

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
    return import_model(
        source=source,
        create_missing=create_missing,
        fields=FIELDS,
        remaining_fields=[{"columns": "extra", "merge": "set"}] if remaining else [],
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


def a_row(number, **cells):
    """Make a row that is fine."""
    plain = dict.fromkeys(COLUMNS, "") | {"id": PROFILES[number % 6], "total": "1", "at": "1"}
    return plain | cells


class Watched(BucketDouble):
    """A bucket that remembers what was downloaded."""

    def download(self, key, etag, path):
        self.downloaded = [*getattr(self, "downloaded", ()), key]
        return super().download(key, etag, path)


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
