"""
One object of a profile has one mode: Braze merges all objects within it, or it replaces them.

``_merge_objects`` is a member of the whole (braze-api.md 2.13). Two objects of one profile may be
applied in any order, so a profile never gets two. Where a field has to be replaced and another
one is to be merged, that one is sent as a whole as well: as known of Braze, the result is the same,
and only costs more.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from exchanger.braze.attributes import STANDARD
from exchanger.profiles.frames.columns import MERGED, MERGING, before, merging, send, wanted
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.nested.cells import replaces


def with_one_mode(changed: pl.DataFrame, rules: Sequence[Rule]) -> pl.DataFrame:
    """
    Decide for each profile whether what it is sent is merged, and bring its fields to that.

    Args:
        changed: Profiles that change, as ``reconcile.Merged.wanted``, and ``merging:NAME`` of each
            field that is merged in parts.
        rules: The fields.

    Returns:
        The same with ``@merged`` in place of ``merging:NAME``, if any field is merged in parts.
    """
    parts = [rule.name for rule in rules if rule.in_parts]
    if not parts:
        return changed
    wholes = [
        rule.name
        for rule in rules
        if rule.type == "json" and not rule.in_parts and rule.name not in STANDARD
    ]
    merges = pl.any_horizontal(*(pl.col(merging(name)) for name in parts)).fill_null(value=False)
    told = changed.with_columns(merges.alias(MERGED))
    # Only beside a field that is to be merged it matters whether another one must not be.
    beside = [
        told.select(
            pl.when(MERGED).then(before(name)).alias("before"),
            pl.when(MERGED).then(wanted(name)).alias("wanted"),
        ).pipe(replaces)
        for name in wholes
    ]
    bars = [~pl.col(merging(name)) for name in parts]
    barred = told.select(
        pl.any_horizontal(*bars, *(pl.lit(each) for each in beside)).fill_null(value=False)
    ).to_series()
    return told.with_columns(
        *(
            pl.when(pl.lit(barred) & pl.col(merging(name)))
            .then(wanted(name))
            .otherwise(send(name))
            .alias(send(name))
            for name in parts
        ),
        (pl.col(MERGED) & ~pl.lit(barred)).alias(MERGED),
    ).drop(name for name in told.columns if name.startswith(MERGING))
