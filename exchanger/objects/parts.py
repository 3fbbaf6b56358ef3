"""The parts of objects: their members, their properties, what may be wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from exchanger.config.models import PROPERTY
from exchanger.profiles.spelling.json_values import fragment, spell_json

if TYPE_CHECKING:
    from exchanger.profiles.frames.rules import Rule


class Fault(NamedTuple):
    """Something that may be wrong with a row although each of its cells is fine."""

    part: str
    """Of the object, as ``ImportJob.cells`` names it."""
    reason: str
    at: pl.Expr


def object_of(rules: Sequence[Rule], prefix: str) -> pl.Expr | None:
    """
    Spell the values that a row has as a JSON object, else null; None without rules.

    Args:
        rules: The parts.
        prefix: What the names of those begin with that are chosen; it is left out in the object.
    """
    chosen = [rule for rule in rules if rule.name.startswith(prefix)]
    if not chosen:
        return None
    listed = pl.concat_str(
        *(
            pl.lit(f"{spell_json(rule.name.removeprefix(prefix))}:")
            + fragment(rule, pl.col(rule.name))
            for rule in chosen
        ),
        separator=",",
        ignore_nulls=True,
    )
    return pl.when(listed != "").then(pl.concat_str(pl.lit("{"), listed, pl.lit("}")))


def of_properties(rules: Sequence[Rule]) -> list[Rule]:
    """Return the rules that are about properties."""
    return [rule for rule in rules if rule.name.startswith(PROPERTY)]


def properties(rules: Sequence[Rule]) -> pl.Expr | None:
    """Spell the properties that a row has as a JSON object, else null; None without rules."""
    return object_of(rules, PROPERTY)


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
    spelled = properties(rules)
    return named if spelled is None else [*named, pl.lit(',"properties":') + spelled]


def is_larger(rules: Sequence[Rule], limit: int) -> pl.Expr:
    """Return of which rows the properties are larger than Braze takes, in bytes."""
    spelled = properties(rules)
    return pl.lit(value=False) if spelled is None else spelled.str.len_bytes() > limit
