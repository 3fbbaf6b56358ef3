"""
What a catalog takes as a value of an item, judged before anything is sent (braze-api.md 16).

It refuses a whole request for one such value, and does not say which item it is about.
"""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from exchanger.braze.catalogs import DEEPEST, LONGEST_VALUE, MOST_MEMBERS
from exchanger.profiles.casting.result import VALUE, CastResult, flag_faults
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.spelling.json_values import fragment

_SUSPECT = r'[.$](?:[^"\\]|\\.)*":'
"""In a key of an object; text that ends like one is looked at in vain."""
_FOUND = pl.Schema({"value": pl.String, "reason": pl.String})


def judge_item_field(rule: Rule, result: CastResult) -> CastResult:
    """
    Find the values of a field that a catalog would refuse.

    Args:
        rule: The field; of text, the length is found where it is cast.
        result: Its cells, cast to the type of the rule.

    Faults: ``item_too_long``, ``too_many_members``, ``bad_item_key``, ``too_deep``.
    """
    if rule.type == "list":
        frame = result.values.to_frame("value")
        many = VALUE.list.len() > MOST_MEMBERS
        long = fragment(rule, VALUE).str.len_chars() > LONGEST_VALUE
        faults = [("too_many_members", many), ("item_too_long", long)]
        return CastResult(result.values, flag_faults(frame, faults).faults, result.dropped).over(
            result.faults
        )
    return _judge_json(result) if rule.type == "json" else result


def _judge_json(result: CastResult) -> CastResult:
    frame = result.values.to_frame("value")
    deep = VALUE.str.count_matches(r"[\[{]") > DEEPEST
    odd = VALUE.str.contains(_SUSPECT) | (VALUE.str.len_chars() > LONGEST_VALUE) | deep
    texts = frame.filter(odd)["value"].unique()
    rows = [(text, reason) for text in texts if (reason := _fault(text))]
    if not rows:
        return result
    bad = pl.DataFrame(rows, schema=_FOUND, orient="row")
    marked = frame.join(bad, on="value", how="left", maintain_order="left")
    reasons = bad["reason"].unique().to_list()
    judged = flag_faults(marked, [(reason, pl.col("reason") == reason) for reason in reasons])
    return CastResult(judged.values, judged.faults, result.dropped).over(result.faults)


def _fault(text: str) -> str:
    """Name what is wrong with one JSON text; empty if nothing is."""
    if len(text) > LONGEST_VALUE:
        return "item_too_long"
    value = json.loads(text)
    if _depth(value) > DEEPEST:
        return "too_deep"
    return "bad_item_key" if _has_bad_key(value) else ""


def _depth(value: Any) -> int:
    inner = list(value.values()) if isinstance(value, dict) else value
    return 1 + max(map(_depth, inner), default=0) if isinstance(inner, list) else 0


def _has_bad_key(value: Any) -> bool:
    if isinstance(value, dict):
        if any("." in key or "$" in key for key in value):
            return True
        value = list(value.values())
    return isinstance(value, list) and any(map(_has_bad_key, value))
