"""
Consent: nobody who is unsubscribed becomes subscribed by a file, unless the job says so.

Whether somebody is unsubscribed is asked of Braze where a file would send another state, as people
unsubscribe by themselves, and nobody tells us: a state that is held is believed only where nothing
is sent for it. What no look-up shows (``subscription_groups``) is sent only to unsubscribe.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from exchanger.braze.attributes import NOT_EXPORTED, UNSUBSCRIBED
from exchanger.profiles.frames.columns import EMAIL_STATE, EXISTS, PROFILE, wanted
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.merging.strategies import HELD, said_column
from exchanger.profiles.spelling.json_values import EMPTY, canonical, fragment, spell_json

_UNSUBSCRIBED = spell_json(UNSUBSCRIBED)
_SUBSCRIBES = r"(?i)(?:^|[^n])subscribed|opted_in"
"""Finds a state other than ``unsubscribed`` in a list of groups."""
_WANTED = pl.col("wanted")


def guarded_rules(rules: Sequence[Rule]) -> list[Rule]:
    """Choose the fields whose state has to be known before anybody is subscribed."""
    return [rule for rule in rules if rule.reads_state]


def may_raise(rule: Rule) -> pl.Expr:
    """Return which folded rows give a state other than ``unsubscribed``."""
    if rule.type != "string":
        return said_column(rule)
    return said_column(rule) & pl.col(rule.name).ne_missing(UNSUBSCRIBED)


def resubscribes(rule: Rule) -> pl.Expr:
    """Return where a change would subscribe somebody who is unsubscribed, or may be."""
    if not rule.guarded:
        return pl.lit(value=False)
    if rule.name in NOT_EXPORTED:
        return _WANTED.str.contains(_SUBSCRIBES).fill_null(value=False)
    # Of an address that nobody has, no look-up shows the state that is kept for it.
    barred = [_UNSUBSCRIBED, EMPTY] if rule.name == EMAIL_STATE else [_UNSUBSCRIBED]
    return (HELD.is_in(barred) & (_WANTED != _UNSUBSCRIBED)).fill_null(value=False)


def subscribes(rule: Rule, text: pl.Expr) -> pl.Expr:
    """Return where a state, as canonical text, is another one than ``unsubscribed``."""
    if rule.name in NOT_EXPORTED:
        return text.str.contains(_SUBSCRIBES).fill_null(value=False)
    return (text != _UNSUBSCRIBED).fill_null(value=False)


def resubscribes_by_now(name: str, wanted: pl.Expr, now: pl.Expr) -> pl.Expr:
    """Return where a planned change would subscribe somebody who is unsubscribed by now."""
    if name in NOT_EXPORTED:
        return pl.lit(value=False)  # Nothing of it was planned but to unsubscribe.
    return ((now == _UNSUBSCRIBED) & (wanted != _UNSUBSCRIBED)).fill_null(value=False)


def guarded_fields(fields: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Choose the fields of a run whose state can be looked up before anybody is subscribed."""
    told = (name for name, how in fields.items() if how.get("guarded"))
    return [name for name in told if name not in NOT_EXPORTED]


def may_subscribe(names: Sequence[str]) -> pl.Expr:
    """Return which rows of an outbox set a state other than ``unsubscribed``."""
    return pl.any_horizontal(
        (pl.col(wanted(name)) != _UNSUBSCRIBED).fill_null(value=False) for name in names
    )


def to_be_asked(folded: pl.DataFrame, known: pl.DataFrame, rules: Sequence[Rule]) -> pl.Series:
    """
    Name the profiles whose state may have changed since it was seen, where that matters.

    Args:
        folded: One row for each profile.
        known: What is held of them, however old.
        rules: The fields.

    Returns:
        Profiles to which a state other than ``unsubscribed`` would be sent, each once.
    """
    guarded = guarded_rules(rules)
    if not guarded or known.is_empty():
        return folded[PROFILE].clear()
    held = known.select(
        PROFILE, EXISTS, *(pl.col(rule.name).alias(_beside(rule)) for rule in guarded)
    )
    joined = folded.join(held, on=PROFILE, how="inner", maintain_order="left")
    absent = pl.col(EXISTS).fill_null(value=True).not_()
    sent = [may_raise(rule) & (absent | _is_sent(rule)) for rule in guarded]
    return joined.filter(pl.any_horizontal(sent).fill_null(value=False))[PROFILE].unique()


def _is_sent(rule: Rule) -> pl.Expr:
    """Return where the state differs from a held one that is known, and is not ``unsubscribed``."""
    held = pl.col(_beside(rule))
    if rule.merge == "set_if_empty":
        return held == EMPTY
    given = canonical(rule, fragment(rule, pl.col(rule.name))).fill_null(EMPTY)
    return held.is_not_null() & (held != _UNSUBSCRIBED) & (held != given)


def _beside(rule: Rule) -> str:
    return f"@state:{rule.name}"


def as_last_seen(
    known: pl.DataFrame, asked: pl.Series, fresh: pl.DataFrame, rules: Sequence[Rule]
) -> pl.DataFrame:
    """
    Forget states that are too old to subscribe anybody by.

    Args:
        known: What is held.
        asked: Profiles, as *to_be_asked* names them.
        fresh: What is held of them of late; what is older is null.
        rules: The fields.

    Returns:
        What is held, with the states of those profiles as they are in *fresh*, and without those
        whose absence is as old.
    """
    if asked.is_empty():
        return known
    names = [rule.name for rule in guarded_rules(rules)]
    old = pl.col(PROFILE).is_in(asked.implode())
    seen = fresh.select(
        PROFILE,
        pl.col(EXISTS).alias("@there"),
        *(pl.col(name).alias(f"@new:{name}") for name in names),
    ).unique(PROFILE, keep="first")
    beside = known.join(seen, on=PROFILE, how="left", maintain_order="left")
    gone = pl.col(EXISTS).fill_null(value=True).not_() & pl.col("@there").is_null()
    return (
        beside.filter(~(old & gone))
        .with_columns(
            pl.when(old).then(pl.col(f"@new:{name}")).otherwise(pl.col(name)).alias(name)
            for name in names
        )
        .select(known.columns)
    )
