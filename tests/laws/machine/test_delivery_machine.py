"""Whatever fails, hangs, lies or dies in between: in the end nothing is lost, and nothing twice."""

from functools import partial
from random import Random

import pytest
from hypothesis import seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)
from structlog.testing import capture_logs
from support.machine.drops import FRACTION, JOBS, PROFILES, Row
from support.machine.law import any_fault
from support.machine.scene import AHEAD, LARGE, LATER, SMALL, Scene

SCHEDULES = 24
PARTS = 2
"""Each part can run on a core of its own, from a seed of its own."""
NIGHTLY_SCHEDULES = 5_000
NIGHTLY_PARTS = 10
STEPS = 5
"""Rules in one schedule."""

rows = st.lists(
    st.builds(
        Row,
        id=st.sampled_from(PROFILES),
        total=st.sampled_from(("", "1", "1", "10", "10", FRACTION)),
        tags=st.sampled_from(("", "x", "y", "x|z")),
        tier=st.sampled_from(("", "3", "20", "2.5")),
        source=st.sampled_from(("", "shop", "app")),
        note=st.sampled_from(("", "vip")),
        best=st.sampled_from(("", "3", "7")),
        at=st.sampled_from(("", "1", "2", "3")),
    ),
    min_size=1,
    max_size=3,
)


ANY = ("crash", "fail", "pause", "delay", "odd")
REFUSALS = any_fault("track", ("odd",), 0, 1)
faults = st.lists(
    REFUSALS
    | any_fault("track", ANY, 2, 6)
    | any_fault("track", ("odd", "crash", "pause"), 2, 6)
    | any_fault("write", ANY, 14)
    | any_fault("commit", ANY[:4], 3)
    | any_fault("look_up", ANY, 1)
    | any_fault("read", ANY[:4], 20)
    | any_fault("list", ANY[:4], 10),
    max_size=3,
)
jobs = st.sampled_from(JOBS)
places = st.integers(0, 5)
verbs = st.sampled_from(("approve", "discard", "retry"))


class Delivery(RuleBasedStateMachine):
    """Files are dropped and two jobs run, while everything goes wrong that may."""

    def __init__(self):
        super().__init__()
        self.scene = Scene()

    @initialize(
        work=st.sampled_from(((LARGE, LATER), (LARGE, AHEAD), (SMALL, AHEAD))),
        braze=st.tuples(st.booleans(), st.booleans(), st.sampled_from((None, 0, 1, 2))),
        dropped=st.tuples(rows, st.integers(1, 2)),
        job=jobs,
        refusal=REFUSALS,
    )
    def begin(self, work, braze, dropped, job, refusal):
        """A file comes, and perhaps a copy beside it that is held back; something is refused."""
        self.scene.bounds, self.scene.ahead_from = work
        self.scene.workspace.slow_to_apply, self.scene.workspace.slow_to_show, tells = braze
        if tells is not None:
            self.scene.workspace.tells = partial(Random(tells).choice, (True, True, False))
        rows, copies = dropped
        for _ in range(copies):
            self.scene.drop(job, rows)
        self.scene.start(job, [refusal])

    # No rule has a precondition: a schedule that has none to follow counts for nothing.
    @rule(job=jobs, rows=rows, place=places)
    def drop(self, job, rows, place):
        self._put(job, rows, place)

    @rule(
        job=jobs,
        what=rows | st.integers(0, 5),
        place=places,
        faults=faults,
        verb=st.sampled_from(("run", "run", "run", "force", "full")),
    )
    def drop_and_start(self, job, what, place, faults, verb):
        self._put(job, what, place)
        self._start(job, faults, verb)

    @rule(verb=verbs, number=st.integers(0, 5), faults=faults, job=jobs)
    def decide(self, verb, number, faults, job):
        """A person decides about a past run; if there is none, a copy comes, and is held back."""
        choices = self.scene.choices()
        choices = [choice for choice in choices if choice[0] == verb] or choices
        if choices:
            verb, job, seq = choices[number % len(choices)]
            self._start(job, faults, verb, seq)
        else:
            self._put(job, number, number)
            self._start(job, faults)

    @rule(verb=verbs, number=st.integers(0, 5), job=jobs)
    def decide_in_peace(self, verb, number, job):
        self.decide(verb, number, [], job)

    @rule(number=st.integers(0, 1), faults=faults, kill=st.booleans(), job=jobs)
    def go_on(self, number, faults, kill, job):
        """A process that stands still goes on, or is killed; if there is none, one begins."""
        if not self.scene.processes:
            self.scene.start(job, faults)
        elif kill:
            self.scene.kill(number % len(self.scene.processes))
        else:
            self.scene.resume(number % len(self.scene.processes), faults)

    @rule(seconds=st.sampled_from((1, 5, 25, 60)), correct=st.booleans())
    def wait(self, seconds, correct):
        self.scene.time.advance(seconds)
        self.scene.takes_fractions |= correct

    def _start(self, job, faults, verb="run", seq=0):
        """Begin a process; of two that stand still, the first goes on before."""
        if len(self.scene.processes) > 1:
            self.scene.resume(0)
        self.scene.start(job, faults, verb, seq)

    def _put(self, job, what, place):
        """Put rows, or what was dropped before, into the place of a file, or into a new one."""
        dropped = self.scene.dropped
        if isinstance(what, int):
            contents = list(dropped.contents.values())
            what = contents[what % len(contents)]
        if place < len(dropped.versions):
            self.scene.replace(list(dropped.versions)[place], what)
        else:
            self.scene.drop(job, what)

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


@pytest.mark.long(30)
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


class Canary(Delivery):
    """One object is sent first, and the rest is owed if it is refused."""

    def __init__(self):
        super().__init__()
        self.scene.canary = 1


@pytest.mark.nightly
@pytest.mark.parametrize("number", range(PARTS))
def test_nothing_is_lost_of_runs_whose_first_object_is_sent_alone(number):
    """What was held back of a run is given once, by a retry, whatever happens meanwhile."""
    part = seed(number)(type("Canary", (Canary,), {}))
    run(part, NIGHTLY_SCHEDULES // NIGHTLY_PARTS)
