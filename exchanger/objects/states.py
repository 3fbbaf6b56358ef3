"""
States of subscriptions: rows become fields, one for each group, and are held as such.

So later rows win, what Braze has already is not sent, and nobody who is unsubscribed is subscribed,
all by what attributes do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from exchanger.config.models import FieldConfig
from exchanger.profiles.frames.columns import EMAIL_STATE, FILE, GROUP, ROW
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.validation.messages import Place, no_rejections, rejections_of

if TYPE_CHECKING:
    from exchanger.config.models import ImportJob

_STATE, _GROUP = "state", "group"
MEANT = "@meant"
"""String: what the word of a row means; null if it has none."""


class Shaped(NamedTuple):
    """
    Rows that give fields, the rules of these, and the rows that give none, as ``REJECTED``.

    Args:
        frame: The rows.
        rules: Of the fields.
        rejected: The others.
    """

    frame: pl.DataFrame
    rules: list[Rule]
    rejected: pl.DataFrame


def email_states(given: pl.DataFrame, parts: Mapping[str, Rule], job: ImportJob) -> Shaped:
    """Read the state of an e-mail address from each row."""
    words = job.state.words if job.state is not None else {}
    meant, rejected = words_read(given, parts, (_STATE, words, "no_such_state"))
    field = _rule(EMAIL_STATE, parts, job)
    frame = meant.drop(_STATE).rename({MEANT: EMAIL_STATE})
    return Shaped(frame, [field], rejected)


def group_states(given: pl.DataFrame, parts: Mapping[str, Rule], job: ImportJob) -> Shaped:
    """Read the state of a person in a subscription group from each row."""
    words = job.subscription.state.words if job.subscription is not None else {}
    meant, rejected = words_read(given, parts, (_STATE, words, "no_such_state"))
    group = pl.col(_GROUP).str.strip_chars()
    meant = meant.with_columns(pl.when(group != "").then(group).alias(_GROUP))
    lacks = pl.col(_GROUP).is_null() & pl.col(MEANT).is_not_null()
    without = rejected_for(meant.filter(lacks), parts, _GROUP, "no_group")
    meant = meant.filter(~lacks)
    spoken = meant.filter(pl.col(MEANT).is_not_null())
    names = spoken[_GROUP].unique().drop_nulls().sort().to_list()
    fields = [pl.when(pl.col(_GROUP) == name).then(MEANT).alias(GROUP + name) for name in names]
    frame = meant.with_columns(fields).drop(_STATE, _GROUP, MEANT)
    rules = [_rule(GROUP + name, parts, job) for name in names]
    return Shaped(frame, rules, pl.concat([rejected, without]))


def words_read(
    given: pl.DataFrame, parts: Mapping[str, Rule], told: tuple[str, Mapping[str, str], str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """
    Read the words of a part; one that is none of them rejects its row, none at all says nothing.

    Args:
        given: Typed rows.
        parts: The parts of each, by name.
        told: The part, what each word of it means, and the reason for which others are rejected.

    Returns:
        The rows with what is meant by them (``MEANT``), and the rejected ones.
    """
    part, words, reason = told
    text = pl.col(part).str.strip_chars().str.to_lowercase()
    spelt = given.with_columns(pl.when(text != "").then(text).alias(part))
    known = [*words]
    meaning = pl.col(part).replace_strict(
        known, [words[word] for word in known], default=None, return_dtype=pl.String
    )
    read = spelt.with_columns(meaning.alias(MEANT))
    odd = pl.col(part).is_not_null() & pl.col(MEANT).is_null()
    strange = given.filter(read.select(odd).to_series())
    return read.filter(~odd), rejected_for(strange, parts, part, reason)


def rejected_for(
    rows: pl.DataFrame, parts: Mapping[str, Rule], part: str, reason: str
) -> pl.DataFrame:
    """Reject rows for what one of their parts says."""
    if rows.is_empty():
        return no_rejections()
    why = pl.lit(reason).alias("reason")
    place = Place(part, parts[part].column or part)
    return rejections_of(rows.select(FILE, ROW, pl.col(part).alias("value"), why), place)


def _rule(name: str, parts: Mapping[str, Rule], job: ImportJob) -> Rule:
    """Build the rule of a state, which is a text that is set."""
    column = parts[_STATE].column
    return Rule(name, column, "string", FieldConfig(), guarded=not job.may_resubscribe)
