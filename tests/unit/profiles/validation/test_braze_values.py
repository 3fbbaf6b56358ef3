"""Values that Braze would bill and ignore are found, with words that say what it takes."""

from __future__ import annotations

import json

import polars as pl
import pytest
from support.jobs import import_model

from exchanger.errors import FileRejected
from exchanger.profiles.frames.raw_columns import RawColumns
from exchanger.profiles.reading.mapping import settle_rules
from exchanger.profiles.reading.typed_rows import Given, cast_rows

GENDERS = (["M", "F", "O", "N", "P"], ["female", "f", "X", "1", "F "])
LANGUAGES = (["fr", "EN", "mo", "fil", "haw"], ["french", "fr-FR", "xx", "1", "e"])
COUNTRIES = (
    ["FR", "gb", "Australia", "UK", "Côte d'Ivoire", "FRA", "日本"],
    ["XX", "zq", "250", "-"],
)
ZONES = (
    ["Europe/Paris", "US/Pacific", "UTC", "Etc/GMT+1", "Eastern Time (US & Canada)", "Kuwait"],
    ["CET+1", "Mars/Olympus", "+01:00", "europe/paris", "3600", 'a"b'],
)
BIRTHDAYS = (
    ["1980-12-21", "2000-02-29"],
    ["21.12.1980", "04/05/1990", "1980-12-21T00:00:00Z", "1990-02-30", "1990-1-2", "1990"],
)
PHONES = (
    ["+33612345679", "+33 6 12 34 56 79", "(212) 555-0123", "06.12.34.56.00", "33612345679"],
    ["33612345679.0", "+4930123456.0", "3.36123E+10", "3,36E+10"],
)
STANDARD = [
    ("phone", *PHONES, "not_a_phone", "Format the column as text"),
    ("gender", *GENDERS, "not_a_gender", "M, F, O, N or P"),
    ("language", *LANGUAGES, "not_a_language", "ISO 639-1"),
    ("country", *COUNTRIES, "not_a_country", "ISO 3166-1"),
    ("time_zone", *ZONES, "not_a_time_zone", "IANA"),
    ("dob", *BIRTHDAYS, "not_a_birthday", "1990-05-31"),
]
NESTED = [
    ('{"a":{"b":[1,"x y",{"c":"."}]}}', None),
    ('[1,"a b",null]', None),
    ('{"a":"2026-09-15","n":12345678901234567890}', None),
    (json.dumps({"a" * 255: "é" * 255, "b": "x" * 255}), None),
    ('{"at":{"$time":"2020-05-28"},"all":[{"$time":"2020-05-28T10:00:00Z"}]}', None),
    ('{"a":null,"b":1}', None),
    ('{"say \\"hi\\"":1}', "bad_key"),
    ('{"shoe size":1}', "bad_key"),
    ('{"a":[{"b":{"c.d":1}}]}', "bad_key"),
    ('{"$x":1}', "bad_key"),
    ('{"$add":[{"id":1}]}', "bad_key"),
    ('{"a":{"$time":"2020-05-28","b":1}}', "bad_key"),
    (json.dumps({"a" * 256: 1}), "bad_key"),
    (json.dumps([{"a": ["b", "x" * 256]}]), "long_nested_text"),
    (json.dumps("x" * 256), "long_nested_text"),
    (json.dumps({"a": '"é\\' * 85 + "x"}), "long_nested_text"),
    (json.dumps({"a": '"é\\' * 85, "b": ["x" * 200] * 9}), None),
    ('{"a":[1,null]}', "null_inside"),
    ('[{"a":1},null]', "null_inside"),
    ('{"a":{"$time":"soon"}}', "bad_nested_time"),
    ('{"a":{"$time":12}}', "bad_nested_time"),
    ('{"a":{"$time":"3001-01-01"}}', "bad_nested_time"),
    (json.dumps({"a": ["x" * 200] * 600}), "too_large"),
    ('{"inc":2}', "an_order"),
    ('{"add":["a"],"remove":["b"]}', "an_order"),
    ('{"inc":"x"}', None),
    ('{"add":1,"more":[2]}', None),
]


def give(cells: pl.Series, name: str, **options: object) -> Given:
    """Give a column called x to one attribute."""
    fields = {name: {"from": "x", **options}}
    job = import_model(source={"prefix": "in/"}, fields=fields, on_invalid="quarantine")
    ids = pl.Series("id", [f"p{n}" for n in range(len(cells))])
    frame = pl.DataFrame([ids, cells.rename("x")]).with_row_index("@row", offset=1)
    raw = RawColumns(frame, cells.dtype == pl.String, frozenset(), key="in/a.csv")
    settled = settle_rules(job, raw, {})
    return cast_rows(raw, settled.rules, job, 0, settled.kept)


@pytest.mark.parametrize(("name", "fine", "bad", "reason", "takes"), STANDARD)
def test_what_a_standard_attribute_does_not_take_rejects_its_row(name, fine, bad, reason, takes):
    """The row, the column, the value and what Braze takes are told; empty cells say nothing."""
    given = give(pl.Series([*fine, "", None, *bad, *bad]), name, type="string")

    assert [*fine, None, None] == given.frame[name].to_list()
    assert [*bad, *bad] == given.rejected["value"].to_list()
    assert {reason} == set(given.rejected["reason"])
    row, message = given.rejected["@row"][0], given.rejected["message"][0]
    assert message.startswith(f'Row {row}, column x: "{bad[0]}" is not ')
    assert takes in message
    assert f"'{name}'" in message


