"""Rows of consent become fields, one for each group, and requests that Braze takes."""

from __future__ import annotations

import json

import polars as pl
import pytest
from support.jobs import import_model

from exchanger.braze.endpoints import EMAIL_STATES, GROUPS
from exchanger.config.models import FieldConfig
from exchanger.errors import FileRejected
from exchanger.jobs.reading.known_groups import demand_groups
from exchanger.objects.states import email_states, group_states
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.planning.payloads import bodies

WORDS = {"from": "news", "subscribed": ["Yes", 1], "unsubscribed": ["no", "0", False]}


def given(**cells):
    rows = len(next(iter(cells.values())))
    places = {"@profile": ["p"] * rows, "@file": [0] * rows, "@row": [*range(1, rows + 1)]}
    types = dict.fromkeys(cells, pl.String) | {"@file": pl.UInt32, "@row": pl.UInt32}
    return pl.DataFrame(places | cells, schema_overrides=types)


def parts(*names):
    return {name: Rule(name, f"the {name}", "string", FieldConfig()) for name in names}


@pytest.mark.parametrize(
    ("cell", "state", "reason"),
    [
        ("yes", "subscribed", None),
        (" YES ", "subscribed", None),
        ("1", "subscribed", None),
        ("No", "unsubscribed", None),
        ("false", "unsubscribed", None),
        ("", None, None),
        (None, None, None),
        ("perhaps", None, "no_such_state"),
        ("10", None, "no_such_state"),
    ],
)
def test_a_cell_means_a_state_or_is_rejected(cell, state, reason):
    """Words are compared without case; an empty cell says nothing."""
    job = import_model(object="email_state", match=[{"email": "m"}], state=WORDS)
    made = email_states(given(state=[cell]), parts("state"), job)
    assert ([reason] if reason else []) == made.rejected["reason"].to_list()
    assert ([] if reason else [state]) == made.frame["@email_state"].to_list()
    assert [("@email_state", True)] == [(rule.name, rule.guarded) for rule in made.rules]


def test_each_group_is_a_field():
    """A row speaks of its group alone; one without a group is rejected if it has a state."""
    spec = {"group": {"from": "list"}, "state": WORDS}
    job = import_model(object="subscriptions", subscription=spec, may_resubscribe=True)
    rows = given(state=["yes", "no", "no", None, "?"], group=["a", " b ", None, None, "c"])

    made = group_states(rows, parts("state", "group"), job)

    assert ["@group:a", "@group:b"] == [rule.name for rule in made.rules if not rule.guarded]
    assert [("subscribed", None), (None, "unsubscribed"), (None, None)] == made.frame.select(
        "@group:a", "@group:b"
    ).rows()
    assert {(3, "no_group"), (5, "no_such_state")} == {
        *made.rejected.select("@row", "reason").rows()
    }
    assert 'column the state: "?" is no state' in made.rejected["message"].str.join(" ").item()


def packed(endpoint, *objects):
    texts = pl.Series([json.dumps(one, separators=(",", ":")) for one in objects])
    return [json.loads(batch.body) for batch in bodies(texts, 75, endpoint).batches]


def test_people_of_one_group_and_state_go_together():
    """However many groups each of them has; fifty people in a request."""
    [body] = packed(
        GROUPS["external_id"],
        {"external_id": "p", "@group:a": "subscribed", "@group:b": "unsubscribed"},
        {"external_id": "q", "@group:a": "subscribed"},
        {"external_id": "r", "@group:a": "unsubscribed", "use_double_opt_in_logic": True},
        {"external_id": "s", "@group:c": "subscribed", "use_double_opt_in_logic": True},
    )
    entries = {
        (one.pop("subscription_group_id"), one.pop("subscription_state")): one
        for one in body["subscription_groups"]
    }
    assert {
        ("a", "subscribed"): {"external_ids": ["p", "q"]},
        ("b", "unsubscribed"): {"external_ids": ["p"]},
        ("a", "unsubscribed"): {"external_ids": ["r"]},
        ("c", "subscribed"): {"external_ids": ["s"], "use_double_opt_in_logic": True},
    } == entries
    many = [{"phone": f"+49{n}", "@group:a": "subscribed"} for n in range(120)]
    people = [
        len(one["subscription_groups"][0]["phones"]) for one in packed(GROUPS["phone"], *many)
    ]
    assert [50, 50, 20] == people


def test_addresses_of_one_state_go_together():
    """A request says one state, and lists who gets it."""
    found = packed(
        EMAIL_STATES["opted_in"],
        *({"email": f"{n}@example.com", "@email_state": "opted_in"} for n in range(2)),
    )
    assert [
        {"email": ["0@example.com", "1@example.com"], "subscription_state": "opted_in"}
    ] == found


def test_a_column_of_people_is_no_column_of_groups():
    """Nobody is asked for a million groups, as the file is rejected before."""
    few = given(group=[f"g{n}" for n in range(250)])
    demand_groups(few, "a.csv")
    with pytest.raises(FileRejected) as raised:
        demand_groups(given(group=[f"g{n}" for n in range(251)]), "a.csv")
    assert "too_many_groups" == raised.value.reason
