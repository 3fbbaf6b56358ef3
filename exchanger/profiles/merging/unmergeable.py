"""Rows of profiles whose values cannot be merged, as a person may give them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from exchanger.profiles.frames.columns import FILE, PROFILE, ROW
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.spelling.json_values import decimal_text
from exchanger.profiles.spelling.profile_key import identifier_member
from exchanger.profiles.spelling.times import SPELLING


def unmergeable(
    given: pl.DataFrame, corrections: pl.DataFrame, rejected: pl.DataFrame, rules: Sequence[Rule]
) -> pl.DataFrame:
    """
    List the rows of profiles that cannot be merged.

    A profile that only earlier versions of a file named has no row; it is listed without one.

    Args:
        given: Given rows, typed.
        corrections: What earlier versions of a file gave.
        rejected: ``@profile``, and why it cannot be merged.
        rules: All fields.

    Returns:
        A row for each: ``@file``, ``@row``, ``profile``, the columns of *rejected*, and ``record``
        (JSON): the cells as text, by column, as they can be read again.
    """
    few = rejected.select(PROFILE).unique()
    given = given.join(few, on=PROFILE, how="semi", maintain_order="left")
    corrected = corrections.select(PROFILE, FILE).filter(_among(few) & ~_among(given))
    # The order is kept everywhere: whoever plans this part must come to the same rows.
    alone = corrected.unique(PROFILE, keep="first", maintain_order=True)
    rows = pl.concat([given, alone], how="diagonal")
    return (
        rows.join(rejected, on=PROFILE, maintain_order="left")
        .with_columns(record_of(rows, rules).alias("record"))
        .select(FILE, ROW, pl.col(PROFILE).alias("profile"), *rejected.columns[1:], "record")
    )


def _among(profiles: pl.DataFrame) -> pl.Expr:
    return pl.col(PROFILE).is_in(profiles[PROFILE].implode())


def record_of(
    given: pl.DataFrame, rules: Sequence[Rule], more: Mapping[str, pl.Expr] | None = None
) -> pl.Expr:
    """
    Spell rows as JSON, by column, so that they can be read again.

    Args:
        given: Given rows, typed.
        rules: All fields.
        more: Cells of further columns, as text.
    """
    cells = {column: cell.alias(column) for column, cell in (more or {}).items()} | {
        rule.column: _cell(rule, given.schema[rule.name]).alias(rule.column)
        for rule in rules
        if rule.column and rule.name in given.columns
    }
    name = identifier_member(given[PROFILE])
    if not cells:
        return pl.concat_str(pl.lit("{"), name, pl.lit("}"))
    rest = pl.struct(*cells.values()).struct.json_encode().str.strip_prefix("{")
    return pl.concat_str(pl.lit("{"), name, pl.lit(","), rest)


def _cell(rule: Rule, dtype: pl.DataType) -> pl.Expr:
    """Spell a typed value like a cell of a file; units of decimals would be another number."""
    value = pl.col(rule.name)
    if rule.type == "decimal":
        return decimal_text(value, rule.scale)
    if rule.type == "date":
        return value.dt.strftime("%Y-%m-%d")
    if rule.type == "datetime":
        return value.dt.strftime(SPELLING)
    return value if dtype.is_nested() else value.cast(pl.String)
