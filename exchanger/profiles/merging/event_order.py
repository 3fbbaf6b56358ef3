"""
Order between runs: a file that comes late does not undo what a newer row has set.

Where a job has ``order_by``, each field of a profile has come as far as the highest order of the
rows that set it. Only ``set``, ``clear``, ``deep`` and ``rows`` take it further: they alone put a
value, or a part of one, in place of another. A row of lower order gives way there, under every
strategy that could undo what is newer; an equal order does not, so of two such runs the later one
counts. A row without an order is older than any row that has one.

``sum``, ``add``, ``remove``, ``highest`` and ``lowest`` come out alike in any order, and count
whenever they come. A field has one strategy in a job, so ``remove`` and ``set_if_empty`` give way
only if the field had another one before.

Frames of orders have ``@profile``, ``@order`` and, for each field, the Boolean ``order:NAME``: true
where the order counts for the field, else null.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from exchanger.config.models import NESTED, StrategyName
from exchanger.profiles.frames.columns import FILE, ORDER, PROFILE, ROW, ordered, said
from exchanger.profiles.frames.rules import Rule

REPLACING: frozenset[StrategyName] = frozenset({"set", "clear", *NESTED})
"""
Strategies that put a value in place of another, which later rows of lower order must not. Of the
leaves of an object nobody remembers the order one by one: the field has one.
"""
GIVING_WAY: frozenset[StrategyName] = REPLACING | {"remove", "set_if_empty"}
"""Strategies by which an old row could undo a newer one."""


@dataclass(frozen=True)
class Silenced:
    """
    Rows without what was overtaken.

    Args:
        rows: The given frame, without the rows that say nothing any more.
        overtaken: ``@file @row`` of every row of which something was overtaken, and a Boolean
            column by the name of each field that may be.
        gone: ``@file @row`` of those of which everything was.
    """

    rows: pl.DataFrame
    overtaken: pl.DataFrame
    gone: pl.DataFrame


def overtaken(
    given: pl.DataFrame, applied: pl.DataFrame, rules: Sequence[Rule], *, or_equal: bool = False
) -> pl.DataFrame:
    """
    Return which cells are older than what was applied before.

    Args:
        given: The given frame, with ``@order``.
        applied: Orders that were applied, of a type that compares with ``@order``.
        rules: The fields.
        or_equal: Count cells of the same order too.

    Returns:
        In order of *given*, a Boolean column by the name of each field of which a cell may be.
    """
    own = pl.col(ORDER)
    bounds = given.group_by(PROFILE).agg(own.min(), own.is_null().any().alias("@without"))
    near = applied.join(bounds, on=PROFILE, suffix="@lowest")
    lowest = pl.col(f"{ORDER}@lowest")
    could = pl.col("@without") | (own >= lowest if or_equal else own > lowest)
    newer = near.filter(could.fill_null(value=True))
    names = [
        rule.name
        for rule in rules
        if rule.merge in GIVING_WAY
        and rule.name in given.columns
        and ordered(rule.name) in newer.columns
    ]
    if newer.is_empty() or not names:
        return given.select()
    beside = given.select(PROFILE, ORDER).join(
        _reached(newer, names), on=PROFILE, how="left", maintain_order="left"
    )
    return beside.select(
        _older(pl.col(ordered(name)), or_equal=or_equal).alias(name) for name in names
    )


def silenced(given: pl.DataFrame, cells: pl.DataFrame) -> Silenced:
    """
    Take out of rows what was overtaken.

    Args:
        given: The given frame, or a part of it.
        cells: As *overtaken* gives them.
    """
    names = [name for name in cells.columns if cells[name].any()]
    if not names:
        return Silenced(given, given.select(FILE, ROW).clear(), given.select(FILE, ROW).clear())
    spoken = [cells[name] & given.select(_speaks(given, name)).to_series() for name in names]
    marked = given.select(FILE, ROW).with_columns(
        cell.alias(name) for name, cell in zip(names, spoken, strict=True)
    )
    late = marked.filter(pl.any_horizontal(names))
    quiet = given.with_columns(expr for name in names for expr in _quiet(given, name, cells[name]))
    silent = quiet.filter(~_says_anything(given)).select(FILE, ROW)
    gone = late.join(silent, on=[FILE, ROW], how="semi").select(FILE, ROW)
    kept = quiet.join(gone, on=[FILE, ROW], how="anti", maintain_order="left")
    return Silenced(kept, late, gone)


def orders_of(given: pl.DataFrame, rules: Sequence[Rule]) -> pl.DataFrame:
    """
    Return how far rows take the order, once they are applied.

    Returns:
        A frame of orders: of each profile and field, the highest order of the rows that set it.
        Rows without an order take nothing further.
    """
    names = [rule.name for rule in rules if rule.merge in REPLACING and rule.name in given.columns]
    rows = given.filter(pl.col(ORDER).is_not_null()).select(
        PROFILE,
        ORDER,
        *(
            pl.when(_speaks(given, name)).then(pl.lit(value=True)).alias(ordered(name))
            for name in names
        ),
    )
    return _without_empty(_highest(rows, [ordered(name) for name in names]))


def news(orders: pl.DataFrame, applied: pl.DataFrame) -> pl.DataFrame:
    """Leave out of orders what was applied before: the same order, or a higher one."""
    flags = [name for name in orders.columns if name in applied.columns and name != ORDER]
    names = [flag.removeprefix(ordered("")) for flag in flags if flag != PROFILE]
    reached = _reached(applied, names).rename({ordered(name): f"@reached:{name}" for name in names})
    beside = orders.join(reached, on=PROFILE, how="left", maintain_order="left")
    further = [
        pl.when((pl.col(ORDER) > pl.col(f"@reached:{name}")).fill_null(value=True)).then(
            ordered(name)
        )
        for name in names
    ]
    return _without_empty(beside.with_columns(further).select(orders.columns))


def _reached(orders: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Return how far each field has come: one row per profile, an order per field."""
    return orders.group_by(PROFILE).agg(
        pl.col(ORDER).filter(ordered(name)).max().alias(ordered(name)) for name in names
    )


