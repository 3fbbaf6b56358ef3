"""What a run needs of a Dask cluster, tried with a scheduler and workers of their own processes."""

import gc
import io
import logging
import os
import platform
import signal
import socket
import tempfile
import threading
from collections import Counter
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import dask
import polars as pl
import pytest
from distributed import LocalCluster
from hypothesis import HealthCheck, Phase, given, settings
from polars.testing import assert_frame_equal
from structlog.testing import capture_logs
from support.drawn_parts import runs
from support.machine.parts import Connection, a_row, rendered, the_job

from exchanger.app.wiring import open_context
from exchanger.config.loading.load import read_config
from exchanger.errors import EngineDiffers, EngineGaveUp, EngineSilent, EngineUnreachable, Stopped
from exchanger.files.scratch.budget import MemoryBudget
from exchanger.jobs.runtime.executor import LocalExecutor, in_order
from exchanger.outside import dask_engine as dask_cluster
from exchanger.outside.dask_engine import dask_engine
from exchanger.profiles.planning.part import plan_part

pytestmark = pytest.mark.long(33, together=True)
ROWS = 240
EXAMPLES = 15
AT_NIGHT = 500


def local(**settings):
    """Start a cluster on this machine that nobody else can reach."""
    return LocalCluster(
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        memory_limit=0,
        **settings,
    )


@pytest.fixture(autouse=True)
def _no_client_is_left():
    """
    End clients that could not connect, before another loop begins.

    Their end waits for a lock that is held while a loop begins: where garbage is collected in the
    thread of that loop, it would wait for itself until Dask gives up after 10 seconds.
    """
    gc.collect()


@pytest.fixture(scope="module")
def cluster():
    """Two workers with a thread each; one that dies is replaced."""
    settings = {
        "distributed.scheduler.allowed-failures": 1,
        # A worker that takes longer to begin anew is given up for good, as a busy machine may.
        "distributed.deploy.lost-worker-timeout": "5m",
        "distributed.worker.profile.enabled": False,
    }
    with dask.config.set(settings), local(n_workers=2) as cluster:
        yield cluster


@pytest.fixture
def address(cluster):
    cluster.wait_for_workers(2, timeout=120)
    return cluster.scheduler_address


def opened(address, stopping=None):
    return dask_engine(address, stopping or threading.Event())


def endless():
    """Make work that ends once a file is there; made here, so that it travels by value."""

    def work(path):
        wait = threading.Event().wait
        while not path.exists():
            wait(0.01)

    return work


class Recording:
    """The engine itself, of which a test keeps the shares, and may change the work."""

    def __init__(self, address, change=lambda function: function):
        self.address = address
        self.change = change
        self.most = 0
        self.under_way = 0

    @contextmanager
    def __call__(self):
        with opened(self.address) as self.engine:
            yield self

    @property
    def ahead(self):
        return self.engine.ahead

    def submit(self, function, part):
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        work = self.engine.submit(self.change(function), part)
        return Counted(self, work)


class Counted:
    """Work that says when it is fetched."""

    def __init__(self, recording, work):
        self.recording, self.work = recording, work

    def result(self):
        self.recording.under_way -= 1
        return self.work.result()


def came_of(engine, *, kinds=("csv", "ndjson", "parquet")):
    """Run two batches of files with every kind of field, and tell everything that came of it."""
    rows = [a_row(n, id=f"p{n % 97}", tags="x" if n % 5 else "y") for n in range(ROWS)]
    rows += [a_row(0, total="x"), a_row(1, id=""), a_row(2, extra="1.25"), a_row(3, at="9")]
    job = the_job(order_by="at", create_missing=True, remaining=True)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        connection = Connection(Path(folder), MemoryBudget(rows=40, room=0), job)
        if engine is not None:
            connection.use(engine)
        for number, some in enumerate((rows, rows[::-1])):
            found.append(connection.run(rendered(number, [(kind, some) for kind in kinds])))
            found.append(connection.planned())
        return found, connection.held()


@pytest.fixture(scope="module")
def expected():
    """What comes of it in this process."""
    return came_of(None)


