"""Objects merged in parts: the frames against plain Python, row by row and object by object."""

from collections import Counter
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import nested_oracle as oracle
from support.merge_cases import SAME_EVERY_TIME
from support.oracle import spell

from exchanger.config.models import FieldConfig
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.merging.folding import fold
from exchanger.profiles.merging.reconcile import merge
from exchanger.profiles.planning.payloads import objects

STRATEGIES = {"deep": "deep", "rows": "rows", "complete": "complete", "plain": "set"}
RULES = [
    Rule("deep", "deep", "json", FieldConfig(merge="deep")),
    Rule("rows", "rows", "json", FieldConfig(merge="rows", key="k")),
    Rule("complete", "complete", "json", FieldConfig(merge="rows", key="k", complete=True)),
    Rule("plain", "plain", "json", FieldConfig()),
]
PARTS = ("deep", "rows", "complete")
NAMES = st.sampled_from(["a", "b", "inc", "add"])
SCALARS = st.sampled_from(
    [1, 2, Decimal("1.5"), "1", "x", True, "2026-09-15T00:00:00.000Z", {"$time": "2026-09-15"}]
)
LEAVES = SCALARS | st.sampled_from([[1], ["x", 1], [{"a": 1}], [{"$time": "2026-09-15"}]])
FEW = st.sampled_from(["a", "b"])
# Mostly small, so that rows and what is held meet at the same keys, as leaves and as objects.
SMALL = st.dictionaries(
    FEW, SCALARS | st.dictionaries(FEW, SCALARS, min_size=1, max_size=2), min_size=1, max_size=2
)
OBJECTS = SMALL | st.recursive(
    st.dictionaries(NAMES, LEAVES, max_size=3),
    lambda inner: st.dictionaries(NAMES, LEAVES | inner, max_size=3),
    max_leaves=4,
)
IDS = st.sampled_from(["1", 1, 2, Decimal("2.5")])


def is_order(value):
    """Rows that give these are rejected before."""
    return oracle.braze({}, value, merge=True) in ("an increment", "an order to a list")


GIVEN_OBJECTS = OBJECTS.filter(lambda value: value and not is_order(value))


@st.composite
def arrays(draw, unique=True):
    """Items of which each has an id, once; Braze may have others."""
    ids = draw(st.lists(IDS, min_size=1, max_size=4, unique_by=spell if unique else None))
    return [{**draw(OBJECTS), "n": draw(SCALARS), "k": name} for name in ids]


GIVEN = {
    "deep": GIVEN_OBJECTS,
    "rows": arrays(),
    "complete": arrays(),
    "plain": GIVEN_OBJECTS,
}
# Of another kind than the field; seldom, as it rejects the row.
STRANGE = st.sampled_from([7, "x", [1], {"$time": "2026-09-15"}])
HELD = {
    "deep": st.none() | SMALL | SMALL | OBJECTS | OBJECTS,
    "rows": st.none() | arrays() | arrays() | arrays(unique=False) | st.just([{"a": 1}]),
    "complete": st.none() | arrays() | arrays() | arrays(unique=False) | OBJECTS,
    "plain": st.none() | OBJECTS,
}


@st.composite
def near(draw, value):
    """The same object but for one key, which has something else or is gone."""
    key = draw(NAMES | FEW)
    rest = {name: member for name, member in value.items() if name != key or name == "k"}
    return rest if draw(st.integers(0, 3)) == 0 else {**rest, key: draw(LEAVES | OBJECTS)}


@st.composite
def close(draw, name, value):
    """What Braze has, but for a little: one key of the object, or of some items."""
    if oracle.is_object(value):
        whole = draw(near(value))
        return None if is_order(whole) else whole or None
    items = {spell(item["k"]): item for item in value if "k" in item}.values()
    counted = [{**item, "n": draw(SCALARS)} for item in items]
    some = [draw(near(item)) if draw(st.integers(0, 3)) == 0 else item for item in counted]
    gone = draw(st.integers(0, 2)) if name == "complete" else 0
    return some[gone:] or None


@st.composite
def people(draw):
    """What Braze has of one profile, and what its rows say."""
    odd = draw(st.integers(0, 5)) == 0
    held = {name: draw(STRANGE if odd else values) for name, values in HELD.items()}
    says = {name: draw(st.lists(values, max_size=3)) for name, values in GIVEN.items()}
    for name, value in held.items():
        fits = oracle.is_array(value) if name in ("rows", "complete") else oracle.is_object(value)
        if fits and draw(st.booleans()):
            little = draw(close(name, value))
            says[name] = says[name] if little is None else [little]
    if oracle.is_object(held["deep"]) and held["deep"] and draw(st.integers(0, 3)) == 0:
        key = draw(st.sampled_from(sorted(held["deep"])))
        says["deep"] = [{key: "a leaf"}, {key: draw(SMALL)}]
    return held, says


cases = st.lists(people(), min_size=6, max_size=6)


def given_frame(case):
    """Make the rows: the first of a profile says the first of each field, and so on."""
    rows = [
        {"@profile": f"p{at}"}
        | {name: spell(values[i]) for name, values in says.items() if i < len(values)}
        for at, (_, says) in enumerate(case)
        for i in range(3)
    ]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(("@profile", *GIVEN), pl.String))
    at = pl.int_range(1, pl.len() + 1, dtype=pl.UInt32)
    return frame.with_columns(pl.lit(0, pl.UInt32).alias("@file"), at.alias("@row"))


