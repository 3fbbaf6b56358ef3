"""What each guard lets through, and what it says: decision tables, guard by guard."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from exchanger.config.models import Budget, Guards, ImportJob
from exchanger.config.prices import price_of
from exchanger.jobs.planning.budgets import note_price, notes_on_budget
from exchanger.jobs.planning.exposure import Exposure
from exchanger.jobs.planning.guards import (
    beyond_what_was_shown,
    guards_of,
    notes_on_emptier,
    notes_on_files,
)
from exchanger.notes import noted

JOB = {
    "type": "import",
    "source": {"prefix": "in/"},
    "match": [{"external_id": "id"}],
    "fields": {"tier": {"from": "tier"}},
}


def reasons(guards, **exposure):
    """What the guards of a job say of a plan; neither files nor a budget are needed for these."""
    job = ImportJob.model_validate(JOB | {"guards": guards})
    call = SimpleNamespace(job=job, name="crm", context=SimpleNamespace(budget=None))
    return [note for guard in guards_of(call, []) for note in guard(Exposure(**exposure))]


KNOWN = {"profiles_updated": 6, "profiles_unchanged": 4}


@pytest.mark.parametrize(
    ("guards", "exposure", "expected"),
    [
        ({"max_changed_percent": 50}, {"profiles_replaced": 5}, None),
        ({"max_changed_percent": 50}, {"profiles_replaced": 6}, ("too_many_changed", 60.0)),
        ({"max_changed_percent": 0}, {"profiles_replaced": 0}, None),
        ({"max_changed_percent": 0}, {"profiles_replaced": 1}, ("too_many_changed", 10.0)),
        ({"max_cleared_percent": 10}, {"profiles_cleared": 1}, None),
        ({"max_cleared_percent": 9.9}, {"profiles_cleared": 1}, ("too_many_cleared", 10.0)),
        ({"max_rejected_percent": 10}, {"rows_read": 30, "rows_rejected": 3}, None),
        (
            {"max_rejected_percent": 10},
            {"rows_read": 30, "rows_rejected": 4},
            ("too_many_rejected", 13.33),
        ),
        ({"max_rejected_percent": 10}, {"rows_read": 0, "rows_rejected": 0}, None),
        ({"max_data_points": 9}, {"data_points": 9}, None),
        ({"max_data_points": 9}, {"data_points": 10}, ("too_many_points", None)),
        ({"max_data_points": 0}, {"data_points": 1}, ("too_many_points", None)),
        ({"max_leavers_percent": 20}, {"leavers": 2, "members_before": 10}, None),
        (
            {"max_leavers_percent": 20},
            {"leavers": 3, "members_before": 10},
            ("too_many_leavers", 30.0),
        ),
        ({}, {"profiles_replaced": 6, "profiles_cleared": 6, "data_points": 10**9}, None),
    ],
)
def test_a_guard_trips_beyond_its_limit_and_not_at_it(guards, exposure, expected):
    """What is allowed is allowed; of what goes beyond, the share is told; none is on unnamed."""
    found = [(note.code, note.facts.get("percent")) for note in reasons(guards, **KNOWN | exposure)]
    assert ([] if expected is None else [expected]) == found


def test_a_first_load_changes_nobody():
    """Where no profile is known there is nothing to lose."""
    assert [] == reasons({"max_changed_percent": 0, "max_cleared_percent": 0}, profiles_new=9)


def test_all_guards_that_trip_are_told():
    """A person decides about all of it at once, and so has to be shown all of it."""
    guards = {"max_changed_percent": 1, "max_data_points": 1}
    found = reasons(guards, **KNOWN, profiles_replaced=6, data_points=6)
    assert ["too_many_changed", "too_many_points"] == [note.code for note in found]


@pytest.mark.parametrize(
    ("guards", "before", "files", "expected"),
    [
        ({"max_fewer_rows_percent": 50}, ("a", 10), [("b", 5)], []),
        ({"max_fewer_rows_percent": 50}, ("a", 10), [("b", 4)], [("fewer_rows", "b", "a", 60.0)]),
        ({"max_fewer_rows_percent": 50}, ("a", 10), [("b", 99)], []),
        ({"max_fewer_rows_percent": 50}, None, [("b", 1)], []),
        ({"max_fewer_rows_percent": 50}, None, [("b", 9), ("c", 1)],
         [("fewer_rows", "c", "b", 88.89)]),
        ({"max_fewer_rows_percent": 50}, ("a", 10), [("b", 6), ("c", 4)], []),
        ({"max_fewer_rows_percent": 50}, ("a", 10), [("b", 0), ("c", 9)],
         [("fewer_rows", "b", "a", 100.0)]),
        ({"max_fewer_rows_percent": 50, "empty_file": "hold"}, ("a", 10), [("b", 0), ("c", 4)],
         [("empty_file", "b", None, None), ("fewer_rows", "c", "a", 60.0)]),
        ({"max_fewer_rows_percent": 50}, ("a", 10), [("b", 0), ("c", 4)],
         [("fewer_rows", "b", "a", 100.0), ("fewer_rows", "c", "a", 60.0)]),
        ({"max_fewer_rows_percent": 50, "empty_file": "hold"}, ("a", 10), [("b", 0)],
         [("empty_file", "b", None, None)]),
        ({"empty_file": "hold"}, None, [("b", 0), ("c", 1)], [("empty_file", "b", None, None)]),
        ({"empty_file": "ignore"}, ("a", 10), [("b", 0)], []),
        ({}, ("a", 10), [("b", 1)], []),
    ],
)  # fmt: skip
def test_a_file_is_compared_with_the_one_before_it(guards, before, files, expected):
    """That is the one applied last, or one before it in the run; an empty one is no measure."""
    found = notes_on_files(Guards.model_validate(guards), files, before)
    told = [
        (note.code, note.facts["file"], note.facts.get("before"), note.facts.get("percent"))
        for note in found
    ]
    assert expected == told


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


COSTS = [(at("2026-03-01T12:00"), 500), (at("2026-03-09T22:30"), 50), (at("2026-03-10T01:00"), 5)]


@pytest.mark.parametrize(
    ("limits", "zone", "points", "expected"),
    [
        ({"day": 10}, "UTC", 5, []),
        ({"day": 10}, "UTC", 6, [("day", 5)]),
        # Half past ten in London was another day already in Athens.
        ({"day": 10}, "Europe/Athens", 1, [("day", 55)]),
        ({"month": "1k"}, "UTC", 445, []),
        ({"month": "1k"}, "UTC", 446, [("month", 555)]),
        ({"day": 10, "month": 560}, "UTC", 6, [("day", 5), ("month", 555)]),
        ({}, "UTC", 10**12, []),
    ],
)
def test_a_budget_counts_what_was_spent_since_its_day_or_month_began(
    limits, zone, points, expected
):
    """Days and months begin where the budget counts them; what fits exactly is allowed."""
    budget = Budget.model_validate({"data_points": limits, "timezone": zone})
    found = notes_on_budget(budget, points, COSTS, at("2026-03-10T09:00"))
    assert expected == [(note.facts["period"], note.facts["spent"]) for note in found]


def test_money_is_told_where_a_price_is_given():
    """It is exact to the cent; without a price or a cost there is nothing to say."""
    budget = Budget.model_validate({"price": 0.0004, "currency": "EUR"})
    [note] = note_price(budget, 1_234_567)
    assert ("493.83", "EUR") == (note.facts["cost"], note.facts["currency"])
    assert [] == note_price(budget, 0)
    assert [] == note_price(Budget.model_validate({"data_points": {"day": 1}}), 9)
    assert [] == note_price(None, 9)


def test_where_a_contract_counts_requests_both_are_told():
    """The price is that of a request then, and a field has none; without a price both are told."""
    budget = Budget.model_validate({"counts": "requests", "price": 0.005, "currency": "EUR"})
    [note] = note_price(budget, 940, 12)
    assert {"requests": 12, "points": 940, "cost": "0.06", "currency": "EUR"} == note.facts
    assert ("0.06", None) == (price_of(budget, 940, 12), price_of(budget, 940))
    [note] = note_price(Budget.model_validate({"counts": "requests"}), 940, 12)
    assert (12, 940, "") == tuple(note.facts[name] for name in ("requests", "points", "cost"))
    assert [] == note_price(budget, 0, 0)


def changed(profiles, percent=80.0):
    return noted("too_many_changed", profiles=profiles, of=10, percent=percent, allowed=50.0)


def spent(spent, points, period="day"):
    return noted("budget_exceeded", period=period, points=points, spent=spent, limit=10)


def empty(file):
    return noted("empty_file", file=file)


@pytest.mark.parametrize(
    ("found", "shown", "held"),
    [
        ([], [], False),
        ([changed(8)], [changed(8)], False),
        ([changed(7)], [changed(8)], False),
        ([], [changed(8)], False),
        ([changed(9)], [changed(8)], True),
        ([changed(8)], [], True),
        ([changed(8), empty("a")], [changed(8)], True),
        ([empty("a")], [empty("a")], False),
        ([empty("b")], [empty("a")], True),
        ([spent(0, 12)], [spent(4, 8)], False),
        ([spent(9, 8)], [spent(4, 8)], True),
        ([spent(4, 8, "month")], [spent(4, 8)], True),
    ],
)
def test_an_approval_lets_through_what_was_shown_and_nothing_worse(found, shown, held):
    """What is worse by now, or was not shown, is shown first, with all else there is to say."""
    guard = beyond_what_was_shown([lambda _: found], shown)
    assert (found if held else []) == guard(Exposure())


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        ({"tier": 75.0}, {"tier": 95.0}, []),
        ({"tier": 74.0}, {"tier": 95.0}, [("tier", 26.0, 5.0)]),
        ({"tier": 95.0}, {"tier": 5.0}, []),
        ({}, {"tier": 20.0, "age": 20.5}, [("age", 100.0, 79.5)]),
        ({"tier": 10.0, "new": 0.0}, {}, []),
    ],
)
def test_a_field_that_is_much_emptier_than_before_is_told(now, before, expected):
    """By the share of rows without a value; a column that is not there any more has none."""
    notes = notes_on_emptier(20, now, before)
    assert expected == [
        tuple(note.facts[n] for n in ("field", "empty", "empty_before")) for note in notes
    ]
