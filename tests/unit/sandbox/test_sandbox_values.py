"""What the local Braze makes of values, before any HTTP."""

from __future__ import annotations

import pytest

from exchanger.sandbox.attributes.forced_types import ForcedType
from exchanger.sandbox.attributes.values import updated
from exchanger.sandbox.json_text import parse, render
from exchanger.sandbox.seeding import rows_of
from exchanger.sandbox.settings import SandboxSettings
from exchanger.sandbox.times import coerced
from exchanger.sandbox.tracking.applying import set_attributes
from exchanger.sandbox.tracking.meter import Meter, points_of_value
from exchanger.sandbox.workspace import Workspace

SETTINGS = SandboxSettings(array_limit=4)
LONG = "x" * 256


@pytest.mark.parametrize(
    ("held", "given", "expected"),
    [
        ("null", '"gold"', '"gold"'),
        ('"gold"', "null", "null"),
        ("1", "12.30", "12.30"),
        ("null", '"2026-09-15"', '"2026-09-15T00:00:00.000Z"'),
        ("null", '"0815"', '"0815"'),
        ('"old"', f'"{LONG}"', '"old"'),
        ("null", '["h","h","h","p"]', '["h","p"]'),
        ("null", '[1,true,1.0,"1"]', '[1,true,"1"]'),
        ("null", "[1,2,3,4,5,6]", "[3,4,5,6]"),
        ('["a","b"]', '{"add":["a","c"]}', '["b","a","c"]'),
        ("[1,2,3,4]", '{"add":[5]}', "[2,3,4,5]"),
        ("null", '{"add":["a"]}', '["a"]'),
        ('["a","b"]', '{"remove":["a","z"]}', '["b"]'),
        ("null", '{"remove":["a"]}', "null"),
        ('["a"]', '{"add":["b"],"remove":["a","b"]}', "[]"),
        ('"text"', '{"add":["b"]}', '"text"'),
        ('["a"]', '["b",["c"]]', '["a"]'),
        ('["a"]', f'["b","{LONG}"]', '["a"]'),
        ("null", '{"inc":2}', "2"),
        ("40", '{"inc":-2}', "38"),
        ("0.1", '{"inc":0.2}', "0.3"),
        ('"text"', '{"inc":2}', '"text"'),
        ('{"a":1,"b":2}', '{"a":3}', '{"a":3}'),
        ('{"a":1}', '{"a":null,"b":2}', '{"a":1}'),
        ('{"a":1}', '{"with space":2}', '{"a":1}'),
        ('{"a":1}', '{"b":{"$time":"soon"}}', '{"a":1}'),
        ("null", '{"b":{"$time":"2020-05-28"}}', '{"b":"2020-05-28T00:00:00.000Z"}'),
        ('[{"id":1}]', ('{"$add":[{"id":2}],"$remove":[{"$identifier_key":"id",'
         '"$identifier_value":1}]}'), '[{"id":2}]'),
        ('[{"id":1,"a":1}]', ('{"$update":[{"$identifier_key":"id","$identifier_value":1,'
         '"$new_object":{"a":2}}]}'), '[{"a":2}]'),
    ],
)  # fmt: skip
def test_value_becomes(held: str, given: str, expected: str) -> None:
    """A value or operator leaves exactly the documented value, or the old one if it is ignored."""
    after = updated(parse(held), parse(given), merge=False, settings=SETTINGS)
    assert expected == render(after).decode()


@pytest.mark.parametrize(
    ("held", "given", "expected"),
    [
        ('{"a":1,"b":{"c":1,"d":2}}', '{"b":{"c":9}}', '{"a":1,"b":{"c":9,"d":2}}'),
        ('"scalar"', '{"a":1}', '{"a":1}'),
        ('[{"id":1,"a":1}]', ('{"$update":[{"$identifier_key":"id","$identifier_value":1,'
         '"$new_object":{"a":2}}]}'), '[{"id":1,"a":2}]'),
    ],
)  # fmt: skip
def test_object_merges(held: str, given: str, expected: str) -> None:
    """With _merge_objects, what an object does not name stays."""
    after = updated(parse(held), parse(given), merge=True, settings=SETTINGS)
    assert expected == render(after).decode()


def test_object_over_100_kb_is_dropped() -> None:
    """An update that would exceed 100 KB leaves the attribute as it was."""
    given = {f"k{n}": "x" * 200 for n in range(600)}
    assert {"a": 1} == updated({"a": 1}, given, merge=True, settings=SETTINGS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-09-15T10:00:00+02:00", "2026-09-15T08:00:00.000Z"),
        ("2026-09-15T10:00:00.1239Z", "2026-09-15T10:00:00.123Z"),
        ("2026-09-15T10:00:00:250Z", "2026-09-15T10:00:00.250Z"),
        ("2026-09-15 10:00:00", "2026-09-15T10:00:00.000Z"),
        ("09/15/2026", "2026-09-15T00:00:00.000Z"),
        ("Tue 09 15 10:00:00.UTC 2026", "2026-09-15T10:00:00.000Z"),
        ("0007-01-02", "0007-01-02T00:00:00.000Z"),
        ("3001-01-01", "3001-01-01"),
        ("2026-02-30", "2026-02-30"),
        ("20260915", "20260915"),
        ("2026-09-15 or so", "2026-09-15 or so"),
    ],
)
def test_text_that_looks_like_a_time(text: str, expected: str) -> None:
    """Text in a documented time format becomes ISO in UTC with milliseconds; other text stays."""
    assert expected == coerced(text)


