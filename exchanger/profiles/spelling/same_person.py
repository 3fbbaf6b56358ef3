"""
Keys that mean one person: an address, number or alias, and the key that stands for its profile.

That is the external id, or an alias where there is none (``profile_key.person_of_user``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from exchanger.profiles.frames.columns import EXISTS, IDENTIFIED, PROFILE
from exchanger.profiles.spelling.canonical_reader import UNCERTAIN
from exchanger.profiles.spelling.json_values import json_string
from exchanger.profiles.spelling.profile_key import kind_of, value_of

if TYPE_CHECKING:
    from collections.abc import Sequence

LINKED = "@linked"
"""String: the key that stands for the person whom a key means; null if nobody is known."""
IS_LINKED = (
    pl.col(IDENTIFIED).str.starts_with('"') & (json_string(pl.col(PROFILE)) != pl.col(IDENTIFIED))
).fill_null(value=False)
"""Whether another key than itself stands for the person whom a key in a held frame means."""


def links_of(held: pl.DataFrame) -> pl.DataFrame:
    """
    Return to whom keys belong.

    Args:
        held: A held frame with ``@identified``; keys of which it is unknown are left out.

    Returns:
        ``@profile`` and ``@linked``.
    """
    known = held.filter(pl.col(IDENTIFIED).is_not_null() & (pl.col(IDENTIFIED) != "?"))
    return known.select(PROFILE, pl.col(IDENTIFIED).str.json_decode(pl.String).alias(LINKED))


def still_linked(links: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """
    Leave out links that what is held contradicts.

    The person has another address by now, or an alias that stands for them means somebody else.

    Args:
        links: What *links_of* gave.
        held: The held frame of the keys that stand for people, with ``@identified``, ``email`` and
            ``phone``.
    """
    other = ~IS_LINKED & (pl.col(IDENTIFIED) != UNCERTAIN) & pl.col(EXISTS)
    stands = (kind_of(pl.col(PROFILE)) == "external_id") | other.fill_null(value=False)
    own = held.select(pl.col(PROFILE).alias(LINKED), "email", "phone", stands.alias("stands"))
    beside = links.join(own, on=LINKED, how="left", maintain_order="left")
    kind, value = kind_of(pl.col(PROFILE)), value_of(pl.col(PROFILE))

    def differs(name: str) -> pl.Expr:
        text = pl.col(name)
        plain = text.str.strip_chars('"').str.to_lowercase()
        return (kind == name) & text.is_not_null() & (text != "?") & (plain != value)

    moved = differs("email") | differs("phone") | ~pl.col("stands")
    return beside.filter(~moved.fill_null(value=False)).select(PROFILE, LINKED)


def with_identities(seen: pl.DataFrame) -> pl.DataFrame:
    """
    Let what was seen of a key count for the one that stands for the person, too.

    Args:
        seen: A held frame with ``@identified``.
    """
    others = seen.filter(IS_LINKED, kind_of(pl.col(PROFILE)) != "external_id")
    people = others.with_columns(pl.col(IDENTIFIED).str.json_decode(pl.String).alias(PROFILE))
    people = people.with_columns(
        pl.when(kind_of(pl.col(PROFILE)) != "external_id").then(IDENTIFIED).alias(IDENTIFIED)
    )
    return pl.concat([seen, people]).unique(PROFILE, keep="first", maintain_order=True)


def doubted(held: pl.DataFrame, fields: Sequence[str]) -> pl.DataFrame:
    """
    Let nobody know any more whom keys mean, nor what that person has.

    Args:
        held: A held frame with ``@identified``, of keys that several profiles have by now.
        fields: Attributes of it.

    Returns:
        Rows of the held frame, of those keys.
    """
    known = (pl.when(pl.col(name).is_not_null()) for name in fields)
    return held.select(
        PROFILE,
        pl.lit(None, pl.Boolean).alias(EXISTS),
        pl.lit(UNCERTAIN).alias(IDENTIFIED),
        *(each.then(pl.lit(UNCERTAIN)).alias(n) for n, each in zip(fields, known, strict=True)),
    )


def linked(rows: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    """Put the external id of the person in place of each key that means one."""
    return (
        rows.join(links, on=PROFILE, how="left", maintain_order="left")
        .with_columns(pl.coalesce(LINKED, PROFILE).alias(PROFILE))
        .drop(LINKED)
    )
