import json
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchanger.braze.endpoints import ATTRIBUTES
from exchanger.profiles.planning.payloads import bodies, objects


def wanted(**fields):
    """A wanted frame of two profiles."""
    return pl.DataFrame(
        {"@profile": ["a", 'b"1'], **{f"send:{name}": cells for name, cells in fields.items()}},
        schema_overrides={f"send:{name}": pl.String for name in fields},
    )


def test_an_object_names_its_profile_and_what_changes_alone():
    """Fields that do not change are not in the object, and an emptied one is null."""
    made = objects(wanted(tier=['"gold"', None], **{'odd "name"': ["null", "12.3"]}))
    assert [
        '{"external_id":"a","tier":"gold","odd \\"name\\"":null}',
        '{"external_id":"b\\"1","odd \\"name\\"":12.3}',
    ] == made["@object"].to_list()
    assert [0, 1] == made["@item"].to_list()
    assert ["attributes"] * 2 == made["@endpoint"].to_list()
    assert [2, 1] == made["@points"].to_list()
    assert [pl.UInt32, pl.UInt32] == [made["@item"].dtype, made["@points"].dtype]


def test_profiles_are_not_created_where_that_is_not_wanted():
    """Updating alone is asked for in each object."""
    made = objects(wanted(x=["1", "2"]), update_only=True)
    assert {"external_id": "a", "_update_existing_only": True, "x": 1} == json.loads(
        made["@object"][0]
    )


def test_no_change_makes_no_object():
    """A run without changes renders nothing."""
    assert 0 == objects(wanted(x=["1", "2"]).clear()).height


@settings(max_examples=100, derandomize=True, deadline=None, database=None)
@given(
    st.lists(st.text("aé", max_size=40).map(lambda text: json.dumps(text, ensure_ascii=False))),
    st.integers(1, 5),
    st.integers(40, 120),
)
def test_bodies_joined_again_are_the_objects(texts, batch_size, max_bytes):
    """Every object is in one body, in order, or named as too large; no body breaks a limit."""
    packed = bodies(
        pl.Series(texts, dtype=pl.String), batch_size, replace(ATTRIBUTES, size=max_bytes)
    )
    placed = {}
    for batch in packed.batches:
        content = json.loads(batch.body)["attributes"]
        assert batch.count == len(content)
        assert 1 <= len(content) <= batch_size
        assert len(batch.body) <= max_bytes
        placed |= {batch.first_item + index: text for index, text in enumerate(content)}
    alone = len('{"attributes":[]}')
    too_large = [i for i, text in enumerate(texts) if len(text.encode()) + alone > max_bytes]
    assert too_large == packed.too_large
    assert placed == {i: json.loads(text) for i, text in enumerate(texts) if i not in too_large}
    assert sorted(placed) == list(placed)


def test_batches_are_as_full_as_they_may_be():
    """A batch ends at the count or where the next object would be too much."""
    packed = bodies(pl.Series(["1"] * 7), 3)
    assert [(0, 3), (3, 3), (6, 1)] == [(b.first_item, b.count) for b in packed.batches]
    packed = bodies(
        pl.Series(["1"] * 4), 75, replace(ATTRIBUTES, size=len('{"attributes":[1,1,1]}'))
    )
    assert [3, 1] == [batch.count for batch in packed.batches]


@pytest.mark.parametrize("size", [4_000_000 - 17, 4_000_000 - 16])
def test_the_limit_is_braze_s_own(size):
    """A body may have 4,000,000 bytes and not one more."""
    packed = bodies(pl.Series(["1" * size]), 75)
    fits = size + 17 <= 4_000_000
    assert ([0] if not fits else []) == packed.too_large
    assert int(fits) == len(packed.batches)


ALIAS = {"user_alias": {"alias_label": "crm", "alias_name": "7"}}
CREATION = [
    # Whether an object may create its profile (braze-api.md 2.3), with and without create_missing.
    ("a", {"external_id": "a"}, None),
    ("braze_id\x1f5f", {"braze_id": "5f"}, True),
    ("alias\x1fcrm\x1f7", ALIAS, False),
    ("email\x1fa@example.com", {"email": "a@example.com"}, None),
    ("phone\x1f+491701234567", {"phone": "+491701234567"}, None),
]


@pytest.mark.parametrize(("key", "named", "only"), CREATION)
@pytest.mark.parametrize("company", [[], ["plain"], ["alias\x1fcrm\x1f8"]])
@pytest.mark.parametrize("update_only", [False, True])
def test_each_identifier_creates_as_braze_has_it(key, named, only, company, update_only):
    """An alias is created only where that is said, a ``braze_id`` never, whoever stands beside."""
    frame = pl.DataFrame({"@profile": [key, *company], "send:x": ["1"] * (1 + len(company))})
    flag = True if update_only else only
    expected = named | ({} if flag is None else {"_update_existing_only": flag}) | {"x": 1}
    made = objects(frame, update_only=update_only)["@object"][0]
    assert expected == json.loads(made)
    assert list(expected) == list(json.loads(made))
