"""Calls about people through whole runs: whatever goes wrong, each is done once, or is told."""

from __future__ import annotations

from functools import partial
from types import MappingProxyType

import pytest
from hypothesis import strategies as st
from support.machine.law import any_fault, law
from support.machine.past import documents
from support.machine.people_double import LABEL, People, PeopleDouble, Person
from support.machine.scene import Scene

from exchanger.config.models import ImportJob
from exchanger.state.runs.log import ENDED

SCHEDULES, NIGHTLY_SCHEDULES, NIGHTLY_PARTS = 6, 5_000, 10
OTHERS_NIGHTLY = 600
"""Schedules of each story that another one tells in good part, too."""
WHO = tuple("123456")
BY_ADDRESS = ({"email": "old"},)
ROWS = ("applied", "unchanged", "superseded", "skipped", "rejected", "refused", "in_doubt")
GONE = ("crash", "fail", "pause")
drawn = partial(any_fault, variants=2)
LOST = drawn("track", GONE, 1)
faults = st.lists(
    LOST | LOST | drawn("track", ("odd",), 1) | drawn("write", GONE, 14)
    | drawn("commit", GONE, 2) | drawn("look_up", ("crash", "fail"), 3),
    max_size=3,
)  # fmt: skip
contents = st.lists(st.sampled_from(WHO), min_size=1, max_size=3, unique=True)
steps = st.lists(
    st.tuples(
        st.sampled_from(("run", "run", "run", "discard", "kill", "go on")),
        st.none() | contents,
        faults,
        st.sampled_from((1, 5, 25, 60)),
    ),
    min_size=1,
    max_size=4,
)


class Calls(Scene):
    """One job of calls. No row comes twice: that would be a call of its own."""

    client = PeopleDouble
    jobs = ("people",)
    said = MappingProxyType(
        {"object": "identify", "identify": {"external_id": "new"}, "match": BY_ADDRESS}
    )
    known = False
    """Whether people have an external id before."""

    def __init__(self):
        super().__init__()
        self.workspace = People(self.time)
        for who in WHO:
            self.workspace.people += self.people(who)
        self.called = set()
        self._files = 0

    def people(self, who):
        """Whom a row is about."""
        address = self.word(who)
        return [Person(address, address if self.known else None)]

    def word(self, who):
        """By what a row names somebody."""
        return f"p{who}@example.com"

    def configured(self, job):
        """The job."""
        usual = {"type": "import", "source": {"prefix": "inbox/people/"}}
        return ImportJob.model_validate(usual | dict(self.said))

    def put(self, people):
        """Drop a file with a row of each who was in none before."""
        new = [who for who in people if who not in self.called]
        if not new:
            return
        lines = ["old,new", *(f"{self.word(who)},new-{who}" for who in new), ""]
        self._files += 1
        self.store.put(f"inbox/people/{self._files:03d}.csv", "\n".join(lines).encode())
        self.called.update(new)
        self.time.advance(1)


class Renames(Calls):
    """People get another external id."""

    said = MappingProxyType(
        {
            "object": "renames",
            "rename": {"from": "old", "to": "new"},
            "match": ({"external_id": "old"},),
        }
    )
    known = True

    def word(self, who):
        """By their external id."""
        return f"old-{who}"


class Deletions(Calls):
    """Everybody with an address is deleted."""

    said = MappingProxyType(
        {
            "object": "deletions",
            "confirm_deletes": True,
            "guards": {"max_deletes": 100},
            "match": BY_ADDRESS,
        }
    )


class Numbers(Calls):
    """People get an external id, by their phone number."""

    said = MappingProxyType(dict(Calls.said) | {"match": ({"phone": "old"},)})

    def word(self, who):
        """By the number."""
        return f"+491511234567{who}"


class ByAlias(Calls):
    """People get an external id, by their alias."""

    said = MappingProxyType(
        dict(Calls.said) | {"match": ({"alias": {"name": "old", "label": LABEL}},)}
    )

    def people(self, who):
        """Who has an alias alone."""
        return [Person(f"{who}@example.com", alias=self.word(who))]


class Aliases(Renames):
    """People get an alias."""

    said = MappingProxyType(
        {
            "object": "aliases",
            "alias": {"name": "new", "label": LABEL},
            "match": ({"external_id": "old"},),
        }
    )


class Merges(Renames):
    """People become part of others."""

    said = MappingProxyType(
        {
            "object": "merges",
            "merge": {"keep": {"external_id": "new"}, "drop": {"external_id": "old"}},
            "match": ({"external_id": "old"},),
        }
    )

    def people(self, who):
        """Who goes, and who is left."""
        return [*super().people(who), Person(f"new-{who}", f"new-{who}")]


STORIES = (Calls, Renames, Deletions)
OTHERS = (Numbers, ByAlias, Aliases, Merges)


def judge(scene):
    """Nobody is hit twice; every row is told, and what is told as applied was done."""
    runs = documents(scene.store, scene.state().names)
    assert {run.state for run in runs} <= ENDED
    hits = {who: scene.workspace.hits[scene.word(who)] for who in scene.called}
    assert max(hits.values(), default=0) <= 1, f"somebody was hit again: {hits}"
    counts = {name: sum(run.report[f"rows_{name}"] for run in runs) for name in ROWS}
    assert len(scene.called) == sum(counts.values()), (len(scene.called), counts)
    done = sum(hits.values())
    assert counts["applied"] <= done, (counts, hits)
    unsure = counts["in_doubt"] + counts["refused"] + counts["unchanged"]
    dropped = any(run.discarded for run in runs)
    assert dropped or done <= counts["applied"] + unsure, (counts, hits)
    return {"done": bool(done), "doubt": bool(counts["in_doubt"]), "refused": counts["refused"]}


def told_and_judged(schedules, number, story):
    """Tell so many stories and judge each; returns what kinds of ends were among them."""
    return law(
        schedules,
        number,
        scene=story,
        job="people",
        contents=contents,
        first=LOST,
        steps=steps,
        told=Scene.follow,
        judge=judge,
    )


@pytest.mark.long(30)
def test_a_call_by_an_address_hits_nobody_else():
    """Crashes, pauses, lost, late and odd answers: whoever is next with an address stays alone."""
    assert {"done", "doubt"} <= set(told_and_judged(SCHEDULES, 0, Calls))


@pytest.mark.long(30)
@pytest.mark.parametrize("story", [Renames, Deletions])
def test_a_call_about_somebody_is_done_once(story):
    """The same of renames and deletions, which are sent again and looked at."""
    assert "done" in told_and_judged(SCHEDULES // 2, 0, story)


@pytest.mark.parametrize("story", [ByAlias, Merges])
def test_a_call_of_another_kind_is_done_once(story):
    """The same of merges, and of people who are identified by an alias."""
    assert {"done", "doubt"} & set(told_and_judged(1, 0, story))


@pytest.mark.nightly
@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("number", range(NIGHTLY_PARTS))
def test_each_call_is_done_once_all_night(number, story):
    """The same over many more schedules."""
    told_and_judged(NIGHTLY_SCHEDULES // NIGHTLY_PARTS // len(STORIES), number + 1, story)


@pytest.mark.nightly
@pytest.mark.parametrize("story", OTHERS)
@pytest.mark.parametrize("number", range(NIGHTLY_PARTS))
def test_each_call_of_other_kinds_is_done_once_all_night(number, story):
    """The same of names, merges, and people who are identified by a number or an alias."""
    told_and_judged(OTHERS_NIGHTLY // NIGHTLY_PARTS, number + 1, story)
