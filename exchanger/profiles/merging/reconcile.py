"""
Given meets held: what Braze must have afterwards, and what is to be sent for it.

Only differences are sent, as absolute values (law 1), and what is unknown is looked up before a
strategy that needs it (law 10).

A held value of another type than the field's: ``set`` and ``clear`` replace it, which counts as a
change of type. ``sum``, ``highest`` and ``lowest`` read exact numbers and dates, also in quotes;
``add`` and ``remove`` take a scalar for a list of one; ``deep`` needs an object, and ``rows`` that
is not ``complete`` an array of objects. Anything else rejects the profile's rows with
``held_type``: an object is no list, 12.5 is no integer, and 12.345 has no two places. A
float's tail is no such place: 0.30000000000000004 is read as 0.3.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from exchanger.config.models import NEEDS_HELD
from exchanger.profiles.frames.columns import (
    EXISTS,
    FILE,
    KNOWN,
    PROFILE,
    ROW,
    SENT,
    before,
    merging,
    said,
    send,
    sent_column,
    wanted,
)
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.merging.consent import may_raise
from exchanger.profiles.merging.fields import merge_field
from exchanger.profiles.merging.problems import rejections
from exchanger.profiles.merging.strategies import said_column
from exchanger.profiles.nested.one_mode import with_one_mode
from exchanger.profiles.spelling.canonical_reader import UNCERTAIN
from exchanger.profiles.spelling.json_values import EMPTY

_ROW_OF_HELD = "@held"


@dataclass(frozen=True)
class Counts:
    """
    What a merge did.

    ``profiles_named`` is the sum of ``profiles_changed``, ``profiles_unchanged`` and
    ``profiles_rejected``. ``type_changes`` are fields whose held value was of another JSON type;
    ``members_dropped`` are members of lists that were longer than Braze keeps. ``fields_kept``
    are fields left alone as somebody else changed them in Braze (``on_drift: keep``), and
    ``fields_withheld`` those left alone as they would subscribe somebody who is unsubscribed.
    """

    profiles_named: int
    profiles_changed: int
    profiles_unchanged: int
    profiles_rejected: int
    fields_changed: int
    type_changes: int
    members_dropped: int
    fields_kept: int
    fields_withheld: int


@dataclass(frozen=True)
class Merged:
    """
    The result of ``merge``.

    Args:
        wanted: One row per profile that changes: ``@profile @file @row @known``, then per field
            ``before:NAME`` (null: it was unknown), ``wanted:NAME`` and ``send:NAME``, all null
            where the field does not change; and ``@merged`` if a field is merged in parts.
        rejected: One row per profile that cannot be merged: ``@profile field value reason
            message``; none of its rows may be applied.
        withheld: ``@profile`` of those of which a field is withheld for want of consent.
        counts: The numbers.
    """

    wanted: pl.DataFrame
    rejected: pl.DataFrame
    withheld: pl.Series
    counts: Counts


def needs_lookup(
    folded: pl.DataFrame, held: pl.DataFrame, rules: list[Rule], *, assume_empty: bool = False
) -> pl.DataFrame:
    """
    Name the held values that must be looked up before these rows can be merged.

    Args:
        folded: What ``folding.fold`` gave.
        held: The held frame; a profile without a row was never observed and never sent.
        rules: The fields.
        assume_empty: Take profiles without a row for empty (``baseline: assume_empty``).

    Returns:
        ``@profile``, ``field``: only where the rows give something that needs the held value.
    """
    needing = [rule for rule in rules if rule.needs_held]
    spoken = [said(rule.name) for rule in needing if rule.merge == "clear"]
    given = folded.select(PROFILE, *(rule.name for rule in needing), *spoken)
    if not needing:
        return _unknown(given, needing)
    return _unknown(_joined(given, held, needing, assume_empty=assume_empty), needing)


def merge(
    folded: pl.DataFrame, held: pl.DataFrame, rules: list[Rule], *, assume_empty: bool = False
) -> Merged:
    """
    Merge every field of every profile.

    Args:
        folded: What ``folding.fold`` gave.
        held: The held frame, with everything in it that ``needs_lookup`` names, and ``@sent:NAME``
            where a rule's ``on_drift`` is not ``overwrite``.
        rules: The fields.
        assume_empty: As for ``needs_lookup``.

    Raises:
        AssertionError: A held value that a strategy needs is unknown.
    """
    joined = _joined(folded, held, rules, assume_empty=assume_empty)
    missing = _unknown(joined, rules)
    if not missing.is_empty():
        message = f"{missing.height} held values are unknown, the first of {missing.row(0)}"
        raise AssertionError(message)
    outcomes = pl.collect_all([merge_field(rule, _cells(joined, rule)) for rule in rules])
    fields = {rule.name: outcome for rule, outcome in zip(rules, outcomes, strict=True)}
    rejected = rejections(joined[PROFILE], fields)
    parts = {rule.name for rule in rules if rule.in_parts}
    changes = [
        outcome.select(
            pl.col("before").alias(before(name)),
            pl.col("wanted").alias(wanted(name)),
            pl.col("send").alias(send(name)),
            *(pl.col("merging").alias(merging(name)) for _ in parts & {name}),
        )
        for name, outcome in fields.items()
    ]
    everything = pl.concat([joined.select(PROFILE, FILE, ROW, KNOWN), *changes], how="horizontal")
    fine = ~joined[PROFILE].is_in(rejected[PROFILE].implode())
    changing = everything.select(
        pl.any_horizontal(
            pl.col(PROFILE).is_null(), *(pl.col(wanted(name)).is_not_null() for name in fields)
        )
    ).to_series()
    # A first load changes everything, and a filter would copy all of it.
    all_change = bool((fine & changing).all())
    changed = everything if all_change else everything.filter(fine & changing)
    changed = with_one_mode(changed, rules)
    counts = _count(fine, changed, fields)
    return Merged(changed, rejected, _withheld(joined[PROFILE], fine, fields), counts)


def _joined(
    folded: pl.DataFrame, held: pl.DataFrame, rules: list[Rule], *, assume_empty: bool
) -> pl.DataFrame:
    """Put ``@held:NAME`` beside every field: null is unknown, whatever the reason."""
    present = [rule.name for rule in rules if rule.name in held.columns]
    renamed = held.select(
        PROFILE,
        EXISTS,
        pl.lit(value=True).alias(_ROW_OF_HELD),
        *(pl.col(name).alias(_held(name)) for name in present),
        *(name for name in held.columns if name.startswith(SENT)),
    )
    joined = folded.join(renamed, on=PROFILE, how="left", maintain_order="left")
    absent = pl.col(EXISTS).fill_null(value=True).not_()
    empty = absent | pl.col(_ROW_OF_HELD).is_null() if assume_empty else absent
    return joined.with_columns(
        # That somebody was never seen does not make them a subscriber.
        *(_known_text(rule.name, absent if rule.reads_state else empty, present) for rule in rules),
        (pl.col(_ROW_OF_HELD).is_not_null() & ~absent).alias(KNOWN),
    )


def _known_text(name: str, empty: pl.Expr, present: list[str]) -> pl.Expr:
    # A profile that does not exist has no value anywhere, also in fields nobody asked for.
    text = pl.col(_held(name)) if name in present else pl.lit(None, pl.String)
    unobserved = pl.when(empty & text.is_null()).then(pl.lit(EMPTY)).otherwise(text)
    return pl.when(unobserved != UNCERTAIN).then(unobserved).alias(_held(name))


def _held(name: str) -> str:
    return f"{_ROW_OF_HELD}:{name}"


def _unknown(joined: pl.DataFrame, rules: list[Rule]) -> pl.DataFrame:
    missing = joined.select(
        (_asks(rule) & pl.col(_held(rule.name)).is_null()).alias(rule.name)
        for rule in rules
        if rule.needs_held
    )
    # Of most fields nothing is unknown.
    frames = [
        joined.filter(one).select(PROFILE, pl.lit(one.name).alias("field"))
        for one in missing
        if one.any()
    ]
    return pl.concat([pl.DataFrame(schema={PROFILE: pl.String, "field": pl.String}), *frames])


def _asks(rule: Rule) -> pl.Expr:
    """Return which rows cannot be merged without the held value."""
    builds = rule.merge in NEEDS_HELD or rule.of_entry
    needed = pl.col(rule.name).is_not_null() if builds else pl.lit(value=False)
    return (needed | may_raise(rule)) if rule.reads_state else needed


def _cells(joined: pl.DataFrame, rule: Rule) -> pl.LazyFrame:
    return joined.lazy().select(
        given=pl.col(rule.name),
        held=pl.col(_held(rule.name)),
        said=said_column(rule),
        sent=_sent(joined, rule),
    )


def _sent(joined: pl.DataFrame, rule: Rule) -> pl.Expr:
    """Take what was delivered last; nothing of a profile that is gone: it would be a new one."""
    name = sent_column(rule.name)
    if rule.config.on_drift == "overwrite" or name not in joined.columns:
        return pl.lit(None, pl.String)
    return pl.when(pl.col(EXISTS).fill_null(value=True)).then(pl.col(name))


def _withheld(profiles: pl.Series, fine: pl.Series, fields: dict[str, pl.DataFrame]) -> pl.Series:
    """Name the accepted profiles of which something is withheld; mostly there are none."""
    marks = [outcome["withheld"] for outcome in fields.values() if outcome["withheld"].any()]
    if not marks:
        return profiles.clear()
    found = pl.DataFrame([mark.alias(str(i)) for i, mark in enumerate(marks)])
    return profiles.filter(found.select(pl.any_horizontal(pl.all())).to_series() & fine)


def _count(fine: pl.Series, changed: pl.DataFrame, fields: dict[str, pl.DataFrame]) -> Counts:
    accepted = int(fine.sum())

    def total(column: str) -> int:
        return sum(int(outcome[column].filter(fine).sum()) for outcome in fields.values())

    return Counts(
        profiles_named=len(fine),
        profiles_changed=changed.height,
        profiles_unchanged=accepted - changed.height,
        profiles_rejected=len(fine) - accepted,
        fields_changed=sum(changed[wanted(name)].count() for name in fields),
        type_changes=total("retyped"),
        members_dropped=total("dropped"),
        fields_kept=total("kept"),
        fields_withheld=total("withheld"),
    )
