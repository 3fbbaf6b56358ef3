"""Lines of exported users to JSON text."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchanger.errors import FileRejected
from exchanger.profiles.exported.cells import json_texts
from exchanger.profiles.exported.lines import LineReader
from exchanger.profiles.exported.selection import ExportColumn, Selection
from exchanger.profiles.frames.columns import PROFILE

EVERYTHING = Selection((ExportColumn("id", "external_id"),), "")


def read(*lines: bytes, selection: Selection = EVERYTHING):
    return as_texts(LineReader(selection).read(list(lines), "archive"))


def as_texts(frame):
    return frame.select(json_texts(column) for column in frame.get_columns())


def test_missing_and_null_keys_are_null():
    """A missing key and a null are one and the same."""
    frame = read(b'{"braze_id":"b"}', b'{"braze_id":"c","external_id":null}')
    assert [None, None] == frame["id"].to_list()
    assert ['"b"', '"c"'] == frame[PROFILE].to_list()


@pytest.mark.parametrize(
    "number",
    ["12345678901234567890123", "0.12345678901234567891", "9223372036854775808", "1e400"],
)
def test_no_number_loses_a_digit(number):
    """Numbers that no float holds keep the text that Braze sent, also inside lists."""
    line = f'{{"braze_id":"b","custom_attributes":{{"n":{number},"l":[{number}]}}}}'
    frame = read(line.encode())
    assert (number, f"[{number}]") == (frame["n"].item(), frame["l"].item())


def test_half_a_character_does_not_lose_the_user():
    """A lone surrogate becomes the replacement character; whole ones and escapes stay."""
    frame = read(rb'{"external_id":"a\ud800b \ud83d\ude00 \\ud800"}')
    assert "a\ufffdb \U0001f600 \\ud800" == json.loads(frame["id"].item())


def test_half_a_character_beside_a_long_number_does_not_lose_the_user():
    """A lone surrogate is mended also in a line with a number that no float holds."""
    frame = read(rb'{"external_id":"a\ud800b","custom_attributes":{"n":12345678901234567890123}}')
    assert ("a\ufffdb", "12345678901234567890123") == (
        json.loads(frame["id"].item()),
        frame["n"].item(),
    )


def test_nested_paths_and_names_with_dots():
    """A path leads into objects; a name that itself has the dot comes first."""
    selection = Selection(
        (
            ExportColumn("color", "custom_attributes.pref.color"),
            ExportColumn("deep", "custom_attributes.a.b.c"),
        )
    )
    frame = read(
        b'{"custom_attributes":{"pref":{"color":"red"},"a.b":{"c":1}}}',
        b'{"custom_attributes":{"pref.color":"blue","a":{"b":{"c":2}}}}',
        b'{"custom_attributes":{"pref":7}}',
        b"{}",
        selection=selection,
    )
    assert ['"red"', '"blue"', None, None] == frame["color"].to_list()
    assert ["1", "2", None, None] == frame["deep"].to_list()


def test_a_remaining_column_never_hides_a_named_one():
    """A custom attribute named like a column is put under another name."""
    reader = LineReader(EVERYTHING)
    line = b'{"external_id":"u","custom_attributes":{"id":7}}'
    frame = as_texts(reader.read([line], "archive"))
    assert ('"u"', "7") == (frame["id"].item(), frame["custom_attributes.id"].item())
    assert {"id": "custom_attributes.id"} == reader.remaining


def test_what_is_named_entirely_does_not_remain():
    """An attribute that a column holds entirely has no second column; one named in part has."""
    columns = (
        ExportColumn("t", "custom_attributes.tier"),
        ExportColumn("c", "custom_attributes.p.c"),
    )
    frame = read(
        b'{"custom_attributes":{"tier":"gold","p":{"c":1}}}', selection=Selection(columns, "x_")
    )
    assert [PROFILE, "t", "c", "x_p"] == frame.columns


@pytest.mark.parametrize("line", [b"[]", b"{", b"\xff", b'{"custom_attributes":[1]}', b"NaN"])
def test_a_line_that_is_no_user_names_its_place(line):
    """What is no JSON object is refused with the line's number, not skipped."""
    with pytest.raises(FileRejected) as caught:
        read(b"{}", line)
    assert ("not_a_user", 2) == (caught.value.reason, caught.value.row)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",))),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner),
    max_leaves=5,
)


@given(st.lists(VALUES, min_size=1, max_size=6))
@settings(max_examples=150, deadline=None)
def test_every_value_comes_back(values):
    """Whatever JSON values a column mixes, each text is that very value."""
    lines = [json.dumps({"custom_attributes": {"v": value}}).encode() for value in values]
    frame = read(*lines)
    texts = frame["v"].to_list() if "v" in frame.columns else [None] * len(values)
    exact = [None if text is None else json.loads(text, parse_float=Decimal) for text in texts]
    assert json.loads(json.dumps(values), parse_float=Decimal) == exact
