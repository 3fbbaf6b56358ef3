"""
Lists, from the file's own lists, JSON arrays, and text that is split.

Every cell is taken apart into members, all members of the column are cast at once as if they were
a column, and put together again. One bad member puts its whole cell at fault.
"""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import polars as pl

from exchanger.config.models import FieldConfig
from exchanger.profiles.casted import RAW, VALUE, Casted, judge
from exchanger.profiles.casting import Reading, cast_values
from exchanger.profiles.casting_text import read_json_scalars
from exchanger.profiles.fragments import (
    canonical_json,
    fragment,
    json_string,
    spell_json,
    spell_numbers,
)
from exchanger.profiles.own_types import own_type
from exchanger.profiles.raw import without_empty
from exchanger.profiles.rules import Rule
from exchanger.profiles.wrapped_text import without_formula

MEMBERS = pl.List(pl.String)
"""A list field: the canonical JSON texts of its members."""


def cast_lists(raw: pl.Series, rule: Rule, reading: Reading, *, is_json: bool) -> Casted:
    """
    Read lists, to ``List(String)`` of canonical JSON texts; a single value is a list of one.

    Members that are empty are left out. They have the type ``items`` if the rule says so, text if
    the cell is split, and else the type that they have in the file.

    Args:
        raw: The cells, with empty text already null.
        rule: Its ``split`` and ``items``.
        reading: How members are read, but for their type.
        is_json: The cells are JSON texts.

    Faults: ``invalid_json`` (text that begins like an array), ``nested_member``, and those of the
    members' type.
    """
    config = rule.config
    if isinstance(raw.dtype, pl.Array):
        raw = raw.arr.to_list()
    broken = pl.repeat(None, len(raw), dtype=pl.String, eager=True)
    texts = raw.dtype == pl.String and (is_json or config.split is None)
    if texts:
        raw, broken = _split_json(raw, is_json=is_json)
    elif raw.dtype == pl.String and config.split is not None:
        raw = raw.str.split(config.split)
    cells = pl.DataFrame({"cell": pl.int_range(len(raw), dtype=pl.UInt32, eager=True), "raw": raw})
    cells = cells.filter(RAW.is_not_null())
    members = cells.explode("raw") if isinstance(raw.dtype, pl.List) else cells
    if "items" in config.model_fields_set:
        reading = replace(reading, type=config.items)
        cast = _cast_json_items if texts else _cast_items
    else:
        cast = _cast_json_members if texts else _cast_members
    literals = cast(members["raw"], reading)
    gathered = _gather(members["cell"], literals, len(raw))
    return gathered.over(broken)


def _split_json(raw: pl.Series, *, is_json: bool) -> tuple[pl.Series, pl.Series]:
    """
    Take JSON arrays apart, to ``List(String)`` of JSON texts; other text is a list of one.

    Returns:
        The lists, and the fault of each cell that begins like an array and is none.
    """
    array = raw.str.contains(r"^\s*\[").fill_null(value=False)
    alone = RAW if is_json else json_string(RAW)
    lists = raw.to_frame("raw").select(pl.when(~array).then(pl.concat_list(alone))).to_series()
    if not array.any():
        return lists, pl.repeat(None, len(raw), dtype=pl.String, eager=True)
    # polars reads an array only if all members have one type; each distinct text is read once.
    distinct = raw.filter(array).unique()
    read = {"raw": distinct, "value": [_members_of(text) for text in distinct]}
    table = pl.DataFrame(read, schema={"raw": pl.String, "value": MEMBERS})
    frame = raw.to_frame("raw").join(table, on="raw", how="left", maintain_order="left")
    judged = judge(frame.with_columns(array=array), [("invalid_json", array & VALUE.is_null())])
    return judged.values.zip_with(array, lists), judged.faults


def _members_of(text: str) -> list[str] | None:
    try:
        return [spell_json(member) for member in json.loads(text, parse_float=Decimal)]
    except (ValueError, RecursionError, ArithmeticError):
        return None


def _cast_items(raw: pl.Series, reading: Reading) -> Casted:
    """Cast members to the type that the rule names."""
    if raw.dtype == pl.String:
        raw = without_formula(raw)
    casted = cast_values(without_empty(raw, reading.nulls), reading)
    return Casted(_render(casted.values, reading), casted.faults)


def _cast_json_items(raw: pl.Series, reading: Reading) -> Casted:
    scalars = read_json_scalars(raw)
    nested = scalars.faults.replace("not_a_scalar", "nested_member")
    casted = _cast_items(scalars.values, reading)
    return casted.over(nested)


def _cast_members(raw: pl.Series, reading: Reading) -> Casted:
    """Cast members to the type that they have in the file."""
    if raw.dtype.is_nested():
        return judge(
            pl.DataFrame({"raw": raw, "value": pl.Series([None] * len(raw), dtype=pl.String)}),
            [("nested_member", RAW.is_not_null())],
        )
    own = own_type(raw.dtype)
    if own is None:
        return _cast_items(raw, replace(reading, type="string"))
    return _cast_items(raw, replace(reading, type=own.type, scale=own.scale))


def _cast_json_members(raw: pl.Series, reading: Reading) -> Casted:
    """Cast text like text, and let numbers and booleans be what they are."""
    frame = raw.to_frame("raw").with_columns(first=RAW.str.strip_chars().str.head(1))
    text = frame.select(pl.col("first") == '"').to_series().fill_null(value=False)
    words = frame.select(pl.when(text).then(RAW)).to_series()
    casted = _cast_json_items(words, replace(reading, type="string"))
    plain = canonical_json(frame.select(pl.when(~text).then(RAW)).to_series())
    frame = frame.with_columns(
        value=casted.values.zip_with(text, plain.replace(["null", "[]", "{}"], None)),
        long=plain.str.contains(r"^-?[0-9]{19,}$") & plain.cast(pl.Int64, strict=False).is_null(),
    )
    nested = pl.col("first").is_in(["[", "{"]) & VALUE.is_not_null()
    judged = judge(frame, [("nested_member", nested), ("integer_too_big", pl.col("long"))])
    return judged.over(casted.faults)


def _render(values: pl.Series, reading: Reading) -> pl.Series:
    """Write members as canonical JSON texts."""
    rule = Rule("member", "", reading.type, FieldConfig(scale=reading.scale))
    literals = values.to_frame("value").select(fragment(rule, VALUE)).to_series()
    return spell_numbers(literals) if reading.type == "float" else literals


def _gather(cells: pl.Series, members: Casted, length: int) -> Casted:
    """Put members back into their cells; a cell without any is empty."""
    frame = pl.DataFrame({"cell": cells, "value": members.values, "fault": members.faults})
    gathered = (
        frame.filter(VALUE.is_not_null() | pl.col("fault").is_not_null())
        .group_by("cell", maintain_order=True)
        .agg(VALUE.drop_nulls(), pl.col("fault").drop_nulls().first())
    )
    every = pl.DataFrame({"cell": pl.int_range(length, dtype=pl.UInt32, eager=True)})
    whole = every.join(gathered, on="cell", how="left", maintain_order="left")
    values = whole.select(pl.when(pl.col("fault").is_null()).then(VALUE)).to_series()
    return Casted(values, whole["fault"])
