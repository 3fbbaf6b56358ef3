"""One connection with all that surrounds it: S3, Braze, time, and the processes that run jobs."""

import copy
import tempfile
from datetime import timedelta
from pathlib import Path

from exchanger.config.models import Delivery, Retention
from exchanger.errors import BrazeError, JobBusy, LeaseLost, RunUnsuitable, StorageError
from exchanger.files.scratch.budget import MemoryBudget
from exchanger.jobs.approve import approve_run
from exchanger.jobs.discard import discard_run
from exchanger.jobs.history.runs import list_runs
from exchanger.jobs.imports import run_import
from exchanger.jobs.retry import retry_run
from exchanger.jobs.runtime.options import ImportOptions
from exchanger.jobs.undo import undo_run
from exchanger.outside.delta.table import DeltaError
from exchanger.state.runs.log import ENDED
from exchanger.state.store import open_state
from support.contexts import job_context
from support.machine import drops
from support.machine.braze_double import BrazeDouble, Workspace
from support.machine.bucket_double import BucketDouble, Store
from support.machine.judgement import Judgement
from support.machine.past import documents
from support.machine.processes import Process, ProcessClock, Time

STATE = "_exchanger/main/"
LEASE = 12.0
SPACING = 3.0
GRACE = 30.0
SMALL = MemoryBudget(rows=2, room=2_000)
"""So that most runs have several pieces and parts, some of them on disk."""
LARGE = MemoryBudget()
"""As in life: these runs have one piece and one part, and are soon over."""
AHEAD, LATER = 1, 1_000
"""From so many objects on held values are made while a run is sent: always, or never here."""
WAIT = 600.0
AT_ONCE = Retention(outbox=timedelta(), acknowledgements=timedelta())
"""What a run has planned goes as soon as nothing needs it any more."""
EXPECTED = (StorageError, BrazeError, JobBusy, LeaseLost, DeltaError, RunUnsuitable)
"""How a process may end while there are faults, or others do the same."""
OPTIONS = {
    "run": ImportOptions(wait=WAIT),
    "force": ImportOptions(wait=WAIT, force=True),
    "full": ImportOptions(wait=WAIT, full=True),
}
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

    jobs = drops.JOBS
    client = BrazeDouble
    """How a process speaks with Braze."""
    batch_size = 2

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        self.time = Time()
        self.store = Store(self.time, folder / "tables")
        self.workspace = Workspace(self.time, spacing=SPACING, grace=GRACE)
        self.workspace.profiles = copy.deepcopy(BEFORE)
        self.takes_fractions = False
        self.on_drift = "overwrite"
        self.on_invalid = None
        self.canary = None
        self.rows_per_run = 5_000_000
        self.bounds = LARGE
        self.ahead_from = LATER
        self.retention = AT_ONCE
        self.budget = None
        self.dropped = drops.Dropped()
        self.processes = []
        self._started = 0

    def drop(self, job, rows, key=None):
        """Put a file into a job's folder: a new one, or a new version of one."""
        key = key or f"{drops.prefix(job)}{len(self.dropped.versions):03d}.csv"
        self.store.put(key, self.dropped.add(key, rows))
        self.time.advance(1)
        return key

    def replace(self, key, rows):
        """Put a new version of a file into its place."""
        self.drop("", rows, key)

    def start(self, job, faults=(), verb="run", seq=0):
        """Begin a process and let it run."""
        process = Process(self.time, lambda this: self._run(this, job, seq), verb)
        self._go(process, faults)
        return process

    def configured(self, job):
        """What a job is at the moment."""
        made = drops.job(
            job, self.rows_per_run, takes_fractions=self.takes_fractions, on_drift=self.on_drift
        )
        delivery = Delivery(canary=self.canary)
        return made.model_copy(update={"on_invalid": self.on_invalid, "delivery": delivery})

    def profile(self, name):
        """Read what Braze has of a profile."""
        return self.workspace.profiles.get(name, {})

    def runs(self):
        """Read all run documents."""
        return documents(self.store, self.state().names)

    def choices(self):
        """List what a person might ask of past runs: verb, job and number; newest first."""
        found = []
        for run in reversed(self.runs()):
            if run.hold and run.state == "held_back":
                found += [("approve", run.job, run.seq), ("discard", run.job, run.seq)]
            elif run.state not in ENDED:
                found += [("discard", run.job, run.seq)] * 2
            elif (run.refused_rows or run.rejected) and not run.continued_by:
                found.append(("retry", run.job, run.seq))
        return found

    def resume(self, number, faults=()):
        """Let a parked process go on."""
        self._go(self.processes.pop(number), faults)

    def kill(self, number):
        """End a parked process."""
        self.processes.pop(number).kill()

    def follow(self, schedule):
        """Tell a story; each step may drop a file, and kill or resume a process or begin one."""
        for verb, dropped, troubles, seconds in schedule:
            if dropped:
                self.put(dropped)
            if verb == "kill" and self.processes:
                self.kill(0)
            elif verb == "go on" and self.processes:
                self.resume(0, troubles)
            else:
                self.begin(verb, troubles)
            self.time.advance(seconds)
        self.come_to_rest()

    def begin(self, verb, troubles):
        """Let a run of the one job begin, or what a person may ask of an earlier one."""
        [job] = self.jobs
        choices = [choice for choice in self.choices() if choice[0] == verb]
        if len(self.processes) > 1:
            self.resume(0)
        if choices:
            self.start(job, troubles, verb, choices[0][2])
        else:
            self.start(job, troubles, "full" if verb == "full" else "run")

    def come_to_rest(self):
        """Let faults stop, until nothing is left to do."""
        self._drain()
        while self.processes:
            self.resume(0)
        self.time.advance(LEASE + GRACE + SPACING)
        self._drain()

    def end(self):
        """Let everything come to rest, and judge."""
        self.come_to_rest()
        workdir = Path(self._folder.name) / "judged"
        workdir.mkdir(exist_ok=True)
        context = self.context(Process(self.time, None), workdir)
        Judgement(self.store, self.workspace, context, BEFORE, self.dropped).pronounce()

    def close(self):
        """Remove the folder, and end what is left."""
        while self.processes:
            self.kill(0)
        self._folder.cleanup()

    def state(self):
        """Open what the bucket remembers."""
        return open_state(BucketDouble(self.store, Process(self.time, None)), STATE)

    def _drain(self):
        for job in self.jobs:
            for _ in range(2):
                process = self.start(job)
                if process.error:
                    raise process.error
                if process.result.state == "nothing_to_do":
                    break
            assert "nothing_to_do" == process.result.state
        self.time.advance(GRACE)

    def _go(self, process, faults):
        process.go(faults)
        if not process.ended:
            self.processes.append(process)
        elif process.error and not isinstance(process.error, EXPECTED):
            raise process.error

    def _run(self, process, job, seq):
        self._started += 1
        workdir = Path(self._folder.name) / f"work-{self._started}"
        workdir.mkdir()
        context = self.context(process, workdir)
        configured = self.configured(job)
        if process.verb == "runs":
            return list_runs(context)
        if process.verb == "approve":
            return approve_run(context, job, configured, seq, WAIT)
        if process.verb == "retry":
            return retry_run(context, job, configured, seq, WAIT)
        if process.verb == "undo":
            return undo_run(context, job, configured, seq, WAIT)
        if process.verb == "discard":
            return discard_run(context, job, seq, WAIT)
        return run_import(context, job, configured, OPTIONS[process.verb])

    def context(self, process, workdir):
        """The connection as a process has it."""
        return job_context(
            BucketDouble(self.store, process),
            lambda: self.client(self.workspace, process),
            workdir,
            state_prefix=STATE,
            clock=ProcessClock(process),
            batch_size=self.batch_size,
            spacing=SPACING,
            grace=GRACE,
            lease_seconds=LEASE,
            max_plan_age=0.0,
            bounds=self.bounds,
            ahead_from=self.ahead_from,
            budget=self.budget,
            record_from=2,
            retention=self.retention,
            sweep_every=0.0,
            keep=lambda lease, every: SteppedKeeper(process, lease, every),
        )
