"""Objects and arrays of objects, merged in parts: what is wanted, and what is sent for it."""

import json

import polars as pl
import pytest

from exchanger.config.models import FieldConfig
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.merging.folding import fold, superseded
from exchanger.profiles.merging.reconcile import merge, needs_lookup
from exchanger.profiles.nested.cells import applied, changed_parts
from exchanger.profiles.planning.payloads import objects

DEEP = FieldConfig(merge="deep")
ROWS = FieldConfig(merge="rows", key="k")
COMPLETE = FieldConfig(merge="rows", key="k", complete=True)
PLAIN = FieldConfig()
AT = '{"$time":"2026-09-15"}'
READ_BACK = '"2026-09-15T00:00:00.000Z"'


def given(name, *texts):
    """Make the rows of one profile that speak of one field."""
    frame = pl.DataFrame({"@profile": ["p"] * len(texts), name: pl.Series(texts, dtype=pl.String)})
    at = pl.int_range(1, pl.len() + 1, dtype=pl.UInt32)
    return frame.with_columns(pl.lit(0, pl.UInt32).alias("@file"), at.alias("@row"))


def merged(config, held, *texts, name="f"):
    """Merge one field of one profile."""
    rules = [Rule(name, name, "json", config)]
    known = pl.DataFrame({"@profile": ["p"], "@exists": [True], name: [held]})
    return merge(fold(given(name, *texts), rules), known, rules)


def outcome(config, held, *texts):
    """Tell what is wanted, what is sent, and whether Braze is to merge it; None: nothing."""
    wanted = merged(config, held, *texts).wanted
    if wanted.is_empty():
        return None
    return tuple(wanted.select("wanted:f", "send:f", "@merged").row(0))


@pytest.mark.parametrize(
    ("held", "rows", "expected"),
    [
        ("null", ['{"a":1}'], ('{"a":1}', '{"a":1}', True)),
        ('{"a":1}', ['{"a":1}'], None),
        ('{"a":1,"b":2}', ['{"a":1}'], None),
        ('{"a":1,"b":2}', ['{"a":3}'], ('{"a":3,"b":2}', '{"a":3}', True)),
        ('{"b":2}', ['{"a":1}'], ('{"a":1,"b":2}', '{"a":1}', True)),
        (
            '{"a":{"b":1,"c":{"d":1}}}',
            ['{"a":{"c":{"d":2,"e":3}}}'],
            ('{"a":{"b":1,"c":{"d":2,"e":3}}}', '{"a":{"c":{"d":2,"e":3}}}', True),
        ),
        ('{"a":[1,2],"b":1}', ['{"a":[1,2,3]}'], ('{"a":[1,2,3],"b":1}', '{"a":[1,2,3]}', True)),
        ('{"a":[1,2]}', ['{"a":[1,2]}'], None),
        ('{"a":1,"b":true}', ['{"a":true,"b":1}'], ('{"a":true,"b":1}',) * 2 + (True,)),
        ('{"a":1}', ['{"a":"1"}'], ('{"a":"1"}', '{"a":"1"}', True)),
        (
            '{"a":0.1,"b":12345678901234567890}',
            ['{"a":0.30000000000000004}'],
            (
                '{"a":0.30000000000000004,"b":12345678901234567890}',
                '{"a":0.30000000000000004}',
                True,
            ),
        ),
        # A leaf for an object, or an object for a leaf, is beyond a merge: all of it is sent.
        ('{"a":{"b":1},"c":2}', ['{"a":5}'], ('{"a":5,"c":2}', '{"a":5,"c":2}', False)),
        ('{"a":5,"c":2}', ['{"a":{"b":1}}'], ('{"a":{"b":1},"c":2}',) * 2 + (False,)),
        # Rows one after the other: what a leaf has replaced is gone, also for later rows.
        ('{"a":{"z":1}}', ['{"a":{"x":1}}', '{"a":{"y":2}}'], ('{"a":{"x":1,"y":2,"z":1}}',
            '{"a":{"x":1,"y":2}}', True)),
        ('{"a":{"z":1}}', ['{"a":7}', '{"a":{"y":2}}'], ('{"a":{"y":2}}',) * 2 + (False,)),
        ("null", ['{"a":7}', '{"a":{"y":2}}', '{"a":{"x":1}}'], ('{"a":{"x":1,"y":2}}',) * 2
            + (True,)),
        ('{"a":1}', ['{"a":2}', '{"a":1}'], None),
        ('{"a":1}', ['{"b":{}}'], None),
        ("null", ['{"b":{}}'], None),
        ('{"a":{"b":1}}', ['{"a":{},"c":1}'], ('{"a":{"b":1},"c":1}', '{"c":1}', True)),
        # Times come back as text.
        (f'{{"a":{READ_BACK}}}', [f'{{"a":{AT}}}'], None),
        (f'{{"a":{AT}}}', [f'{{"a":{READ_BACK}}}'], None),
        (f'{{"a":{AT},"b":1}}', ['{"b":2}'], (f'{{"a":{AT},"b":2}}', '{"b":2}', True)),
        ('{"a":[{"t":"2026-09-15T00:00:00.000Z"}]}', [f'{{"a":[{{"t":{AT}}}]}}'], None),
        # A part that Braze would take for an order goes with the rest.
        ('{"a":1,"inc":1}', ['{"a":1,"inc":2}'], ('{"a":1,"inc":2}',) * 2 + (True,)),
        ('{"a":1}', ['{"a":1,"add":["x"]}'], ('{"a":1,"add":["x"]}',) * 2 + (True,)),
    ],
)  # fmt: skip
def test_a_deep_merge_sends_changed_leaves(held, rows, expected):
    """What Braze has afterwards is what it had with the given leaves; only those that differ go."""
    assert expected == outcome(DEEP, held, *rows)