@pytest.mark.parametrize(
    "text",
    ["12.3", "12.30", "1e5", "0.1", "-0", "123456789012345678901234567890", "12.299999", "1E-7"],
)
def test_number_keeps_its_text(text: str) -> None:
    """A number is printed letter by letter as it was sent."""
    assert text == render(parse(text)).decode()


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", '"\\ud800"', "{", "", "[" * 100_000])
def test_what_is_no_json(text: str) -> None:
    """What other systems would not read as JSON is an error, not a value."""
    with pytest.raises(ValueError, match=r".*"):
        parse(text)


@pytest.mark.parametrize(
    ("value", "points"),
    [
        (1, 1),
        (None, 1),
        (["a", "b", "c"], 1),
        ({"add": ["a", "b"]}, 2),
        ({"remove": ["a"]}, 1),
        ({"inc": 1}, 1),
        ({"a": 1, "b": {"c": 1, "d": 2}}, 3),
        ([{"a": 1, "b": 2}, {"a": 1, "b": 2}], 4),
        ({"$add": [{"a": 1, "b": 2}]}, 2),
        ({"$remove": [{"$identifier_key": "a", "$identifier_value": 1}]}, 1),
    ],
)
def test_value_costs_data_points(value: object, points: int) -> None:
    """Each way to set an attribute costs the data points of the billing rules."""
    assert points == points_of_value(value)


@pytest.mark.parametrize(
    ("given", "points"),
    [
        ({"external_id": "a", "first_name": "A", "tier": "gold"}, 2),
        ({"external_id": "a", "email": "a@example.com", "email_subscribe": "subscribed"}, 1),
        ({"email": "a@example.com", "tier": "gold"}, 1),
        ({"external_id": "a", "_update_existing_only": True, "blocked": 1}, 0),
    ],
)
def test_object_costs_data_points(given: dict[str, object], points: int) -> None:
    """Identifiers, control keys, subscription states and blocklisted attributes are free."""
    meter = Meter()
    meter.attributes(given, SandboxSettings(blocklist=frozenset({"blocked"})))
    assert points == meter.total


@pytest.mark.parametrize(
    ("kind", "given", "kept"),
    [
        ("boolean", "T", True),
        ("boolean", "0", False),
        ("boolean", 1, True),
        ("boolean", "yes", "before"),
        ("number", 2.5, 2.5),
        ("number", True, "before"),
        ("number", "12", "before"),
        ("string", "gold", "gold"),
        ("string", 7, "before"),
        ("string", ["a"], "before"),
        ("number", None, None),
    ],
)
def test_forced_type_coerces_or_ignores(kind: ForcedType, given: object, kept: object) -> None:
    """What does not fit a forced type leaves the attribute as it was; null removes it always."""
    settings = SandboxSettings(forced_types={"tier": kind})
    scene = Workspace(settings).scene
    profile = scene.directory.find_or_create({"external_id": "a"}, 0.0)
    assert profile is not None
    profile.custom["tier"] = "before"
    set_attributes(scene, profile, {"external_id": "a", "tier": given}, 0.0)
    assert kept == profile.custom.get("tier")


@pytest.mark.parametrize(
    "changes",
    [{"no_such": 1}, {"header_dialect": "martian"}, {"forced_types": {"tier": "martian"}}],
)
def test_settings_that_do_not_exist(changes: dict[str, object]) -> None:
    """A misspelt setting or choice is refused."""
    with pytest.raises(ValueError, match=r"no such setting|is one of|forced types are"):
        SandboxSettings().changed(changes)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("latency", "abc", "a number"),
        ("latency", True, "a number"),
        ("track_objects", 7.5, "a whole number"),
        ("date_coercion", "no", "true or false"),
        ("delays", 3, "an object"),
        ("api_keys", "x", "an object"),
        ("blocklist", "tier", "a list"),
    ],
)
def test_settings_of_another_kind(name: str, value: object, said: str) -> None:
    """A sandbox does not start with one, to fail at the first request."""
    with pytest.raises(ValueError, match=f"{name} is {said}"):
        SandboxSettings().changed({name: value})


@pytest.mark.parametrize(
    ("name", "content"),
    [("USERS.CSV", "external_id,n\na,1\n"), ("users.NDJSON", '{"external_id":"a","n":1}\n')],
)
def test_what_a_seed_is_does_not_depend_on_the_case_of_its_ending(tmp_path, name, content):
    """A seed of which the ending is in capitals is read like any other."""
    path = tmp_path / name
    path.write_text(content)
    assert [{"external_id": "a", "n": 1}] == [*rows_of(path)]
