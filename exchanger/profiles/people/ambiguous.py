"""Rows whose e-mail address or phone number belongs to several profiles."""

from __future__ import annotations

import polars as pl

from exchanger.profiles.frames.columns import FILE, PROFILE, ROW
from exchanger.profiles.frames.filled import filled
from exchanger.profiles.merging.problems import REJECTED_PROFILES
from exchanger.profiles.spelling.profile_key import kind_of, value_of
from exchanger.profiles.validation.messages import REJECTED


def ambiguous_keys(folded: pl.DataFrame, keys: pl.Series) -> pl.DataFrame:
    """
    Put into words that rows may be about several people.

    Args:
        folded: One row for each profile.
        keys: Those that several profiles of Braze have.

    Returns:
        ``@profile field value reason message``, as ``reconcile.merge`` gives them: none of the
        profile's rows may be applied.
    """
    key = pl.col(PROFILE)
    kind = kind_of(key)
    email = kind == "email"
    words = pl.when(email).then(pl.lit("e-mail address")).otherwise(pl.lit("phone number"))
    message = (
        "Several profiles of Braze have the {} {}, so nobody knows which of them is meant. Name "
        "it by another identifier, merge the profiles, or set 'on_ambiguous: most_recent'."
    )
    return (
        folded.filter(key.is_in(keys.implode()))
        .select(
            PROFILE,
            kind.alias("field"),
            value_of(key).alias("value"),
            pl.when(email)
            .then(pl.lit("ambiguous_email"))
            .otherwise(pl.lit("ambiguous_phone"))
            .alias("reason"),
            filled(message, words, value_of(key)).alias("message"),
        )
        .select(*REJECTED_PROFILES)
    )


def ambiguous_rows(rows: pl.DataFrame, keys: pl.Series) -> pl.DataFrame:
    """
    Put into words which rows may be about several people, where each is an object of its own.

    Args:
        rows: With ``@profile``, ``@file`` and ``@row``.
        keys: Those that several profiles of Braze have.

    Returns:
        As ``messages.REJECTED``.
    """
    found = rows.select(FILE, ROW, PROFILE).filter(pl.col(PROFILE).is_in(keys.implode()))
    words = ambiguous_keys(found.unique(PROFILE), keys)
    return found.join(words, on=PROFILE).sort(FILE, ROW).select(*REJECTED)
