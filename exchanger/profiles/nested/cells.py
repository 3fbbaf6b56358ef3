"""
Columns of JSON under ``deep`` and ``rows``: given meets held, cell by cell.

Polars has no way to merge JSON, nor to keep its numbers exact, so this is the one place of merging
that goes through Python: each distinct pair of a given and a held text once, read by the exact
reader. What Braze has already, and what nothing is held of, is told by the text alone.
"""

from __future__ import annotations

import json
from decimal import Decimal
from functools import reduce
from typing import Any, NamedTuple

import polars as pl

from exchanger.braze.limits import LARGEST_NESTED
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.nested.values import (
    NotMergeableError,
    carried_out,
    difference,
    folded,
    folded_rows,
    is_object,
    laid_over,
    leaves,
    reconciled,
    replaced,
    row_changes,
    row_id,
    text_of,
    without_empty,
)
from exchanger.profiles.spelling.json_values import EMPTY, spell_json
from exchanger.profiles.validation.nested import is_order

SEPARATOR = "\n"
"""Stands between the texts of several rows: in canonical JSON it is always escaped."""

OUTCOME = pl.Struct(
    {
        "wanted": pl.String(),
        "send": pl.String(),
        "merging": pl.Boolean(),
        "problem": pl.String(),
        "about": pl.String(),
    }
)
"""
What becomes of a cell: all null where nothing changes.

``merging``: what is sent has to be merged (true), has to replace (false), or does not mind (null).
"""
_HARD = r'"\$set":|:\{\}|^\{\}$'
"""A mark of folding, or an object without members: not to be taken as it stands."""


class _Outcome(NamedTuple):
    wanted: str | None = None
    send: str | None = None
    merging: bool | None = None
    problem: str | None = None
    about: str | None = None


def fold_texts(rule: Rule, joined: pl.Series) -> pl.Series:
    """
    Fold the texts that several rows give to a field.

    Args:
        rule: The field, merged by ``deep`` or ``rows``.
        joined: The texts of a profile with a separator in between; empty if it has none.

    Returns:
        One text for each profile, in which what replaces is marked; null if nothing is given.
    """
    texts = joined.replace("", None)
    several = texts.filter(texts.str.contains(SEPARATOR, literal=True)).unique()
    if several.is_empty():
        return texts
    one = pl.Series([_folded(rule, text.split(SEPARATOR)) for text in several], dtype=pl.String)
    return texts.replace(several, one)


def merge_texts(rule: Rule, cells: pl.DataFrame) -> pl.Series:
    """
    Merge given texts into held ones.

    Args:
        rule: The field, merged by ``deep`` or ``rows``.
        cells: ``given`` (null: nothing) and ``held``.

    Returns:
        A struct for each cell, as ``OUTCOME``.
    """
    given, held = pl.col("given"), pl.col("held")
    changing = given.is_not_null() & given.ne_missing(held)
    small = given.str.len_bytes() <= LARGEST_NESTED // 2
    plain = changing & (held == EMPTY) & small & ~given.str.contains(_HARD)
    asked = cells.select(given, held, plain=plain, hard=changing & ~plain)
    pairs = asked.filter("hard").select("given", "held").unique()
    merge_one = _deep if rule.merge == "deep" else _rows
    found = [merge_one(rule, read(one), read(other)) for one, other in pairs.iter_rows()]
    outcomes = pl.DataFrame(found, schema=OUTCOME.to_schema(), orient="row")
    told = asked.join(
        pl.concat([pairs, outcomes], how="horizontal"),
        on=["given", "held"],
        how="left",
        maintain_order="left",
    )
    taken, merged = pl.when("plain").then, pl.lit(rule.merge == "deep" or None, pl.Boolean)
    outcome = pl.struct(
        taken(given).otherwise("wanted").alias("wanted"),
        taken(given).otherwise("send").alias("send"),
        taken(merged).otherwise("merging").alias("merging"),
        "problem",
        "about",
    )
    return told.select(outcome.alias("outcome")).to_series()


def replaces(cells: pl.DataFrame) -> pl.Series:
    """
    Return where a whole object cannot be sent to be merged, as that would leave what has to go.

    Args:
        cells: ``before`` (null: nobody knows) and ``wanted`` (null: nothing is sent).
    """
    before, wanted = pl.col("before"), pl.col("wanted")
    objects = wanted.str.starts_with("{").fill_null(value=False)
    pairs = cells.filter(objects & (before.fill_null("") != EMPTY)).unique()
    # Of most rows there is none, and of the others few differ.
    hard = [
        (one, other)
        for one, other in pairs.select("before", "wanted").iter_rows()
        if not _is_mergeable(one, other)
    ]
    schema = {"before": pl.String, "wanted": pl.String}
    found = pl.DataFrame(hard, schema=schema, orient="row").with_columns(found=True)
    told = cells.join(
        found, on=["before", "wanted"], how="left", maintain_order="left", nulls_equal=True
    )
    return told["found"].fill_null(value=False)


