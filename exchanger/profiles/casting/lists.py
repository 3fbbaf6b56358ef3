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
from exchanger.profiles.casting.result import RAW, VALUE, CastResult, flag_faults
from exchanger.profiles.casting.text import read_json_scalars
from exchanger.profiles.casting.values import CastOptions, cast_values
from exchanger.profiles.frames.raw_columns import without_empty
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.frames.type_names import own_type
from exchanger.profiles.frames.wrapped_text import without_formula
from exchanger.profiles.spelling.json_values import (
    canonical_json,
    fragment,
    json_string,
    spell_json,
    spell_numbers,
)

MEMBERS = pl.List(pl.String)
"""A list field: the canonical JSON texts of its members."""


def cast_lists(raw: pl.Series, rule: Rule, reading: CastOptions, *, is_json: bool) -> CastResult:
    """
    Read lists, to ``List(String)`` of canonical JSON texts; a single value is a list of one.

    Members that are empty are left out. They have the type ``items`` if the rule says so, text if
    the cell is split, and else the type that they have in the file. A JSON array is read as one
    also where cells are split; lists as databases and programs print them are not guessed.

    Args:
        raw: The cells, with empty text already null.
        rule: Its ``split`` and ``items``.
        reading: How members are read, but for their type.
        is_json: The cells are JSON texts.

    Faults: ``invalid_json`` (text that begins like an array), ``printed_list`` (``{a,b}``),
    ``nested_member``, and those of the members' type.
    """
    config = rule.config
    if isinstance(raw.dtype, pl.Array):
        raw = raw.arr.to_list()
    broken = pl.repeat(None, len(raw), dtype=pl.String, eager=True)
    texts = raw.dtype == pl.String
    if texts:
        raw, printed = _without_printed(raw, is_json=is_json)
        if is_json or config.split is None:
            raw, broken = _split_json(raw, is_json=is_json)
        else:
            raw, broken, texts = _split(raw, config.split)
        broken = printed.zip_with(printed.is_not_null(), broken)
    cells = pl.DataFrame({"cell": pl.int_range(len(raw), dtype=pl.UInt32, eager=True), "raw": raw})
    cells = cells.filter(RAW.is_not_null())
    members = cells.explode("raw") if isinstance(raw.dtype, pl.List) else cells
    if "items" in config.model_fields_set or (texts and config.split is not None and not is_json):
        reading = replace(reading, type=config.items)
        cast = _cast_json_items if texts else _cast_items
    else:
        cast = _cast_json_members if texts else _cast_members
    literals = cast(members["raw"], reading)
    gathered = _gather(members["cell"], literals, len(raw))
    return gathered.over(broken)


def _without_printed(raw: pl.Series, *, is_json: bool) -> tuple[pl.Series, pl.Series]:
    """
    Take out lists as Postgres prints them, {a,b}, whose quoting is none of JSON's; and tuples and
    arrays of Python's, ('a', 'b').

    Returns:
        The other cells, and the fault of each that was taken out; ``{}`` is empty.
    """
    quote = '"' if is_json else ""
    python = r"(?:(?:array|set|frozenset|tuple)?\(\s*[\[{(]?\s*['\"].*\))"
    found = raw.str.contains(rf"(?s)^\s*{quote}(?:\{{.*\}}|{python}){quote}\s*$")
    found = found.fill_null(value=False)
    if not found.any():
        return raw, pl.repeat(None, len(raw), dtype=pl.String, eager=True)
    frame = pl.DataFrame({"raw": raw, "found": found})
    empty = RAW.str.contains(rf"^\s*{quote}\{{\s*\}}{quote}\s*$")
    printed = frame.select(pl.when(pl.col("found") & ~empty).then(pl.lit("printed_list")))
    return frame.select(pl.when(~pl.col("found")).then(RAW)).to_series(), printed.to_series()


