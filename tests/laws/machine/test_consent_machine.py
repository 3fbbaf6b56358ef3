"""Consent through whole runs: whatever goes wrong, nobody who unsubscribed is subscribed."""

from __future__ import annotations

import json

import polars as pl
import pytest
from hypothesis import strategies as st
from support.machine.braze_double import BrazeDouble
from support.machine.law import LOST, TROUBLES, law
from support.machine.past import documents
from support.machine.processes import Fault
from support.machine.scene import GRACE, LEASE, SPACING, Scene

from exchanger.braze.endpoints import GROUP_STATES
from exchanger.config.models import GroupState, ImportJob, Match, Source, Subscription
from exchanger.config.models.kinds.objects import Cell
from exchanger.errors import BrazeUnreachable
from exchanger.state.runs.log import ENDED

SCHEDULES, NIGHTLY_SCHEDULES, NIGHTLY_PARTS = 12, 5_000, 10
PEOPLE = ("ada", "bob")
FIELD = "@group:g"
IN, OUT = "subscribed", "unsubscribed"
JOB = ImportJob(
    type="import",
    object="subscriptions",
    source=Source(prefix="inbox/consent/"),
    match=(Match(external_id="id"),),
    subscription=Subscription(
        group=Cell(value="g"),
        state=GroupState(from_="news", subscribed=("yes",), unsubscribed=("no",)),
    ),
)
contents = st.lists(
    st.tuples(st.sampled_from(PEOPLE), st.sampled_from(("yes", "yes", "no", ""))),
    min_size=1,
    max_size=4,
)
steps = st.lists(
    st.tuples(
        st.sampled_from(("run", "run", "run", "kill", "go on", "leave", "leave")),
        st.none() | contents,
        TROUBLES,
        st.sampled_from((1, 5, 25, 60)),
    ),
    min_size=1,
    max_size=5,
)


class Client(BrazeDouble):
    """Takes states of groups, and tells them."""

    async def track(self, body, endpoint, group=""):
        objects = [
            {"external_id": who, f"@group:{one['subscription_group_id']}": state}
            for one in json.loads(body)["subscription_groups"]
            for state in [one["subscription_state"]]
            for who in one["external_ids"]
        ]
        return await super().track(json.dumps({endpoint.array: objects}).encode(), endpoint)

    async def group_states(self, keys):
        shown = self._process.effect(
            "look_up",
            self._workspace.shown,
            failure=lambda: BrazeUnreachable(GROUP_STATES, 0, "fault"),
            odd=lambda fault, apply: self._workspace.stale(),
        )
        groups = {key: shown[key].get(FIELD) for key in keys if key in shown}
        return {key: [{"g": state} if state else {}] for key, state in groups.items()}

    async def has_group(self, group):
        return True


class Consent(Scene):
    """One job of states in a group; people also leave the group by themselves."""

    jobs = ("consent",)
    client = Client

    def __init__(self):
        super().__init__()
        self.left = set()
        self.files = {}

    def configured(self, job):
        """The job."""
        return JOB

    def put(self, rows):
        """Drop a file."""
        body = "\n".join(["id,news", *(f"{who},{word}" for who, word in rows), ""]).encode()
        key = f"inbox/consent/{len(self.files):03d}.csv"
        self.files[key] = rows
        self.store.put(key, body)
        self.time.advance(1)

    def leave(self, who):
        """Let somebody unsubscribe by themselves, once nothing of ours is on its way."""
        self.time.advance(LEASE + GRACE + SPACING)
        self.workspace.profiles.setdefault(who, {})[FIELD] = OUT
        self.left.add(who)
        self.time.advance(GRACE + 1)


def told(scene, schedule):
    """Tell one story."""
    for number, (verb, rows, troubles, seconds) in enumerate(schedule):
        if rows:
            scene.put(rows)
        if verb == "leave":
            scene.leave(PEOPLE[number % len(PEOPLE)])
        elif verb == "kill" and scene.processes:
            scene.kill(0)
        elif verb == "go on" and scene.processes:
            scene.resume(0, troubles)
        else:
            if len(scene.processes) > 1:
                scene.resume(0)
            scene.start("consent", troubles)
        scene.time.advance(seconds)
    scene.come_to_rest()