def changed_parts(before: pl.Series, wanted: pl.Series, key: str | None) -> pl.Series:
    """
    Return what values have that they lacked before: leaves of objects, or items of arrays.

    Args:
        before: What was held; null where nobody knew.
        wanted: What was to be held; null where nothing was to change.
        key: What tells the items of an array apart; None for objects.
    """
    pairs = zip(before.fill_null(EMPTY), wanted, strict=True)
    return pl.Series(
        wanted.name,
        [None if new is None else _changed(read(old), read(new), key) for old, new in pairs],
        dtype=pl.String,
    )


def applied(held: str, sent: str) -> str:
    """
    Return what Braze has once a value that is merged in parts arrives (braze-api.md 2.13).

    Args:
        held: What it had, as canonical text.
        sent: An object to be merged, orders to remove and update items, or a whole array.
    """
    had, given = read(held), read(sent)
    if not is_object(given):
        return sent
    if given and given.keys() <= {"$remove", "$update"}:
        return spell_json(carried_out(had, given)) if isinstance(had, list) else held
    return spell_json(laid_over(had if is_object(had) else {}, given))


def read(text: str) -> Any:
    """Read JSON with exact numbers."""
    return json.loads(text, parse_float=Decimal)


def _changed(before: Any, wanted: Any, key: str | None) -> str:
    if key is None:
        try:
            return spell_json(difference(before if is_object(before) else {}, wanted) or wanted)
        except NotMergeableError:
            return spell_json(wanted)
    had = {spell_json(item) for item in before} if isinstance(before, list) else set()
    news = [item for item in wanted if spell_json(item) not in had]
    return spell_json([item for item in news if row_id(item, key)] or wanted)


def _folded(rule: Rule, texts: list[str]) -> str:
    values = [_read_given(rule, text) for text in texts]
    if rule.merge == "deep":
        return spell_json(reduce(folded, values))
    key = rule.config.key or ""
    return spell_json(reduce(lambda one, other: folded_rows(one, other, key), values))


def _read_given(rule: Rule, text: str) -> Any:
    value = read(text)
    return without_empty(value) if rule.merge == "deep" else [without_empty(item) for item in value]


def _is_mergeable(before: str | None, wanted: str) -> bool:
    held, whole = read(before or EMPTY), read(wanted)
    if not is_object(held) or not is_object(whole):
        return before is not None and is_object(held) == is_object(whole)
    try:
        difference(held, whole)
    except NotMergeableError:
        return False
    return True


def _deep(_: Rule, given: Any, held: Any) -> _Outcome:
    had = {} if held is None else held
    if not is_object(had):
        return _misfit(held)
    wanted = laid_over(had, without_empty(given))
    try:
        changed = difference(had, wanted)
    except NotMergeableError:
        return _checked(wanted, merging=False)
    if not changed:
        return _Outcome()
    # A part may be what the whole is not: an order to count, or to add to a list.
    sent = wanted if is_order(changed) else changed
    if is_order(sent):
        return _Outcome(problem="an_order", about=spell_json(sent))
    return _checked(wanted, spell_json(sent), merging=True)


def _rows(rule: Rule, given: Any, held: Any) -> _Outcome:
    key, complete = rule.config.key or "", rule.config.complete
    had = [] if held is None else held
    if not isinstance(had, list) or not all(map(is_object, had)):
        if not complete:
            return _misfit(held)
        had = []
    if complete:
        wanted = replaced(had, given, key)
    else:
        wanted = reconciled(had, [without_empty(item) for item in given], key)
    try:
        orders = row_changes(had, wanted, key)
    except NotMergeableError:
        if text_of(wanted) == text_of(had):
            return _Outcome()
        return _checked(wanted)
    if not orders:
        return _Outcome()
    cost = len(orders.get("$remove", [])) + sum(
        leaves(update["$new_object"]) for update in orders.get("$update", [])
    )
    if cost >= leaves(wanted):
        return _checked(wanted)
    return _checked(wanted, spell_json(orders), merging=True if "$update" in orders else None)


def _checked(wanted: Any, send: str | None = None, *, merging: bool | None = None) -> _Outcome:
    """Send a part, or the whole; but nothing that Braze would drop, as all is too large then."""
    text = spell_json(wanted)
    # A sign takes 4 bytes at most, and a time is spelt little longer than it is given.
    if len(text) > LARGEST_NESTED // 8:
        size = max(len(text.encode()), len(text_of(wanted).encode()))
        if size > LARGEST_NESTED:
            return _Outcome(problem="too_large", about=str(size))
    return _Outcome(text, send or text, merging)


def _misfit(held: Any) -> _Outcome:
    return _Outcome(problem="held_type", about=spell_json(held))
