"""Keys that mean one person."""

from __future__ import annotations

import polars as pl
import pytest

from exchanger.profiles.spelling.same_person import linked, links_of, still_linked, with_identities

MAIL, TEL = "email\x1fa@example.com", "phone\x1f+491701234567"


def test_a_key_means_the_external_id_that_its_profile_has():
    """Whose profile has none means nobody else; of what is unknown nothing is said."""
    held = pl.DataFrame(
        {"@profile": ["a", "b", "c", "d"], "@identified": ['"c\\"1"', "null", None, "?"]}
    )
    assert [("a", 'c"1'), ("b", None)] == links_of(held).rows()


@pytest.mark.parametrize(
    ("key", "email", "phone", "stays"),
    [
        (MAIL, '"A@Example.com"', None, True),
        (MAIL, None, '"+1"', True),
        (MAIL, "?", None, True),
        (MAIL, '"b@example.com"', None, False),
        (MAIL, "null", None, False),
        (TEL, '"b@example.com"', '"+491701234567"', True),
        (TEL, None, '"+12125550100"', False),
        ("alias\x1fcrm\x1f7", '"b@example.com"', '"+1"', True),
    ],
)
def test_an_address_that_a_person_has_no_more_means_them_no_more(key, email, phone, stays):
    """What is held of the person speaks against the link; what is unknown does not."""
    links = pl.DataFrame({"@profile": [key], "@linked": ["c1"]})
    held = pl.DataFrame(
        {"@profile": ["c1"], "@exists": [True], "email": [email], "phone": [phone]},
        schema_overrides={"email": pl.String, "phone": pl.String},
    )
    assert stays is bool(still_linked(links, held).height)
    assert 1 == still_linked(links, held.clear()).height


def test_rows_get_the_external_id_of_their_person():
    """Nothing else of a row changes, nor its place."""
    rows = pl.DataFrame({"@profile": [TEL, "x", MAIL], "@row": [1, 2, 3]})
    links = pl.DataFrame({"@profile": [MAIL], "@linked": ["c1"]})
    assert [(TEL, 1), ("x", 2), ("c1", 3)] == linked(rows, links).rows()


def test_what_is_seen_of_an_address_is_seen_of_its_person():
    """A profile without an external id is seen under its address alone."""
    seen = pl.DataFrame(
        {"@profile": [MAIL, TEL, "c2"], "@exists": [True] * 3,
         "@identified": ['"c1"', "null", '"c2"'], "n": ["1", "2", "3"]}
    )  # fmt: skip
    assert [*seen.rows(), ("c1", True, None, "1")] == with_identities(seen).rows()
