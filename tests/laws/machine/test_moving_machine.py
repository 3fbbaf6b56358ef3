"""Sums of people who are identified, named, renamed or merged meanwhile: each row counts once."""

from __future__ import annotations

import csv
import io
import json
from types import MappingProxyType

import pytest
from hypothesis import strategies as st
from support.machine.law import any_fault, law
from support.machine.moving_double import Mover, Movers, MovingDouble
from support.machine.past import documents
from support.machine.people_double import LABEL
from support.machine.scene import GRACE, SPACING, Scene

from exchanger.config.models import ImportJob
from exchanger.state.runs.log import ENDED

SCHEDULES, NIGHTLY_SCHEDULES, NIGHTLY_PARTS = 5, 600, 4
WHO = tuple("12")
BASE = 4
"""Row number k gives ``BASE ** k``, so that a total tells how often each row is in it."""
GONE = ("crash", "fail", "pause")


LOST = any_fault("track", (*GONE, "odd"), 1, 6)
faults = st.lists(
    LOST | LOST | any_fault("write", GONE, 14) | any_fault("commit", GONE, 2)
    | any_fault("look_up", (*GONE, "odd"), 3),
    max_size=2,
)  # fmt: skip
contents = st.lists(
    st.tuples(st.sampled_from(WHO), st.sampled_from(("call", "value", "value")), st.integers(0, 2)),
    min_size=1,
    max_size=3,
)
steps = st.lists(
    st.tuples(
        st.sampled_from(("values", "values", "people", "people", "kill", "go on")),
        st.none() | contents,
        faults,
        st.sampled_from((1, 5, 25, 60)),
    ),
    min_size=2,
    max_size=4,
)


class Moving(Scene):
    """
    One job of sums, whose rows name people in several ways, and one of calls about them.

    Who is called once is not called again: that would be a call of its own.
    """

    client = MovingDouble
    jobs = ("values", "people")
    said = MappingProxyType({})

    def __init__(self):
        super().__init__()
        self.workspace = Movers(self.time, spacing=SPACING, grace=GRACE)
        for who in WHO:
            self.workspace.profiles += self.people(who)
        self.rows = {}
        """By key of the file and row, which row it is."""
        self._called, self._files = set(), 0

    def people(self, who):
        """Who is there before."""
        return [Mover(f"p{who}@example.com", f"old-{who}")]

    def words(self, who):
        """How rows of sums name somebody: the column, and what stands in it."""
        return [("mail", f"p{who}@example.com"), ("id", f"new-{who}"), ("name", f"a-{who}")]

    def configured(self, job):
        """Either job."""
        source = {"type": "import", "source": {"prefix": f"inbox/{job}/"}}
        if job == "people":
            return ImportJob.model_validate(source | dict(self.said))
        alias = {"alias": {"name": "name", "label": LABEL}}
        match = ({"external_id": "id"}, {"email": "mail"}, alias)
        total = {"from": "amount", "merge": "sum", "type": "integer"}
        return ImportJob.model_validate(source | {"match": match, "fields": {"total": total}})

    def put(self, content):
        """Drop a file of sums and one of calls, as far as there are any."""
        values = [self.words(who)[how % len(self.words(who))]
                  for who, what, how in content if what == "value"]  # fmt: skip
        lines = []
        for column, word in values:
            key = f"inbox/values/{self._files:03d}.csv"
            self.rows[key, len(lines) + 1] = len(self.rows)
            cells = {column: word, "amount": str(BASE ** (len(self.rows) - 1))}
            lines.append(",".join(cells.get(name, "") for name in ("id", "mail", "name", "amount")))
        self._drop("values", "id,mail,name,amount", lines)
        called = {who: None for who, what, _ in content if what == "call"}
        new = [who for who in called if who not in self._called]
        self._called.update(new)
        self._drop("people", "old,new", [self.call(who) for who in new])

    def call(self, who):
        """The row of a call."""
        return f"old-{who},new-{who}"

    def _drop(self, job, header, lines):
        if lines:
            body = "\n".join([header, *lines, ""]).encode()
            self.store.put(f"inbox/{job}/{self._files:03d}.csv", body)
            self._files += 1
            self.time.advance(1)

    def begin(self, verb, troubles):
        """Let a run of either job begin."""
        if len(self.processes) > 1:
            self.resume(0)
        self.start(verb if verb in self.jobs else "values", troubles)

    def follow(self, schedule):
        """Let both jobs run in turn; at last a row comes of everybody, by each name."""
        super().follow(schedule)
        ways = range(len(self.words(WHO[0])))
        self.put([(who, "value", how) for who in WHO for how in ways])
        self.come_to_rest()


