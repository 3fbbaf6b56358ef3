"""People who come into a cohort of a partner and who leave it, and the requests that say so."""

from __future__ import annotations

import json

import polars as pl
import pytest
from support.jobs import import_model

from exchanger.braze.endpoints import COHORT, endpoint_named
from exchanger.objects.audiences import BothShape, CohortShape
from exchanger.objects.kinds import kind_of
from exchanger.profiles.frames.columns import ENDPOINT, OBJECT, POINTS, PROFILE, send
from exchanger.profiles.planning.payloads import bodies
from exchanger.profiles.spelling.data_points import field_points, is_free, points_of

KEYS = {"client_secret": "c", "partner_key": "p"}


def rendered(key, **people):
    name = send(f"@cohort:{key}")
    wanted = pl.DataFrame({PROFILE: [*people], name: [*people.values()]})
    return CohortShape(key).objects(wanted)


def test_each_person_is_a_change_of_the_cohort_alone():
    """With who it is, whether they leave, and nothing that is secret."""
    made = rendered("acme/v:ip", **{'a"da': "true", "bob": "false"})
    assert ['{"user_ids":["a\\"da"]}', '{"user_ids":["bob"],"should_remove":true}'] == made[
        OBJECT
    ].to_list()
    assert ["cohort:acme/v:ip"] == made[ENDPOINT].unique().to_list()
    endpoint = endpoint_named("cohort:acme/v:ip")
    assert ("acme/v:ip", "/partners/acme/cohorts/users") == (endpoint.of, endpoint.address)


@pytest.mark.parametrize(("key", "points"), [("acme/vip", [0, 0]), ("Hightouch/vip", [1, 0])])
def test_who_comes_costs_a_point_at_some_partners(key, points):
    """Who leaves costs nothing anywhere; what a plan, a report and savings count is the same."""
    assert points == rendered(key, ada="true", bob="false")[POINTS].to_list()
    name = f"@cohort:{key}"
    sent = pl.DataFrame({"sent": ["true", "false", None]})
    counted = sent.with_columns(points=field_points(name, pl.col("sent")))["points"]
    assert [*points, 0] == counted.to_list()
    assert sum(points) == points_of(name, sent["sent"], is_json=False)
    assert sum(points) == points_of(name, pl.Series([True, False, None]), is_json=False)
    assert is_free(name) is not any(points)


def test_a_request_has_a_thousand_people_and_two_changes_at_most():
    """However few profiles the job puts into a request: nothing but their names is in it."""
    made = [{"user_ids": [f"p{n}"]} | ({"should_remove": True} if n % 4 else {})
            for n in range(2_001)]  # fmt: skip
    texts = pl.Series([json.dumps(one, separators=(",", ":")) for one in made])
    found = [json.loads(batch.body) for batch in bodies(texts, 75, COHORT).batches]
    sizes = [[len(change["user_ids"]) for change in body["cohort_changes"]] for body in found]
    assert [[250, 750], [250, 750], [1]] == sizes
    [come, leave] = found[0]["cohort_changes"]
    assert (["p0", "p4"], ["p1", "p2", "p3"]) == (come["user_ids"][:2], leave["user_ids"][:3])
    assert (None, True) == (come.get("should_remove"), leave.get("should_remove"))


def test_people_are_named_by_what_names_them():
    """Aliases are objects of their own kind, and those who come still stand in one change."""
    key = 'alias\x1fc"rm\x1f7'
    made = rendered("acme/vip", **{key: "true", "ada": "true", "bob": "false"})[OBJECT]
    alias = {"alias_label": 'c"rm', "alias_name": "7"}
    assert {"aliases": [alias]} == json.loads(made[0])
    [batch] = bodies(made, 75, COHORT).batches
    come, leave = json.loads(batch.body)["cohort_changes"]
    assert {"user_ids": ["ada"], "aliases": [alias]} == come
    assert {"user_ids": ["bob"], "should_remove": True} == leave


def test_attributes_beside_a_cohort_are_objects_of_their_own():
    """Each has what it changes alone, the attributes come first, and nobody is created."""
    sides = ("before:", "wanted:", "send:")
    given = {"ada": ("true", "true"), "bob": (None, "false"), "cy": ("false", None)}
    cells = {
        side + name: [each[place] for each in given.values()]
        for side in sides
        for place, name in enumerate(("is_vip", "@cohort:acme/vip"))
    }
    shape = BothShape("acme/vip")
    changes = shape.changes(pl.DataFrame({PROFILE: [*given], **cells}), None)
    assert ["ada", "cy", "ada", "bob"] == changes[PROFILE].to_list()
    assert [True, True, False, False] == changes["wanted:is_vip"].is_not_null().to_list()
    assert [False, False, True, True] == changes["before:@cohort:acme/vip"].is_not_null().to_list()
    made = shape.objects(changes)
    assert [0, 1, 2, 3] == made["@item"].to_list()
    assert ["attributes", "cohort:acme/vip"] == made[ENDPOINT].unique(maintain_order=True).to_list()
    said = [json.loads(text) for text in made[OBJECT]]
    only = {"_update_existing_only": True}
    assert {"external_id": "ada", "is_vip": True} | only == said[0]
    assert [{"user_ids": ["ada"]}, {"user_ids": ["bob"], "should_remove": True}] == said[2:]
    assert [1, 1, 0, 0] == made[POINTS].to_list()
    nothing = pl.DataFrame({PROFILE: []}, schema={PROFILE: pl.String})
    assert shape.objects(shape.changes(nothing, None)).is_empty()


def test_nobody_is_created_for_a_cohort():
    """Whatever the job says of others: Braze takes no notice of whom it does not have."""
    cohort = {"id": "vip", "name": "VIP", "partner": "acme", **KEYS}
    job = import_model(object="audience", audience={"as": [{"cohort": cohort}]})
    assert (False, "audience_cohort") == (job.creates, kind_of(job).name)
    assert "'p'" not in repr(job)
    assert '"c"' not in job.model_dump_json()
