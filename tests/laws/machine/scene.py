"""One connection with all that surrounds it: S3, Braze, time, and the processes that run jobs."""

import copy
import tempfile
from pathlib import Path

import drops
from braze_double import BrazeDouble, Workspace
from bucket_double import BucketDouble, Store
from judgement import Judgement
from processes import Process, ProcessClock, Time

from exchanger.errors import BrazeError, JobBusy, LeaseLost, StorageError
from exchanger.files.spill import Bounds
from exchanger.jobs.imports import run_import
from exchanger.jobs.world import World
from exchanger.outside.tables import DeltaError
from exchanger.state.connection import open_state

STATE = "_exchanger/main/"
LEASE = 12.0
SPACING = 3.0
GRACE = 30.0
SMALL = Bounds(rows=2, room=2_000)
"""So that most runs have several pieces and parts, some of them on disk."""
EXPECTED = (StorageError, BrazeError, JobBusy, LeaseLost, DeltaError)
"""How a process may end while there are faults."""
BEFORE = {"ada": {"total": 5, "tags": ["x"], "source": "web"}, "bob": {"best": 4, "tier": "old"}}
"""What Braze has before anything is imported."""


class SteppedKeeper:
    """Renews a lease when it is due, whenever its process does something."""

    def __init__(self, process, lease, every):
        self._process = process
        self._lease = lease
        self._every = every
        self._next = process.time.seconds + every

    def __enter__(self):
        self._process.keeper = self
        return self

    def __exit__(self, kind, error, trace):
        self._process.keeper = None
        self._lease.release()

    def until(self):
        return self._lease._until

    def tick(self):
        if self._process.time.seconds < self._next:
            return
        self._next = self._process.time.seconds + self._every
        self._process.keeper = None  # A renewal is made of effects, too.
        try:
            self._lease.renew()
        except LeaseLost:
            return
        self._process.keeper = self


class Scene:
    """Everything of one schedule, in a folder that goes at the end."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        self.time = Time()
        self.store = Store(self.time, folder / "tables")
        self.workspace = Workspace(self.time, spacing=SPACING, grace=GRACE)
        self.workspace.profiles = copy.deepcopy(BEFORE)
        self.files = {}
        self.processes = []
        self._started = 0

    def drop(self, job, rows):
        """Put a file into a job's folder."""
        key = f"{drops.prefix(job)}{len(self.files):03d}.csv"
        self.files[key] = rows
        self.store.put(key, drops.as_csv(rows))
        self.time.advance(1)

    def start(self, job, faults=()):
        """Begin a process and let it run."""
        process = Process(self.time, lambda this: self._run(this, job))
        self._go(process, faults)
        return process

    def resume(self, number, faults=()):
        """Let a parked process go on."""
        self._go(self.processes.pop(number), faults)

    def kill(self, number):
        """End a parked process."""
        self.processes.pop(number).kill()

    def end(self):
        """Let faults stop and everything come to rest, and judge."""
        self._drain()
        while self.processes:
            self.resume(0)
        self.time.advance(LEASE + GRACE + SPACING)
        self._drain()
        observer = Process(self.time, None)
        state = open_state(BucketDouble(self.store, observer), STATE)
        Judgement(self.store, self.workspace, state, BEFORE, self.files).pronounce()

    def close(self):
        """Remove the folder, and end what is left."""
        while self.processes:
            self.kill(0)
        self._folder.cleanup()

    def _drain(self):
        for job in drops.JOBS:
            for _ in range(2):
                process = self.start(job)
                if process.error:
                    raise process.error
            assert "nothing_to_do" == process.result.state
        self.time.advance(GRACE)

    def _go(self, process, faults):
        process.go(faults)
        if not process.ended:
            self.processes.append(process)
        elif process.error and not isinstance(process.error, EXPECTED):
            raise process.error

    def _run(self, process, job):
        self._started += 1
        workdir = Path(self._folder.name) / f"work-{self._started}"
        workdir.mkdir()
        world = World(
            connection="main",
            bucket=BucketDouble(self.store, process),
            braze=lambda: BrazeDouble(self.workspace, process),
            state_prefix=STATE,
            export_root="segment-export",
            clock=ProcessClock(process),
            workdir=workdir,
            batch_size=2,
            spacing=SPACING,
            grace=GRACE,
            lease_seconds=LEASE,
            bounds=SMALL,
            keep=lambda lease, every: SteppedKeeper(process, lease, every),
        )
        return run_import(world, job, drops.job(job))
