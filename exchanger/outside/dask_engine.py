"""
A Dask cluster, reached through its scheduler.

Only functions and what they work on travel there, as bytes: no settings, no keys. Each piece of
work says what it was done with, as two versions of this program or of polars may decide otherwise.
"""

from __future__ import annotations

import logging
import platform
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from typing import Any, Generic, TypeVar

import dask
import structlog
from distributed import Client, KilledWorker, get_worker
from distributed.protocol.pickle import dumps, loads

from exchanger.errors import EngineDiffers, EngineGaveUp, EngineSilent, EngineUnreachable, Stopped

Part = TypeVar("Part")
Made = TypeVar("Made")

ANSWER_SECONDS = 10.0
"""How long the scheduler has to answer, and a first worker to be there."""
NO_WORKER_SECONDS = 60.0
"""How long a run goes on without any worker: one that was killed is mostly replaced."""
PART_MINUTES = 30.0
"""How long a run waits for one part, which takes seconds, or with lists a minute: a worker may be
alive and never answer."""
MOST_AHEAD = 8
"""Parts under way at most, however many workers there are: each is in memory here, too."""

_OURSELVES = "braze-s3-exchanger"
"""The name of our distribution, as `setup.py` gives it."""
_PACKAGES = (_OURSELVES, "polars")
"""Of which everybody must have the same version."""
PROFILED_SAFELY = (3, 12)
"""Dask's profiler may make workers of an earlier Python stand still for ever: it looks at the
frames of threads, and if garbage is collected meanwhile while another thread ends, both wait for
each other (python/cpython issue 106883)."""
_LOOK = 0.5
_LOOK_FOR_WORKERS = 5.0
_log = structlog.get_logger()


@contextmanager
def dask_engine(address: str, stopping: threading.Event) -> Iterator[DaskEngine]:
    """
    Connect to a cluster; whatever is under way when the context closes is dropped.

    Args:
        address: Of its scheduler: ``tcp://HOST:PORT``, or ``tls://`` with the certificates that
            Dask's own configuration names.
        stopping: Set when the process is asked to stop.

    Raises:
        EngineUnreachable: The scheduler does not answer, or it has no worker.
        EngineDiffers: Its versions are not ours.
    """
    # Parts are as large as they are on purpose, and are counted in MOST_AHEAD.
    with (
        dask.config.set({"distributed.admin.large-graph-warning-threshold": "4 GiB"}),
        _connected(address) as client,
    ):
        _check_versions(address, client)
        _warn_of_profilers(client)
        engine = DaskEngine(address, client, stopping)
        yield engine
        if engine.shares:
            _log.info("parts.planned", engine=address, parts=dict(engine.shares))


_LOGGERS = ("distributed", "distributed.client", "distributed.gc", "tornado", "tornado.application")
"""To these Dask gives a handler each that prints, unless its configuration says otherwise."""


class _IntoOurLog(logging.Handler):
    """Takes what Dask has to say into our log, which may be read by a program."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log it, as loud as it was meant."""
        _log.log(record.levelno, "engine.said", said=record.getMessage(), by=record.name)


@contextmanager
def _connected(address: str) -> Iterator[Client]:
    for name in _LOGGERS:
        logging.getLogger(name).handlers = [_IntoOurLog()]
    try:
        client = Client(address, timeout=ANSWER_SECONDS, set_as_default=False, name="exchanger")
    except (OSError, ValueError, TypeError) as error:
        # Of a tls:// address without certificates, Dask says so with a TypeError.
        raise EngineUnreachable(address, str(error) or type(error).__name__) from error
    try:
        try:
            client.wait_for_workers(1, timeout=ANSWER_SECONDS)
        except TimeoutError as error:
            raise EngineUnreachable(address, "it has no worker") from error
        yield client
    finally:
        client.close(timeout=ANSWER_SECONDS)


