"""What a plan would do, in numbers: decision tables over hand-made outboxes."""

from __future__ import annotations

import polars as pl
import pytest

from exchanger.config.models import FieldConfig
from exchanger.jobs.planning.exposure import FieldExposure, Measurement
from exchanger.jobs.runtime.report import RunReport
from exchanger.profiles.frames.rules import Rule

PROFILE = {"@endpoint": "attributes", "@rows": 1, "@points": 1, "@known": True, "@sure": True}
EVENT = {"@endpoint": "events", "@rows": 1, "@points": 1}
TYPES = {
    "@endpoint": pl.String, "@rows": pl.UInt32, "@points": pl.UInt32,
    "@known": pl.Boolean, "@sure": pl.Boolean,
}  # fmt: skip


def rule(name="x", merge="set", kind="string", scale=None):
    config = FieldConfig(merge=merge, type=kind, scale=scale)
    return Rule(name, name, kind, config)


@pytest.fixture
def measured():
    """Measure an outbox of parts, each a list of rows."""

    def measure(*parts, rules=(), report=None, batch_size=75):
        names = list(dict.fromkeys(name for part in parts for row in part for name in row))
        schema = {name: TYPES.get(name, pl.String) for name in names}
        found = Measurement(rules)
        for part in parts:
            found.add(pl.DataFrame(part, schema=schema))
        return found.exposure(report or RunReport("r", "job", "partial"), batch_size=batch_size)

    return measure


def change(was, now, **control):
    return PROFILE | control | {"before:x": was, "wanted:x": now}


@pytest.mark.parametrize(
    ("was", "now", "expected"),
    [
        ('"a"', '"b"', (1, 1, 0)),
        ('"a"', "null", (1, 1, 1)),
        ("null", '"b"', (1, 0, 0)),
        (None, '"b"', (1, 0, 0)),
        (None, "null", (1, 0, 0)),
        ('"a"', None, (0, 0, 0)),
        (None, None, (0, 0, 0)),
    ],
)
def test_a_change_counts_by_what_was_known_before(measured, was, now, expected):
    """A known value that is not empty is replaced, or cleared; what is unknown or empty is not."""
    found = measured([change(was, now)], rules=[rule()])
    field = found.fields["x"]
    assert expected == (field.profiles, field.replaced, field.cleared)
    assert expected[1:] == (found.profiles_replaced, found.profiles_cleared)


def test_a_profile_counts_once_however_many_fields_change(measured):
    """Profiles and fields are counted each for themselves."""
    row = PROFILE | {"before:a": "1", "wanted:a": "2", "before:b": "1", "wanted:b": "null"}
    found = measured([row, row | {"wanted:b": None}], rules=[rule("a"), rule("b")])
    assert (2, 1) == (found.profiles_replaced, found.profiles_cleared)
    assert {"a": 2, "b": 1} == {name: each.replaced for name, each in found.fields.items()}


@pytest.mark.parametrize(
    ("known", "sure", "expected"),
    [
        (True, True, (1, 0, 0, 0)),
        (False, True, (0, 1, 0, 0)),
        (True, False, (1, 0, 1, 7)),
        (False, False, (0, 1, 1, 7)),
    ],
)
def test_profiles_are_known_or_new_and_seen_or_not(measured, known, sure, expected):
    """Whoever changes was known before the run or not, and is there for sure or perhaps."""
    found = measured([change(None, "1", **{"@known": known, "@sure": sure, "@points": 7})])
    numbers = found.profiles_updated, found.profiles_new
    assert expected == (*numbers, found.profiles_unseen, found.unseen_points)


@pytest.mark.parametrize(
    ("kind", "scale", "changes", "total"),
    [
        ("integer", None, [("1", "3"), ("null", "5"), (None, "1")], "8"),
        ("integer", None, [("3", "1")], "-2"),
        ("integer", None, [("1", None)], "0"),
        ("integer", None, [("0", str(2**62))] * 4, str(2**64)),
        ("decimal", 2, [("0.1", "0.3"), ("0.1", "0.2"), ("1.5", "1.75")], "0.55"),
        ("decimal", 2, [("0.3", "0.1"), ("0.1", "0.3")], "0"),
        ("float", None, [("0.5", "1.75"), ("null", "2")], "3.25"),
        ("integer", None, [('"12"', "13")], "1"),
        ("decimal", 2, [('"0.5"', "0.75")], "0.25"),
        ("float", None, [("0", "1" + "0" * 22)], "1" + "0" * 22),
    ],
)
def test_totals_are_what_is_added_over_all_profiles(measured, kind, scale, changes, total):
    """Exact, in the field's own type; what was empty counts as 0."""
    added = rule("x", "sum", kind, scale)
    parts = [[change(was, now)] for was, now in changes]
    assert {"x": total} == measured(*parts, rules=[added]).totals


def test_only_summed_fields_have_a_total(measured):
    """Numbers that are set are not added up."""
    found = measured([change("1", "5")], rules=[rule(kind="integer")])
    assert FieldExposure(1, 1, 0, 1, None) == found.fields["x"]
    assert {} == found.totals


def test_leaves_of_objects_and_what_is_not_billed_cost_what_braze_bills(measured):
    """Data points of a field are those of its values."""
    parts = [change(None, '{"a":1,"b":{"c":2}}'), change(None, '"x"')]
    assert 3 == measured(parts, rules=[rule()]).fields["x"].data_points


@pytest.mark.parametrize(
    ("objects", "batch_size", "requests"),
    [(1, 75, 1), (75, 75, 1), (76, 75, 2), (80, 500, 2), (4, 2, 2)],
)
def test_requests_are_as_full_as_they_may_be(measured, objects, batch_size, requests):
    """No request takes more objects than the job, or the endpoint, allows."""
    assert requests == measured([EVENT], [EVENT] * (objects - 1), batch_size=batch_size).requests


def test_objects_of_several_endpoints_are_counted_together(measured):
    """Rows that are objects of their own are no profiles, and go in requests of their own."""
    report = RunReport("r", "job", "partial", rows_read=9, rows_rejected=2, profiles_named=5)
    report.profiles_unchanged = 4
    found = measured(
        [change('"a"', '"b"')], [EVENT, EVENT | {"@points": 3}], rules=[rule()], report=report
    )
    assert (3, 3, 2, 0) == (found.objects, found.rows_applied, found.requests, found.deletes)
    assert (5, 1, 0) == (found.data_points, found.profiles_updated, found.profiles_new)
    assert (9, 2, 5, 5) == (
        found.rows_read, found.rows_rejected, found.profiles_named, found.profiles_known,
    )  # fmt: skip


def test_an_outbox_of_events_alone_says_nothing_of_profiles(measured):
    """There are no fields, and nobody is new or known."""
    found = measured([EVENT] * 3)
    assert (3, 3, 0, 0) == (
        found.objects, found.data_points, found.profiles_updated, found.profiles_new,
    )  # fmt: skip
    assert {} == found.fields


def test_what_happens_to_no_profile_is_told_of_every_field(measured):
    """A field of the job that changes nowhere counts nothing."""
    found = measured([change("1", "2")], rules=[rule(), rule("y")])
    assert FieldExposure(0, 0, 0, 0) == found.fields["y"]


@pytest.mark.parametrize(
    ("was", "now", "expected"),
    [('"a"', '"b"', 0), ('"a"', "null", 1), (None, "null", 1), (None, '"b"', 0), (None, None, 0)],
)
def test_whoever_has_no_value_afterwards_is_emptied(measured, was, now, expected):
    """Also where nobody knew of a value before."""
    assert expected == measured([change(was, now)], rules=[rule()]).fields["x"].emptied
