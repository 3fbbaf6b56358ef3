"""What a value that cannot be used costs: its row, or itself alone."""

from __future__ import annotations

import polars as pl
import pytest
from support.jobs import import_model

from exchanger.objects.kinds import every_kind
from exchanger.profiles.frames.raw_columns import RawColumns
from exchanger.profiles.reading.faults import IGNORED
from exchanger.profiles.reading.mapping import settle_rules
from exchanger.profiles.reading.typed_rows import Given, cast_rows

FIELDS = {"language": {}, "born": {"type": "date"}, "note": {"type": "json"}, "n": {"merge": "sum"}}
ROWS = {
    "id": ["fine", "ignored", "wrong", "both", "nobody"],
    "language": ["fr", "en-US", "", "en-US", "en-US"],
    "born": ["1990-05-31", "1990-05-31", "soon", "soon", ""],
    "note": ['{"a":1}', '{"a b":1}', "{", "", ""],
    "n": ["1", "2", "3", "4", "5"],
}
AT = {"from": "at"}
SIZE = {"from": "size", "type": "integer"}
EVENT = {"object": "events", "event": {"name": {"value": "Seen"}, "time": AT}}
ORDER = {
    "event": {"value": "order_placed"},
    "id": "order",
    "time": AT,
    "currency": {"value": "EUR"},
    "source": {"value": "web"},
    "total": {"sum": "total"},
    "product": {
        **{name: {"from": "sku"} for name in ("id", "name", "variant")},
        "quantity": {"from": "n"},
        "price": {"from": "price"},
        "metadata": {"size": SIZE},
    },
}
ITEM = {"object": "catalog_items", "catalog": "c", "id": "id", "match": []}


def give(rows: dict, **job) -> Given:
    """Give rows of text to a job, as those of CSV."""
    model = import_model(**job)
    frame = pl.DataFrame(rows, schema=dict.fromkeys(rows, pl.String)).with_row_index("@row", 1)
    raw = RawColumns(frame, textual=True, key="in/a.csv")
    settled = settle_rules(model, raw, {})
    return cast_rows(raw, settled.rules, model, 3, settled.kept)


def told(entries: pl.DataFrame) -> set:
    return set(entries.select("@row", "field", "reason").iter_rows())


@pytest.mark.parametrize(
    ("on_invalid", "kept", "dropped"),
    [
        (None, ["fine", "ignored"], {(2, "language", "not_a_language"), (2, "note", "bad_key")}),
        ("quarantine", ["fine"], set()),
        ("stop", ["fine"], set()),
        (
            "drop_value",
            ["fine", "ignored", "wrong", "both"],
            {
                (2, "language", "not_a_language"), (2, "note", "bad_key"),
                (3, "born", "not_a_time"), (3, "note", "invalid_json"),
                (4, "language", "not_a_language"), (4, "born", "not_a_time"),
            },
        ),
    ],
)  # fmt: skip
def test_what_a_value_costs_is_as_the_job_says(on_invalid, kept, dropped):
    """A value is left out alone, or its row is rejected with all that is wrong in it: not both."""
    rows = {**ROWS, "id": [*ROWS["id"][:-1], ""]}
    given = give(rows, fields=FIELDS, on_invalid=on_invalid)

    assert kept == given.frame["@profile"].to_list()
    assert dropped == told(given.dropped)
    rejected = told(given.rejected)
    assert set(range(1, 6)) == set(given.frame["@row"]) | {row for row, *_ in rejected}
    assert not {row for row, *_ in rejected} & {row for row, *_ in dropped}
    assert (5, "language", "not_a_language") in rejected  # Beside the identifier that is missing.
    assert given.dropped["profile"].is_in(kept).all()


def test_a_value_that_is_left_out_says_nothing():
    """It clears no field, adds nothing to a sum, and no address of its own is taken for empty."""
    given = give(
        {"id": ["a", "b", "c"], "x": ["soon", "", "2026-09-15"], "n": ["1.5", "", "7"]},
        fields={"x": {"merge": "clear", "type": "date"}, "n": {"merge": "sum", "type": "integer"}},
        on_invalid="drop_value",
    )
    by_mail = give(
        {"mail": ["a@b.example", "b@b.example"], "phone": ["x" * 256, ""]},
        match=[{"email": "mail"}],
        fields={"phone": {"merge": "clear", "type": "string"}},
        on_invalid="drop_value",
    )

    assert [False, True, True] == given.frame["@said:x"].to_list()
    assert [None, None, 7] == given.frame["n"].to_list()
    assert [False, True] == by_mail.frame["@said:phone"].to_list()
    plain = give(
        {"id": ["a"], "x": [""]}, fields={"x": {"merge": "clear"}}, on_invalid="drop_value"
    )
    assert [True] == plain.frame["@said:x"].to_list()


