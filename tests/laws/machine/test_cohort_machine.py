"""Cohorts through whole runs: whatever goes wrong, those are in it whom files gave to it."""

from __future__ import annotations

import json

import polars as pl
import pytest
from hypothesis import strategies as st
from support.machine.braze_double import BrazeDouble
from support.machine.law import LOST, TROUBLES, law
from support.machine.past import documents
from support.machine.scene import Scene

from exchanger.config.models import ImportJob
from exchanger.errors import BrazeUnreachable
from exchanger.outside.braze.answers import IdsAnswer
from exchanger.state.runs.log import ENDED

SCHEDULES, NIGHTLY_SCHEDULES, NIGHTLY_PARTS = 12, 600, 4
SEVEN = "alias\x1fcrm\x1f7"
PEOPLE = ("ada", "bob", SEVEN)
CALLED = {"ada,": "ada", ",1": "ada", "bob,": "bob", ",7": SEVEN}
"""How rows name them: one of them by two identifiers, one by an alias alone."""
FIELD = "@cohort:acme/vip"
COHORT = {
    "id": "vip",
    "name": "VIP",
    "partner": "acme",
    "client_secret": "c",
    "partner_key": "p",
}


def a_job(*beside):
    """Configure a job of a cohort, and of what is beside it."""
    return ImportJob.model_validate(
        {
            "type": "import",
            "object": "audience",
            "source": {"prefix": "inbox/vip/"},
            "match": [{"external_id": "id"}, {"alias": {"name": "crm", "label": "crm"}}],
            "action": {"from": "op", "add": ["add"], "remove": ["remove"]},
            "audience": {"as": [*beside, {"cohort": COHORT}]},
        }
    )


contents = st.lists(
    st.tuples(st.sampled_from((*CALLED, "nobody,")), st.sampled_from(("add", "add", "remove"))),
    min_size=1,
    max_size=4,
)
steps = st.lists(
    st.tuples(
        st.sampled_from(("run", "run", "run", "kill", "go on")),
        st.none() | contents,
        TROUBLES,
        st.sampled_from((1, 5, 25, 60)),
    ),
    min_size=1,
    max_size=5,
)


class Client(BrazeDouble):
    """Takes who comes into a cohort and who leaves it, and tells who is there."""

    async def name_cohort(self, endpoint):
        """Each process makes it first, which changes nothing."""

    async def track(self, body, endpoint, group=""):
        told = json.loads(body)
        if endpoint.array == "attributes":
            objects = [_by_key(one) for one in told["attributes"]]
        else:
            objects = [
                {"external_id": who, FIELD: not change.get("should_remove", False)}
                for change in told["cohort_changes"]
                for who in (*change.get("user_ids", ()), *map(_key, change.get("aliases", ())))
            ]
        return await super().track(json.dumps({endpoint.array: objects}).encode(), endpoint)

    async def export_ids(self, external_ids, fields):
        assert FIELD not in fields, "Braze does not show who is in a cohort"
        shown = self._process.effect(
            "look_up",
            self._workspace.shown,
            failure=lambda: BrazeUnreachable("/users/export/ids", 0, "fault"),
            odd=lambda fault, apply: self._workspace.stale(),
        )
        known = {"ada": _user("ada", "1"), "bob": _user("bob"), SEVEN: _user(None, "7")}
        asked = ["ada" if key == SEVEN[:-1] + "1" else key for key in external_ids]
        users = [
            known[key] | {"custom_attributes": _without_cohort(shown.get(key, {}))}
            for key in dict.fromkeys(asked)
            if key in known
        ]
        absent = [key for key, is_it in zip(external_ids, asked, strict=True) if is_it not in known]
        return IdsAnswer(users, absent, [])


def _by_key(content):
    """Name whom an object of attributes is about as the workspace does."""
    assert content.pop("_update_existing_only")
    alias = content.pop("user_alias", None)
    return content if alias is None else content | {"external_id": _key(alias)}


def _without_cohort(values):
    return {name: value for name, value in values.items() if name != FIELD}


def _user(external_id, *aliases):
    named = {"user_aliases": [{"alias_label": "crm", "alias_name": name} for name in aliases]}
    return named if external_id is None else named | {"external_id": external_id}


def _key(alias):
    return f"alias\x1f{alias['alias_label']}\x1f{alias['alias_name']}"


class Cohort(Scene):
    """One job of a cohort."""

    jobs = ("vip",)
    client = Client
    fields = (FIELD,)
    job = a_job()

    def __init__(self):
        super().__init__()
        self.workspace.profiles = {}
        self.files = {}

    def configured(self, job):
        """The job."""
        return self.job

    def put(self, rows):
        """Drop a file."""
        body = "\n".join(["id,crm,op", *(f"{who},{word}" for who, word in rows), ""]).encode()
        key = f"inbox/vip/{len(self.files):03d}.csv"
        self.files[key] = rows
        self.store.put(key, body)
        self.time.advance(1)


class Both(Cohort):
    """A job of a cohort and an attribute."""

    fields = (FIELD, "is_vip")
    job = a_job({"attribute": "is_vip"})


def expected(scene, runs):
    """Who was given last, and who taken out, by files in the order of the runs that took them."""
    named = {}
    for run in runs:
        for file in run.files:
            if file.outcome == "applied":
                rows = scene.files[file.key]
                named |= {CALLED[who]: word == "add" for who, word in rows if who in CALLED}
    return named


def judge(scene):
    """Braze has what the files say, and what is held is what Braze has."""
    runs = documents(scene.store, scene.state().names)
    assert {run.state for run in runs} <= ENDED
    said = expected(scene, runs)
    actual = {who: {**told} for who, told in scene.workspace.profiles.items()}
    assert {who: dict.fromkeys(scene.fields, is_in) for who, is_in in said.items()} == actual
    held = (
        scene.state().held.of(pl.Series(PEOPLE), scene.fields).rows_by_key("@profile", named=True)
    )
    for who, is_in in said.items():
        [known] = held.get(who) or [dict.fromkeys(scene.fields)]
        for field in scene.fields:
            assert known[field] in (None, "?", json.dumps(is_in)), f"held of {who}: {known[field]}"
    again = len(scene.workspace.landed) > len(said) * len(scene.fields)
    return {"in": True in said.values(), "out": False in said.values(), "again": again}


def told_and_judged(schedules, number, scene=Cohort):
    """Tell so many stories and judge each; returns what kinds of ends were among them."""
    return law(
        schedules,
        number,
        scene=scene,
        job="vip",
        contents=contents,
        first=LOST,
        steps=steps,
        told=Scene.follow,
        judge=judge,
    )


@pytest.mark.long(30)
@pytest.mark.parametrize("scene", [Cohort, Both])
def test_those_are_in_a_cohort_whom_files_gave_whatever_goes_wrong(scene):
    """
    Crashes, pauses, lost and late answers, and rows that name one person in two ways.

    An attribute beside the cohort has the same to say, and each is answered by itself.
    """
    seen = told_and_judged(SCHEDULES, 0, scene)
    assert {"in", "out", "again"} <= set(seen), "the stories are about something"


@pytest.mark.nightly
@pytest.mark.parametrize("scene", [Cohort, Both])
@pytest.mark.parametrize("number", range(NIGHTLY_PARTS))
def test_those_are_in_a_cohort_whom_files_gave_all_night(number, scene):
    """The same over many more schedules."""
    told_and_judged(NIGHTLY_SCHEDULES // NIGHTLY_PARTS, number + 1, scene)
