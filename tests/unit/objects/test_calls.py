"""Which calls about people are sent, which are so already, and what is in the way of the others."""

from __future__ import annotations

import json

import polars as pl
import pytest
from support.jobs import import_model

from exchanger.jobs.snapshots.removal import removing
from exchanger.objects.kinds import kind_of
from exchanger.objects.people.calls import (
    SEEN,
    CallOptions,
    CallsInput,
    beside,
    claims_of,
    leaving,
    plan_calls,
)
from exchanger.objects.people.obstacles import SENTENCES
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
    parts = {name: pl.String for _, some in rows for name in some}
    named = [{PROFILE: who} | some for who, some in rows]
    given = pl.DataFrame(named, schema={PROFILE: pl.String} | parts).with_columns(
        pl.lit(0, pl.UInt32).alias(FILE), pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).alias(ROW)
    )
    given = given.with_columns(making.other(job).alias(OTHER))
    part = CallsInput(given, seen(people, aliases), leaving(given), claims_of(given))
    return plan_calls(part, CallOptions(making, job))


def verdict(plan):
    """Tell in a word what became of the only row: sent, unchanged, or what is in its way."""
    if plan.outbox.height:
        return "sent"
    if plan.rejected is None:
        return "unchanged"
    assert ["no_effect"] == plan.rejected["reason"].to_list()
    told = plan.rejected["message"].item()
    return next(name for name, text in SENTENCES.items() if text.split("}")[-1][:45] in told)


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


def test_a_row_that_is_told_itself_is_in_the_way_of_none():
    """What cannot be says nothing of a person that another row would contradict."""
    rows = [("a", {"to": "b"}), ("a", {"to": "x"})]
    assert ['{"current_external_id":"a","new_external_id":"x"}'] == planned(
        renames(), rows, PEOPLE
    ).outbox["@object"].to_list()
    rows = [("a", {"keep": "a"}), ("b", {"keep": "a"})]
    assert ["b"] == planned(merges(), rows, PEOPLE).outbox["@profile"].to_list()


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([("a", "1"), ("b", "1")], "gives alias crm 1 to somebody else"),
        ([("a", "1"), ("a", "2")], "says otherwise of a"),
    ],
)
def test_of_two_rows_about_one_name_the_first_counts(rows, told):
    """A label has a name once, and a person one name of it: Braze keeps no order among calls."""
    named = [(who, {"name": name, "label": "crm"}) for who, name in rows]
    plan = planned(aliases(), named, PEOPLE)
    assert ["a"] == plan.outbox["@profile"].to_list()
    assert told in plan.rejected["message"].item()
    job = renames()
    taken = planned(job, [("a", {"to": "x"}), ("b", {"to": "x"})], PEOPLE)
    assert "gives x to somebody else" in taken.rejected["message"].item()


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


def aliases(**more):
    return import_model(object="aliases", alias={"name": "name", "label": "crm"} | more)


@pytest.mark.parametrize(
    ("who", "name", "replaces", "expected"),
    [
        ("b", "7", None, "sent"),
        ("a", "5", None, "unchanged"),
        ("b", "5", None, "alias_taken"),
        ("a", "7", None, "label_taken"),
        ("a", "7", "5", "sent"),
        ("b", "7", "5", "no_old_alias"),
        ("nobody", "7", None, "nobody"),
        ("a", "5", "4", "unchanged"),
        ("a", "7", "", "label_taken"),
    ],
)
def test_aliases(who, name, replaces, expected):
    """A name of a label is there once, and a person has one name of each label."""
    five = key("alias", "5", "crm")
    job = aliases(**({"replaces": "before"} if replaces is not None else {}))
    parts = {"name": name, "label": "crm", "replaces": replaces or None}
    plan = planned(job, [(who, parts)], PEOPLE | {five: ["1"]}, {"1": [five]})
    assert expected == verdict(plan)


