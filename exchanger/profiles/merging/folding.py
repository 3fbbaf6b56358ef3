"""
Many rows of a profile become one, in the order of the run.

Rows apply in the order of ``@order`` (null first), then file, then row. A run folds all of its
files together: with one strategy per field that equals applying them one by one.
"""

from __future__ import annotations

from functools import partial

import polars as pl

from exchanger.profiles.frames.columns import FILE, ORDER, PROFILE, ROW, ROWS, said
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.frames.slices import all_differ
from exchanger.profiles.merging.strategies import alone, strategy_of
from exchanger.profiles.nested.cells import fold_texts
from exchanger.profiles.spelling.json_values import canonical, fragment

POSITION = "@position"
CONTRIBUTIONS_SCHEMA = pl.Schema(
    {PROFILE: pl.String, FILE: pl.UInt32, "field": pl.String, "given": pl.String}
)


def fold(given: pl.DataFrame, rules: list[Rule]) -> pl.DataFrame:
    """
    Fold the rows of every profile to one.

    Args:
        given: The given frame: ``@profile @file @row``, perhaps ``@order``, one typed column per
            rule, and ``@said:NAME`` for each *clear* rule.
        rules: The fields.

    Returns:
        One row per profile: ``@profile``, ``@file`` and ``@row`` of the last row that named it,
        ``@rows`` (UInt32), one typed column per field (integers and decimals under *sum* are
        Int128) and ``@said:NAME`` (never null) for each *clear* rule; in order of ``@file @row``.
    """
    single, several = _by_rows(given)
    told = [said(rule.name) for rule in rules if rule.merge == "clear"]
    ones = single.select(
        PROFILE,
        FILE,
        ROW,
        pl.lit(1, pl.UInt32).alias(ROWS),
        *(alone(rule).alias(rule.name) for rule in rules),
        *(pl.col(name).fill_null(value=False) for name in told),
    )
    if several.is_empty():
        return _in_order(ones)
    folded = several.group_by(PROFILE).agg(
        pl.col(FILE).last(),
        pl.col(ROW).last(),
        pl.len().cast(pl.UInt32).alias(ROWS),
        *(strategy_of(rule).fold(rule).alias(rule.name) for rule in rules),
        *(pl.col(name).any() for name in told),
    )
    finished = folded.with_columns(*_emptied(rules), *_folded_objects(rules))
    return _in_order(pl.concat([ones, finished.select(ones.columns)]))


def superseded(given: pl.DataFrame, rules: list[Rule]) -> pl.DataFrame:
    """
    Name the rows that said something, all of which other rows of the same profile overrode.

    A row that said nothing at all is not among them: it changed nothing, and nothing overrode it.
    Under *sum*, *add* and *remove* every value counts, so such a row survives.

    Returns:
        ``@file``, ``@row``.
    """
    several = _by_rows(given)[1].with_row_index(POSITION)
    if several.is_empty():
        return several.select(FILE, ROW)
    position = pl.col(POSITION)
    picks = {rule: strategy_of(rule).survives(rule, position) for rule in rules}
    winners = several.group_by(PROFILE).agg(
        pick.alias(f"@won:{rule.name}") for rule, pick in picks.items() if pick is not None
    )
    survived = [
        position == pl.col(f"@won:{rule.name}") if pick is not None else _speaks(rule)
        for rule, pick in picks.items()
    ]
    spoke = pl.any_horizontal(pl.lit(value=False), *(_speaks(rule) for rule in rules))
    kept = pl.any_horizontal(
        pl.lit(value=False), *(expr.fill_null(value=False) for expr in survived)
    )
    return several.join(winners, on=PROFILE, how="left").filter(spoke & ~kept).select(FILE, ROW)


def contributions(given: pl.DataFrame, rules: list[Rule]) -> pl.DataFrame:
    """
    Return what each file gave each profile under *sum* and *add*, so that it can be taken back.

    Returns:
        ``@profile @file field given``: the canonical text of the file's own fold.
    """
    counted = [rule for rule in rules if rule.merge in ("sum", "add")]
    if not counted:
        return pl.DataFrame(schema=CONTRIBUTIONS_SCHEMA)
    per_file = _ordered(given).group_by(PROFILE, FILE, maintain_order=True)
    folded = per_file.agg(
        strategy_of(rule).fold(rule).alias(rule.name) for rule in counted
    ).with_columns(_emptied(counted))
    return pl.concat(
        folded.filter(_speaks(rule)).select(
            PROFILE,
            FILE,
            pl.lit(rule.name).alias("field"),
            canonical(rule, fragment(rule, pl.col(rule.name))).alias("given"),
        )
        for rule in counted
    )


def _by_rows(given: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Part the rows, in order: profiles that one row names, and profiles that several do."""
    ordered = _ordered(given)
    # Finding the rows is several times dearer than finding that there are none.
    if all_differ(ordered[PROFILE]):
        return ordered, ordered.clear()
    several = ordered[PROFILE].is_duplicated()
    return ordered.filter(~several), ordered.filter(several)


def _ordered(given: pl.DataFrame) -> pl.DataFrame:
    if ORDER in given.columns:
        return given.sort(ORDER, FILE, ROW, nulls_last=False)
    return _in_order(given)


def _in_order(frame: pl.DataFrame) -> pl.DataFrame:
    # Files are read one after the other, so mostly there is nothing to do, and sorting is dear.
    place = frame.select(pl.col(FILE).cast(pl.UInt64) * 2**32 + pl.col(ROW)).to_series()
    return frame if place.is_sorted() else frame[place.arg_sort()]


def _speaks(rule: Rule) -> pl.Expr:
    if rule.merge == "clear":
        return pl.col(said(rule.name)).fill_null(value=False)
    return pl.col(rule.name).is_not_null()


def _emptied(rules: list[Rule]) -> list[pl.Expr]:
    """A union over nothing is an empty list; here it must be "nothing given"."""
    lists = [pl.col(rule.name) for rule in rules if rule.type == "list"]
    return [pl.when(value.list.len() > 0).then(value) for value in lists]


def _folded_objects(rules: list[Rule]) -> list[pl.Expr]:
    """Fold JSON, which was only put side by side; nothing given is null again."""
    nested = [rule for rule in rules if rule.in_parts]
    return [
        pl.col(rule.name).map_batches(
            partial(fold_texts, rule), return_dtype=pl.String, is_elementwise=True
        )
        for rule in nested
    ]
