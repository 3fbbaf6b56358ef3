"""Audiences from files that say who comes and who goes."""

from __future__ import annotations

import json

import pytest
from support.jobs import import_job

ACTION = {"from": "op", "add": ["add", "+"], "remove": ["remove"]}
TARGETS = [{"attribute": "is_vip"}, {"list": "audiences", "entry": "vip"}]
VIP = import_job(
    object="audience",
    source={"prefix": "audiences/vip/", "order_by": "at"},
    action=ACTION,
    audience={"as": TARGETS},
)
TRACK = "/users/track"


@pytest.fixture
def vip(exchange):
    """A job of an audience; three people are in Braze, one of them in another audience."""
    exchange.connection["braze"]["grace"] = "0s"
    exchange.braze.seed(
        [
            {"external_id": "ada", "audiences": ["new"]},
            {"external_id": "bob", "is_vip": True, "audiences": ["vip"]},
            {"external_id": "cy"},
        ]
    )
    exchange.configure(vip=VIP)
    return exchange


def memberships(exchange):
    """Who has which attribute and which entries, by profile."""
    found = {}
    for who in sorted(exchange.braze.users()):
        texts = (exchange.attribute(who, name) or "null" for name in ("is_vip", "audiences"))
        found[who] = tuple(map(json.loads, texts))
    return found


def rows(report, *kinds):
    return tuple(report[f"rows_{kind}"] for kind in kinds)


def test_who_comes_and_goes_is_told_by_an_attribute_and_an_entry(vip):
    """Only what differs is sent, other entries stay, and the last word about somebody counts."""
    vip.drop(
        "audiences/vip/1.csv",
        "id,op,at\nada,add,1\nbob,+,1\ncy,REMOVE,1\ndan,perhaps,1\ncy,add,0\neve,,1\n",
    )
    plan = vip.ask("plan", "vip")
    assert {"is_vip": 2, "audiences": 1} == {
        field["field"]: field["profiles"] for field in plan["fields"]
    }
    report = vip.ask("run", "vip", code=4)
    assert (6, 2, 1, 1, 2) == rows(report, "read", "applied", "unchanged", "superseded", "rejected")
    assert [(4, "no_such_action"), (6, "no_action")] == vip.rejected(report)
    assert {
        "ada": (True, ["new", "vip"]),
        "bob": (True, ["vip"]),
        "cy": (False, None),
    } == memberships(vip)

    vip.drop("audiences/vip/2.csv", "id,op,at\nada,remove,2\nbob,remove,2\ncy,remove,2\n")
    report = vip.ask("run", "vip")
    assert (2, 1, 0) == rows(report, "applied", "unchanged", "rejected")
    assert {"ada": (False, ["new"]), "bob": (False, None), "cy": (False, None)} == memberships(vip)

    vip.drop("audiences/vip/late.csv", "id,op,at\nada,add,1\nbob,add,3\n")
    vip.ask("run", "vip")
    assert {"ada": (False, ["new"]), "bob": (True, ["vip"]), "cy": (False, None)} == memberships(
        vip
    )


@pytest.mark.nightly
def test_who_was_refused_is_given_again_beside_other_audiences(vip):
    """A retry gives the entry, not the list as it was: what another job did since stays."""
    other = VIP | {
        "source": {"prefix": "audiences/app/"},
        "audience": {"as": {"list": "audiences", "entry": "app"}},
    }
    vip.configure(vip=VIP, app=other)
    told = [{"type": "not today", "input_array": "attributes", "index": index} for index in (0, 1)]
    vip.braze.faults(TRACK, status=400, body={"message": "no", "errors": told}, times=1)
    vip.drop("audiences/vip/1.csv", "id,op,at\nada,add,1\nbob,remove,1\n")
    report = vip.ask("run", "vip", code=4)
    assert (2, 0) == rows(report, "refused", "applied")
    vip.drop("audiences/app/1.csv", "id,op\nada,add\nbob,add\n")
    vip.ask("run", "app")

    again = vip.ask("retry", str(report["seq"]))

    assert (2, 0) == rows(again, "applied", "superseded")
    assert {
        "ada": (True, ["new", "app", "vip"]),
        "bob": (False, ["app"]),
        "cy": (None, None),
    } == memberships(vip)


