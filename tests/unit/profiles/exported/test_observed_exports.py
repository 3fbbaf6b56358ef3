"""Segment exports and look-ups observe the same."""

from __future__ import annotations

import json
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanger.config.models import ExportJob
from exchanger.profiles.exported.held_rows import (
    attribute_columns,
    fields_of_export,
    held_columns,
    held_form,
    held_users,
)
from exchanger.profiles.exported.selection import selection_of

FIELDS = ["email", "country", "image_url", "tier", "pref.color", "seen"]
TEXTS = st.sampled_from(
    ["", " ", "\n\t ", "gold", 'a "b" \\ c', "Zoë\u2028", "2026-09-15", "2026-09-15T10:00:00Z",
     "null", "[]", "é\x01", "gb"]
)  # fmt: skip
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    TEXTS,
    st.integers(-(10**25), 10**25),
    st.sampled_from([0.1, 12.0, -0.0, 1e21, 2.5e-9, 0.30000000000000004]),
)
VALUES = st.one_of(
    SCALARS,
    st.lists(SCALARS, max_size=3),
    st.dictionaries(st.sampled_from(["b", "a"]), SCALARS, max_size=2),
)


def parsed(line):
    return json.loads(line, parse_float=Decimal)


@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "external_id": st.sampled_from(["1", "2", "3"]),
                "email": TEXTS,
                "country": TEXTS,
                "custom_attributes": st.dictionaries(
                    st.sampled_from(["tier", "pref.color", "pref", "seen", "email"]), VALUES
                ),
            },
        ),
        max_size=4,
    )
)
def test_an_export_observes_what_look_ups_of_its_users_would(users):
    """Whatever users hold, both ways give the same held values."""
    lines = [json.dumps(user, separators=(",", ":")).encode() for user in users]
    known = [user for user in map(parsed, lines) if "external_id" in user]
    first = {user["external_id"]: user for user in reversed(known)}
    named = {user["external_id"]: first[user["external_id"]] for user in known}

    assert held_form(named, [], FIELDS).rows() == held_users(lines, "archive", FIELDS).rows()


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        (["tier", "email", "image_url"], (("email", "external_id"), ("tier",))),
        ([], (("external_id",), ())),
        ([f"a{n}" for n in range(501)], (("custom_attributes", "external_id"), ())),
    ],
)
def test_an_export_asks_for_what_can_be_observed(fields, asked):
    """Custom attributes are named, unless they are more than one request may name."""
    found = fields_of_export(fields)
    assert asked == (found.fields, found.custom_attributes)


def test_columns_of_a_dataset_are_held_where_they_are_entire_attributes():
    """Attributes are known by their own names; parts of them, and what has no id, are left out."""
    columns = {
        "id": {"from": "external_id"},
        "mail": {"from": "email"},
        "points": {"from": "custom_attributes.points"},
        "colour": {"from": "custom_attributes.pref.color"},
        "photo": {"from": "devices"},
    }
    job = ExportJob.model_validate(
        {"type": "export", "segment": "A", "fields": columns, "target": {"prefix": "x/"}}
    )
    selection = selection_of(job)
    found = attribute_columns(selection, {"tier": "x_tier", "gone": "x_gone"})
    assert {"email": "mail", "points": "points", "tier": "x_tier", "gone": "x_gone"} == found

    texts = pl.DataFrame(
        {
            "id": ['"1"', None, '"\\u00e9"'],
            "mail": ['"a@x"', '"b@x"', None],
            "points": ["1.0", "2", None],
            "x_tier": ['"gold"', None, '"  "'],
        }
    ).cast(pl.Binary)
    assert [
        ("1", True, '"a@x"', "1", '"gold"', "null"),
        ("é", True, "null", "null", "null", "null"),
    ] == held_columns(texts, "id", found).select(
        "@profile", "@exists", "email", "points", "tier", "gone"
    ).rows()
