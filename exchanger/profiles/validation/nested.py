"""
What Braze takes inside of objects, judged before anything is sent.

It drops an object as a whole, and without a word, if a key or a value inside is not one that it
takes (braze-api.md 2.6), and reads some objects as orders to change what it has.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import polars as pl

from exchanger.braze.attributes import STANDARD
from exchanger.braze.limits import LARGEST_NESTED, LONGEST_NESTED_NAME, LONGEST_TEXT
from exchanger.profiles.casting.result import VALUE, CastResult, flag_faults
from exchanger.profiles.casting.times import read_instants
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.spelling.json_values import spell_json

TIME = "$time"
"""The one key of an object that says a time."""

_SUSPECT = (
    r'[ .$](?:[^"\\]|\\.)*":'  # In a key; text that ends like one is looked at in vain.
    r'|[\[,]null|^\{"(?:inc|add|remove)":'
)
_LONG = rf'"(?:[^"\\]|\\.){{{LONGEST_TEXT + 1},}}'
"""Finds every text that is too long, and some that are not, between two of them."""
_WHOLE_TIME = r'^\{"\$time":(?:"(?:[^"\\]|\\.)*"|[^{}\[\]"]*)\}$'
_FOUND = pl.Schema({"value": pl.String, "reason": pl.String, "time": pl.String})
DROPPED_WHOLE = frozenset(
    {"bad_key", "long_nested_text", "null_inside", "bad_nested_time", "too_large"}
)
"""Reasons found here for which Braze leaves the attribute as it was, without a word."""


def judge_nested(rule: Rule, result: CastResult) -> CastResult:
    """
    Find the JSON values of a custom attribute that Braze would drop, or take for an order.

    Args:
        rule: The field; standard attributes and other types than ``json`` have rules of their own.
        result: Its cells: canonical JSON texts.

    Faults: ``an_order``, ``too_large``, ``bad_key``, ``long_nested_text``, ``null_inside``,
    ``bad_nested_time``; where it is merged in parts also ``not_an_object``, ``not_objects``,
    ``no_item_key`` and ``same_item_key``.
    """
    if rule.type != "json" or rule.name in STANDARD:
        return result
    if rule.in_parts:
        return _judge_values(_judge_shape(rule, result))
    return _judge_values(result)


def _judge_shape(rule: Rule, result: CastResult) -> CastResult:
    """Find what cannot be merged in parts: what is no object, or items without their keys."""
    frame = result.values.to_frame("value")
    if rule.merge == "deep":
        shapeless = ~VALUE.str.starts_with("{") | VALUE.str.contains(_WHOLE_TIME)
        shaped = flag_faults(frame, [("not_an_object", shapeless)])
        return CastResult(shaped.values, shaped.faults, result.dropped).over(result.faults)
    # The keys of items are told by a parser alone: each distinct text is parsed once.
    distinct = frame["value"].unique().drop_nulls()
    faults = [_fault_of_items(text, rule.config.key or "") for text in distinct]
    found = pl.Series(faults, dtype=pl.String)
    reason = VALUE.replace_strict(distinct, found, default=None, return_dtype=pl.String)
    marked = frame.with_columns(reason.alias("reason"))
    names = found.unique().drop_nulls()
    judged = flag_faults(marked, [(name, pl.col("reason") == name) for name in names])
    return CastResult(judged.values, judged.faults, result.dropped).over(result.faults)


def _fault_of_items(text: str, key: str) -> str | None:
    items = json.loads(text, parse_float=Decimal)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        return "not_objects"
    names = [item.get(key) for item in items]
    if any(name is None or isinstance(name, bool | dict | list) for name in names):
        return "no_item_key"
    return "same_item_key" if len({spell_json(name) for name in names}) < len(names) else None


def _judge_values(result: CastResult) -> CastResult:
    """Find keys and values inside that Braze does not take."""
    frame = result.values.to_frame("value")
    long = frame.filter(VALUE.str.len_bytes() > LONGEST_TEXT)
    long = long.filter(VALUE.str.contains(_LONG) | (VALUE.str.len_bytes() > LARGEST_NESTED))
    distinct = pl.concat([frame.filter(VALUE.str.contains(_SUSPECT)), long])["value"].unique()
    if distinct.is_empty():
        return result
    # JSON has no vectorised walk: each distinct text that may be at fault is parsed once.
    rows = [(text, *found) for text in distinct for found in _faults(text)]
    found = pl.DataFrame(rows, schema=_FOUND, orient="row")
    readable = read_instants(found["time"], "UTC").values.is_not_null()
    bad = found.filter(~readable).unique("value", keep="first", maintain_order=True)
    marked = frame.join(bad, on="value", how="left", maintain_order="left")
    reasons = bad["reason"].unique().to_list()
    judged = flag_faults(marked, [(reason, pl.col("reason") == reason) for reason in reasons])
    return CastResult(judged.values, judged.faults, result.dropped).over(result.faults)


def _faults(text: str) -> Iterator[tuple[str, str | None]]:
    """Name what is wrong with one JSON text; and what is, unless the time beside it is one."""
    value = json.loads(text, parse_float=Decimal)
    if is_order(value):
        yield "an_order", None
    objects = isinstance(value, dict) or (isinstance(value, list) and dict in map(type, value))
    if objects and len(text.encode()) > LARGEST_NESTED:
        yield "too_large", None
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict) and set(one) == {TIME}:
            said = one[TIME]
            yield "bad_nested_time", said if isinstance(said, str) else None
        elif isinstance(one, dict):
            if any(_is_bad_key(key) for key in one):
                yield "bad_key", None
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, str) and len(one) > LONGEST_TEXT:
            yield "long_nested_text", None
        elif one is None and objects:
            yield "null_inside", None


def _is_bad_key(key: str) -> bool:
    return len(key) > LONGEST_NESTED_NAME or any(sign in key for sign in " .$")


def is_order(value: Any) -> bool:
    """Return whether Braze would add to or take from what it has, rather than keep the value."""
    if not isinstance(value, dict) or not value:
        return False
    if set(value) == {"inc"}:
        return isinstance(value["inc"], int | Decimal) and not isinstance(value["inc"], bool)
    return set(value) <= {"add", "remove"} and all(isinstance(m, list) for m in value.values())