def test_a_name_in_the_place_of_another_is_an_update():
    """The rows that replace nothing are further names."""
    five = key("alias", "5", "crm")
    rows = [
        ("a", {"name": "7", "label": "crm", "replaces": "5"}),
        ("b", {"name": "8", "label": "crm", "replaces": None}),
    ]
    outbox = planned(aliases(replaces="before"), rows, PEOPLE, {"1": [five]}).outbox
    assert [
        ("alias-updates", {"alias_label": "crm", "old_alias_name": "5", "new_alias_name": "7"}),
        ("aliases", {"external_id": "b", "alias_name": "8", "alias_label": "crm"}),
    ] == [(to, json.loads(text)) for to, text in outbox.select("@endpoint", "@object").iter_rows()]


@pytest.mark.parametrize(("has", "expected"), [(["7"], True), (["5"], False), ([], False)])
def test_a_look_shows_whether_an_alias_was_given(has, expected):
    """It is among the names of its person."""
    names = {"1": [key("alias", name, "crm") for name in has]}
    call = {PROFILE: "a", OTHER: key("alias", "7", "crm")}
    assert expected is done(aliases(), "aliases", call, {"a": ["1"]}, names)


def merges(**more):
    return import_model(
        object="merges",
        match=[{"external_id": "old"}],
        merge={"keep": {"external_id": "new"}, "drop": {"external_id": "old"}} | more,
    )


@pytest.mark.parametrize(
    ("drop", "keep", "expected"),
    [
        ("a", "b", "sent"),
        ("a", "a", "same_person"),
        ("a-former", "a", "unchanged"),
        ("a", "nobody", "nobody_kept"),
        ("nobody", "a", "unchanged"),
    ],
)
def test_merges(drop, keep, expected):
    """Whom nobody has any more is merged; into nobody nobody is."""
    assert expected == verdict(planned(merges(), [(drop, {"keep": keep})], PEOPLE))


def test_who_is_kept_is_not_merged_away_in_the_same_run():
    """Braze keeps no order, so of a chain the first link waits for the second."""
    rows = [("a", {"keep": "b"}), ("b", {"keep": "c"})]
    plan = planned(merges(), rows, PEOPLE | {"c": ["3"]})
    assert ["b"] == plan.outbox["@profile"].to_list()
    assert ["Row 1: b is itself taken"] == [
        text[:24] for text in plan.rejected["message"].to_list()
    ]


def test_a_merge_names_each_side_by_what_the_job_says():
    """The profile that is kept may be named by an alias."""
    five = key("alias", "5", "crm")
    job = merges(keep={"alias": {"name": "number", "label": "crm"}})
    outbox = planned(job, [("a", {"keep": "5", "label": "crm"})], PEOPLE | {five: ["2"]}).outbox
    assert {
        "identifier_to_merge": {"external_id": "a"},
        "identifier_to_keep": {"user_alias": {"alias_name": "5", "alias_label": "crm"}},
    } == json.loads(outbox["@object"].item())
    assert ["b"] == outbox["@other_who"].to_list()


@pytest.mark.parametrize(
    ("left", "expected"), [({}, True), ({"a": ["1"]}, False), ({"a": ["2"]}, True)]
)
def test_a_look_shows_whether_a_merge_was_done(left, expected):
    """Whom the dropped identifier meant does not have it any more."""
    assert expected is done(merges(), "merges", {PROFILE: "a", OTHER: "b"}, left)


MAIL, FIVE = key("email", "m@example.com"), key("alias", "5", "crm")


def identify(words=("unidentified",)):
    return import_model(
        object="identify",
        match=[{"alias": {"name": "number", "label": "crm"}}, {"email": "mail"}],
        identify={"external_id": "id", "prioritization": words},
    )


