"""Tests of the one text that names a profile."""

from __future__ import annotations

import polars as pl
import pytest

from exchanger.profiles.spelling.profile_key import (
    identifier_member,
    kind_of,
    profile_key,
    shown,
    value_of,
)

KEYS = {
    "external_id": (None, "ada", '"external_id":"ada"', "ada"),
    "braze_id": (None, "5f3a", '"braze_id":"5f3a"', "braze_id 5f3a"),
    "email": (None, 'a"b@example.com', '"email":"a\\"b@example.com"', 'email a"b@example.com'),
    "phone": (None, "+491701234567", '"phone":"+491701234567"', "phone +491701234567"),
    "alias": (
        "crm",
        "4711",
        '"user_alias":{"alias_label":"crm","alias_name":"4711"}',
        "alias crm 4711",
    ),
}


def made(kind: str) -> str:
    label, value, _, _ = KEYS[kind]
    expr = profile_key(kind, pl.lit(value), None if label is None else pl.lit(label))
    return pl.select(expr).item()


@pytest.mark.parametrize("kind", KEYS)
def test_a_key_tells_its_kind_and_its_value(kind):
    """Whatever is made of an identifier can be read back."""
    key = pl.Series("@profile", [made(kind)]).to_frame()
    assert (kind, KEYS[kind][1]) == key.select(
        kind_of(pl.col("@profile")), v=value_of(pl.col("@profile"))
    ).row(0)


@pytest.mark.parametrize("company", [[], ["plain"]])
@pytest.mark.parametrize("kind", KEYS)
def test_a_profile_is_named_to_braze_as_it_expects(kind, company):
    """Each kind has its own member (braze-api.md 2.3), whatever stands beside it."""
    keys = pl.Series("@profile", [made(kind), *company])
    assert KEYS[kind][2] == keys.to_frame().select(identifier_member(keys)).to_series()[0]


def test_a_person_reads_no_signs_that_cannot_be_seen():
    """Quarantine and messages show kind and value apart."""
    keys = pl.DataFrame({"@profile": [made(kind) for kind in KEYS]})
    assert [text for *_, text in KEYS.values()] == keys.select(
        shown(pl.col("@profile"))
    ).to_series().to_list()


def test_no_identifier_has_no_key():
    """A missing value names nobody."""
    empty = pl.DataFrame({"v": [None]}, schema={"v": pl.String})
    assert [None] == empty.select(profile_key("email", pl.col("v"))).to_series().to_list()
