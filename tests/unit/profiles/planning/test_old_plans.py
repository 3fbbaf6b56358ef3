"""What becomes of planned changes that nobody sent for a long time."""

from __future__ import annotations

import json

import polars as pl
import pytest

from exchanger.profiles.planning.stale_plan import review_stale_plan

BEFORE, WANTED, OTHER = '"silver"', '"gold"', '"vip"'


def planned(tier=(BEFORE, WANTED), points=("1", "6"), send=None):
    """Make one row of an outbox that changes tier and points."""
    fields = {"tier": tier, "points": points}
    content = {"external_id": "p"} | {
        name: json.loads(wanted) for name, (_, wanted) in fields.items() if wanted is not None
    }
    cells = {
        "@item": [7],
        "@profile": ["p"],
        "@object": [send or json.dumps(content)],
        "@points": [len(content) - 1],
    }
    for name, (before, wanted) in fields.items():
        cells |= {f"before:{name}": [before], f"wanted:{name}": [wanted]}
    texts = {name: pl.String for name in cells if ":" in name}
    return pl.DataFrame(cells, schema_overrides={"@item": pl.UInt32, "@points": pl.UInt32} | texts)


def now(tier, points, exists=True):
    cells = {"@profile": ["p"], "@exists": [exists], "tier": [tier], "points": [points]}
    return pl.DataFrame(cells, schema_overrides={"tier": pl.String, "points": pl.String})


def fate(found):
    """Tell in a word what becomes of the row, and what its object says."""
    content = json.loads(found.outbox["@object"].item())
    said = {name: value for name, value in content.items() if name != "external_id"}
    for word, items in (
        ("done", found.done),
        ("emptied", found.emptied),
        ("withheld", found.withheld["@item"]),
    ):
        if items.to_list() == [7]:
            return word, said
    return "sent", said


BOTH = {"tier": "gold", "points": 6}


@pytest.mark.parametrize(
    ("seen", "overwrite", "keep", "quarantine"),
    [
        ((BEFORE, "1", True), ("sent", BOTH), ("sent", BOTH), ("sent", BOTH)),
        ((WANTED, "6", True), ("done", BOTH), ("done", BOTH), ("done", BOTH)),
        ((WANTED, "1", True), ("sent", BOTH), ("sent", BOTH), ("sent", BOTH)),
        ((OTHER, "1", True), ("sent", BOTH), ("sent", {"points": 6}), ("withheld", BOTH)),
        ((OTHER, "6", True), ("sent", BOTH), ("emptied", {"points": 6}), ("withheld", BOTH)),
        (("null", "1", True), ("sent", BOTH), ("sent", {"points": 6}), ("withheld", BOTH)),
        (("null", "null", False), ("sent", BOTH), ("sent", BOTH), ("sent", BOTH)),
        ((None, "1", True), ("sent", BOTH), ("sent", BOTH), ("sent", BOTH)),
        ((None, "6", True), ("sent", BOTH), ("sent", BOTH), ("sent", BOTH)),
        ((WANTED, "99", True), ("sent", BOTH), ("sent", BOTH), ("sent", BOTH)),
    ],
)  # fmt: skip
def test_an_old_plan_meets_what_braze_has_now(seen, overwrite, keep, quarantine):
    """
    Wanted is done, before is sent, anything else follows ``on_drift`` of the field.

    What cannot be seen, and a profile that is gone, is sent as planned.
    """
    policies = {
        "overwrite": {},
        "keep": {"on_drift": "keep"},
        "quarantine": {"on_drift": "quarantine"},
    }
    told = {
        policy: fate(review_stale_plan(planned(), now(*seen), {"tier": entry}))
        for policy, entry in policies.items()
    }
    assert {"overwrite": overwrite, "keep": keep, "quarantine": quarantine} == told


def test_a_field_that_is_left_costs_nothing_and_is_not_held():
    """Its value before and wanted, and its data point, are taken out; the rest stays."""
    found = review_stale_plan(planned(), now(OTHER, "1"), {"tier": {"on_drift": "keep"}})
    row = found.outbox.row(0, named=True)
    assert (1, 1) == (found.kept, row["@points"])
    assert (None, None) == (row["before:tier"], row["wanted:tier"])
    assert ("1", "6") == (row["before:points"], row["wanted:points"])