@pytest.mark.parametrize("name", ["nickname", "email", "phone", "home_city", "first_name"])
def test_attributes_that_take_any_text_reject_none(name):
    """Custom attributes, and such as Braze itself refuses or takes, are not judged."""
    cells = ["female", "CET+1", "xx", "04/05", "not-an-email", "0612"]

    assert cells == give(pl.Series(cells), name, type="string").frame[name].to_list()


@pytest.mark.parametrize("merge", ["set", "clear", "set_if_empty"])
def test_every_strategy_that_sends_a_value_judges_it(merge):
    """Values are judged whatever is done with them; an empty cell of clear stays empty."""
    given = give(pl.Series(["F", "", "female"]), "gender", merge=merge, type="string")

    assert ["F", None] == given.frame["gender"].to_list()
    assert ["not_a_gender"] == given.rejected["reason"].to_list()


@pytest.mark.parametrize("type_", ["integer", "boolean", "list"])
def test_a_standard_attribute_of_text_takes_no_other_type(type_):
    """A number, a boolean or a list is none of the codes that Braze takes."""
    given = give(pl.Series(["1", ""]), "gender", type=type_)

    assert ["not_a_gender"] == given.rejected["reason"].to_list()


@pytest.mark.parametrize("type_", ["date", "datetime"])
def test_days_in_any_format_are_birthdays_where_they_are_read_as_days(type_):
    """Dates and times are sent as Braze takes a birthday, so none of them is at fault."""
    given = give(pl.Series(["1980-12-21", "12/21/1980"]), "dob", type=type_)

    assert 0 == given.rejected.height
    assert 2 == given.frame["dob"].count()


def test_a_static_value_that_braze_does_not_take_stops_the_file():
    """A constant is judged like a cell, and the message says what Braze takes."""
    with pytest.raises(FileRejected) as caught:
        give(pl.Series(["a"]), "gender", **{"from": None, "value": "female"})

    assert "static_value" == caught.value.reason
    assert "'value: female' of field 'gender'" in str(caught.value.message)
    assert "M, F, O, N or P" in str(caught.value.message)


@pytest.mark.parametrize(("text", "reason"), NESTED)
def test_objects_that_braze_drops_as_a_whole_reject_their_row(text, reason):
    """Keys, texts, times and nulls inside are judged, and orders to Braze are no values."""
    given = give(pl.Series([text, '{"ok":1}', "", text]), "props", type="json")

    assert ([reason] * 2 if reason else []) == given.rejected["reason"].to_list()
    assert (2 if reason else 4) == given.frame.height


def test_json_of_standard_attributes_has_rules_of_its_own():
    """A location or a token is no custom object, so its keys and texts are not judged."""
    text = json.dumps([{"app_id": "a", "token": "x" * 300}])

    assert 1 == give(pl.Series([text]), "push_tokens", type="json").frame.height


@pytest.mark.parametrize(
    ("options", "text", "reason"),
    [
        ({"merge": "deep"}, '{"a":1}', None),
        ({"merge": "deep"}, "{}", None),
        ({"merge": "deep"}, "[]", None),
        ({"merge": "deep"}, "[1]", "not_an_object"),
        ({"merge": "deep"}, '"a"', "not_an_object"),
        ({"merge": "deep"}, "7", "not_an_object"),
        ({"merge": "deep"}, '{"$time":"2026-09-15"}', "not_an_object"),
        ({"merge": "deep"}, '{"a":{"$time":"2026-09-15"}}', None),
        ({"merge": "deep"}, '{"a b":1}', "bad_key"),
        ({"merge": "deep"}, '{"add":[1]}', "an_order"),
        ({"merge": "rows", "key": "sku"}, '[{"sku":1},{"sku":"1"},{"sku":1.5}]', None),
        ({"merge": "rows", "key": "sku"}, '{"sku":1}', "not_objects"),
        ({"merge": "rows", "key": "sku"}, '[{"sku":1},2]', "not_objects"),
        ({"merge": "rows", "key": "sku"}, '["a"]', "not_objects"),
        ({"merge": "rows", "key": "sku"}, '[{"sku":1},{"id":1}]', "no_item_key"),
        ({"merge": "rows", "key": "sku"}, '[{"sku":null}]', "no_item_key"),
        ({"merge": "rows", "key": "sku"}, '[{"sku":true}]', "no_item_key"),
        ({"merge": "rows", "key": "sku"}, '[{"sku":[1]}]', "no_item_key"),
        ({"merge": "rows", "key": "sku"}, '[{"sku":1},{"sku":1.0}]', "same_item_key"),
        ({"merge": "rows", "key": "sku"}, '[{"sku":1,"n":[null]}]', "null_inside"),
    ],
)
def test_what_is_merged_in_parts_has_the_shape_for_it(options, text, reason):
    """An object, or an array of objects with their keys; no type needs to be named for it."""
    given = give(pl.Series([text]), "prefs", **options)

    assert ([reason] if reason else []) == given.rejected["reason"].to_list()
    if reason:
        assert given.rejected["message"].item().startswith('Row 1, column x: "')
    if reason in ("no_item_key", "same_item_key"):
        assert "'sku'" in given.rejected["message"].item()
