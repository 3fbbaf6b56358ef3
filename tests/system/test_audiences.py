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