def held_frame(case):
    rows = [
        {"@profile": f"p{at}", "@exists": True} | {name: spell(held[name]) for name in GIVEN}
        for at, (held, _) in enumerate(case)
    ]
    schema = {"@profile": pl.String, "@exists": pl.Boolean} | dict.fromkeys(GIVEN, pl.String)
    return pl.DataFrame(rows, schema=schema)


def merged(case):
    """Merge; returns, for each profile, its row of what is wanted, its object and its reason."""
    found = merge(fold(given_frame(case), RULES), held_frame(case), RULES)
    sent = objects(found.wanted).select("@profile", "@object", "@points")
    rows = {row["@profile"]: row for row in found.wanted.join(sent, on="@profile").to_dicts()}
    reasons = dict(found.rejected.select("@profile", "reason").iter_rows())
    return [(rows.get(f"p{at}", {}), reasons.get(f"p{at}")) for at in range(len(case))]


def wanted_of(row):
    """What a profile is to have, by field, where it changes."""
    texts = {name: row.get(f"wanted:{name}") for name in GIVEN}
    return {name: oracle.read(text) for name, text in texts.items() if text is not None}


def expected_of(held, says):
    """What must come out of each field that rows speak of."""
    return {
        name: oracle.after(name, held[name], values) if name in PARTS else values[-1]
        for name, values in says.items()
        if values
    }


def check(person, row, reason, met):
    held, says = person
    expected = expected_of(held, says)
    if "held_type" in expected.values():
        assert reason == "held_type"
        met["held_type"] += 1
        return
    assert reason is None
    changed = {n: value for n, value in expected.items() if differs(n, held[n], value)}
    found = wanted_of(row)
    assert set(changed) == set(found)
    for name, value in changed.items():
        assert oracle.same(name, value, found[name]), name
    if changed:
        arrive(held, changed, row, met)


def differs(name, held, value):
    """Whether there is anything to send; `set` compares texts, so a time in another form is."""
    return not oracle.same(name, held, value) if name in PARTS else spell(held) != spell(value)


def arrive(held, changed, row, met):
    """Let Braze apply the object, and compare what it has and what it cost."""
    content = oracle.read(row["@object"])
    mode = content.pop("_merge_objects", False)
    content.pop("external_id")
    assert set(changed) == set(content)
    for name, sent in content.items():
        has = oracle.braze(oracle.stored(held[name]), sent, mode)
        assert oracle.same(name, changed[name], has), (name, sent, mode)
        met[name, kind_of(sent), mode] += 1
        if name in PARTS:
            assert oracle.points(sent) <= oracle.points(oracle.read(row[f"wanted:{name}"]))
    assert row["@points"] == sum(max(1, oracle.points(sent)) for sent in content.values())
    if mode and oracle.is_object(held["deep"]) and not is_whole(content.get("deep", {}), row):
        for path, leaf in oracle.leaves(content.get("deep", {})):
            assert spell(oracle.stored(oracle.at(held["deep"], path))) != spell(oracle.stored(leaf))


def is_whole(sent, row):
    """Where the changed leaves alone would be an order, all are sent."""
    return spell(sent) == row["wanted:deep"]


def kind_of(sent):
    if isinstance(sent, dict) and set(sent) <= {"$remove", "$update"}:
        return "orders"
    return "array" if isinstance(sent, list) else "object"


@pytest.mark.long(8)
def test_what_arrives_is_what_the_rows_said_one_by_one():
    """
    Folding, merging and sending comes to what rows mean one after the other, by what Braze is
    documented to do; only changed leaves are sent, nothing costs more than the whole value, and
    the points are as billed. Every way of sending was met.
    """
    met = Counter()

    @settings(SAME_EVERY_TIME, max_examples=35)
    @given(cases)
    def law(case):
        for person, (row, reason) in zip(case, merged(case), strict=True):
            check(person, row, reason, met)

    law()
    ways = {("deep", "object"), ("rows", "array"), ("complete", "array")}
    assert {(*way, mode) for way in ways for mode in (True, False)} <= set(met)
    assert {("rows", "orders", True), ("complete", "orders", True)} <= set(met)
    assert met["held_type"]


@settings(SAME_EVERY_TIME, max_examples=10)
@given(cases)
def test_merging_again_changes_nothing(case):
    """What was wanted and is now held, as sent or as Braze gives it back, needs nothing more."""
    found = merged(case)
    fine = [
        (held | wanted_of(row), says | {"plain": []})
        for (held, says), (row, reason) in zip(case, found, strict=True)
        if reason is None
    ]
    back = [(oracle.stored(held), says) for held, says in fine]
    assert [({}, None)] * len(fine) == merged(fine) == merged(back)


@settings(SAME_EVERY_TIME, max_examples=10)
@given(cases)
def test_files_one_by_one_end_where_files_together_end(case):
    """Applying a row, holding the result and applying the next equals applying all at once."""
    found = merged(case)
    fine = [person for person, (_, reason) in zip(case, found, strict=True) if reason is None]
    together = [
        held | wanted_of(row) for (held, _), (row, _) in zip(fine, merged(fine), strict=True)
    ]
    state = [held for held, _ in fine]
    for at in range(3):
        parts = [{name: said[at : at + 1] for name, said in says.items()} for _, says in fine]
        steps = merged(list(zip(state, parts, strict=True)))
        state = [held | wanted_of(row) for held, (row, _) in zip(state, steps, strict=True)]
    for one, other in zip(together, state, strict=True):
        assert all(oracle.same(name, one[name], other[name]) for name in PARTS)
