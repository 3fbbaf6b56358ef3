"""Which rows are sent, and as what: against a row-by-row oracle, and by decision tables."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchanger.config.models import Event, FieldConfig, ImportJob, Match, Purchase, Source
from exchanger.objects.kinds import kind_of
from exchanger.objects.rows import RowOptions, RowsInput, judged_rows, plan_rows
from exchanger.profiles.frames.columns import FILE, ROW
from exchanger.profiles.frames.raw_columns import RawColumns
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.reading.mapping import settle_rules
from exchanger.profiles.reading.typed_rows import cast_rows

NOW = datetime(2026, 9, 15, 8, tzinfo=UTC)
EVENTS = ImportJob(
    type="import",
    object="events",
    source=Source(prefix="in/"),
    match=(Match(external_id="id"),),
    event=Event(
        name=FieldConfig(from_="what"),
        time=FieldConfig(from_="at"),
        properties={"n": FieldConfig(from_="n", type="integer"), "a b": FieldConfig(from_="t")},
    ),
    row_id="row",
)
PURCHASES = ImportJob(
    type="import",
    object="purchases",
    source=Source(prefix="in/"),
    match=(Match(external_id="id"),),
    purchase=Purchase(
        product=FieldConfig(from_="sku"),
        price=FieldConfig(from_="price"),
        currency=FieldConfig(from_="money"),
        quantity=FieldConfig(from_="pieces"),
        time=FieldConfig(from_="at"),
    ),
)
EVENT = {"row": "1", "id": "ada", "what": "Seen", "at": "2026-09-01", "n": "3", "t": 'x"'}
PURCHASE = {
    "id": "ada", "sku": "pen", "price": "2.5", "money": "EUR", "pieces": "2", "at": "2026-09-01",
}  # fmt: skip


def read(job, *rows):
    """Cast rows of text as a file has them: given rows, rejected rows, and the rules."""
    frame = pl.DataFrame(rows).with_columns(
        pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).alias("@row")
    )
    raw = RawColumns(frame=frame, textual=True, key="in/a.csv")
    rules = settle_rules(job, raw, {}).rules
    return cast_rows(raw, rules, job, 0), rules


def planned(job, rows, taken=(), ready=None):
    """Plan rows, and return the outbox and the tally."""
    cast, rules = read(job, *rows)
    options = RowOptions(kind_of(job).making, rules, "events", create_missing=job.create_missing)
    plan = plan_rows(RowsInput(cast.frame, pl.Series("@row_id", taken, pl.String), ready), options)
    return plan.outbox, plan.tally


def test_a_plan_spells_no_more_objects_than_it_shows():
    """All else is as of a run: who, where, data points, which rows."""
    cast, rules = read(EVENTS, *(EVENT | {"row": str(n)} for n in range(3)))
    part = RowsInput(cast.frame, pl.Series("@row_id", ["1"], pl.String))
    terms = RowOptions(kind_of(EVENTS).making, rules, "events", create_missing=True)
    whole, shown = (plan_rows(part, replace(terms, shown=most)).outbox for most in (None, 1))
    none = plan_rows(part, replace(terms, shown=0)).outbox

    assert [whole["@object"][0], None] == shown["@object"].to_list()
    assert [None, None] == none["@object"].to_list()
    assert whole.schema == shown.schema == none.schema
    assert whole.drop("@object").equals(shown.drop("@object"))


@pytest.mark.parametrize("places", [[(0, 1), (0, 2), (1, 1)], [(1, 1), (0, 2), (0, 1)]])
def test_rows_are_sent_in_the_order_of_files_and_rows(places):
    """Whether or not they come in that order; of one id the first of them is sent."""
    cast, rules = read(EVENTS, *(EVENT | {"n": str(n), "row": str(min(n, 1))} for n in range(3)))
    files, rows = (pl.Series(each, dtype=pl.UInt32) for each in zip(*places, strict=True))
    frame = cast.frame.with_columns(files.alias("@file"), rows.alias("@row"))
    options = RowOptions(kind_of(EVENTS).making, rules, "events", create_missing=True)
    plan = plan_rows(RowsInput(frame, pl.Series("@row_id", [], pl.String)), options)

    first = min(places[1:])
    assert sorted([places[0], first]) == plan.outbox.select("@file", "@row").rows()


def test_an_event_is_spelled_as_braze_takes_it():
    """Names are quoted, numbers stay numbers, empty cells say nothing."""
    outbox, _ = planned(EVENTS, [EVENT, EVENT | {"row": "2", "n": "", "t": ""}])
    assert [
        {
            "external_id": "ada",
            "name": "Seen",
            "time": "2026-09-01T00:00:00.000Z",
            "properties": {"n": 3, "a b": 'x"'},
        },
        {"external_id": "ada", "name": "Seen", "time": "2026-09-01T00:00:00.000Z"},
    ] == [json.loads(text) for text in outbox["@object"]]
    assert [1, 1] == outbox["@points"].to_list()


def test_a_file_of_which_every_row_was_taken_up_leaves_nothing_behind():
    """Its part of rows that are in order already is empty then, between those of others."""
    cast, rules = read(EVENTS, *(EVENT | {"row": row} for row in "aabc"))
    files = [cast.frame[:1], cast.frame[1:3], cast.frame[3:]]
    numbered = [
        rows.with_columns(pl.lit(at, pl.UInt32).alias(FILE)) for at, rows in enumerate(files)
    ]
    given = pl.concat(numbered, rechunk=False).with_columns(pl.col(FILE, ROW).set_sorted())
    options = RowOptions(kind_of(EVENTS).making, rules, "events", create_missing=True)
    plan = plan_rows(RowsInput(given, pl.Series("@row_id", ["b"], pl.String), None), options)
    assert ["a", "c"] == plan.outbox["@row_id"].to_list()
    assert 2 == plan.tally.rows_repeated


def test_update_only_is_said_of_every_object():
    """With create_missing: false Braze is asked to make no profile."""
    outbox, _ = planned(EVENTS.model_copy(update={"create_missing": False}), [EVENT])
    assert json.loads(outbox["@object"][0])["_update_existing_only"] is True


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=8), st.sets(st.sampled_from("abcd")))
def test_each_id_is_sent_once_and_never_again(ids, taken):
    """The first row of an id is sent, unless it was before; all others are repeated."""
    rows = [EVENT | {"row": row, "n": str(at)} for at, row in enumerate(ids)]
    outbox, tally = planned(EVENTS, rows, sorted(taken))

    sent, seen = [], set(taken)
    for at, row in enumerate(ids):
        if row not in seen:
            sent.append((row, at))
            seen.add(row)
    spelled = [json.loads(text)["properties"]["n"] for text in outbox["@object"]]
    assert sent == list(zip(outbox["@row_id"], spelled, strict=True))
    assert len(ids) - len(sent) == tally.rows_repeated
    assert list(range(len(sent))) == outbox["@item"].to_list()


def test_what_is_given_again_is_sent_as_it_was():
    """Objects that a person asked for come after the rows, with numbers of their own."""
    first, _ = planned(EVENTS, [EVENT])
    outbox, _ = planned(EVENTS, [EVENT | {"row": "2"}], ready=first)
    assert ["2", "1"] == outbox["@row_id"].to_list()
    assert [0, 1] == outbox["@item"].to_list()
    assert first["@object"][0] == outbox["@object"][1]


SOON = (NOW + timedelta(minutes=2)).isoformat()
LATER = (NOW + timedelta(hours=2)).isoformat()


@pytest.mark.parametrize(
    ("job", "row", "reason"),
    [
        (EVENTS, {}, None),
        (EVENTS, {"what": ""}, "no_event_name"),
        (EVENTS, {"what": "$x"}, "bad_event_name"),
        (EVENTS, {"what": "ecommerce.order_placed"}, "order_event"),
        (EVENTS, {"what": "x" * 256}, "too_long"),
        (EVENTS, {"at": ""}, "no_time"),
        (EVENTS, {"at": "soon"}, "not_a_time"),
        (EVENTS, {"at": SOON}, None),
        (EVENTS, {"at": LATER}, "future_time"),
        (EVENTS, {"row": ""}, "no_row_id"),
        (EVENTS, {"row": "4.9E+12"}, "rounded_identifier"),
        (EVENTS, {"n": "x"}, "not_an_integer"),
        (PURCHASES, {}, None),
        (PURCHASES, {"sku": ""}, "no_product"),
        (PURCHASES, {"price": ""}, "no_price"),
        (PURCHASES, {"price": "-2.5"}, None),
        (PURCHASES, {"money": ""}, "no_currency"),
        (PURCHASES, {"money": "EURO"}, "not_a_currency"),
        (PURCHASES, {"money": "eur"}, "not_a_currency"),
        (PURCHASES, {"pieces": ""}, None),
        (PURCHASES, {"pieces": "0"}, "bad_quantity"),
        (PURCHASES, {"pieces": "101"}, "bad_quantity"),
        (PURCHASES, {"at": LATER}, "future_time"),
    ],
)
def test_a_row_that_braze_would_not_take_as_it_is_is_rejected(job, row, reason):
    """Each fault has a word of its own, and a row without any is fine."""
    cast, rules = read(job, (EVENT if job is EVENTS else PURCHASE) | row)
    named = {rule.name: rule for rule in rules}
    fine, odd = judged_rows(cast.frame, kind_of(job).faults(rules, NOW), named)
    found = pl.concat([cast.rejected, odd])
    assert ([] if reason is None else [reason]) == found["reason"].to_list()
    assert (reason is None) == bool(fine.height)
    if reason is not None:
        assert found["message"][0].startswith("Row 1, column ")


def test_properties_larger_than_braze_takes_are_rejected():
    """Braze refuses an event with more than 102,400 bytes of properties."""
    big = Rule("properties.big", "big", "json", FieldConfig(type="json"))
    frame = pl.DataFrame(
        {
            "@profile": ["a", "b"],
            "@file": pl.Series([0, 0], dtype=pl.UInt32),
            "@row": pl.Series([1, 2], dtype=pl.UInt32),
            "name": ["e", "e"],
            "time": [NOW.replace(tzinfo=None)] * 2,
            "properties.big": ['{"x":"' + "y" * 102_400 + '"}', '{"x":1}'],
        }
    )
    _, odd = judged_rows(frame, kind_of(EVENTS).faults([big], NOW), {big.name: big})
    assert [(1, "too_large")] == odd.select("@row", "reason").rows()


def test_pieces_cost_a_data_point_each():
    """Braze handles a purchase of several pieces as so many purchases (braze-api.md 13)."""
    outbox, _ = planned(PURCHASES, [PURCHASE, PURCHASE | {"pieces": ""}])
    assert [2, 1] == outbox["@points"].to_list()
