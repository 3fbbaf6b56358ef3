"""Taking runs back, against an oracle that goes from run to run, value by value."""

import json
import os
import random
from dataclasses import dataclass, field

import polars as pl
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from exchanger.config.models import FieldConfig
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.merging.folding import CONTRIBUTIONS_SCHEMA
from exchanger.profiles.merging.taking_back import CHANGED, LATER
from exchanger.profiles.planning.undo import UndoInput, UndoOptions, undo_part

SETTINGS = settings(
    max_examples=200 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 8,
    phases=[Phase.generate],  # An example is large; shrinking one takes minutes.
    report_multiple_bugs=False,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
PROFILES = [f"p{number}" for number in range(40)]
NUMBERS = ("sum", "sum", "sum", "set", "highest", "clear")
LISTS = ("add", "add", "remove", "remove", "set", "clear")
TEXTS = ("set", "set", "set_if_empty", "clear")
KINDS = {"integer": NUMBERS, "list": LISTS, "string": TEXTS}
ADDING = {"sum": ("sum",), "add": ("add", "remove"), "remove": ("add", "remove")}


@dataclass
class Change:
    """What a run did to one profile, if it did anything."""

    run: int
    strategy: str
    before: object
    after: object
    takes_back: int = 0


@dataclass
class Profile:
    """One value, and what made it."""

    value: object
    changes: list[Change] = field(default_factory=list)

    def take(self, run, strategy, after, takes_back=0):
        if after != self.value:
            self.changes.append(Change(run, strategy, self.value, after, takes_back))
        self.value = after


def applied(strategy, value, drawn):
    """Merge one given value, plainly."""
    if strategy == "sum":
        return (value or 0) + drawn
    if strategy == "highest":
        return drawn if value is None or drawn > value else value
    if strategy == "add":
        return [*(value or []), *(one for one in drawn if one not in (value or []))] or None
    if strategy == "remove":
        return [one for one in value or [] if one not in drawn] or None
    if strategy == "set_if_empty":
        return drawn if value is None else value
    return None if strategy == "clear" else drawn


def plain(value):
    """Read a list as the set that it is: others may give it in another order."""
    return frozenset(value) if isinstance(value, list) else value


def in_effect(changes):
    """Leave out what was taken back, and what took it back: the newest decides first."""
    left = list(changes)
    for taker in sorted(changes, key=lambda one: -one.run):
        taken = next((one for one in left if one.run == taker.takes_back), None)
        if taker in left and taken is not None:
            left = [one for one in left if one is not taker and one is not taken]
    return left


def expected(profile, run):
    """Say what a profile has after a run was taken back; its value now if that stays."""
    ours = next((one for one in profile.changes if one.run == run), None)
    later = in_effect([one for one in profile.changes if one.run > run])
    if ours is None or any(one.takes_back == run for one in later):
        return profile.value
    kind = ADDING.get(ours.strategy, ())
    meddled = plain(profile.value) != plain(profile.changes[-1].after)
    if meddled or any(one.strategy not in kind for one in later):
        return profile.value
    if not later:
        return ours.before
    if ours.strategy == "sum":
        return (profile.value or 0) - ((ours.after or 0) - (ours.before or 0))
    theirs = {m for one in later for m in set(one.before or []) ^ set(one.after or [])}
    brought = [m for m in ours.after or [] if m not in (ours.before or []) and m not in theirs]
    took = [m for m in ours.before or [] if m not in (ours.after or []) and m not in theirs]
    if not brought and not took:
        return profile.value
    kept = [m for m in profile.value or [] if m not in brought]
    return [*kept, *(m for m in took if m not in kept)] or None


def text(value):
    return json.dumps(value, separators=(",", ":"))


def draw_value(rng, kind, strategy):
    if kind == "integer":
        return rng.randint(-3, 9)
    if kind == "list":
        return rng.sample("abcde", rng.randint(1, 2))
    return rng.choice(["gold", "blue", "gray"])


class History:
    """Some profiles, each with one field, and the runs that changed it."""

    def __init__(self, kind, seed):
        self.kind, self.rng, self.run = kind, random.Random(seed), 0
        start = [None, draw_value(self.rng, kind, "set")]
        self.profiles = {name: Profile(self.rng.choice(start)) for name in PROFILES}
        self.first = {name: profile.value for name, profile in self.profiles.items()}
        self.strategies = {}

    def give(self, strategy):
        """Run a file that names about half of the profiles."""
        self.run += 1
        self.strategies[self.run] = strategy
        for profile in self.profiles.values():
            if self.rng.random() < 0.6:
                drawn = draw_value(self.rng, self.kind, strategy)
                profile.take(self.run, strategy, applied(strategy, profile.value, drawn))

    def meddle(self):
        """Let somebody else change a few profiles, and let that be seen."""
        for profile in self.profiles.values():
            if self.rng.random() < 0.2:
                profile.value = draw_value(self.rng, self.kind, "set")

    def rows(self, name, run, *, later):
        return [
            {
                "@profile": name,
                "field": "f",
                "before": text(one.before),
                "wanted": text(one.after),
                "accepted": True,
                "doubt": False,
            }
            | (
                {"seq": one.run, "strategy": one.strategy, "takes_back": one.takes_back}
                if later
                else {}
            )
            for one in self.profiles[name].changes
            if (one.run > run if later else one.run == run)
        ]

    def given(self, name, run):
        """Say what the files of a run gave to a profile: in two parts."""
        for one in self.profiles[name].changes:
            if one.run == run:
                part = (one.after or 0) - (one.before or 0)
                return [(name, 0, "f", text(part - 1)), (name, 1, "f", "1")]
        return []

    def undo(self, run):
        """Take a run back, as the product decides it; returns what it contributed."""
        strategy = self.strategies[run]
        rule = Rule("f", "", self.kind, FieldConfig(merge=strategy, type=self.kind))
        ours, later, gave = [], [], []
        for name in PROFILES:
            ours += self.rows(name, run, later=False)
            later += self.rows(name, run, later=True)
            gave += self.given(name, run) if strategy == "sum" else []
        held = pl.DataFrame(
            {
                "@profile": PROFILES,
                "@exists": [True] * len(PROFILES),
                "f": [text(self.profiles[name].value) for name in PROFILES],
            }
        )
        part = UndoInput(
            pl.DataFrame(ours, schema=CHANGED),
            pl.DataFrame(later, schema=LATER),
            pl.DataFrame(gave, schema=CONTRIBUTIONS_SCHEMA, orient="row"),
            held,
        )
        made = undo_part(part, UndoOptions(run, [rule]))
        sent = dict(made.outbox.select("@profile", "wanted:f").iter_rows())
        told = made.outbox.height + int(made.stays["values"].sum())
        assert told == len(ours), "every change goes back, or is told"
        self.run += 1
        self.strategies[self.run] = strategy
        back = {name: json.loads(value) for name, value in sent.items()}
        for name, value in back.items():
            assert value != self.profiles[name].value
            self.profiles[name].take(self.run, strategy, value, run)
        self._check_contributions(made, strategy, set(back))

    def _check_contributions(self, made, strategy, back):
        """Of each profile that lost its part, the files give that much less."""
        if strategy != "sum":
            return
        given = made.contributions.with_columns(pl.col("given").cast(pl.Int64))
        less = dict(given.group_by("@profile").agg(pl.col("given").sum()).iter_rows())
        assert set(less) <= back
        for name in back:
            change = self.profiles[name].changes[-1]
            assert (change.after or 0) - (change.before or 0) == less[name]


@st.composite
def histories(draw, kind):
    """Draw runs, and what is taken back between them: by its place among all before."""
    step = st.sampled_from(KINDS[kind]) | st.integers(0, 9) | st.just("others")
    return draw(st.lists(step, min_size=3, max_size=9))


def played(kind, seed, steps):
    """Play steps, and compare each undo with the oracle."""
    history = History(kind, seed)
    for step in steps:
        if step == "others":
            history.meddle()
        elif isinstance(step, str):
            history.give(step)
        elif history.run:
            run = step % history.run + 1
            told = {name: expected(profile, run) for name, profile in history.profiles.items()}
            history.undo(run)
            assert told == {name: one.value for name, one in history.profiles.items()}
    return history


@SETTINGS
@given(kind=st.sampled_from([*KINDS]), seed=st.integers(0, 10**6), data=st.data())
def test_each_profile_goes_back_as_the_oracle_says(kind, seed, data):
    """Over all strategies, later runs, other undos, and what others changed."""
    played(kind, seed, data.draw(histories(kind)))


@SETTINGS
@given(kind=st.sampled_from([*KINDS]), seed=st.integers(0, 10**6), data=st.data())
def test_runs_that_are_taken_back_from_the_newest_on_leave_nothing(kind, seed, data):
    """Every profile has what it had before the first of them."""
    steps = data.draw(st.lists(st.sampled_from(KINDS[kind]), min_size=1, max_size=5))
    history = played(kind, seed, steps)
    for run in range(history.run, 0, -1):
        history.undo(run)
    assert history.first == {name: one.value for name, one in history.profiles.items()}


@SETTINGS
@given(kind=st.sampled_from([*KINDS]), seed=st.integers(0, 10**6), data=st.data())
def test_an_undo_that_is_taken_back_changed_nothing(kind, seed, data):
    """The run counts again, and can be taken back once more with the same result."""
    steps = data.draw(st.lists(st.sampled_from(KINDS[kind]), min_size=1, max_size=5))
    history = played(kind, seed, steps)
    run = data.draw(st.integers(1, history.run))
    before = {name: one.value for name, one in history.profiles.items()}
    history.undo(run)
    after = {name: one.value for name, one in history.profiles.items()}
    history.undo(history.run)
    values = {name: one.value for name, one in history.profiles.items()}
    assert _as_sets(before) == _as_sets(values)
    history.undo(run)
    assert _as_sets(after) == _as_sets({name: one.value for name, one in history.profiles.items()})


def _as_sets(values):
    return {name: plain(value) for name, value in values.items()}


@SETTINGS
@given(seed=st.integers(0, 10**6), data=st.data())
def test_sums_that_are_taken_back_in_any_order_leave_the_others(seed, data):
    """As if the runs had never been; a sum of nothing may be 0 in place of empty."""
    history = played("integer", seed, ["sum"] * 5)
    left = {name: one.value or 0 for name, one in history.profiles.items()}
    for run in data.draw(st.permutations(range(1, 6)))[:3]:
        for name, profile in history.profiles.items():
            parts = [one.after - (one.before or 0) for one in profile.changes if one.run == run]
            left[name] -= sum(parts)
        history.undo(run)
    assert left == {name: one.value or 0 for name, one in history.profiles.items()}
