"""The parts of objects: their members, their properties, what may be wrong."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import chain, groupby
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from exchanger.config.models import PROPERTY
from exchanger.profiles.frames.filled import filled
from exchanger.profiles.spelling.json_values import fragment, spell_json

if TYPE_CHECKING:
    from exchanger.profiles.frames.rules import Rule


class Fault(NamedTuple):
    """Something that may be wrong with a row although each of its cells is fine."""

    part: str
    """Of the object, as ``ImportJob.cells`` names it."""
    reason: str
    at: pl.Expr


def object_of(rules: Sequence[Rule], prefix: str, before: str = "") -> pl.Expr | None:
    """
    Spell the values that a row has as a JSON object, else null; None without rules.

    Args:
        rules: The parts.
        prefix: What the names of those begin with that are chosen; it is left out in the object.
        before: What stands before the object.
    """
    chosen = [rule for rule in rules if rule.name.startswith(prefix)]
    if not chosen:
        return None
    labels = [f"{spell_json(rule.name.removeprefix(prefix))}:" for rule in chosen]
    values = pl.struct(fragment(rule, pl.col(rule.name)).alias(rule.name) for rule in chosen)
    return values.map_batches(
        partial(_put_together, labels=labels, before=before),
        return_dtype=pl.String,
        is_elementwise=True,
    )


def _put_together(values: pl.Series, labels: Sequence[str], before: str) -> pl.Series:
    """
    Put the members of objects together; what has a value in each row, in one go.

    Args:
        values: A struct of what is said of each, as JSON.
        labels: What stands before each.
        before: What stands before an object.
    """
    rows, opening = values.struct.unnest(), pl.lit(before + "{")
    members = zip(rows.get_columns(), labels, strict=True)
    pieces: list[pl.Expr] = []
    for sparse, group in groupby(members, key=lambda each: each[0].has_nulls()):
        named = [(pl.lit(label), pl.col(cells.name)) for cells, label in group]
        if sparse:
            pieces += [filled("{}{}", *one) for one in named]
            continue
        listed = ",".join(["{}{}"] * len(named))
        if len(named) == rows.width:  # Each row has all of them, so none is without an object.
            whole = filled("{}" + listed + "}", opening, *chain(*named))
            return rows.select(whole.alias(values.name)).to_series()
        pieces.append(filled(listed, *chain(*named)))
    members_of_row = pl.concat_str(pieces, separator=",", ignore_nulls=True).alias("listed")
    braced = pl.concat_str(opening, "listed", pl.lit("}")).alias(values.name)
    return (
        rows.select(members_of_row).select(pl.when(pl.col("listed") != "").then(braced)).to_series()
    )


def of_properties(rules: Sequence[Rule]) -> list[Rule]:
    """Return the rules that are about properties."""
    return [rule for rule in rules if rule.name.startswith(PROPERTY)]


def member(key: str, rule: Rule) -> pl.Expr:
    """Spell one member of an object, with the comma before it; null without a value."""
    return pl.lit(f",{spell_json(key)}:") + fragment(rule, pl.col(rule.name))


def members_of(rules: Sequence[Rule], keys: dict[str, str]) -> list[pl.Expr]:
    """
    Spell the members of an object that have keys of their own, and its properties.

    Args:
        rules: The parts.
        keys: The key of Braze for each part.
    """
    by_name = {rule.name: rule for rule in rules}
    named = [member(key, by_name[part]) for part, key in keys.items() if part in by_name]
    spelled = object_of(rules, PROPERTY, ',"properties":')
    return named if spelled is None else [*named, spelled]


def is_larger(rules: Sequence[Rule], limit: int) -> pl.Expr:
    """Return of which rows the properties are larger than Braze takes, in bytes."""
    chosen = of_properties(rules)
    if not chosen:
        return pl.lit(value=False)
    # As a struct of columns, so that rows which cannot be so large need not be spelled.
    return pl.struct(rule.name for rule in chosen).map_batches(
        partial(_are_larger, rules=chosen, limit=limit),
        return_dtype=pl.Boolean,
        is_elementwise=True,
    )


_LONGEST_FLOAT = 400
"""Bytes that no float is spelled with, whatever its exponent."""
_LONGEST_VALUE = 64
"""Bytes that no other number, no date, time or truth is spelled with."""


def _are_larger(values: pl.Series, rules: Sequence[Rule], limit: int) -> pl.Series:
    """Spell the properties of those rows alone that may be too large, which few are."""
    rows = values.struct.unnest()
    others = sum(_most_beside_text(rule) for rule in rules)
    most = pl.sum_horizontal(
        pl.repeat(others, pl.len(), dtype=pl.Int64), *map(_most_of_text, rules)
    )
    large = rows.select((most > limit).alias(values.name)).to_series()
    spelled = object_of(rules, PROPERTY)
    if spelled is None or not large.any():
        return large
    told = rows.filter(large).select((spelled.str.len_bytes() > limit).fill_null(value=False))
    return large.scatter(large.arg_true(), told.to_series())


def _most_beside_text(rule: Rule) -> int:
    """Return how many bytes a property takes at most beside its text: its name, and any number."""
    value = _LONGEST_FLOAT if rule.type == "float" else _LONGEST_VALUE
    return len(spell_json(rule.name).encode()) + len(":,{}") + value


def _most_of_text(rule: Rule) -> pl.Expr:
    """Return how many bytes the text of each value takes at most."""
    value = pl.col(rule.name)
    if rule.type == "list":
        return fragment(rule, value).str.len_bytes().cast(pl.Int64)
    if rule.type in ("string", "json"):
        return value.str.len_bytes().cast(pl.Int64) * len(r"\u001f") + len('""')
    return pl.lit(0, pl.Int64)
