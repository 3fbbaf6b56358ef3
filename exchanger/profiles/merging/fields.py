"""One field of all profiles: given and held become wanted, or a reason why they cannot."""

from __future__ import annotations

import polars as pl

from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.merging.consent import resubscribes
from exchanger.profiles.merging.drift import differs
from exchanger.profiles.merging.strategies import GIVEN, HELD, READ, strategy_of
from exchanger.profiles.nested.cells import OUTCOME, merge_texts
from exchanger.profiles.spelling.canonical_reader import TRUSTED_DIGITS, members, read_held
from exchanger.profiles.spelling.json_values import EMPTY, canonical, fragment

LARGEST = 2**63 - 1
"""Sums beyond 64 bit are rejected: few readers of JSON keep them."""

VALUE = pl.col("value")
SEND = pl.col("send")
WANTED = pl.col("wanted")


def merge_field(rule: Rule, cells: pl.LazyFrame) -> pl.LazyFrame:
    """
    Merge one field.

    Args:
        rule: The field.
        cells: ``given`` (typed), ``held`` (canonical text; null is unknown), ``said``, and
            ``sent``: what was delivered last, null where ``on_drift`` does not ask for it.

    Returns:
        In the order of *cells*: ``before``, ``wanted`` and ``send``, all null where nothing
        changes; ``problem`` (a reason or null); ``about`` (the text the problem is about);
        ``retyped`` (Boolean: a value of another JSON type is replaced), ``dropped`` (UInt32:
        members of a list that found no room), ``kept`` (Boolean: nothing changes, as somebody
        else changed the value in Braze) and ``withheld`` (Boolean: nothing changes, as it would
        subscribe somebody who is unsubscribed). Of JSON merged in parts also ``merging``, as
        ``nested_cells.OUTCOME`` has it.
    """
    if rule.in_parts:
        return _outcome(rule, _merged_in_parts(rule, cells), "merging")
    return _outcome(rule, _merged(rule, cells))


def _merged_in_parts(rule: Rule, cells: pl.LazyFrame) -> pl.LazyFrame:
    found = pl.struct(GIVEN, HELD).map_batches(
        lambda both: merge_texts(rule, both.struct.unnest()),
        return_dtype=OUTCOME,
        is_elementwise=True,
    )
    return cells.with_columns(found.alias("outcome"), dropped=pl.lit(0)).unnest("outcome")


def _merged(rule: Rule, cells: pl.LazyFrame) -> pl.LazyFrame:
    strategy = strategy_of(rule)
    read = read_held(rule, HELD) if strategy.reads_held else pl.lit(None)
    merged = (
        cells.with_columns(read=pl.when(GIVEN.is_not_null() & (HELD != EMPTY)).then(read))
        .with_columns(_no_members(rule))
        .with_columns(
            value=strategy.merge(rule),
            emptied=strategy.empties(rule).fill_null(value=False),
        )
        .with_columns(send=fragment(rule, VALUE))
        .with_columns(wanted=canonical(rule, SEND), problem=_problem(rule), dropped=_dropped(rule))
    )
    emptied = pl.when("emptied").then(pl.lit(EMPTY))
    return merged.with_columns(
        send=emptied.otherwise(SEND), wanted=emptied.otherwise(WANTED), about=_about_merged(rule)
    )


def _outcome(rule: Rule, merged: pl.LazyFrame, *also: str) -> pl.LazyFrame:
    compared = merged.with_columns(change=_differs(rule) & pl.col("problem").is_null())
    final = _without_resubscribed(rule, _without_drifted(rule, compared))
    changed = pl.when("change")
    about = pl.col("about")
    if rule.config.on_drift == "quarantine":
        about = pl.when(pl.col("problem") == "changed_by_others").then(HELD).otherwise(about)
    return final.select(
        changed.then(HELD).alias("before"),
        changed.then(WANTED).alias("wanted"),
        changed.then(SEND).alias("send"),
        "problem",
        about.alias("about"),
        _retyped().alias("retyped"),
        changed.then("dropped").otherwise(0).cast(pl.UInt32).alias("dropped"),
        "kept",
        "withheld",
        *(changed.then(name).alias(name) for name in also),
    )


def _without_drifted(rule: Rule, merged: pl.LazyFrame) -> pl.LazyFrame:
    """Take out changes of what Braze no longer has as it was delivered, as ``on_drift`` says."""
    policy = rule.config.on_drift
    if policy == "overwrite":
        return merged.with_columns(kept=pl.lit(value=False))
    drifted = pl.col("change") & differs(pl.col("sent"), HELD, ordered=rule.config.ordered)
    rejected = drifted & pl.lit(policy == "quarantine")
    return merged.with_columns(
        change=pl.col("change") & ~drifted,
        kept=(drifted & pl.lit(policy == "keep")).fill_null(value=False),
        problem=pl.when(rejected).then(pl.lit("changed_by_others")).otherwise("problem"),
    )


def _without_resubscribed(rule: Rule, merged: pl.LazyFrame) -> pl.LazyFrame:
    """Take out changes that would subscribe somebody who is unsubscribed."""
    withheld = pl.col("change") & resubscribes(rule)
    return merged.with_columns(change=pl.col("change") & ~withheld, withheld=withheld)


