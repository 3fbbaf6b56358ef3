"""What taking a run back does to each field, and why some values stay."""

from __future__ import annotations

import polars as pl
import pytest

from exchanger.config.models import FieldConfig
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.merging.folding import CONTRIBUTIONS_SCHEMA
from exchanger.profiles.merging.taking_back import CHANGED, LATER
from exchanger.profiles.planning.undo import UndoInput, UndoOptions, undo_part, unknown_now

RUN = 5
TYPES = {"sum": "integer", "add": "list", "remove": "list", "highest": "integer"}


def rule(merge="set", type_=None, *, guarded=False, name="f"):
    kind = type_ or TYPES.get(merge, "string")
    config = FieldConfig(merge=merge, type=kind, scale=2 if kind == "decimal" else None)
    return Rule(name, "", kind, config, guarded=guarded)


def row(before, wanted, outcome="accepted", profile="p", name="f"):
    return {
        "@profile": profile,
        "field": name,
        "before": before,
        "wanted": wanted,
        "accepted": outcome == "accepted",
        "doubt": outcome == "in_doubt",
    }


def later_row(seq, before, wanted, strategy="set", takes_back=0, **more):
    return row(before, wanted, **more) | {
        "seq": seq,
        "strategy": strategy,
        "takes_back": takes_back,
    }


def plan(of, ours, held, later=(), gave=None, *, exists=True):
    """Plan to take back one change of one field of a profile."""
    ours = row(*ours) if isinstance(ours, tuple) else ours
    given = [] if gave is None else [gave] if isinstance(gave, str) else gave
    part = UndoInput(
        ours=pl.DataFrame([ours], schema=CHANGED),
        later=pl.DataFrame(list(later), schema=LATER),
        gave=pl.DataFrame(
            [("p", place, "f", text) for place, text in enumerate(given)],
            schema=CONTRIBUTIONS_SCHEMA,
            orient="row",
        ),
        held=pl.DataFrame(
            {"@profile": ["p"], "@exists": [exists], "f": [held]},
            schema={"@profile": pl.String, "@exists": pl.Boolean, "f": pl.String},
        ),
    )
    return undo_part(part, UndoOptions(RUN, [of])), unknown_now(part, UndoOptions(RUN, [of]))


def outcome(*args, **more):
    """Return the value that the field goes back to, or why it stays and because of which run."""
    made, _ = plan(*args, **more)
    if made.outbox.height:
        assert made.stays.is_empty()
        return made.outbox["wanted:f"].item()
    [(field, why, run, values)] = made.stays.rows()
    assert ("f", 1) == (field, values)
    return (why, run) if run else why


GOLD, BLUE, GRAY = '"gold"', '"blue"', '"gray"'
VALUES = {
    "the value before comes back": (rule(), (GRAY, GOLD), GOLD, (), GRAY),
    "what was empty is emptied": (rule(), ("null", GOLD), GOLD, (), "null"),
    "nobody knows the value before": (rule(), (None, GOLD), GOLD, (), "unknown_before"),
    "a later run has changed it": (
        rule(), (GRAY, GOLD), BLUE, [later_row(7, GOLD, BLUE)], ("later", 7),
    ),
    "also if it is ours again": (
        rule(),
        (GRAY, GOLD),
        GOLD,
        [later_row(7, GOLD, BLUE), later_row(8, BLUE, GOLD)],
        ("later", 8),
    ),
    "what Braze refused changed nothing": (
        rule(), (GRAY, GOLD), GOLD, [later_row(7, GOLD, BLUE, outcome="refused")], GRAY,
    ),
    "a later run that was taken back did not count": (
        rule(),
        (GRAY, GOLD),
        GOLD,
        [later_row(7, GOLD, BLUE), later_row(8, BLUE, GOLD, takes_back=7)],
        GRAY,
    ),
    "it counts again once that was taken back": (
        rule(),
        (GRAY, GOLD),
        BLUE,
        [
            later_row(7, GOLD, BLUE),
            later_row(8, BLUE, GOLD, takes_back=7),
            later_row(9, GOLD, BLUE, takes_back=8),
        ],
        ("later", 7),
    ),
    "once is enough": (
        rule(), (GRAY, GOLD), GRAY, [later_row(7, GOLD, GRAY, takes_back=RUN)], ("done", 7),
    ),
    "but for an undo that was taken back": (
        rule(),
        (GRAY, GOLD),
        GOLD,
        [later_row(7, GOLD, GRAY, takes_back=RUN), later_row(8, GRAY, GOLD, takes_back=7)],
        GRAY,
    ),
    "somebody else has changed it": (rule(), (GRAY, GOLD), BLUE, (), "others"),
    "a later run may have changed it": (
        rule(),
        (GRAY, GOLD),
        BLUE,
        [later_row(7, GOLD, BLUE, outcome="in_doubt")],
        ("later_in_doubt", 7),
    ),
    "and has not": (
        rule(), (GRAY, GOLD), GOLD, [later_row(7, GOLD, BLUE, outcome="in_doubt")], GRAY,
    ),
    "highest is a value like any other": (rule("highest"), ("3", "9"), "9", (), "3"),
    "lists in another order are the same": (
        rule(type_="list"), ('["x"]', '["a","b"]'), '["b","a"]', (), '["x"]',
    ),
    "nobody is subscribed": (
        rule(guarded=True, name="f"), ('"subscribed"', '"unsubscribed"'), '"unsubscribed"', (),
        "consent",
    ),
    "but unsubscribed again": (
        rule(guarded=True), ('"unsubscribed"', '"subscribed"'), '"subscribed"', (),
        '"unsubscribed"',
    ),
}  # fmt: skip


