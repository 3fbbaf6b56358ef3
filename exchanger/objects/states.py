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
_MEANT = "@meant"


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
    meant, rejected = _meant(given, parts, words)
    field = _rule(EMAIL_STATE, parts, job)
    frame = meant.drop(_STATE).rename({_MEANT: EMAIL_STATE})
    return Shaped(frame, [field], rejected)


def group_states(given: pl.DataFrame, parts: Mapping[str, Rule], job: ImportJob) -> Shaped:
    """Read the state of a person in a subscription group from each row."""
    words = job.subscription.state.words if job.subscription is not None else {}
    meant, rejected = _meant(given, parts, words)
    group = pl.col(_GROUP).str.strip_chars()
    meant = meant.with_columns(pl.when(group != "").then(group).alias(_GROUP))
    lacks = pl.col(_GROUP).is_null() & pl.col(_MEANT).is_not_null()
    without = _rejected(meant.filter(lacks), parts, _GROUP, "no_group")
    meant = meant.filter(~lacks)
    spoken = meant.filter(pl.col(_MEANT).is_not_null())
    names = spoken[_GROUP].unique().drop_nulls().sort().to_list()
    fields = [pl.when(pl.col(_GROUP) == name).then(_MEANT).alias(GROUP + name) for name in names]
    frame = meant.with_columns(fields).drop(_STATE, _GROUP, _MEANT)
    rules = [_rule(GROUP + name, parts, job) for name in names]
    return Shaped(frame, rules, pl.concat([rejected, without]))


def _meant(
    given: pl.DataFrame, parts: Mapping[str, Rule], words: Mapping[str, str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Read the words of states; a row of another word is rejected, one without any says nothing."""
    text = pl.col(_STATE).str.strip_chars().str.to_lowercase()
    spelt = given.with_columns(pl.when(text != "").then(text).alias(_STATE))
    known = [*words]
    meaning = pl.col(_STATE).replace_strict(
        known, [words[word] for word in known], default=None, return_dtype=pl.String
    )
    read = spelt.with_columns(meaning.alias(_MEANT))
    odd = pl.col(_STATE).is_not_null() & pl.col(_MEANT).is_null()
    strange = given.filter(read.select(odd).to_series())
    return read.filter(~odd), _rejected(strange, parts, _STATE, "no_such_state")


def _rejected(
    rows: pl.DataFrame, parts: Mapping[str, Rule], part: str, reason: str
) -> pl.DataFrame:
    if rows.is_empty():
        return no_rejections()
    why = pl.lit(reason).alias("reason")
    place = Place(part, parts[part].column or part)
    return rejections_of(rows.select(FILE, ROW, pl.col(part).alias("value"), why), place)


def _rule(name: str, parts: Mapping[str, Rule], job: ImportJob) -> Rule:
    """Build the rule of a state, which is a text that is set."""
    column = parts[_STATE].column
    return Rule(name, column, "string", FieldConfig(), guarded=not job.may_resubscribe)