def _no_members(rule: Rule) -> list[pl.Expr]:
    """Empty and a list without members are one and the same; the list is easier to add to."""
    if rule.type != "list" or not strategy_of(rule).reads_held:
        return []
    nothing = pl.lit([], dtype=pl.List(pl.String))
    return [pl.when(HELD == EMPTY).then(nothing).otherwise(READ).alias("read")]


def _problem(rule: Rule) -> pl.Expr:
    reason = pl.lit(None, pl.String)
    if rule.merge == "sum":
        reason = _size_problem(rule)
    if strategy_of(rule).reads_held:
        misfit = GIVEN.is_not_null() & READ.is_null() & (HELD != EMPTY)
        reason = pl.when(misfit).then(pl.lit("held_type")).otherwise(reason)
    return reason


def _size_problem(rule: Rule) -> pl.Expr:
    if rule.type == "float":
        return pl.when(~VALUE.is_finite()).then(pl.lit("overflow"))
    large = pl.any_horizontal(_beyond(GIVEN), _beyond(VALUE))
    digits = SEND.str.replace_all(r"[-.]", "").str.strip_chars("0").str.len_bytes()
    long = digits > TRUSTED_DIGITS if rule.type == "decimal" else pl.lit(value=False)
    return pl.when(large).then(pl.lit("overflow")).when(long).then(pl.lit("too_many_digits"))


def _beyond(units: pl.Expr) -> pl.Expr:
    return (units > LARGEST) | (units < -LARGEST - 1)


def _differs(rule: Rule) -> pl.Expr:
    """Where there is something to send that Braze does not have; an unknown value always is."""
    differs = WANTED.is_not_null() & WANTED.ne_missing(HELD)
    if rule.type != "list" or rule.config.ordered or strategy_of(rule).reads_held:
        return differs
    lists = pl.struct((differs & HELD.str.starts_with("[")).alias("differs"), HELD, VALUE)
    same = lists.map_batches(
        lambda cells: _has_same_members(cells.struct.unnest()),
        return_dtype=pl.Boolean,
        is_elementwise=True,
    )
    return differs & ~same


def _has_same_members(cells: pl.DataFrame) -> pl.Series:
    """Find lists that differ from what is held in nothing but their order."""
    differs = cells["differs"].fill_null(value=False)
    if not differs.any():
        return differs
    lists = cells.filter(differs).select(members(cells["held"].filter(differs)), VALUE)
    both = HELD.list.concat(VALUE).list.unique().list.len()
    same = (both == VALUE.list.len()) & (both == HELD.list.len())
    found = lists.select(same.fill_null(value=False)).to_series()
    return differs.scatter(differs.arg_true(), found)


def _about_merged(rule: Rule) -> pl.Expr:
    if rule.merge != "sum" and not strategy_of(rule).reads_held:
        return pl.lit(None, pl.String)  # Nothing can be wrong with it.
    return pl.coalesce(pl.when(pl.col("problem") != "held_type").then(SEND), HELD)


_DIGITS = list("-0123456789")


def _retyped() -> pl.Expr:
    return pl.struct("change", HELD, WANTED).map_batches(
        lambda cells: _of_other_kind(cells.struct.unnest()),
        return_dtype=pl.Boolean,
        is_elementwise=True,
    )


def _of_other_kind(cells: pl.DataFrame) -> pl.Series:
    """Find changes from a value to one of another JSON type, among the few that replace one."""
    held, wanted = cells["held"], cells["wanted"]
    if held.null_count() == len(held):
        return pl.repeat(False, len(held), dtype=pl.Boolean, eager=True)
    replaces = (cells["change"] & (held != EMPTY) & (wanted != EMPTY)).fill_null(value=False)
    if not replaces.any():
        return replaces
    kinds = cells.filter(replaces).select(_kind(HELD) != _kind(WANTED)).to_series()
    return replaces.scatter(replaces.arg_true().filter(~kinds), False)


def _kind(text: pl.Expr) -> pl.Expr:
    """Name the JSON type by the first character: quote, bracket, brace, ``t`` or ``0``."""
    first = text.str.head(1)
    return (
        pl.when(first.is_in(_DIGITS))
        .then(pl.lit("0"))
        .when(first == "f")
        .then(pl.lit("t"))
        .otherwise(first)
    )


def _dropped(rule: Rule) -> pl.Expr:
    if rule.type != "list" or rule.merge == "remove":
        return pl.lit(0)
    if rule.merge != "add" and not rule.of_entry:
        return GIVEN.list.len().cast(pl.Int64) - VALUE.list.len()
    return pl.struct(READ, GIVEN, VALUE).map_batches(
        lambda lists: _left_out(lists.struct.unnest(), rule.config.max_items),
        return_dtype=pl.Int64,
        is_elementwise=True,
    )


def _left_out(lists: pl.DataFrame, max_items: int) -> pl.Series:
    """Count the members of ``read`` and ``given`` that are not in ``value``."""
    full = (lists["value"].list.len() >= max_items).fill_null(value=False)
    counts = pl.Series("dropped", [0], dtype=pl.Int64).new_from_index(0, len(lists))
    if not full.any():
        return counts
    offered = READ.list.concat(GIVEN).list.unique().list.len().cast(pl.Int64)
    left_out = lists.filter(full).select(offered - VALUE.list.len()).to_series()
    return counts.scatter(full.arg_true(), left_out)