ONE, TWO, THREE = '{"k":1,"n":1}', '{"k":2,"n":1,"p":5}', '{"k":3}'


def orders(remove=(), update=None):
    """Write what Braze is told to remove, and to update by new leaves."""
    named = {"$identifier_key": "k"}
    gone = [named | {"$identifier_value": name} for name in remove]
    changed = [
        named | {"$identifier_value": name, "$new_object": new}
        for name, new in (update or {}).items()
    ]
    both = {"$remove": gone, "$update": changed}
    return json.dumps({key: told for key, told in both.items() if told}, separators=(",", ":"))


@pytest.mark.parametrize(
    ("config", "held", "rows", "expected"),
    [
        (ROWS, "null", [f"[{ONE}]"], (f"[{ONE}]", f"[{ONE}]", False)),
        (ROWS, f"[{ONE},{TWO}]", [f"[{TWO}]"], None),
        (ROWS, f"[{ONE},{TWO}]", [f"[{TWO},{ONE}]"], None),
        (ROWS, f"[{ONE},{TWO}]", ['[{"k":2,"n":9}]'],
            (f'[{ONE},{{"k":2,"n":9,"p":5}}]', orders(update={2: {"n": 9}}), True)),
        (ROWS, f"[{ONE}]", [f"[{THREE}]"], (f"[{ONE},{THREE}]",) * 2 + (False,)),
        (ROWS, f"[{ONE}]", ['[{"k":"1","n":2}]'], (f'[{ONE},{{"k":"1","n":2}}]',) * 2 + (False,)),
        (ROWS, f"[{ONE},{TWO}]", ['[{"k":2,"n":2}]', '[{"k":2,"n":3},{"k":1,"n":3}]'],
            ('[{"k":1,"n":3},{"k":2,"n":3,"p":5}]',
             orders(update={1: {"n": 3}, 2: {"n": 3}}), True)),
        (ROWS, '[{"k":1,"n":1}]', ['[{"k":1,"n":2,"m":3}]'], ('[{"k":1,"m":3,"n":2}]',
            orders(update={1: {"m": 3, "n": 2}}), True)),
        # Braze has items that keys do not tell apart: all that match are meant.
        (ROWS, '[{"k":1,"n":1},{"k":1},{"n":5}]', ['[{"k":1,"n":2}]'],
            ('[{"k":1,"n":2},{"k":1,"n":2},{"n":5}]',) * 2 + (False,)),
        (ROWS, '[{"k":1,"n":{"x":1}}]', ['[{"k":1,"n":2}]'], ('[{"k":1,"n":2}]',) * 2 + (False,)),
        (COMPLETE, f"[{ONE},{TWO}]", [f"[{TWO}]"],
            (f"[{TWO}]", orders([1]), False)),
        (COMPLETE, f"[{ONE},{TWO}]", [f"[{ONE}]", f"[{TWO},{ONE}]"], None),
        # As dear as the array, which does not depend on what is there.
        (COMPLETE, f"[{ONE},{TWO},{THREE}]", ['[{"k":2,"n":2,"p":5}]'],
            ('[{"k":2,"n":2,"p":5}]',) * 2 + (False,)),
        (COMPLETE, f"[{ONE},{TWO}]", ['[{"k":2,"n":2,"p":5}]'],
            ('[{"k":2,"n":2,"p":5}]', orders([1], {2: {"n": 2}}), True)),
        (COMPLETE, f"[{ONE},{TWO}]", [f'[{ONE},{{"k":2,"n":1}}]'],
            (f'[{ONE},{{"k":2,"n":1}}]',) * 2 + (False,)),
        (COMPLETE, f"[{ONE},{TWO}]", [f"[{THREE},{TWO}]"], (f"[{TWO},{THREE}]",) * 2 + (False,)),
        (COMPLETE, '"x"', [f"[{ONE}]"], (f"[{ONE}]",) * 2 + (False,)),
    ],
)  # fmt: skip
def test_rows_send_what_differs_or_the_array(config, held, rows, expected):
    """Items are told apart by their key; orders are sent where they suffice and are no dearer."""
    assert expected == outcome(config, held, *rows)