EVENTS = VIP | {
    "source": {"prefix": "audiences/vip/"},
    "audience": {"as": {"events": {"entered": "VIP entered", "exited": "VIP exited"}}},
}


def counts(exchange):
    """How often Braze has counted which event, by profile."""
    return {
        who: {one["name"].removeprefix("VIP "): one["count"] for one in events}
        for who, user in exchange.braze.users().items()
        if (events := user.get("custom_events", []))
    }


def test_who_comes_and_who_goes_gets_an_event_once(vip):
    """Who belongs already gets none, nor who never did; also in another file, or another job."""
    vip.configure(vip=EVENTS)
    vip.drop("audiences/vip/1.csv", "id,op\nada,add\nbob,add\ncy,remove\nbob,add\nx,?\n")
    plan = vip.ask("plan", "vip")
    assert (2, []) == (plan["report"]["data_points"], plan["fields"])
    assert {"ada", "bob"} == {profile for profile, _ in plan["objects"]}
    report = vip.ask("run", "vip", code=4)
    assert (5, 2, 1, 1, 1) == rows(report, "read", "applied", "unchanged", "superseded", "rejected")
    assert not report["by_field"], "what an event costs is not saved by any field"
    assert {"ada": {"entered": 1}, "bob": {"entered": 1}} == counts(vip)
    [first, _] = vip.braze.bodies(TRACK)[0]["events"]
    assert ("ada", "VIP entered") == (first["external_id"], first["name"])
    assert first["time"].endswith("Z")

    renamed = EVENTS | {"description": "the same by another name"}
    vip.configure(again=renamed)
    vip.drop("audiences/vip/2.csv", "id,op\nada,add\nbob,remove\ncy,remove\ndan,+\n")
    report = vip.ask("run", "again", code=4)
    gone = {"ada": {"entered": 1}, "bob": {"entered": 1, "exited": 1}, "dan": {"entered": 1}}
    assert gone == counts(vip)
    vip.drop("audiences/vip/3.csv", "id,op\nbob,add\nbob,remove\nbob,add\n")
    vip.ask("run", "again")
    assert {"entered": 2, "exited": 1} == counts(vip)["bob"]


@pytest.mark.nightly
def test_an_event_in_doubt_or_refused_is_given_again_by_a_person_alone(vip):
    """Meanwhile nobody gets it a second time, whatever files say again."""
    vip.configure(vip=EVENTS)
    vip.braze.faults(TRACK, drop="after", times=1)
    vip.drop("audiences/vip/1.csv", "id,op\nada,add\n")
    report = vip.ask("run", "vip", code=4)
    assert 1 == report["rows_in_doubt"]
    vip.drop("audiences/vip/2.csv", "id,op\nada,+\n")
    assert (0, 1) == rows(vip.ask("run", "vip"), "applied", "unchanged")
    assert {"ada": {"entered": 1}} == counts(vip)

    told = {"type": "not today", "input_array": "events", "index": 0}
    vip.braze.faults(TRACK, status=400, body={"message": "no", "errors": [told]}, times=1)
    vip.drop("audiences/vip/3.csv", "id,op\nbob,add\n")
    refused = vip.ask("run", "vip", code=4)
    vip.drop("audiences/vip/4.csv", "id,op\nbob,+\n")
    vip.ask("run", "vip")
    assert "bob" not in counts(vip)
    again = vip.ask("retry", str(refused["seq"]))
    assert (1, {"entered": 1}) == (again["rows_applied"], counts(vip)["bob"])
    assert 1 == vip.ask("retry", str(report["seq"]))["rows_applied"]
    assert {"entered": 2} == counts(vip)["ada"]


@pytest.mark.nightly
def test_membership_outlasts_what_is_learnt_of_braze(vip):
    """That Braze knows nothing of who belongs is no news about it."""
    vip.braze.add_segment("Everybody")
    segment = {"segment": "Everybody", "completion": {"poll": "1s", "quiet": "1s"}}
    vip.configure(vip=EVENTS, crm=import_job(fields={"tier": "set"}, baseline=segment))
    vip.drop("audiences/vip/1.csv", "id,op\nbob,add\n")
    vip.ask("run", "vip")
    fields = vip.ask("rebuild", "crm")["fields"]
    assert ["tier"] == [each["field"] for each in fields]
    vip.drop("audiences/vip/2.csv", "id,op\nbob,+\n")
    vip.ask("run", "vip")
    assert {"bob": {"entered": 1}} == counts(vip)