def test_taking_a_field_out_leaves_the_others_as_they_were_written():
    """A field that is cleared stays cleared, and numbers keep their digits."""
    text = '{"external_id":"p","_update_existing_only":true,"tier":"gold","points":null,"x":12.10}'
    found = review_stale_plan(
        planned(points=("1", "null"), send=text), now(OTHER, "1"), {"tier": {"on_drift": "keep"}}
    )
    expected = '{"external_id":"p","_update_existing_only":true,"points":null,"x":12.1}'
    assert expected == found.outbox["@object"].item()


def test_a_value_that_was_unknown_before_is_sent():
    """Without a value before there is nothing that somebody else could have changed."""
    found = review_stale_plan(
        planned(tier=(None, WANTED)), now(OTHER, "1"), {"tier": {"on_drift": "quarantine"}}
    )
    assert ("sent", BOTH) == fate(found)


def test_the_reason_names_the_field_and_what_braze_has():
    """Whoever reads quarantine learns what somebody else wrote."""
    found = review_stale_plan(planned(), now(OTHER, "1"), {"tier": {"on_drift": "quarantine"}})
    [reason] = found.withheld["reason"]
    assert 'changed tier in Braze to "vip"' in reason


@pytest.mark.parametrize(
    ("wanted", "seen", "becomes"),
    [
        ('"opted_in"', '"unsubscribed"', ("sent", {"points": 6})),
        ('"opted_in"', '"subscribed"', ("sent", {"tier": "opted_in", "points": 6})),
        ('"unsubscribed"', '"opted_in"', ("sent", {"tier": "unsubscribed", "points": 6})),
    ],
)
def test_an_old_plan_subscribes_nobody_who_unsubscribed_since(wanted, seen, becomes):
    """Whatever a field does about drift, a state is left out of the object then."""
    rows = planned(tier=('"subscribed"', wanted))
    assert becomes == fate(review_stale_plan(rows, now(seen, "1"), {"tier": {"guarded": True}}))


PART = {"tier": {"type": "json", "merge": "deep"}}


def in_parts(send='{"b":2}', merged=True):
    """Plan a row whose tier is an object, of which one leaf is sent to be merged."""
    row = planned(tier=('{"a":1,"b":1}', '{"a":1,"b":2}'), points=("1", None))
    return row.with_columns(
        pl.lit(send).alias("send:tier"),
        pl.lit(merged).alias("@merged"),
        pl.lit(f'{{"external_id":"p","_merge_objects":{json.dumps(merged)},"tier":{send}}}').alias(
            "@object"
        ),
    )


@pytest.mark.parametrize(
    ("seen", "before", "wanted", "renewed"),
    [
        ('{"a":1,"b":1}', '{"a":1,"b":1}', '{"a":1,"b":2}', 0),
        ('{"a":7,"b":1,"c":3}', '{"a":7,"b":1,"c":3}', '{"a":7,"b":2,"c":3}', 1),
        ('"text"', '"text"', '{"b":2}', 1),
        (None, '{"a":1,"b":1}', '{"a":1,"b":2}', 0),
    ],
)
def test_a_part_is_merged_into_what_braze_has_by_now(seen, before, wanted, renewed):
    """So what is held afterwards is what Braze has, with what others changed beside it."""
    found = review_stale_plan(in_parts(), now(seen, "1"), PART)
    row = found.outbox.row(0, named=True)
    assert (before, wanted, renewed) == (row["before:tier"], row["wanted:tier"], found.renewed)
    assert found.done.is_empty()


def test_a_part_that_braze_has_by_now_is_done():
    """Whatever else others changed beside it."""
    found = review_stale_plan(in_parts(), now('{"a":7,"b":2}', "1"), PART)
    assert ([7], '{"a":7,"b":2}') == (found.done.to_list(), found.outbox["wanted:tier"].item())


def test_what_replaces_is_sent_as_it_was_planned():
    """Where Braze does not merge, the whole value is what it has afterwards."""
    found = review_stale_plan(
        in_parts('{"a":1,"b":2}', merged=False), now('{"a":7,"b":1}', "1"), PART
    )
    assert ('{"a":1,"b":2}', 0) == (found.outbox["wanted:tier"].item(), found.renewed)


def test_a_part_that_is_left_takes_its_own_points_along():
    """One leaf was to be sent, and none is."""
    found = review_stale_plan(
        in_parts(), now('{"a":7,"b":1}', "1"), {"tier": PART["tier"] | {"on_drift": "keep"}}
    )
    assert ("emptied", 0) == (fate(found)[0], found.outbox["@points"].item())
