"""All that a job may touch outside of itself. Built in ``app.wiring`` and by tests alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from exchanger.braze.limits import OBJECTS_PER_REQUEST
from exchanger.config.models import LOOKUPS, TRACKED, Budget, RateLimit, Retention
from exchanger.errors import Stopped
from exchanger.files.folders import Folders
from exchanger.files.scratch.budget import MemoryBudget
from exchanger.jobs.runtime.executor import PlanExecutor, local_executor
from exchanger.notes import Note
from exchanger.state.lease import KeptLease

if TYPE_CHECKING:
    from exchanger.outside.braze.client import Braze
    from exchanger.outside.clock import Clock
    from exchanger.outside.s3.bucket import Bucket
    from exchanger.state.lease import Lease
    from exchanger.state.workspace import Account


_STEP = 0.5
"""Seconds between two looks at whether the process was asked to stop."""


class Progress(Protocol):
    """Where a job says how far it is. Must be cheap: called once a batch, never once a row."""

    def step(self, what: str, total: int | None = None) -> None:
        """Begin a step such as ``reading files``; *total* units if they are known."""
        ...

    def advance(self, units: int) -> None:
        """Report that so many units of the current step are done."""
        ...


class SilentProgress:
    """Says nothing."""

    def step(self, what: str, total: int | None = None) -> None:
        """Do nothing."""

    def advance(self, units: int) -> None:
        """Do nothing."""


@dataclass(frozen=True)
class JobContext:
    """
    The outside of one connection.

    Args:
        connection: The connection's name.
        bucket: Its bucket.
        braze: Opens its workspace: ``async with context.braze() as braze``.
        state_prefix: Below which our own state lives; ends in ``/``.
        export_root: Where Braze itself writes segment exports, without a slash at the end.
        clock: Time.
        workdir: A local folder for temporary files; the caller removes it.
        progress: Told how far the run is.
        stopping: Set when the process was asked to stop: finish what is in flight, record it, end.
        batch_size: Objects in one request to ``/users/track``.
        spacing: Seconds before another value may be sent for the same profile.
        grace: Seconds after an acknowledgement in which Braze may still show the value before.
        lease_seconds: How long the connection's lease lasts without renewal.
        lease: Held while profiles are written; None where nothing is.
        rate_limit: How fast objects can be sent to ``/users/track``.
        hourly_limit: How many requests may go there in a clock hour; None for no limit.
        lookup_limit: How fast profiles can be looked up.
        bounds: How much of a run is worked on at once.
        ahead_from: Objects of a run from which held values are made while it is sent.
        record_from: Runs that have ended after which what they changed is recorded.
        max_plan_age: Seconds after which what a plan would change is looked up before it is sent.
        retention: How long what names people is kept once a run has ended.
        sweep_every: Seconds between two looks at what has been kept for long enough.
        engine: Opens what plans the parts of a run: ``with context.engine() as engine``.
        folders: Who reads and who writes what of the bucket, by the configuration.
        account: How the workspace is reached, by which its state is recognised; None where nobody
            cares whose it is.
        pages: Words what became of a file for whoever dropped it, as JSON and as a page; None where
            nobody is told.
        option: What names the connection in a command; empty where there is only one.
        words: Says a note, where what a job writes is for people: the manifest of a dataset.
        budget: What its runs may cost; None if they may cost anything.
        keep: Renews a lease every so many seconds while the context is open, then releases it.
    """

    connection: str
    bucket: Bucket
    braze: Callable[[], Braze]
    state_prefix: str
    export_root: str
    clock: Clock
    workdir: Path
    progress: Progress = field(default_factory=SilentProgress)
    stopping: threading.Event = field(default_factory=threading.Event)
    batch_size: int = OBJECTS_PER_REQUEST
    spacing: float = 5.0
    grace: float = 300.0
    lease_seconds: float = 180.0
    lease: Lease | None = None
    rate_limit: RateLimit = TRACKED
    hourly_limit: int | None = None
    lookup_limit: RateLimit = LOOKUPS
    bounds: MemoryBudget = field(default_factory=MemoryBudget)
    ahead_from: int = 20_000
    record_from: int = 64
    max_plan_age: float = 86_400.0
    retention: Retention = field(default_factory=Retention)
    sweep_every: float = 3_600.0
    engine: Callable[[], AbstractContextManager[PlanExecutor]] = local_executor
    folders: Folders = field(default_factory=Folders)
    account: Account | None = None
    budget: Budget | None = None
    keep: Callable[[Lease, float], AbstractContextManager[object]] = KeptLease
    option: str = ""
    words: Callable[[Note], str] = str
    pages: Callable[[Mapping[str, Any]], tuple[str, str]] | None = None

    def pause(self, seconds: float) -> None:
        """
        Wait, but not longer than until the process is asked to stop.

        Raises:
            Stopped: It was.
        """
        until = self.clock.monotonic() + seconds
        while (left := until - self.clock.monotonic()) > 0:
            self.go_on()
            self.clock.sleep(min(left, _STEP))

    def go_on(self) -> None:
        """
        Look whether the process was asked to stop: between two steps that each take a moment.

        Raises:
            Stopped: It was.
        """
        if self.stopping.is_set():
            raise Stopped

    def may_send(self) -> None:
        """
        Check that this process may write profiles now.

        Raises:
            LeaseLost: It cannot prove that the lease is still its own.
        """
        if self.lease is not None:
            self.lease.check()