@pytest.mark.nightly
def test_people_of_the_first_files_may_be_known_without_an_event(vip):
    """They belong to it all the same: who goes later gets the event of that, who stays none."""
    vip.configure(vip=EVENTS | {"audience": EVENTS["audience"] | {"historical": False}})
    vip.drop("audiences/vip/1.csv", "id,op\nada,add\nbob,add\n")
    report = vip.ask("run", "vip")
    assert (2, 0, 0) == (report["rows_applied"], report["data_points"], report["requests"])
    assert not vip.braze.bodies(TRACK)
    vip.drop("audiences/vip/2.csv", "id,op\nada,add\nbob,remove\ncy,add\n")
    vip.ask("run", "vip")
    assert {"bob": {"exited": 1}, "cy": {"entered": 1}} == counts(vip)


@pytest.mark.nightly
def test_what_others_change_in_an_audience_is_drift(vip):
    """Its attribute and its array are compared as any others; what no attribute is has no drift."""
    signups = import_job(object="events", event={"name": "Joined", "time": "at"})
    vip.configure(vip=VIP, signups=signups)
    vip.drop("audiences/vip/1.csv", "id,op,at\nada,add,1\nbob,remove,1\n")
    vip.ask("run", "vip")
    vip.braze.seed([{"external_id": "ada", "is_vip": False}])
    report = vip.ask("drift", "vip")
    changed = {one["field"]: one["changed"] for one in report["fields"]}
    assert ({"audiences": 0, "is_vip": 1}, 2) == (changed, report["compared"])
    assert "object: events" in vip.ask("drift", "signups")["notes"][0]


@pytest.mark.nightly
def test_what_a_run_of_an_audience_did_is_taken_back(vip):
    """Each entry and each value as it was before; what other audiences did since stays."""
    vip.drop("audiences/vip/1.csv", "id,op,at\nada,add,1\nbob,remove,1\n")
    report = vip.ask("run", "vip")
    other = VIP | {
        "source": {"prefix": "audiences/app/"},
        "audience": {"as": {"list": "audiences", "entry": "app"}},
    }
    vip.configure(vip=VIP, app=other)
    vip.drop("audiences/app/1.csv", "id,op\nada,add\nbob,add\n")
    vip.ask("run", "app")
    vip.ask("undo", str(report["seq"]), "--yes")
    found = memberships(vip)
    assert ["new", "app"] == found["ada"][1]
    assert (True, ["app", "vip"]) == found["bob"]


@pytest.mark.nightly
def test_each_file_may_name_everybody_who_belongs(vip):
    """Who is missing in the next one goes, and nobody else: by values and by events alike."""
    source = {"prefix": "audiences/vip/", "mode": "snapshot"}
    values = {key: value for key, value in VIP.items() if key != "action"}
    values |= {"source": source, "guards": {"max_leavers_percent": 60}}
    events = values | {"audience": EVENTS["audience"]}
    vip.configure(vip=values, events=events)
    vip.drop("audiences/vip/1.csv", "id\nada\nbob\n")
    for name in ("vip", "events"):
        vip.ask("run", name)
    assert (True, ["new", "vip"]) == memberships(vip)["ada"]
    assert {"ada": {"entered": 1}, "bob": {"entered": 1}} == counts(vip)

    vip.drop("audiences/vip/2.csv", "id\nbob\ndan\n")
    plan = vip.ask("plan", "vip")["report"]
    assert (1, 2) == (plan["leavers"], plan["members_before"])
    for name in ("vip", "events"):
        vip.ask("run", name)
    assert {
        "ada": (False, ["new"]),
        "bob": (True, ["vip"]),
        "cy": (None, None),
        "dan": (True, ["vip"]),
    } == memberships(vip)
    once = {"ada": {"entered": 1, "exited": 1}, "bob": {"entered": 1}, "dan": {"entered": 1}}
    assert once == counts(vip)

    vip.drop("audiences/vip/3.csv", "id\nbob\ndan\n")
    for name in ("vip", "events"):
        assert 2 == vip.ask("run", name)["rows_unchanged"]
    assert once == counts(vip)