def test_a_cluster_decides_as_this_process_does(address, expected):
    """Reports, outbox, contributions, quarantine, Braze and held values are equal to the byte."""
    recording = Recording(address)

    assert expected == came_of(recording)
    assert len(recording.engine.shares) == 2, "both workers have planned parts"
    assert recording.engine.ahead == recording.most == 3, "no more is in memory than room is for"


@pytest.mark.parametrize("examples", [EXAMPLES, pytest.param(AT_NIGHT, marks=pytest.mark.nightly)])
def test_whatever_is_to_be_planned_is_planned_alike(address, examples):
    """Of any rows, rules, held values and orders a cluster makes the plans that are made here."""
    seen = Counter()

    @settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],  # Shrinking takes minutes, as for the merge laws.
        suppress_health_check=list(HealthCheck),
    )
    @given(runs())
    def law(run):
        planned = partial(plan_part, terms=run.terms)
        expected = list(in_order(LocalExecutor(), planned, run.parts))
        found = list(in_order(engine, planned, run.parts))
        assert [parts_of(plan) for plan in expected] == [parts_of(plan) for plan in found]
        for one, other in zip(expected, found, strict=True):
            for name, frame in frames_of(one).items():
                assert_frame_equal(frame, frames_of(other)[name], check_exact=True)
                seen[name] += frame.height

    with opened(address) as engine:
        law()
        assert 2 == len(engine.shares), "both workers have planned parts"
    assert {"outbox", "contributions", "rejected", "event_order"} == set(+seen), (
        "none was always empty"
    )


def frames_of(plan):
    """Tell the frames of a plan by their names."""
    return {name: value for name, value in vars(plan).items() if isinstance(value, pl.DataFrame)}


def parts_of(plan):
    """Tell what a plan has besides its frames, and which frames it has."""
    return {
        name: type(value) if isinstance(value, pl.DataFrame) else value
        for name, value in vars(plan).items()
    }


def test_a_worker_that_is_killed_changes_nothing(address, expected, tmp_path):
    """A worker dies of SIGKILL with a part in hand; another plans it, and all is the same."""
    died = tmp_path / "died"

    def dying(function):
        def once(part):
            try:
                died.touch(exist_ok=False)
            except FileExistsError:
                return function(part)
            return os.kill(os.getpid(), signal.SIGKILL)

        return once

    assert expected == came_of(Recording(address, dying))
    assert died.exists()


def test_a_part_that_loses_every_worker_ends_the_run(address):
    """What kills whoever works on it is given up after a few workers, as a typed error."""

    def fatal(_):
        os.kill(os.getpid(), signal.SIGKILL)

    with opened(address) as engine, pytest.raises(EngineGaveUp) as caught:
        list(in_order(engine, fatal, [1]))
    assert (address, 2) == (caught.value.address, caught.value.workers)