def expected(scene, runs):
    """What people are, by the files in the order of the runs that took them."""
    states = {}
    for run in runs:
        spoken = {}
        for file in run.files:
            if file.outcome == "applied":
                spoken |= {who: word for who, word in scene.files[file.key] if word}
        for who, word in spoken.items():
            if word == "no" or states.get(who) != OUT:
                states[who] = OUT if word == "no" else IN
    return states | dict.fromkeys(scene.left, OUT)


def judge(scene):
    """Nobody was put back, Braze has what the files say, and what is held is what Braze has."""
    runs = documents(scene.store, scene.state().names)
    assert {run.state for run in runs} <= ENDED
    now = {}
    for landed in scene.workspace.landed:
        who, state = landed.content["external_id"], landed.content[FIELD]
        assert (now.get(who), state) != (OUT, IN), f"{who} was subscribed again"
        now[who] = state
    actual = {who: scene.profile(who)[FIELD] for who in PEOPLE if FIELD in scene.profile(who)}
    assert expected(scene, runs) == actual
    held = scene.state().held.of(pl.Series(PEOPLE), [FIELD]).rows_by_key("@profile", named=True)
    for who in {*actual} - scene.left:
        [known] = held.get(who) or [{FIELD: None}]
        assert known[FIELD] in (None, "?", f'"{actual[who]}"'), f"held of {who}: {known[FIELD]}"
    withheld = any(run.report["fields_withheld"] or run.report["fields_kept"] for run in runs)
    return {"in": IN in actual.values(), "out": OUT in actual.values(), "withheld": withheld}


def told_and_judged(schedules, number):
    """Tell so many stories and judge each; returns what kinds of ends were among them."""
    return law(
        schedules,
        number,
        scene=Consent,
        job="consent",
        contents=contents,
        first=LOST,
        steps=steps,
        told=told,
        judge=judge,
    )


@pytest.mark.long(30)
def test_nobody_who_unsubscribed_is_subscribed_whatever_goes_wrong():
    """Crashes, pauses, lost and late answers, and people who leave meanwhile, in any order."""
    seen = told_and_judged(SCHEDULES, 0)
    assert {"in", "out", "withheld"} <= set(seen), "the stories are about something"


def test_who_was_unsubscribed_a_moment_ago_is_not_subscribed_by_a_look_up_that_is_late():
    """Nothing is held of whom nobody has seen, and Braze does not show yet what was sent."""
    late = Fault(kind="track", nth=0, fate="odd", after=False, variant=3)
    scene = Consent()
    try:
        scene.put([("bob", "no")])
        scene.start("consent", [late])
        scene.put([("bob", "yes")])
        scene.start("consent")
        scene.come_to_rest()
        assert {"out": True, "in": False} == {side: judge(scene)[side] for side in ("out", "in")}
    finally:
        scene.close()


def test_who_leaves_before_what_is_in_doubt_is_looked_at_stays_out():
    """A second process gives what the first one began, dies, and a third looks whether it holds."""
    lost = Fault(kind="track", nth=0, fate="crash", after=False, variant=0)
    unseen = Fault(kind="look_up", nth=0, fate="fail", after=True, variant=0)
    scene = Consent()
    try:
        scene.put([("bob", "yes")])
        scene.start("consent", [lost])
        scene.time.advance(25)
        scene.start("consent", [unseen])
        scene.leave("bob")
        scene.come_to_rest()
        assert {"out": True, "in": False} == {side: judge(scene)[side] for side in ("out", "in")}
    finally:
        scene.close()


@pytest.mark.nightly
@pytest.mark.parametrize("number", range(NIGHTLY_PARTS))
def test_nobody_who_unsubscribed_is_subscribed_all_night(number):
    """The same over many more schedules."""
    told_and_judged(NIGHTLY_SCHEDULES // NIGHTLY_PARTS, number + 1)
