"""
How one field of a profile is merged: the table of the merge strategies.

Terminology:
  - GIVEN: the value the rows of a run give, typed. Null says nothing, but under *clear*, where a
    row that speaks of the field and has no value means "empty".
  - HELD: what Braze has now. By the time a strategy sees it, it is known: a value or empty.
  - WANTED: what Braze must have afterwards.

Every strategy is a few expressions and no I/O. *fold* turns the values that many rows give for a
profile into one; *survives* tells which of those rows still matter afterwards; *merge* joins the
folded value with the held one. What ``deep`` and ``rows`` do to JSON is in ``nested_cells``.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from exchanger.config.models import StrategyName
from exchanger.profiles.frames.columns import said
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.nested.cells import SEPARATOR
from exchanger.profiles.spelling.json_values import EMPTY

GIVEN = pl.col("given")
"""The folded value, typed; lists without duplicates."""
SAID = pl.col("said")
"""Boolean: some row speaks of the field. Made for *clear* alone."""
HELD = pl.col("held")
"""Canonical text of the held value; ``null`` is empty."""
READ = pl.col("read")
"""The held value as the type of the field (``read_held``); null when it is empty."""

_MEMBERS = pl.List(pl.String)


@dataclass(frozen=True)
class Strategy:
    """
    One row of the merge table.

    Args:
        fold: For a rule, an aggregation over the rows of one profile in their order.
        merge: For a rule, the typed value to send, null where nothing is to be sent.
        survives: For a rule and the row's position, an aggregation that gives the position of the
            row that won, or the winning value, or null when every row that spoke matters.
        empties: For a rule, where the field is to be emptied in Braze.
        reads_held: The merge needs the held value as a typed one, not only as text.
    """

    fold: Callable[[Rule], pl.Expr]
    merge: Callable[[Rule], pl.Expr]
    survives: Callable[[Rule, pl.Expr], pl.Expr | None] = lambda _rule, _position: None
    empties: Callable[[Rule], pl.Expr] = lambda _: pl.lit(value=False)
    reads_held: bool = False


_GOES = '"-\\u001f'
"""How the text of an entry begins that is to go: no text of a file begins so."""


def entry_goes(entry: str) -> str:
    """Spell an entry, JSON text, as one that is to go."""
    return f"{_GOES}{entry[1:]}"


def said_column(rule: Rule) -> pl.Expr:
    """Return where the rows speak of the field: of a *clear* field they may, without a value."""
    if rule.merge == "clear":
        return pl.col(said(rule.name)).fill_null(value=False)
    return pl.col(rule.name).is_not_null()


def alone(rule: Rule) -> pl.Expr:
    """Fold the values of profiles that one row names: the same as *fold*, without a group."""
    value = pl.col(rule.name)
    if rule.type == "list":
        unique = value.list.unique(maintain_order=True)
        return pl.when(unique.list.len() > 0).then(unique).alias(rule.name)
    if rule.merge == "sum" and rule.type != "float":
        return value.cast(pl.Int128)
    return value


def _spoken(rule: Rule) -> pl.Expr:
    return pl.col(rule.name).is_not_null()


def _whole(rule: Rule, value: pl.Expr) -> pl.Expr:
    # Braze keeps each member of an array once, the first (braze-api.md 2.6).
    return value.list.unique(maintain_order=True) if rule.type == "list" else value


def _last(rule: Rule) -> pl.Expr:
    return _whole(rule, pl.col(rule.name).last(ignore_nulls=True))


def _first(rule: Rule) -> pl.Expr:
    return _whole(rule, pl.col(rule.name).first(ignore_nulls=True))


def _union(rule: Rule) -> pl.Expr:
    return pl.col(rule.name).drop_nulls().explode().drop_nulls().unique(maintain_order=True)


def _joined_texts(rule: Rule) -> pl.Expr:
    # JSON is folded after the rows are grouped: see ``folding.fold``.
    return pl.col(rule.name).drop_nulls().str.join(SEPARATOR)


def _total(rule: Rule) -> pl.Expr:
    value = pl.col(rule.name)
    # Floats are added from low to high, so that the order of files cannot change the last digit;
    # 64-bit sums wrap, so integers are added in 128 bits and checked afterwards.
    total = value.sort().sum() if rule.type == "float" else value.cast(pl.Int128).sum()
    # A sum over nothing is 0 in polars; here it must stay "nothing given".
    return pl.when(value.count() > 0).then(total)


def _comparable(rule: Rule) -> pl.Expr:
    # A date is its midnight in UTC.
    return GIVEN.cast(pl.Datetime("ms", "UTC")) if rule.type == "date" else GIVEN


def _extreme(
    chosen: Callable[[pl.Expr], pl.Expr], beyond: Callable[[pl.Expr, pl.Expr], pl.Expr]
) -> Strategy:
    """Build the strategy that keeps the highest value, or the lowest."""

    def fold(rule: Rule) -> pl.Expr:
        return chosen(pl.col(rule.name))

    return Strategy(
        fold=fold,
        survives=lambda rule, position: position.filter(pl.col(rule.name) == fold(rule)).first(),
        merge=lambda rule: pl.when(READ.is_null() | beyond(_comparable(rule), READ)).then(GIVEN),
        reads_held=True,
    )


def _union_of(one: pl.Expr, other: pl.Expr) -> pl.Expr:
    return one.list.concat(other).list.unique(maintain_order=True)


def _without(base: pl.Expr, removed: pl.Expr) -> pl.Expr:
    # *removed* comes first and is free of duplicates, so what follows it is what base has besides.
    return _union_of(removed, base).list.slice(removed.list.len())


def _joined(rule: Rule) -> pl.Expr:
    joined = pl.struct(READ, GIVEN).map_batches(
        lambda lists: _join_lists(lists.struct.unnest(), rule),
        return_dtype=_MEMBERS,
        is_elementwise=True,
    )
    return pl.when(joined.list.len() > 0).then(joined)


def _join_lists(lists: pl.DataFrame, rule: Rule) -> pl.Series:
    """Join ``read`` and ``given``; an empty list where nothing is new."""
    union = _union_of(READ, kept_of_given(rule))
    news = union.list.len() > READ.list.len()
    joined = lists.select(union=pl.when(news).then(union).otherwise(pl.lit([], _MEMBERS)))
    crowded = (joined["union"].list.len() > rule.config.max_items).fill_null(value=False)
    if not crowded.any():
        return joined["union"]
    # Letting the oldest go is costly, and most runs meet no list that is full.
    both = pl.concat([lists, joined], how="horizontal")
    return both.select(pl.when(crowded).then(_kept(rule)).otherwise("union")).to_series()


def _kept(rule: Rule) -> pl.Expr:
    union = pl.col("union")
    surplus = union.list.len().cast(pl.Int64) - rule.config.max_items
    return _without(union, _without(READ, kept_of_given(rule)).list.head(surplus))


def _fewer(removed: pl.Expr) -> pl.Expr:
    left = _without(READ, removed)
    return pl.when(left.list.len() < READ.list.len()).then(left)


def _without_entry() -> pl.Expr:
    return _fewer(GIVEN.list.eval(pl.lit('"') + pl.element().str.strip_prefix(_GOES)))


def _goes() -> pl.Expr:
    return GIVEN.list.first().str.starts_with(_GOES)


def kept_of_given(rule: Rule) -> pl.Expr:
    """Of a given list that is longer than Braze keeps, the last members."""
    return GIVEN.list.tail(rule.config.max_items)


def _as_given(rule: Rule) -> pl.Expr:
    return kept_of_given(rule) if rule.type == "list" else GIVEN


def _is_void(rule: Rule) -> pl.Expr:
    """Test for a text in Braze that means nothing, where a row says that there is nothing."""
    texts = [json.dumps(text, ensure_ascii=False) for text in rule.void]
    return GIVEN.is_null() & HELD.is_in(texts) if texts else pl.lit(value=False)


_ENTRY = Strategy(
    fold=_last,
    survives=lambda rule, position: position.filter(_spoken(rule)).last(),
    merge=lambda rule: pl.when(_goes()).then(_without_entry()).otherwise(_joined(rule)),
    empties=lambda _: _goes() & (_without_entry().list.len() == 0),
    reads_held=True,
)
"""One entry of a list comes or goes: the last row decides, and all others stay."""


def strategy_of(rule: Rule) -> Strategy:
    """Return how a field is merged."""
    return _ENTRY if rule.of_entry else STRATEGIES[rule.merge]


STRATEGIES: dict[StrategyName, Strategy] = {
    "set": Strategy(
        fold=_last,
        survives=lambda rule, position: position.filter(_spoken(rule)).last(),
        merge=_as_given,
        empties=_is_void,
    ),
    "add": Strategy(
        fold=_union,
        merge=_joined,
        reads_held=True,
    ),
    "sum": Strategy(
        fold=_total,
        merge=lambda _: GIVEN + READ.fill_null(0),
        reads_held=True,
    ),
    "set_if_empty": Strategy(
        fold=_first,
        survives=lambda rule, position: position.filter(_spoken(rule)).first(),
        merge=lambda rule: pl.when(HELD == EMPTY).then(_as_given(rule)),
    ),
    "clear": Strategy(
        fold=lambda rule: _whole(rule, pl.col(rule.name).filter(pl.col(said(rule.name))).last()),
        survives=lambda rule, position: position.filter(pl.col(said(rule.name))).last(),
        merge=_as_given,
        empties=lambda _: SAID & GIVEN.is_null(),
    ),
    "remove": Strategy(
        fold=_union,
        merge=lambda _: _fewer(GIVEN),
        empties=lambda _: _fewer(GIVEN).list.len() == 0,
        reads_held=True,
    ),
    "highest": _extreme(pl.Expr.max, operator.gt),
    "lowest": _extreme(pl.Expr.min, operator.lt),
    "deep": Strategy(
        fold=_joined_texts,
        merge=lambda _: GIVEN,
    ),
    "rows": Strategy(
        fold=lambda rule: _last(rule) if rule.config.complete else _joined_texts(rule),
        survives=lambda rule, position: (
            position.filter(_spoken(rule)).last() if rule.config.complete else None
        ),
        merge=lambda _: GIVEN,
    ),
}
"""The merge table. Each strategy is checked against a row-by-row oracle in ``tests/laws``."""
