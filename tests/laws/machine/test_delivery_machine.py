"""Whatever fails, hangs, lies or dies in between: in the end nothing is lost, and nothing twice."""

import sys
from pathlib import Path

import pytest
from hypothesis import seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from structlog.testing import capture_logs

sys.path.insert(0, str(Path(__file__).parent))
from drops import JOBS, PROFILES, Row
from processes import Fault
from scene import Scene

SCHEDULES = 300
PARTS = 2
"""Each part can run on a core of its own, from a seed of its own."""
NIGHTLY_SCHEDULES = 5_000
NIGHTLY_PARTS = 10
STEPS = 8
"""Rules in one schedule."""

rows = st.lists(
    st.builds(
        Row,
        id=st.sampled_from(PROFILES),
        total=st.sampled_from(("", "1", "10")),
        tags=st.sampled_from(("", "x", "y", "x|z")),
        tier=st.sampled_from(("", "gold", "iron")),
        source=st.sampled_from(("", "shop", "app")),
        note=st.sampled_from(("", "vip")),
        best=st.sampled_from(("", "3", "7")),
    ),
    min_size=1,
    max_size=4,
)


def _faults(kind, fates, nth, variants=0):
    return st.builds(
        Fault,
        kind=st.just(kind),
        nth=st.integers(0, nth),
        fate=st.sampled_from(fates),
        after=st.booleans(),
        variant=st.integers(0, variants),
    )


ANY = ("crash", "fail", "pause", "delay", "odd")
faults = st.lists(
    _faults("track", ANY, 2, 5)
    | _faults("track", ("odd", "crash", "pause"), 2, 5)
    | _faults("write", ANY, 14)
    | _faults("commit", ANY[:4], 3)
    | _faults("look_up", ANY, 1)
    | _faults("read", ANY[:4], 20)
    | _faults("list", ANY[:4], 10),
    max_size=3,
)
jobs = st.sampled_from(JOBS)


class Delivery(RuleBasedStateMachine):
    """Files are dropped and two jobs run, while everything goes wrong that may."""

    def __init__(self):
        super().__init__()
        self.scene = Scene()

    @initialize(apply=st.booleans(), show=st.booleans())
    def slow(self, apply, show):
        self.scene.workspace.slow_to_apply = apply
        self.scene.workspace.slow_to_show = show

    @rule(job=jobs, rows=rows)
    def drop(self, job, rows):
        self.scene.drop(job, rows)

    @precondition(lambda self: self.scene.files)
    @rule(job=jobs, number=st.integers(0, 9))
    def drop_equal(self, job, number):
        dropped = list(self.scene.files.values())
        self.scene.drop(job, dropped[number % len(dropped)])

    @precondition(lambda self: self.scene.files and len(self.scene.processes) < 2)
    @rule(job=jobs, faults=faults)
    def start(self, job, faults):
        self.scene.start(job, faults)

    @precondition(lambda self: self.scene.files and len(self.scene.processes) < 2)
    @rule(job=jobs, rows=rows, faults=faults)
    def drop_and_start(self, job, rows, faults):
        self.scene.drop(job, rows)
        self.scene.start(job, faults)

    @precondition(lambda self: self.scene.processes)
    @rule(number=st.integers(0, 1), faults=faults)
    def resume(self, number, faults):
        self.scene.resume(number % len(self.scene.processes), faults)

    @precondition(lambda self: self.scene.processes)
    @rule(number=st.integers(0, 1))
    def kill(self, number):
        self.scene.kill(number % len(self.scene.processes))

    @rule(seconds=st.sampled_from((1, 5, 25, 60)))
    def wait(self, seconds):
        self.scene.time.advance(seconds)

    def teardown(self):
        try:
            self.scene.end()
        finally:
            self.scene.close()


def run(machine, schedules):
    """Run so many schedules; what the product logs meanwhile is not shown."""
    chosen = settings(max_examples=schedules, stateful_step_count=STEPS)
    with capture_logs():
        run_state_machine_as_test(machine, settings=chosen)


@pytest.mark.long(45)
@pytest.mark.parametrize("number", range(PARTS))
def test_nothing_is_lost_and_nothing_is_done_twice(number):
    """Once faults stop, Braze equals the oracle, held values Braze, and every file counts once."""
    part = seed(number)(type("Delivery", (Delivery,), {}))
    run(part, SCHEDULES // PARTS)


@pytest.mark.nightly
@pytest.mark.parametrize("number", range(NIGHTLY_PARTS))
def test_nothing_is_lost_and_nothing_is_done_twice_all_night(number):
    """The same over many more schedules, other ones every night."""
    run(Delivery, NIGHTLY_SCHEDULES // NIGHTLY_PARTS)
