"""Which rows would give a person a second profile, as far as held values tell."""

from __future__ import annotations

import polars as pl
import pytest

from exchanger.profiles.people.duplicates import addresses_of_strangers, would_duplicate

HELD = {"@profile": pl.String, "@exists": pl.Boolean}


def duplicates(key, email, *, known=None, address=None):
    folded = pl.DataFrame({"@profile": [key], "email": pl.Series([email], dtype=pl.String)})
    held = pl.DataFrame([] if known is None else [(key, known)], HELD, orient="row")
    rows = [] if address is None else [("email\x1fa@example.com", *address)]
    seen = pl.DataFrame(rows, HELD | {"@identified": pl.String}, orient="row")
    found = would_duplicate(addresses_of_strangers(folded, held), seen)
    return found.select("@profile", "value").rows()


ALONE = (True, "null")


@pytest.mark.parametrize(
    ("key", "email", "known", "address", "found"),
    [
        ("c", " A@Example.com", None, ALONE, True),
        ("c", "a@example.com", False, ALONE, True),
        ("c", "a@example.com", None, (True, '"alias\\u001fcrm\\u001f7"'), True),
        ("c", "a@example.com", True, ALONE, False),
        ("c", "b@example.com", None, ALONE, False),
        ("c", None, None, ALONE, False),
        ("email\x1fa@example.com", "a@example.com", None, ALONE, False),
        ("c", "a@example.com", None, None, False),
        ("c", "a@example.com", None, (True, "true"), False),
        ("c", "a@example.com", None, (True, None), False),
        ("c", "a@example.com", None, (False, "null"), False),
        ("c", "a@example.com", None, (None, "null"), False),
    ],
)
def test_only_what_is_known_of_both_makes_a_duplicate(key, email, known, address, found):
    """The external id was never seen, and the address is known to be all that a profile has."""
    expected = [("c", "a@example.com")] if found else []
    assert expected == duplicates(key, email, known=known, address=address)
