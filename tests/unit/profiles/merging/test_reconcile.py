from dataclasses import replace

import polars as pl
import pytest

from exchanger.config.models import FieldConfig
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.merging.folding import fold
from exchanger.profiles.merging.reconcile import merge, needs_lookup

RULES = [
    Rule("tier", "tier", "string", FieldConfig(merge="set")),
    Rule("points", "points", "integer", FieldConfig(merge="sum")),
]


def folded(*rows):
    """Fold rows of ``profile, tier, points``."""
    frame = pl.DataFrame(
        rows, schema={"@profile": pl.String, "tier": pl.String, "points": pl.Int64}, orient="row"
    ).with_columns(
        pl.lit(0, pl.UInt32).alias("@file"),
        pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).alias("@row"),
    )
    return fold(frame, RULES)


def held(*rows):
    """Held rows of ``profile, exists, tier, points``."""
    schema = {
        "@profile": pl.String,
        "@exists": pl.Boolean,
        "tier": pl.String,
        "points": pl.String,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def test_a_change_carries_before_wanted_and_what_is_sent():
    """Fields that do not change are null in all three columns."""
    merged = merge(folded(("a", "gold", 2)), held(("a", True, '"gold"', "5")), RULES)
    assert {
        "@profile": "a",
        "@file": 0,
        "@row": 1,
        "@known": True,
        "before:tier": None,
        "wanted:tier": None,
        "send:tier": None,
        "before:points": "5",
        "wanted:points": "7",
        "send:points": "7",
    } == merged.wanted.row(0, named=True)


def test_profiles_without_a_change_are_counted_and_left_out():
    """Every profile named is changed, unchanged or rejected."""
    merged = merge(
        folded(("a", "gold", None), ("b", None, 1), ("c", "new", None)),
        held(("a", True, '"gold"', "5"), ("b", True, "null", '"many"')),
        RULES,
    )
    assert ["c"] == merged.wanted["@profile"].to_list()
    assert ["b"] == merged.rejected["@profile"].to_list()
    counts = merged.counts
    assert (3, 1, 1, 1, 1) == (
        counts.profiles_named,
        counts.profiles_changed,
        counts.profiles_unchanged,
        counts.profiles_rejected,
        counts.fields_changed,
    )


def test_a_rejection_says_what_braze_holds_and_what_to_do():
    """The profile, the field, the held value and the reason are named."""
    merged = merge(folded(("b", "gold", 1)), held(("b", True, "null", '"many"')), RULES)
    row = merged.rejected.row(0, named=True)
    assert ("b", "points", '"many"', "held_type") == tuple(row.values())[:4]
    assert row["message"].startswith('Braze holds "many" in points')
    assert 0 == merged.wanted.height


@pytest.mark.parametrize(
    ("row", "asked"),
    [
        (None, True),
        (("a", True, None, None), True),
        (("a", None, '"x"', "?"), True),
        (("a", True, None, "null"), False),
        (("a", True, None, "3"), False),
        (("a", False, None, None), False),
        (("a", False, "null", "?"), True),
    ],
)
def test_unknown_is_looked_up_where_a_strategy_needs_it(row, asked):
    """Unknown is not empty; a profile that does not exist has no value; uncertain is unknown."""
    known = held(row) if row else held()
    lookups = needs_lookup(folded(("a", "gold", 1)), known, RULES)
    assert ([("a", "points")] if asked else []) == lookups.rows()


def test_nothing_is_looked_up_for_a_row_that_gives_nothing():
    """A silent field needs no held value."""
    assert [] == needs_lookup(folded(("a", "gold", None)), held(), RULES).rows()


def test_assuming_empty_covers_only_what_was_never_seen():
    """A profile with a held row, even an empty one, was seen or sent once."""
    rows = folded(("new", None, 1), ("seen", None, 1))
    known = held(("seen", True, '"x"', None))
    assert [("seen", "points")] == needs_lookup(rows, known, RULES, assume_empty=True).rows()
    merged = merge(folded(("new", None, 1)), known, RULES, assume_empty=True)
    assert ["1"] == merged.wanted["wanted:points"].to_list()
    assert ["null"] == merged.wanted["before:points"].to_list()


def test_merging_what_is_unknown_is_refused():
    """Whoever forgets the look-up is told, instead of counting unknown as empty."""
    with pytest.raises(AssertionError, match="unknown"):
        merge(folded(("a", None, 1)), held(), RULES)


def test_a_set_field_needs_no_look_up():
    """Set over unknown is sent, and its value before is unknown."""
    merged = merge(folded(("a", "gold", None)), held(("a", True, "?", None)), RULES)
    assert [(None, '"gold"')] == merged.wanted.select("before:tier", "wanted:tier").rows()


@pytest.mark.parametrize(
    ("row", "known"),
    [(None, False), (("a", False, None, None), False), (("a", True, None, None), True)],
)
def test_a_profile_is_known_when_it_was_seen_or_sent_before(row, known):
    """A profile that Braze said does not exist is not known."""
    merged = merge(folded(("a", "gold", None)), held(row) if row else held(), RULES)
    assert [known] == merged.wanted["@known"].to_list()


@pytest.mark.parametrize(
    ("before", "changes"), [("7", 1), ("true", 1), ('["gold"]', 1), ('"red"', 0), ("null", 0)]
)
def test_a_change_of_type_is_counted(before, changes):
    """Another JSON type is one; another text and a first value are none."""
    merged = merge(folded(("a", "gold", None)), held(("a", True, before, None)), RULES)
    assert changes == merged.counts.type_changes


def test_dropped_members_are_counted():
    """A list that was longer than its limit tells how many members found no room."""
    rules = [Rule("tags", "tags", "list", FieldConfig(merge="add", max_items=2))]
    rows = pl.DataFrame(
        {"@profile": ["a"], "@file": [0], "@row": [1], "@rows": [1], "tags": [["3", "4", "5"]]}
    )
    known = pl.DataFrame({"@profile": ["a"], "@exists": [True], "tags": ["[1,2]"]})
    merged = merge(rows, known, rules)
    assert ["[4,5]"] == merged.wanted["wanted:tags"].to_list()
    assert 3 == merged.counts.members_dropped


def test_a_field_that_no_one_held_yet_is_unknown():
    """The held frame need not have a column for every field."""
    merged = merge(folded(("a", "gold", None)), held(("a", True, '"x"', "1")).drop("tier"), RULES)
    assert [None] == merged.wanted["before:tier"].to_list()


@pytest.mark.parametrize(
    ("given", "before", "wanted"),
    [
        (None, '"NA"', "null"),
        (None, '"na"', None),
        (None, "null", None),
        (None, None, None),
        ("gold", '"NA"', '"gold"'),
    ],
)
def test_a_text_that_means_nothing_is_taken_back_where_a_row_says_nothing(given, before, wanted):
    """A word that was sent before the job said what it means goes, and nothing else does."""
    rules = [replace(RULES[0], void=("NA",)), RULES[1]]
    merged = merge(folded(("a", given, 1)), held(("a", True, before, "1")), rules)

    assert wanted == merged.wanted["wanted:tier"].item()
