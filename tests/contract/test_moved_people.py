"""Whom keys mean once calls of ours were answered, as held values say it."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from exchanger.jobs.settlement.moved import moved_rows
from exchanger.outside.delta.table import Table
from exchanger.state.held.table import HeldValues

AT = datetime(2026, 9, 15, 10, tzinfo=UTC)
ONE, TWO, MAIL = "alias\x1fcrm\x1f1", "alias\x1fshop\x1f2", "email\x1fm@example.com"
KEYS = ("a", "b", ONE, TWO, MAIL)
CALL = {
    "@endpoint": pl.String(),
    "@object": pl.String(),
    "@profile": pl.String(),
    "@other": pl.String(),
    "@who": pl.String(),
    "@other_who": pl.String(),
    "@names": pl.List(pl.String()),
    "sure": pl.Boolean(),
}


def meant(folder, held, endpoint, call, *, sure=True, gone=False):
    """Settle one call; whom each key means afterwards, and whether it is known to be there."""
    values = HeldValues(Table(str(folder), {}))
    rows = [
        {"@profile": key, "@exists": True, "@identified": who, "tier": '"x"'}
        for key, who in held.items()
    ]
    schema = {"@profile": pl.String, "@exists": pl.Boolean, "@identified": pl.String,
              "tier": pl.String}  # fmt: skip
    values.deliver(pl.DataFrame(rows, schema=schema), seq=1, at=AT)
    calls = pl.DataFrame(
        [{"@endpoint": endpoint, "@object": "{}", "sure": sure} | call], schema=CALL
    )
    values.deliver(moved_rows(calls, values, gone=gone), seq=2, at=AT)
    found = values.of(pl.Series(KEYS), ["@identified", "tier"]).to_dicts()
    return {one["@profile"]: (one["@identified"], one["tier"]) for one in found}


@pytest.mark.parametrize(
    ("held", "sure", "expected"),
    [
        # Nothing was held of the alias, and from now on it means somebody.
        ({}, True, {ONE: ('"a"', None)}),
        ({}, False, {ONE: ("?", None)}),
        # The other keys of the person meant nobody with an id.
        (
            {TWO: "null", MAIL: "null"},
            True,
            {ONE: ('"a"', None), TWO: ("?", "?"), MAIL: ("?", "?")},
        ),
        ({TWO: None}, True, {ONE: ('"a"', None), TWO: ("?", "?")}),
        # Whoever had the id keeps their names.
        (
            {"a": None, MAIL: '"a"'},
            True,
            {ONE: ('"a"', None), MAIL: ('"a"', "?"), "a": (None, "?")},
        ),
    ],
)
def test_who_is_identified_by_an_alias(tmp_path, held, sure, expected):
    """The alias means them at once; what else names them is seen before it is used."""
    call = {"@profile": ONE, "@other": "a", "@names": [ONE, TWO, MAIL]}
    found = meant(tmp_path, held, "identify-aliases", call, sure=sure)
    assert expected == {key: found[key] for key in expected}
    assert {*expected} | {"a"} == {*found} | {"a"}


def test_who_is_merged_into_keeps_their_names(tmp_path):
    """Those of who was merged away may be theirs by now, or nobody's."""
    held = {"a": None, "b": None, ONE: '"a"', TWO: '"b"'}
    call = {"@profile": "a", "@other": "b", "@who": "a", "@other_who": "b", "@names": [ONE, TWO]}
    found = meant(tmp_path, held, "merges", call, gone=True)
    assert {"a": (None, "?"), "b": (None, "?"), ONE: ("?", "?"), TWO: ('"b"', "?")} == found


def test_an_alias_means_whoever_has_the_new_id(tmp_path):
    """Also where the row named the old one."""
    call = {"@profile": "a", "@other": ONE, "@who": "b"}
    assert {ONE: ('"b"', None)} == meant(tmp_path, {}, "aliases", call)


def test_other_keys_of_who_was_deleted_are_seen_again(tmp_path):
    """Whoever comes by one of them is somebody else."""
    call = {"@profile": ONE, "@other": "braze_id\x1f7", "@names": [ONE, MAIL]}
    found = meant(tmp_path, {ONE: None, MAIL: "null"}, "deletions", call, gone=True)
    assert {ONE: ("?", "?"), MAIL: ("?", "?")} == found
