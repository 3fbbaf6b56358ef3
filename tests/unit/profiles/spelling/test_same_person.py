"""Keys that mean one person."""

from __future__ import annotations

import polars as pl
import pytest

from exchanger.profiles.spelling.profile_key import person_of_user
from exchanger.profiles.spelling.same_person import linked, links_of, still_linked, with_identities

MAIL, TEL = "email\x1fa@example.com", "phone\x1f+491701234567"
ALIAS, SELF = "alias\x1fcrm\x1f7", '"alias\\u001fcrm\\u001f7"'


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
        {
            "@profile": ["c1"],
            "@exists": [True],
            "@identified": [None],
            "email": [email],
            "phone": [phone],
        },
        schema_overrides={"@identified": pl.String, "email": pl.String, "phone": pl.String},
    )
    assert stays is bool(still_linked(links, held).height)
    assert 1 == still_linked(links, held.clear()).height


@pytest.mark.parametrize(
    ("means", "exists", "stays"),
    [(SELF, True, True), ("null", True, True), (SELF, False, False), ("?", True, False),
     ('"c1"', True, False), (None, True, False)],
)  # fmt: skip
def test_an_alias_that_means_somebody_else_stands_for_nobody(means, exists, stays):
    """Nor does one that nobody has, or of which it is uncertain by now."""
    links = pl.DataFrame({"@profile": [MAIL], "@linked": [ALIAS]})
    held = pl.DataFrame(
        [(ALIAS, exists, means, None, None)],
        ["@profile", "@exists", "@identified", "email", "phone"],
        schema_overrides={"@identified": pl.String, "email": pl.String, "phone": pl.String},
        orient="row",
    )
    assert stays is bool(still_linked(links, held).height)


def test_rows_get_the_external_id_of_their_person():
    """Nothing else of a row changes, nor its place."""
    rows = pl.DataFrame({"@profile": [TEL, "x", MAIL], "@row": [1, 2, 3]})
    links = pl.DataFrame({"@profile": [MAIL], "@linked": ["c1"]})
    assert [(TEL, 1), ("x", 2), ("c1", 3)] == linked(rows, links).rows()


def test_what_is_seen_of_an_address_is_seen_of_its_person():
    """Of who has no external id it is seen of the alias, which goes on to mean itself."""
    seen = pl.DataFrame(
        {"@profile": [MAIL, TEL, "c2"], "@exists": [True] * 3,
         "@identified": ['"c1"', SELF, '"c2"'], "n": ["1", "2", "3"]}
    )  # fmt: skip
    more = [("c1", True, None, "1"), (ALIAS, True, SELF, "2")]
    assert [*seen.rows(), *more] == with_identities(seen).rows()


@pytest.mark.parametrize(
    ("user", "person"),
    [
        ({"external_id": "c1", "user_aliases": [{"alias_label": "crm", "alias_name": "7"}]}, "c1"),
        ({"user_aliases": [{"alias_label": "crm", "alias_name": n} for n in ("8", "7")]}, ALIAS),
        ({"external_id": None, "user_aliases": None}, MAIL),
    ],
)
def test_one_key_stands_for_a_profile(user, person):
    """The external id, else the first alias, else what it was found by."""
    assert person == person_of_user(user, MAIL)