@pytest.mark.parametrize(
    ("who", "target", "people", "expected"),
    [
        (FIVE, "x", {FIVE: ["3"]}, "sent"),
        (FIVE, "b", {FIVE: ["3"]}, "sent"),
        (FIVE, "x", {}, "nobody"),
        (FIVE, "a", {FIVE: ["1"]}, "unchanged"),
        (FIVE, "x", {FIVE: ["1"]}, "identified"),
        (FIVE, "a", {FIVE: ["3"]}, "label_of_target"),
        (MAIL, "x", {MAIL: ["3"]}, "sent"),
        (MAIL, "x", {MAIL: ["1"]}, "identified"),
        (MAIL, "b", {MAIL: ["1"]}, "sent"),
        (MAIL, "b", {MAIL: ["2", "3"]}, "target_itself"),
        (MAIL, "b", {MAIL: ["1", "3"]}, "sent"),  # Braze chooses by the words.
    ],
)
def test_identify(who, target, people, expected):
    """Whoever has the id already is left alone, and nobody gets a second one."""
    names = {"1": [key("alias", "9", "crm")]}
    rows = [(who, {"external_id": target})]
    assert expected == verdict(planned(identify(), rows, PEOPLE | people, names))


def test_identify_says_whom_it_means():
    """Only an address or number needs words that choose."""
    rows = [(FIVE, {"external_id": "x"}), (MAIL, {"external_id": "y"})]
    outbox = planned(identify(), rows, {FIVE: ["3"], MAIL: ["1", "3"], "y": ["2"]}).outbox
    alias = {"alias_label": "crm", "alias_name": "5"}
    assert {
        "identify-aliases": {"user_alias": alias, "external_id": "x"},
        "identify-emails": {
            "email": "m@example.com",
            "external_id": "y",
            "prioritization": ["unidentified"],
        },
    } == {to: json.loads(text) for to, text in outbox.select("@endpoint", "@object").iter_rows()}


@pytest.mark.parametrize(
    ("people", "expected"),
    [({FIVE: ["2"]}, True), ({FIVE: ["1"]}, False), ({}, True), ({FIVE: ["1", "2"]}, True)],
)
def test_a_look_shows_whether_somebody_was_identified(people, expected):
    """They have the id, or are part of who had it."""
    assert expected is done(identify(), "identify-aliases", {PROFILE: FIVE, OTHER: "b"}, people)


def deletions():
    return import_model(object="deletions", match=[{"email": "mail"}], confirm_deletes=True)


def test_a_deletion_names_each_profile_by_what_nobody_gets_again():
    """One row may mean several profiles, and counts once; a row of nobody is so already."""
    plan = planned(deletions(), [(MAIL, {}), (MAIL, {}), (FIVE, {})], {MAIL: ["1", "3"]})
    assert ['"1"', '"3"'] == plan.outbox["@object"].to_list()
    assert [2, 0] == plan.outbox["@rows"].to_list()
    assert ["a", None] == plan.outbox["@who"].to_list()
    assert (1, None) == (plan.tally.rows_unchanged, plan.rejected)


@pytest.mark.parametrize(("left", "expected"), [(["1"], False), ([], True), (["2"], True)])
def test_a_look_shows_whether_a_profile_is_gone(left, expected):
    """Who came by the address meanwhile is somebody else."""
    call = {PROFILE: MAIL, OTHER: key("braze_id", "1")}
    assert expected is done(deletions(), "deletions", call, {MAIL: left})


def test_calls_are_given_again_as_they_were():
    """Also where a run brings nothing else, and knows none of the columns of the job."""
    ready = planned(renames(), [("a", {"to": "x"})], PEOPLE).outbox
    nothing = pl.DataFrame(schema={PROFILE: pl.String, FILE: pl.UInt32, ROW: pl.UInt32})
    claims = claims_of(nothing.with_columns(pl.lit(None, pl.String).alias(OTHER)))
    part = CallsInput(nothing, seen({}), nothing[PROFILE], claims, ready)
    again = plan_calls(part, CallOptions(kind_of(renames()).making, renames())).outbox
    assert ready.equals(again)


@pytest.mark.parametrize(
    ("people", "expected"),
    [({"a": ["1"]}, "sent"), ({"a": ["2"]}, "not_primary"), ({"a": []}, "unchanged")],
)
def test_who_left_a_snapshot_is_deleted_by_their_own_id_alone(people, expected):
    """An id that ended for them, and that Braze takes for somebody else by now, deletes nobody."""
    club = import_model(source={"prefix": "in/", "mode": "snapshot"}, fields={"tier": {}})
    assert expected == verdict(planned(removing(club, "delete", {}), [("a", {})], people))