@pytest.mark.parametrize(("of", "ours", "held", "later", "expected"), VALUES.values(), ids=VALUES)
def test_what_a_value_goes_back_to(of, ours, held, later, expected):
    """To the one before where the run was the last that changed it; else it stays, and why."""
    assert expected == outcome(of, ours, held, later)


SUM = rule("sum")
SUMS = {
    "the last writer goes back to nothing": (SUM, ("null", "5"), "5", (), "5", "null"),
    "later parts stay": (SUM, ("3", "8"), "12", [later_row(7, "8", "12", "sum")], "5", "7"),
    "also if there was nothing before": (
        SUM, ("null", "5"), "9", [later_row(7, "5", "9", "sum")], ["2", "3"], "4",
    ),
    "a later run has set it": (
        SUM, ("3", "8"), "1", [later_row(7, "8", "1", "set")], "5", ("later", 7),
    ),
    "its part is taken back once": (
        SUM, ("3", "8"), "3", [later_row(7, "8", "3", "sum", takes_back=RUN)], "5", ("done", 7),
    ),
    "perhaps it was": (
        SUM,
        ("3", "8"),
        "3",
        [later_row(7, "8", "3", "sum", takes_back=RUN, outcome="in_doubt")],
        "5",
        ("later_in_doubt", 7),
    ),
    "others have changed it": (SUM, ("3", "8"), "9", (), "5", "others"),
    "its files gave something else": (SUM, ("3", "8"), "8", (), "4", "cannot_tell"),
    "places stay exact": (
        rule("sum", "decimal"), ("0.1", "0.3"), "0.5", [later_row(7, "0.3", "0.5", "sum")],
        "0.2", "0.3",
    ),
    "floats need not add up to the last digit": (
        rule("sum", "float"), ("0.1", "0.30000000000000004"), "0.30000000000000004", (), "0.2",
        "0.1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SUMS.values(), ids=SUMS)
def test_a_sum_subtracts_its_own_part(case):
    """From today's value, whatever later runs added; not from one that somebody set."""
    *known, expected = case
    assert expected == outcome(*known)


def test_what_files_gave_is_taken_back_with_a_sum():
    """Each file counts for nothing then; of what stays nothing is taken back."""
    made, _ = plan(SUM, ("3", "8"), "8", gave=["2", "3"])
    assert [("p", 0, "f", "-2"), ("p", 1, "f", "-3")] == made.contributions.rows()
    made, _ = plan(SUM, ("3", "8"), "9", gave=["2", "3"])
    assert made.contributions.is_empty()


ADD, REMOVE = rule("add"), rule("remove")
LISTS = {
    "as it was": (ADD, ('["z","a"]', '["z","a","b"]'), '["z","a","b"]', (), '["z","a"]'),
    "empty as it was": (ADD, ("null", '["b"]'), '["b"]', (), "null"),
    "later members stay": (
        ADD, ('["a"]', '["a","b"]'), '["a","b","c"]',
        [later_row(7, '["a","b"]', '["a","b","c"]', "add")], '["a","c"]',
    ),
    "what a later run removed and added is its own": (
        ADD, ('["a"]', '["a","b"]'), '["a","b"]',
        [
            later_row(7, '["a","b"]', '["a"]', "remove"),
            later_row(8, '["a"]', '["a","b"]', "add"),
        ],
        ("later", 8),
    ),
    "the last one goes": (
        ADD, ("null", '["b"]'), '["b"]', [later_row(7, '["b"]', '["b","c"]', "add"),
                                         later_row(8, '["b","c"]', '["b"]', "remove")], "null",
    ),
    "what was taken comes back": (
        REMOVE, ('["a","b"]', '["a"]'), '["a","c"]',
        [later_row(7, '["a"]', '["a","c"]', "add")], '["a","c","b"]',
    ),
    "a later run has set it": (
        ADD, ('["a"]', '["a","b"]'), '["b","c"]',
        [later_row(7, '["a","b"]', '["b","c"]', "set")], ("later", 7),
    ),
    "a text is a list of one": (ADD, ('"a"', '["a","b"]'), '["a","b"]', (), '"a"'),
}  # fmt: skip


@pytest.mark.parametrize(("of", "ours", "held", "later", "expected"), LISTS.values(), ids=LISTS)
def test_a_list_loses_and_regains_members(of, ours, held, later, expected):
    """Those that the run brought or took, unless a later run did."""
    assert expected == outcome(of, ours, held, later)


@pytest.mark.parametrize(
    ("ours", "held", "exists", "expected"),
    [
        (row(GRAY, GOLD, "in_doubt"), GOLD, True, "in_doubt"),
        (row(GRAY, GOLD), "null", False, "gone"),
        (row(GRAY, GOLD), None, True, "unknown_now"),
        (row(GRAY, GOLD), "?", None, "unknown_now"),
        (row(GRAY, GOLD), BLUE, True, "others"),
        (row(GRAY, GOLD), GRAY, True, "as_before"),
    ],
)
def test_what_is_not_certain_stays(ours, held, exists, expected):
    """Nobody is created, and nothing is written over what nobody knows."""
    assert expected == outcome(rule(), ours, held, exists=exists)


def test_what_a_run_changed_by_several_keys_of_a_person_stays():
    """Nobody knows which of its changes Braze took last, so neither is taken back."""
    both = [row(GRAY, GOLD), row(BLUE, GOLD)]
    part = UndoInput(
        ours=pl.DataFrame(both, schema=CHANGED),
        later=pl.DataFrame(schema=LATER),
        gave=pl.DataFrame(schema=CONTRIBUTIONS_SCHEMA),
        held=pl.DataFrame({"@profile": ["p"], "@exists": [True], "f": [GOLD]}),
    )

    made = undo_part(part, UndoOptions(RUN, [rule()]))

    assert [("f", "several_keys", None, 2)] == made.stays.rows()
    assert made.outbox.is_empty()


def test_what_is_unknown_by_now_is_asked_for_first():
    """Only where the answer decides: not of what a later run has changed."""
    _, asked = plan(rule(), (GRAY, GOLD), "?")
    assert [("p", "f")] == asked.rows()
    _, asked = plan(rule(), (GRAY, GOLD), "?", [later_row(7, GOLD, BLUE)])
    assert asked.is_empty()


def test_what_was_refused_is_none_of_the_changes():
    """Neither goes it back, nor is it counted."""
    made, _ = plan(rule(), row(GRAY, GOLD, "refused"), GRAY)
    assert (0, 0, 0) == (made.outbox.height, made.stays.height, made.tally.profiles_named)


def test_an_object_updates_its_profile_and_creates_none():
    """Whoever was deleted since then stays deleted."""
    made, _ = plan(rule(), (GRAY, GOLD), GOLD)
    [object_] = made.outbox["@object"]
    assert '{"external_id":"p","_update_existing_only":true,"f":"gray"}' == object_
    assert (1, True, True) == made.outbox.select("@points", "@sure", "@known").row(0)