def test_an_error_of_the_work_is_its_own(address):
    """What goes wrong in the work is raised as it would be here."""
    with opened(address) as engine, pytest.raises(ZeroDivisionError):
        list(in_order(engine, lambda part: 1 // part, [1, 0]))


@pytest.mark.nightly
def test_a_scheduler_that_is_lost_ends_the_run(tmp_path):
    """Whoever waits for work is told that the connection is gone, and does not wait on."""
    over = tmp_path / "over"
    with (
        local(n_workers=1, processes=False, protocol="tcp://") as lost,
        opened(lost.scheduler_address) as engine,
    ):
        work = engine.submit(endless(), over)
        closing = threading.Thread(target=lost.sync, args=(lost.scheduler.close,))
        closing.start()
        with pytest.raises(EngineUnreachable):
            work.result()
        over.touch()
        closing.join()


def test_whoever_asks_to_stop_does_not_wait_for_the_cluster(address, tmp_path):
    """A part that takes long does not hold up the end of the process."""
    stopping = threading.Event()
    over = tmp_path / "over"

    with opened(address, stopping) as engine:
        work = engine.submit(endless(), over)
        stopping.set()
        with pytest.raises(Stopped):
            work.result()
    over.touch()


def test_what_dask_says_is_in_our_log(address, monkeypatch):
    """Whoever reads the log as JSON can read every line of it, whichever logger has a handler."""
    printed, client = io.StringIO(), logging.getLogger("distributed.client")
    monkeypatch.setattr(client, "handlers", [logging.StreamHandler(printed)])
    monkeypatch.setattr(client, "propagate", False)
    with opened(address), capture_logs() as logs:
        client.warning("Couldn't gather %d keys", 1)

    assert not printed.getvalue()
    assert {
        "event": "engine.said",
        "said": "Couldn't gather 1 keys",
        "by": "distributed.client",
        "log_level": "warning",
    } in logs


def test_a_part_that_never_comes_back_ends_the_run(address, monkeypatch, tmp_path):
    """A worker that is there, and does nothing, holds up a run for so long and no longer."""
    monkeypatch.setattr(dask_cluster, "PART_MINUTES", 0.01)
    over = tmp_path / "over"

    with opened(address) as engine:
        work = engine.submit(endless(), over)
        with pytest.raises(EngineSilent) as error:
            work.result()
    over.touch()
    assert (6, True) == (error.value.exit_code, error.value.retryable)


def test_another_version_there_is_told_in_facts(address, monkeypatch):
    """A cluster with another version is not used, and both versions are named."""
    real = dask_cluster._versions()
    monkeypatch.setattr(dask_cluster, "_versions", lambda: real | {"braze-s3-exchanger": "9.9"})

    with pytest.raises(EngineDiffers) as caught, opened(address):
        pass
    assert (real["braze-s3-exchanger"], "9.9") == (
        caught.value.theirs["braze-s3-exchanger"],
        caught.value.ours["braze-s3-exchanger"],
    )


def test_a_worker_that_joins_with_another_version_is_not_trusted(address, monkeypatch):
    """Versions go with the work, so that a worker which was not there at first cannot decide."""
    with opened(address) as engine:
        real = dask_cluster._versions()
        monkeypatch.setattr(dask_cluster, "_versions", lambda: real | {"polars": "9.9"})
        with pytest.raises(EngineDiffers):
            engine.submit(len, "abc").result()


@pytest.mark.parametrize(
    ("profiled", "safe_since", "warned"),
    [(True, (99, 0), 1), (True, (3, 0), 0), (False, (99, 0), 0)],
)
def test_workers_that_may_stand_still_are_named(profiled, safe_since, warned, monkeypatch):
    """Dask's profiler under a Python that it can bring to a standstill: who, and what to do."""
    monkeypatch.setattr(dask_cluster, "PROFILED_SAFELY", safe_since)
    with (
        dask.config.set({"distributed.worker.profile.enabled": profiled}),
        local(n_workers=1, processes=False, protocol="tcp://") as cluster,
        capture_logs() as logs,
        opened(cluster.scheduler_address),
    ):
        pass
    told = [line for line in logs if line["event"] == "engine.may_stand_still"]
    assert [[platform.python_version()]] * warned == [[*line["workers"].values()] for line in told]


def test_a_scheduler_that_does_not_answer(monkeypatch):
    """Nobody listens: the run ends with a typed error, soon."""
    monkeypatch.setattr(dask_cluster, "ANSWER_SECONDS", 0.3)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(EngineUnreachable), opened(address):
        pass


def test_a_tls_address_without_certificates_is_refused_by_dask():
    """TLS is Dask's own: without its configuration there is a typed error, not a traceback."""
    with pytest.raises(EngineUnreachable), opened("tls://127.0.0.1:1"):
        pass


def test_a_scheduler_without_workers(monkeypatch):
    """A run does not wait for ever for somebody to work on it."""
    monkeypatch.setattr(dask_cluster, "ANSWER_SECONDS", 1.0)
    with (
        local(n_workers=0) as empty,
        pytest.raises(EngineUnreachable) as caught,
        opened(empty.scheduler_address),
    ):
        pass
    assert "it has no worker" == caught.value.detail


CONFIG = """
engine: {dask: "%s"}
connections:
  main:
    braze: {endpoint: iad-01, api_key: "${KEY}"}
    s3: {bucket: acme, region: eu-west-1}
"""


def test_the_configuration_chooses_the_cluster(address):
    """A context that was built for such a configuration has its work done there."""
    config = read_config(CONFIG % address, {"KEY": "dummy"})
    with open_context(config, "main") as context, context.engine() as engine:
        assert os.getpid() != engine.submit(lambda _: os.getpid(), None).result()