class Identified(Moving):
    """People who have an alias get an external id, which somebody may have by then."""

    said = MappingProxyType(
        {
            "object": "identify",
            "identify": {"external_id": "new"},
            "match": ({"alias": {"name": "old", "label": LABEL}},),
        }
    )

    def people(self, who):
        """Who has an address and an alias, and no id."""
        return [Mover(f"p{who}@example.com", alias=f"a-{who}")]

    def call(self, who):
        """By the alias."""
        return f"a-{who},new-{who}"


class Renamed(Moving):
    """People get another external id."""

    said = MappingProxyType(
        {
            "object": "renames",
            "rename": {"from": "old", "to": "new"},
            "match": ({"external_id": "old"},),
        }
    )

    def words(self, who):
        """By address, and by the new id."""
        return super().words(who)[:2]


class Named(Moving):
    """People get an alias, which somebody may have by then."""

    said = MappingProxyType(
        {
            "object": "aliases",
            "alias": {"name": "new", "label": LABEL},
            "match": ({"external_id": "old"},),
        }
    )

    def words(self, who):
        """By address, old id and alias."""
        return [super().words(who)[0], ("id", f"old-{who}"), ("name", f"a-{who}")]

    def call(self, who):
        """The alias."""
        return f"old-{who},a-{who}"


class Merged(Moving):
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
        return [*super().people(who), Mover("", f"new-{who}", f"a-{who}")]

    def words(self, who):
        """By all that names either."""
        return [*super().words(who), ("id", f"old-{who}")]


STORIES = (Identified, Renamed, Named, Merged)


def judge(scene):
    """Each row is in one total once, or went with its profile; only one that is listed may not."""
    runs = documents(scene.store, scene.state().names)
    assert {run.state for run in runs} <= ENDED
    listed = {place for run in runs for place in _listed(scene, run)}
    totals = {one.braze_id: one.total or 0 for one in scene.workspace.profiles}
    often = {number: _times(scene.workspace.lost, number) for number in scene.rows.values()}
    for total in totals.values():
        assert total < BASE ** len(scene.rows)
        for number in often:
            often[number] += _times(total, number)
    for place, number in scene.rows.items():
        least = 0 if place in listed else 1
        assert least <= often[number] <= 1, (place, number, often[number], listed)
    hits = scene.workspace.hits
    assert max(hits.values(), default=0) <= 1, f"somebody was hit again: {hits}"
    return {"moved": bool(hits), "listed": bool(listed), "lost": scene.workspace.lost}


def _times(total, number):
    return total // BASE**number % BASE


def _listed(scene, run):
    """Name the rows that a run has in quarantine: those that were refused are in one object."""
    kept = scene.store.objects.get(run.report.get("quarantine") or "")
    text = kept.body.decode("utf-8-sig") if kept else ""
    taken = {file.key for file in run.files}
    for told in csv.DictReader(io.StringIO(text)):
        total = json.loads(told["record"]).get("total", 0) if told["kind"] == "refused" else 0
        for (key, row), number in scene.rows.items():
            refused = key in taken and _times(total, number)
            if refused or (told["file"], told["row"]) == (key, str(row)):
                yield key, row


def told_and_judged(schedules, number, story):
    """Tell so many stories and judge each; returns what kinds of ends were among them."""
    return law(
        schedules,
        number,
        scene=story,
        job="values",
        contents=contents,
        first=LOST,
        steps=steps,
        told=story.follow,
        judge=judge,
    )


@pytest.mark.long(30)
@pytest.mark.parametrize("story", STORIES)
def test_each_row_counts_once_for_whoever_it_means_by_then(story):
    """Crashes, pauses, lost and late answers of values and of calls: no row is lost, none twice."""
    assert "moved" in told_and_judged(SCHEDULES, 0, story)


@pytest.mark.nightly
@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("number", range(NIGHTLY_PARTS))
def test_each_row_counts_once_all_night(number, story):
    """The same over many more schedules."""
    told_and_judged(NIGHTLY_SCHEDULES // NIGHTLY_PARTS // len(STORIES), number + 1, story)
