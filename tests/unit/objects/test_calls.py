"""Which calls about people are sent, which are so already, and what is in the way of the others."""

from __future__ import annotations

import json

import polars as pl
import pytest
from support.jobs import import_model

from exchanger.objects.calls import SEEN, CallOptions, CallsInput, beside, plan_calls
from exchanger.objects.kinds import kind_of
from exchanger.objects.obstacles import SENTENCES
from exchanger.profiles.frames.columns import FILE, OTHER, PROFILE, ROW
from exchanger.profiles.spelling.profile_key import profile_key

PEOPLE = {
    "a": ["1"],
    "a-former": ["1"],
    "b": ["2"],
}
WHO = {"1": "a", "2": "b", "3": None}


def key(kind, value, label=None):
    """Spell the key of an identifier."""
    text = None if label is None else pl.lit(label)
    return pl.select(profile_key(kind, pl.lit(value), text)).item()


def seen(people, aliases=None):
    """What a look shows, by key: the ids of who has it."""
    rows = [
        {
            "key": name,
            "ids": ids,
            "whos": [WHO[one] for one in ids],
            "aliases": [alias for one in ids for alias in (aliases or {}).get(one, [])],
        }
        for name, ids in people.items()
    ]
    return pl.DataFrame(rows, schema=SEEN)


def planned(job, rows, people, aliases=None):
    """Plan rows of a profile and the parts of the object, and return the plan."""
    making = kind_of(job).making
    given = pl.DataFrame([{PROFILE: who} | parts for who, parts in rows]).with_columns(
        pl.lit(0, pl.UInt32).alias(FILE), pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).alias(ROW)
    )
    given = given.with_columns(making.other(job).alias(OTHER))
    leaving = given[PROFILE] if making.gone else given[PROFILE].clear()
    part = CallsInput(given, seen(people, aliases), leaving)
    return plan_calls(part, CallOptions(making, job))


def verdict(plan):
    """Tell in a word what became of the only row: sent, unchanged, or what is in its way."""
    if plan.outbox.height:
        return "sent"
    if plan.rejected is None:
        return "unchanged"
    assert ["no_effect"] == plan.rejected["reason"].to_list()
    told = plan.rejected["message"].item()
    return next(name for name, text in SENTENCES.items() if text.split("}")[-1][:30] in told)


def renames(**more):
    return import_model(object="renames", rename={"from": "id", "to": "to"} | more)


@pytest.mark.parametrize(
    ("old", "new", "remove_old", "expected"),
    [
        ("a", "x", False, "sent"),
        ("nobody", "x", False, "nobody"),
        ("a", "b", False, "id_taken"),
        ("a-former", "x", False, "not_primary"),
        ("a-former", "a", False, "unchanged"),
        ("a-former", "a", True, "sent"),  # The old id still has to end.
        ("nobody", "a", True, "unchanged"),  # It has ended.
        ("nobody", "a", False, "nobody"),
    ],
)
def test_renames(old, new, remove_old, expected):
    """What cannot be is told, and what is so already is not sent."""
    plan = planned(renames(remove_old=remove_old), [(old, {"to": new})], PEOPLE)
    assert expected == verdict(plan)


def test_rows_that_say_the_same_are_one_call_and_those_that_do_not_are_told():
    """The first word counts: of two new ids nobody knows which is meant."""
    rows = [("a", {"to": "x"}), ("a", {"to": "x"}), ("a", {"to": "y"})]
    plan = planned(renames(), rows, PEOPLE)
    assert [2] == plan.outbox["@rows"].to_list()
    assert {"current_external_id": "a", "new_external_id": "x"} == json.loads(
        plan.outbox["@object"].item()
    )
    assert 1 == plan.tally.rows_rejected
    assert "says otherwise of a" in plan.rejected["message"].item()


def done(job, endpoint, call, people, aliases=None):
    """Tell whether a look shows that a call was done."""
    rows = pl.DataFrame([{"@endpoint": endpoint, "@meant": "1"} | call])
    making = kind_of(job).making
    return beside(rows, seen(people, aliases)).select(making.done().fill_null(value=False)).item()


@pytest.mark.parametrize(
    ("endpoint", "people", "expected"),
    [
        ("renames", {"x": ["1"]}, True),
        ("renames", {"x": ["2"]}, False),  # Somebody else got it meanwhile.
        ("renames", {}, False),
        ("removals", {"a": ["1"], "x": ["1"]}, False),
        ("removals", {"x": ["1"]}, True),
    ],
)
def test_a_look_shows_whether_a_rename_was_done(endpoint, people, expected):
    """The same profile has the new id; once the old one ends nobody has that."""
    assert expected is done(renames(), endpoint, {PROFILE: "a", OTHER: "x"}, people)