def _older(reached: pl.Expr, *, or_equal: bool) -> pl.Expr:
    own = pl.col(ORDER)
    older = own <= reached if or_equal else own < reached
    return reached.is_not_null() & older.fill_null(value=True)


def _highest(rows: pl.DataFrame, flags: Sequence[str]) -> pl.DataFrame:
    """Keep of each flag those of the highest order; one row per profile and order."""
    repeated = rows[PROFILE].is_duplicated()
    if not repeated.any():
        return rows
    several = rows.filter(repeated).with_columns(
        pl.when(pl.col(ORDER) == pl.col(ORDER).filter(flag).max().over(PROFILE)).then(flag)
        for flag in flags
    )
    merged = several.group_by(PROFILE, ORDER, maintain_order=True).agg(
        pl.col(flag).drop_nulls().first() for flag in flags
    )
    return pl.concat([rows.filter(~repeated), merged])


def _without_empty(orders: pl.DataFrame) -> pl.DataFrame:
    flags = [pl.col(name) for name in orders.columns if name not in (PROFILE, ORDER)]
    return orders.filter(pl.any_horizontal(pl.lit(value=False), *flags))


def _speaks(given: pl.DataFrame, name: str) -> pl.Expr:
    # What a *clear* rule says is in its flag alone.
    flag = said(name)
    if flag in given.columns:
        return pl.col(flag).fill_null(value=False)
    return pl.col(name).is_not_null()


def _says_anything(given: pl.DataFrame) -> pl.Expr:
    fields = [name for name in given.columns if not name.startswith("@")]
    return pl.any_horizontal(pl.lit(value=False), *(_speaks(given, name) for name in fields))


def _quiet(given: pl.DataFrame, name: str, cells: pl.Series) -> list[pl.Expr]:
    still = ~pl.lit(cells)
    quiet = [pl.when(still).then(pl.col(name)).alias(name)]
    if said(name) in given.columns:
        quiet.append((pl.col(said(name)) & still).alias(said(name)))
    return quiet
