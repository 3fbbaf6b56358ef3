"""
What rows say of each field, whether or not anything changes.

So a plan can tell how many profiles stay as they are, and what sending every row whole would cost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from exchanger.profiles.frames.columns import said
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.spelling.data_points import is_free, points_of


@dataclass(frozen=True)
class Spoken:
    """
    Numbers by field; they add up over the parts of a run, and fields of 0 may be missing.

    Args:
        profiles: Profiles of which any row says something of the field.
        points: What it would cost to send the field with every row that says something of it.
    """

    profiles: Counter[str] = field(default_factory=Counter)
    points: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: Spoken) -> Spoken:
        return Spoken(self.profiles + other.profiles, self.points + other.points)


def spoken(given: pl.DataFrame, folded: pl.DataFrame, rules: Sequence[Rule]) -> Spoken:
    """
    Count what rows say of each field.

    Args:
        given: The rows.
        folded: The same, one row for each profile.
        rules: The fields.
    """
    return Spoken(
        Counter({rule.name: _count(folded, rule) for rule in rules}),
        Counter({rule.name: _points(given, rule) for rule in rules if not rule.of_item}),
    )


def _count(rows: pl.DataFrame, rule: Rule) -> int:
    if rule.merge == "clear" and said(rule.name) in rows.columns:
        return int(rows[said(rule.name)].sum() or 0)
    return rows[rule.name].count()


def _points(given: pl.DataFrame, rule: Rule) -> int:
    if rule.name not in given.columns:
        return 0
    emptied = _count(given, rule) - given[rule.name].count()
    told = points_of(rule.name, given[rule.name], is_json=rule.type == "json")
    return told + (0 if is_free(rule.name) else emptied)