class DaskEngine:
    """
    Has work done by the workers of a cluster; work of a worker that is lost is done by another.

    Args:
        address: Of the scheduler, for errors.
        client: Connected to it.
        stopping: Set when the process is asked to stop.
    """

    def __init__(self, address: str, client: Client, stopping: threading.Event) -> None:
        self._address = address
        self._client = client
        self._stopping = stopping
        self._executor: Executor = client.get_executor(pure=False)
        self._workers_seen = time.monotonic()
        self._looked = self._workers_seen
        self.ahead = min(len(_workers(client)) + 1, MOST_AHEAD)
        self.shares: Counter[str] = Counter()

    def submit(self, function: Callable[[Part], Made], part: Part, /) -> _Fetched[Made]:
        """
        Hand work over.

        The scheduler keeps it as bytes until it is fetched, so that it can be given to another
        worker, and needs not understand it.
        """
        work = dumps(partial(function, part))
        return _Fetched(self, self._executor.submit(_carry_out, work, _versions()))

    def fetch(self, future: Future[_Outcome]) -> Any:
        """
        Wait for work, and give what came of it.

        Raises:
            EngineUnreachable: The scheduler was lost, or no worker is left.
            EngineSilent: Nothing came of it for too long.
            EngineDiffers: A worker that joined has other versions.
            EngineGaveUp: The work was begun several times, and each time its worker was lost.
            Stopped: The process is asked to stop.
        """
        began = time.monotonic()
        while True:
            try:
                outcome = future.result(timeout=_LOOK)
                break
            except TimeoutError:
                self._look(future, began)
            except CancelledError as error:
                raise EngineUnreachable(self._address, "the connection was lost") from error
            except KilledWorker as error:
                raise EngineGaveUp(self._address, error.allowed_failures + 1) from error
            except ImportError as error:
                raise EngineDiffers(self._address, "", {_OURSELVES: ""}, _versions()) from error
        if outcome.versions != _versions():
            raise EngineDiffers(self._address, outcome.worker, outcome.versions, _versions())
        self.shares[outcome.worker] += 1
        return loads(outcome.made)

    def _look(self, future: Future[_Outcome], began: float) -> None:
        """See to it that waiting, since *began*, has an end."""
        if self._stopping.is_set():
            future.cancel()
            raise Stopped
        now = time.monotonic()
        if now - began > PART_MINUTES * 60:
            future.cancel()
            raise EngineSilent(self._address, PART_MINUTES)
        if now - self._looked < _LOOK_FOR_WORKERS:
            return
        self._looked = now
        if _workers(self._client):
            self._workers_seen = now
        elif now - self._workers_seen > NO_WORKER_SECONDS:
            raise EngineUnreachable(self._address, "it has no worker any more")


@dataclass(frozen=True)
class _Fetched(Generic[Made]):
    """Work that was handed over."""

    engine: DaskEngine
    future: Future[_Outcome]

    def result(self) -> Made:
        """Wait for what came of it, as ``DaskEngine.fetch`` does."""
        made: Made = self.engine.fetch(self.future)
        return made


@dataclass(frozen=True)
class _Outcome:
    """What a worker answers; nothing is made where its versions differ."""

    worker: str
    versions: dict[str, str]
    made: bytes = b""


def _carry_out(work: bytes, expected: dict[str, str]) -> _Outcome:
    """Do work on a worker, if it would decide as we would."""
    worker, versions = get_worker().address, _versions()
    if versions != expected:
        return _Outcome(worker, versions)
    return _Outcome(worker, versions, dumps(loads(work)()))


def _versions() -> dict[str, str]:
    return {package: metadata.version(package) for package in _PACKAGES}


def _check_versions(address: str, client: Client) -> None:
    """
    Compare the versions of all workers with ours.

    Raises:
        EngineDiffers: One of them has another version, or lacks the package.
    """
    ours = _versions()
    found: dict[str, dict[str, str]] = {}
    for package in _PACKAGES:
        # Asked by a function that is there without us; what is lacking is answered with an error.
        for worker, version in client.run(metadata.version, package, on_error="return").items():
            found.setdefault(worker, {})[package] = version if isinstance(version, str) else ""
    for worker, theirs in found.items():
        if theirs != ours:
            raise EngineDiffers(address, worker, theirs, ours)


def _warn_of_profilers(client: Client) -> None:
    """Describe which workers may stand still, before a run waits for one."""
    profiler = "distributed.worker.profile.enabled"
    # Who was lost meanwhile is no trouble here.
    profiled = client.run(dask.config.get, profiler, on_error="ignore")
    pythons = client.run(platform.python_version, on_error="ignore")
    at_risk = {
        worker: python
        for worker, python in pythons.items()
        if profiled.get(worker) and tuple(map(int, python.split(".")[:2])) < PROFILED_SAFELY
    }
    if at_risk:
        _log.warning(
            "engine.may_stand_still",
            workers=at_risk,
            what_to_do="use Python 3.12 there, or start workers with "
            "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED=False",
        )


def _workers(client: Client) -> dict[str, Any]:
    try:
        workers: dict[str, Any] = client.scheduler_info()["workers"]
    except OSError:
        return {}  # The connection was lost a moment ago, which the work itself will tell.
    return workers