@pytest.mark.parametrize(
    ("config", "held", "row", "reason"),
    [
        (DEEP, "7", '{"a":1}', "held_type"),
        (DEEP, "[1]", '{"a":1}', "held_type"),
        (DEEP, AT, '{"a":1}', "held_type"),
        (ROWS, '{"k":1}', f"[{ONE}]", "held_type"),
        (ROWS, '["a"]', f"[{ONE}]", "held_type"),
        (DEEP, json.dumps({"b": "x" * 60_000}), json.dumps({"a": "y" * 60_000}), "too_large"),
        (ROWS, json.dumps([{"k": 1, "b": "x" * 60_000}]),
            json.dumps([{"k": 2, "b": "y" * 60_000}]), "too_large"),
    ],
)  # fmt: skip
def test_what_cannot_be_merged_is_rejected(config, held, row, reason):
    """Braze would drop it without a word, or nobody knows what was meant."""
    found = merged(config, held, row)
    assert ([reason], 0) == (found.rejected["reason"].to_list(), found.wanted.height)
    assert found.rejected["message"].item().endswith(".")


def test_what_nobody_knows_is_looked_up():
    """A merge in parts builds on what Braze has."""
    for config in (DEEP, ROWS, COMPLETE):
        rules = [Rule("f", "f", "json", config)]
        held = pl.DataFrame(schema={"@profile": pl.String, "@exists": pl.Boolean, "f": pl.String})
        rows = fold(given("f", f"[{ONE}]"), rules)
        assert [("p", "f")] == needs_lookup(rows, held, rules).rows()
        assert needs_lookup(rows, held, rules, assume_empty=True).is_empty()


def test_only_a_complete_array_overrides_the_rows_before_it():
    """Of all others every row counts."""
    for config, gone in ((DEEP, []), (ROWS, []), (COMPLETE, [(0, 1)])):
        rows = given("f", f"[{ONE}]", f"[{TWO}]")
        assert gone == superseded(rows, [Rule("f", "f", "json", config)]).rows()


