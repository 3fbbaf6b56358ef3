"""Whom keys mean, as the export of a segment tells, held against a search through everybody."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanger.profiles.exported.named import PERSON, KeysTold, keys_of_users
from exchanger.profiles.exported.sought import SoughtKeys
from exchanger.profiles.frames.columns import PROFILE

MAILS = {"a@x.org": ["a@x.org", "A@X.org", " a@x.org "], "b@x.org": ["b@x.org"]}
PHONES = {
    "+491701234567": ["+491701234567", "+49 (170) 123-4567", "+49 0170 1234567"],
    "+12125550100": ["+1 212 555 0100"],
}
OPEN = {"0170 1234567": "+491701234567", "2125550100": "+12125550100"}
"""Numbers without a country, and whose they may be."""
spelled = {text: value for kind in (MAILS, PHONES) for value, texts in kind.items()
           for text in texts}  # fmt: skip
maybe = st.one_of(st.none(), st.just(5))


@st.composite
def users(draw):
    """Draw users, some of which come twice, as they do in exports."""
    mails = st.sampled_from([text for texts in MAILS.values() for text in texts])
    phones = st.sampled_from([*(text for texts in PHONES.values() for text in texts), *OPEN])
    aliases = st.lists(
        st.builds(lambda name: {"alias_label": "crm", "alias_name": name}, st.sampled_from("12")),
        max_size=2,
    )
    one = st.fixed_dictionaries(
        {"braze_id": st.sampled_from(["p", "q", "r", "s"])},
        optional={"email": mails | maybe, "phone": phones | maybe, "user_aliases": aliases},
    )
    found = {user["braze_id"]: user for user in draw(st.lists(one, max_size=5))}
    return draw(st.permutations([*found.values(), *list(found.values())[:1]]))


WANTED = [
    *(f"email\x1f{value}" for value in MAILS),
    *(f"phone\x1f{value}" for value in PHONES),
    *(f"alias\x1fcrm\x1f{name}" for name in "12"),
    *(f"braze_id\x1f{name}" for name in "pt"),
]


def searched(key, everybody):
    """Find the people of a key one by one, and whether somebody's number may be it, too."""
    kind, *_, value = key.split("\x1f")
    if kind == "alias":
        alias = {"alias_label": "crm", "alias_name": value}
        having = [user for user in everybody if alias in user.get("user_aliases", ())]
        return {user["braze_id"] for user in having}, False
    if kind == "braze_id":
        return {user["braze_id"] for user in everybody} & {value}, False
    found = {user["braze_id"] for user in everybody if value == spelled.get(user.get(kind))}
    return found, any(value == OPEN.get(user.get(kind)) for user in everybody)


def exactly(batches, wanted):
    """Name the users of wanted keys, which are in memory."""
    return [keys_of_users(some, wanted).select(PROFILE, PERSON) for some in batches]


def with_others(batches, wanted):
    """Name the users of wanted keys, of which marks are in memory, so that others come along."""
    sought = SoughtKeys(places=3)
    for some in (wanted[:1], wanted[1:]):
        sought.add(some)
    found = [sought.keys_of(some).select(PROFILE, PERSON) for some in batches]
    named = [some.filter(pl.col(PROFILE).is_in(wanted.implode())) for some in found]
    return [*named, sought.open_among(wanted)]


@pytest.mark.parametrize("named_by", [exactly, with_others])
@given(
    everybody=users(),
    keys=st.lists(st.sampled_from(WANTED), unique=True, min_size=1),
    complete=st.booleans(),
)
def test_keys_mean_whom_a_search_finds(named_by, everybody, keys, complete):
    """
    One person's key is certain, one of several is ambiguous, one of nobody is absent.

    An address or number is none of these unless everybody is in the export, and no number is that
    somebody may have without its country.
    """
    wanted = pl.Series(PROFILE, keys)
    batches = [everybody[:2], everybody[2:]]
    told = KeysTold(pl.concat(named_by(batches, wanted)), wanted, complete=complete)
    kinds = {"certain": set(), "several": set(), "absent": set()}
    for key in keys:
        found, is_open = searched(key, everybody)
        shared = key.startswith(("email", "phone"))
        if is_open or (found and shared and not complete):
            continue
        if len(found) == 1:
            kinds["certain"].add(key)
        elif found and shared:
            kinds["several"].add(key)
        elif not found and complete:
            kinds["absent"].add(key)
    assert kinds == {kind: {*getattr(told, kind)} for kind in kinds}


@pytest.mark.parametrize("user", [{"email": "a@x.org"}, {"braze_id": 7, "email": "a@x.org"}])
def test_who_cannot_be_told_apart_tells_nothing(user):
    """Without a ``braze_id`` nobody knows whether two lines are one person."""
    wanted = pl.Series(PROFILE, ["email\x1fa@x.org"])
    told = KeysTold(keys_of_users([user], wanted), wanted, complete=True)
    assert [0, 0, 0] == [told.certain.len(), told.several.len(), told.absent.len()]