@pytest.mark.parametrize(
    ("job", "rows", "kept", "dropped"),
    [
        (
            {"source": {"prefix": "in/", "order_by": "t"}, "fields": {"t": {"type": "date"}}},
            {"t": ["soon", "2026-09-15"]},
            [2],
            "",
        ),
        (
            {**EVENT, "event": {**EVENT["event"], "properties": {"size": SIZE}}},
            {"at": ["2026-09-15", "soon"]},
            [1],
            "properties.size",
        ),
        (
            {"object": "orders", "order": ORDER},
            {"order": ["o1", "o2"], "at": ["2026-09-15"] * 2, "total": ["1", "x"]}
            | {name: ["1", "1"] for name in ("sku", "n", "price")},
            [1],
            "product.metadata.size",
        ),
        ({**ITEM, "fields": {"size": SIZE}}, {"id": ["a", "not an id"]}, [1], "fields.size"),
        (
            {**ITEM, "mode": "replace", "fields": {"size": SIZE}},
            {"size": ["big", "1"]},
            [2],
            "",
        ),
    ],
)
def test_what_an_object_cannot_do_without_rejects_its_row(job, rows, kept, dropped):
    """The order of rows, names, times, prices and totals are never left out; properties are."""
    given = give({"id": ["a", "b"], "size": ["big"] * 2} | rows, **job, on_invalid="drop_value")

    assert kept == given.frame["@row"].to_list()
    expected = {(1, dropped, "not_an_integer")} if dropped else set()
    assert expected == told(given.dropped)


def test_only_attributes_lose_by_themselves_what_braze_would_ignore():
    """What an event lacks cannot be sent again once it is corrected, so its row is rejected."""
    event = {
        **EVENT,
        "event": {**EVENT["event"], "properties": {"note": {"from": "note", "type": "json"}}},
    }
    rows = {"id": ["a"], "at": ["2026-09-15"], "note": ['{"a b":1}']}

    assert {(1, "properties.note", "bad_key")} == told(give(rows, **event).rejected)
    assert {(1, "properties.note", "bad_key")} == told(
        give(rows, **event, on_invalid="drop_value").dropped
    )


def test_no_kind_loses_what_it_is_about():
    """Of renames, states and the like every cell counts, whatever the job says."""
    whole = {"attributes", "events", "purchases", "orders", "catalog_items"}
    calls = {
        "renames": {"rename": {"from": "id", "to": "new"}, "match": []},
        "aliases": {"alias": {"name": "name", "label": "crm"}},
        "merges": {
            "merge": {"keep": {"external_id": "new"}, "drop": {"external_id": "id"}},
            "match": [],
        },
        "identify": {"identify": {"external_id": "new"}, "match": [{"email": "id"}]},
        "subscriptions": {
            "subscription": {
                "group": {"value": "g"},
                "state": {"from": "x", "subscribed": ["y"], "unsubscribed": ["n"]},
            }
        },
        "email_state": {"state": {"from": "x", "subscribed": ["y"], "unsubscribed": ["n"]}},
        "deletions": {"confirm_deletes": True},
    }
    calls["audience"] = {
        "audience": {"as": [{"attribute": "vip"}]},
        "action": {"from": "op", "add": ["+"], "remove": ["-"]},
    }
    kinds = {kind.name for kind in every_kind()}
    of_the_same = {"audience_events", "audience_cohort", "audience_and_cohort"}
    assert whole | set(calls) == kinds - of_the_same
    for name, spec in calls.items():
        job = import_model(object=name, on_invalid="drop_value", **spec)
        assert not any(job.does_without(cell) for cell in job.cells), name


def test_what_braze_would_ignore_is_neither_an_order_nor_a_choice_of_the_job():
    """An order is carried out, and 'too_long' says what becomes of long text: both reject."""
    given = give(
        {"id": ["a", "b"], "x": ['{"inc":2}', "{}"], "y": ["", "z" * 256]},
        fields={"x": {"type": "json"}, "y": {"type": "string"}},
    )

    assert {(1, "x", "an_order"), (2, "y", "too_long")} == told(given.rejected)
    assert not {"an_order", "too_long"} & IGNORED
