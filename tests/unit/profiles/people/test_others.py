"""Which rows name two people, as far as it is known whose each of their identifiers is."""

from __future__ import annotations

import polars as pl
import pytest

from exchanger.objects.people.calls import SEEN
from exchanger.profiles.people.others import different_people, other_people, whose_beside
from exchanger.profiles.reading.typed_rows import NAMED_TWICE

MAIL, TEL, NUMBER = "email\x1fa@example.com", "phone\x1f+491701234567", "alias\x1fcrm\x1f7"
LINKS = {"@profile": pl.String, "@linked": pl.String}


def named_twice(first, beside):
    return pl.DataFrame([(first, beside, 0, 3)], NAMED_TWICE, orient="row")


@pytest.mark.parametrize(
    ("first", "beside", "links", "other"),
    [
        ("c", MAIL, {MAIL: "d"}, "d"),
        ("c", MAIL, {MAIL: "c"}, None),
        ("c", MAIL, {}, None),
        ("c", MAIL, {MAIL: None}, None),
        ("c", MAIL, {MAIL: MAIL}, None),
        ("c", MAIL, {MAIL: NUMBER}, "alias crm 7"),
        ("c", MAIL, {MAIL: "new", "c": "new"}, None),
        ("c", MAIL, {MAIL: "d", "c": "new"}, "d"),
        ("c", NUMBER, {NUMBER: NUMBER}, "alias crm 7"),
        (MAIL, "d", {MAIL: "c"}, "d"),
        (MAIL, "d", {MAIL: "d"}, None),
        (MAIL, "d", {MAIL: MAIL}, "d"),
        (MAIL, "d", {}, None),
        (MAIL, "old", {MAIL: "new", "old": "new"}, None),
        (MAIL, TEL, {MAIL: "c", TEL: "d"}, "d"),
        (MAIL, TEL, {MAIL: "c", TEL: TEL}, None),
        (NUMBER, TEL, {NUMBER: None, TEL: "d"}, None),
    ],
)
def test_two_people_are_told_where_it_is_known_who_both_are(first, beside, links, other):
    """Who has nothing but an address may be the person whom the row names, or become them."""
    known = pl.DataFrame([*links.items()], LINKS, orient="row")
    told = other_people(whose_beside(named_twice(first, beside), known), known)
    assert ([] if other is None else [(0, 3, "somebody_else", first)]) == told.select(
        "@file", "@row", "reason", "profile"
    ).rows()
    assert all(f"belongs to somebody else: {other}." in one for one in told["message"])


@pytest.mark.parametrize(
    ("ids", "others", "told"),
    [
        (["b1"], ["b2"], True),
        (["b1"], ["b1"], False),
        (["b1"], ["b2", "b1"], False),
        (["b1"], [], False),
        ([], ["b2"], False),
    ],
)
def test_calls_name_two_people_where_no_profile_has_both(ids, others, told):
    """An identifier that nobody has says nothing about who is meant."""
    seen = [("c", ids, [], [], []), (MAIL, others, [], [], [])]
    found = different_people(named_twice("c", MAIL), pl.DataFrame(seen, SEEN, orient="row"))
    assert ([("email", "a@example.com")] if told else []) == found.select("field", "value").rows()
