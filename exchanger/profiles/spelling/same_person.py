"""Keys that mean one person: an address, number or alias, and the external id of its profile."""

from __future__ import annotations

import polars as pl

from exchanger.profiles.frames.columns import IDENTIFIED, PROFILE
from exchanger.profiles.spelling.profile_key import kind_of, value_of

LINKED = "@linked"
"""String: the external id of the profile that a key means; null if it has none."""


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
    Leave out links that what is held contradicts: the person has another address by now.

    Args:
        links: What *links_of* gave.
        held: The held frame of the external ids, with ``email`` and ``phone``.
    """
    own = held.select(pl.col(PROFILE).alias(LINKED), "email", "phone")
    beside = links.join(own, on=LINKED, how="left", maintain_order="left")
    kind, value = kind_of(pl.col(PROFILE)), value_of(pl.col(PROFILE))

    def differs(name: str) -> pl.Expr:
        text = pl.col(name)
        plain = text.str.strip_chars('"').str.to_lowercase()
        return (kind == name) & text.is_not_null() & (text != "?") & (plain != value)

    moved = differs("email") | differs("phone")
    return beside.filter(~moved.fill_null(value=False)).select(PROFILE, LINKED)


def with_identities(seen: pl.DataFrame) -> pl.DataFrame:
    """
    Let what was seen of a key that means an identified person count for their external id, too.

    Args:
        seen: A held frame with ``@identified``.
    """
    named = pl.col(IDENTIFIED).str.starts_with('"') & (kind_of(pl.col(PROFILE)) != "external_id")
    people = seen.filter(named).with_columns(
        pl.col(IDENTIFIED).str.json_decode(pl.String).alias(PROFILE),
        pl.lit(None, pl.String).alias(IDENTIFIED),
    )
    return pl.concat([seen, people]).unique(PROFILE, keep="first", maintain_order=True)


def linked(rows: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    """Put the external id of the person in place of each key that means one."""
    return (
        rows.join(links, on=PROFILE, how="left", maintain_order="left")
        .with_columns(pl.coalesce(LINKED, PROFILE).alias(PROFILE))
        .drop(LINKED)
    )
