"""
Rows that would give one person a second profile, as far as held values tell.

Braze creates a profile for an external id that it does not know, also where the e-mail address
beside it belongs to a profile that has nothing but that address (braze-api.md 2.3).
"""

from __future__ import annotations

import polars as pl

from exchanger.profiles.frames.columns import EXISTS, PROFILE
from exchanger.profiles.frames.filled import filled
from exchanger.profiles.merging.problems import REJECTED_PROFILES
from exchanger.profiles.spelling.profile_key import kind_of, profile_key, value_of
from exchanger.profiles.spelling.same_person import LINKED, links_of

ADDRESS = "@address"


def addresses_of_strangers(folded: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """
    Choose the external ids that nobody has seen, and that come with an e-mail address.

    Args:
        folded: One row for each profile, with the field ``email``.
        known: What is held of them.

    Returns:
        ``@profile``, and ``@address``: the key of the address.
    """
    there = known.filter(pl.col(EXISTS).fill_null(value=False))
    address = pl.col("email").cast(pl.String, strict=False).str.strip_chars().str.to_lowercase()
    return (
        folded.filter(pl.col("email").is_not_null(), kind_of(pl.col(PROFILE)) == "external_id")
        .join(there, on=PROFILE, how="anti", maintain_order="left")
        .select(PROFILE, profile_key("email", address).alias(ADDRESS))
    )


def would_duplicate(strangers: pl.DataFrame, addresses: pl.DataFrame) -> pl.DataFrame:
    """
    Put into words that an external id would become a second profile.

    Args:
        strangers: What *addresses_of_strangers* gave.
        addresses: The held frame of their addresses, with ``@identified``.

    Returns:
        ``@profile field value reason message``, as ``reconcile.merge`` gives them.
    """
    known = links_of(addresses.filter(pl.col(EXISTS).fill_null(value=False)))
    person = pl.col(LINKED)
    alone = known.filter(person.is_null() | (kind_of(person) != "external_id"))
    value = value_of(pl.col(ADDRESS))
    message = (
        "A profile that has no external_id has the e-mail address {}, so Braze would create a "
        "second one for the same person. Give that profile the external_id {} in Braze "
        "(/users/identify), then give this row again with 'exchanger retry'."
    )
    chosen = strangers.join(alone.select(pl.col(PROFILE).alias(ADDRESS)), on=ADDRESS, how="semi")
    return chosen.select(
        PROFILE,
        pl.lit("email").alias("field"),
        value.alias("value"),
        pl.lit("would_duplicate").alias("reason"),
        filled(message, value, pl.col(PROFILE)).alias("message"),
    ).select(*REJECTED_PROFILES)