def _split(raw: pl.Series, separator: str) -> tuple[pl.Series, pl.Series, bool]:
    """
    Split text, but for cells that are JSON arrays, which somebody wrote in place of split text.

    Returns:
        The lists; the fault of each cell that is an array as programs print it, ['a', 'b']; and
        whether members are JSON texts, as there are arrays.
    """
    lists = raw.str.split(separator)
    none = pl.repeat(None, len(raw), dtype=pl.String, eager=True)
    begun = raw.str.contains(r"(?s)^\s*\[.*\]\s*$").fill_null(value=False)
    if not begun.any():
        return lists, none, False
    begun_alone = raw.zip_with(begun, none)
    arrays, faults = _split_json(begun_alone, is_json=False)
    whole = begun & faults.is_null()
    frame = pl.DataFrame({"raw": raw, "array": arrays, "list": lists, "begun": begun})
    # [a] and [b] in brackets may be members; [a, b] and ['a'] are no JSON, and no split text.
    alone = RAW.str.contains(r"^\s*\[[^\[\]]*\]\s*$")
    parts = RAW.str.contains(separator, literal=True) | RAW.str.contains(r"^\s*\[\s*['\"]")
    printed = frame.select(
        pl.when(~whole & pl.col("begun") & alone & parts).then(pl.lit("printed_list"))
    )
    texts = pl.col("list").list.eval(json_string(pl.element()))
    read = frame.select(pl.when(whole).then("array").otherwise(texts))
    return read.to_series(), printed.to_series(), True


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
    judged = flag_faults(
        frame.with_columns(array=array), [("invalid_json", array & VALUE.is_null())]
    )
    return judged.values.zip_with(array, lists), judged.faults


def _members_of(text: str) -> list[str] | None:
    try:
        return [spell_json(member) for member in json.loads(text, parse_float=Decimal)]
    except (ValueError, RecursionError, ArithmeticError):
        return None


def _cast_items(raw: pl.Series, reading: CastOptions) -> CastResult:
    """Cast members to the type that the rule names."""
    if raw.dtype == pl.String:
        raw = without_formula(raw)
    result = cast_values(without_empty(raw, reading.nulls), reading)
    return CastResult(_render(result.values, reading), result.faults)


def _cast_json_items(raw: pl.Series, reading: CastOptions) -> CastResult:
    scalars = read_json_scalars(raw)
    nested = scalars.faults.replace("not_a_scalar", "nested_member")
    result = _cast_items(scalars.values, reading)
    return result.over(nested)


def _cast_members(raw: pl.Series, reading: CastOptions) -> CastResult:
    """Cast members to the type that they have in the file."""
    if raw.dtype.is_nested():
        return flag_faults(
            pl.DataFrame({"raw": raw, "value": pl.Series([None] * len(raw), dtype=pl.String)}),
            [("nested_member", RAW.is_not_null())],
        )
    own = own_type(raw.dtype)
    if own is None:
        return _cast_items(raw, replace(reading, type="string"))
    return _cast_items(raw, replace(reading, type=own.type, scale=own.scale))


def _cast_json_members(raw: pl.Series, reading: CastOptions) -> CastResult:
    """Cast text like text, and let numbers and booleans be what they are."""
    frame = raw.to_frame("raw").with_columns(first=RAW.str.strip_chars().str.head(1))
    text = frame.select(pl.col("first") == '"').to_series().fill_null(value=False)
    words = frame.select(pl.when(text).then(RAW)).to_series()
    result = _cast_json_items(words, replace(reading, type="string"))
    plain = canonical_json(frame.select(pl.when(~text).then(RAW)).to_series())
    frame = frame.with_columns(
        value=result.values.zip_with(text, plain.replace(["null", "[]", "{}"], None)),
        long=plain.str.contains(r"^-?[0-9]{19,}$") & plain.cast(pl.Int64, strict=False).is_null(),
    )
    nested = pl.col("first").is_in(["[", "{"]) & VALUE.is_not_null()
    judged = flag_faults(frame, [("nested_member", nested), ("integer_too_big", pl.col("long"))])
    return judged.over(result.faults)


def _render(values: pl.Series, reading: CastOptions) -> pl.Series:
    """Write members as canonical JSON texts."""
    rule = Rule("member", "", reading.type, FieldConfig(scale=reading.scale))
    literals = values.to_frame("value").select(fragment(rule, VALUE)).to_series()
    return spell_numbers(literals) if reading.type == "float" else literals


def _gather(cells: pl.Series, members: CastResult, length: int) -> CastResult:
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
    return CastResult(values, whole["fault"])
