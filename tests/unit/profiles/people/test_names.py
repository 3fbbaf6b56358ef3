"""Names of people: which are one person's, and which were taken for another's."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanger.profiles.people.names import disputed, joined, names_of, without_rivals
from exchanger.profiles.spelling.json_values import spell_json

MAIL, TEL, ALIAS = "email\x1fa@example.com", "phone\x1f+491701234567", "alias\x1fcrm\x1f7"
BRAZE = "braze_id\x1f64"
SEEN = {"@profile": pl.String, "@identified": pl.String, "@names": pl.List(pl.String)}


def names(*rows):
    """Build what was looked up: a key, what stands for whom it means, and all names of those."""
    told = [(key, spell_json(person), [*every]) for key, person, every in rows]
    return names_of(pl.DataFrame(told, SEEN, orient="row"))


@pytest.mark.parametrize(
    ("means", "found"),
    [(None, []), ("?", []), (spell_json(ALIAS), []), ("null", [ALIAS, MAIL]),
     (spell_json(MAIL), [ALIAS, MAIL]), ('"c1"', [ALIAS, MAIL])],
)  # fmt: skip
def test_a_name_that_meant_others_is_looked_up_with_who_has_it(means, found):
    """So is one that nobody had; what is uncertain or was never seen is looked up once it comes."""
    shown = names((ALIAS, ALIAS, (ALIAS, BRAZE, MAIL)))
    schema = {"@profile": pl.String, "@identified": pl.String}
    held = pl.DataFrame([(MAIL, means)], schema, orient="row")
    assert found == disputed(shown, held, pl.Series([ALIAS])).to_list()
    assert [] == disputed(shown, held, pl.Series([ALIAS, MAIL])).to_list()


def test_an_external_id_is_not_looked_up_for_its_names():
    """What is held of it is held by that alone."""
    shown = names((ALIAS, "c1", (ALIAS, BRAZE, MAIL)), ("c1", "c1", (ALIAS, BRAZE, MAIL)))
    held = pl.DataFrame({"@profile": [MAIL], "@identified": ["null"]})
    assert [ALIAS, MAIL] == disputed(shown, held, pl.Series([ALIAS])).to_list()


def test_of_several_keys_of_an_exported_user_nobody_knows_which_stands():
    """Where an alias or external id stands for them, it is known."""
    one, other = spell_json(MAIL), spell_json(TEL)
    rows = pl.DataFrame(
        {"@profile": [MAIL, TEL, TEL, ALIAS], "@identified": [one, other, other, '"c1"']}
    )
    told = without_rivals(rows, pl.Series([1, 1, 2, 1]))["@identified"]
    assert ["?", "?", other, '"c1"'] == told.to_list()


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("ept"), st.booleans())))
def test_one_key_stands_for_all_of_a_person_that_were_looked_up(drawn):
    """The address before the number, and that before the braze_id; the last look counts."""
    kinds = {"e": "email", "p": "phone", "t": "braze_id"}
    rows, last = [], {}
    for who, kind, has_alias in drawn:
        every = [f"{name}\x1f{who}" for name in kinds.values()]
        key = f"{kinds[kind]}\x1f{who}"
        rows.append((key, f"alias\x1fcrm\x1f{who}" if has_alias else key, every))
        last[key] = who, has_alias
    stand = {}
    for who in "abc":
        keys = [f"{name}\x1f{who}" for name in kinds.values()]
        mine = [key for key in keys if last.get(key) == (who, False)]
        stand |= dict.fromkeys(mine[1:], mine[0] if mine else "")
    assert stand == dict(joined(names(*rows)).iter_rows())