@pytest.mark.parametrize(
    ("held", "plain", "merges", "points"),
    [
        # Braze may merge what loses nothing by it.
        ('{"x":1}', '{"x":2}', True, 2),
        ('{"x":1}', '{"x":1,"y":2}', True, 3),
        ("null", '{"x":1}', True, 2),
        ('{"x":1}', "[1,2]", True, 2),
        ('{"x":1}', f'[{{"k":1,"a":{AT}}}]', True, 3),
        ('"text"', '"other"', True, 2),
        # It must replace what has to go.
        ('{"x":1,"y":2}', '{"x":1}', False, 3),
        ('{"x":{"z":1}}', '{"x":1}', False, 3),
        ('"text"', '{"x":1}', False, 3),
        (None, '{"x":1}', False, 3),
        (None, "[1]", True, 2),
    ],
)
def test_an_object_has_one_mode(held, plain, merges, points):
    """What else would be merged is sent whole where something has to be replaced."""
    rules = [Rule("deep", "deep", "json", DEEP), Rule("plain", "plain", "json", PLAIN)]
    rows = given("deep", '{"a":2}').with_columns(pl.lit(plain).alias("plain"))
    known = pl.DataFrame(
        {"@profile": ["p"], "@exists": [True], "deep": ['{"a":1,"b":1}'], "plain": [held]},
        schema_overrides={"plain": pl.String},
    )
    found = objects(merge(fold(rows, rules), known, rules).wanted)
    content = json.loads(found["@object"].item())
    assert merges == content.get("_merge_objects", False)
    assert content["deep"] == ({"a": 2} if merges else {"a": 2, "b": 1})
    assert content["plain"] == json.loads(plain)
    assert points == found["@points"].item()


def test_jobs_without_such_fields_have_objects_as_ever():
    """Nothing is said of merging, and nothing is looked at for it."""
    found = merged(PLAIN, '{"a":1}', '{"a":2}')
    assert "@merged" not in found.wanted.columns
    assert '{"external_id":"p","f":{"a":2}}' == objects(found.wanted)["@object"].item()


@pytest.mark.parametrize(
    ("before", "wanted", "key", "parts"),
    [
        ('{"a":1,"b":1}', '{"a":2,"b":1}', None, '{"a":2}'),
        (None, '{"a":2}', None, '{"a":2}'),
        ('{"a":{"b":1}}', '{"a":2}', None, '{"a":2}'),
        (f"[{ONE},{TWO}]", f'[{ONE},{{"k":2,"n":7,"p":5}}]', "k", '[{"k":2,"n":7,"p":5}]'),
        ("null", f"[{ONE}]", "k", f"[{ONE}]"),
        ("null", None, "k", None),
    ],
)
def test_what_is_given_again_is_what_was_to_change(before, wanted, key, parts):
    """So that a retry leaves alone what it never gave."""
    one, other = (pl.Series("x", [text], dtype=pl.String) for text in (before, wanted))
    assert parts == changed_parts(one, other, key).item()


@pytest.mark.parametrize(
    ("held", "sent", "has"),
    [
        ('{"a":1}', '{"b":2}', '{"a":1,"b":2}'),
        ("null", '{"b":2}', '{"b":2}'),
        (f"[{ONE},{TWO}]", orders([1]), f"[{TWO}]"),
        (f"[{ONE},{TWO}]", orders(update={1: {"n": 4}}), f'[{{"k":1,"n":4}},{TWO}]'),
        ("7", orders([1]), "7"),
        (f"[{ONE}]", f"[{TWO}]", f"[{TWO}]"),
    ],
)  # fmt: skip
def test_what_arrives_later_meets_what_braze_has_then(held, sent, has):
    """As Braze is documented to apply it."""
    assert has == applied(held, sent)
