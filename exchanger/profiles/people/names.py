"""All names of the people who were looked up: which of them were taken for other people's."""

from __future__ import annotations

import polars as pl

from exchanger.profiles.frames.columns import IDENTIFIED, NAMES, PROFILE
from exchanger.profiles.spelling.canonical_reader import UNCERTAIN
from exchanger.profiles.spelling.json_values import json_string
from exchanger.profiles.spelling.profile_key import kind_of
from exchanger.profiles.spelling.same_person import LINKED

NAME = "name"
"""String: one of the keys of whom a key means, which may be that key itself."""
_ALONE = 2
"""Names of who has nothing but an address: that, and a ``braze_id``."""
_STANDS = ("external_id", "alias", "email", "phone", "braze_id")
"""Which kind of key stands for a person, of those that were looked up."""
SAID = pl.Schema({PROFILE: pl.String, IDENTIFIED: pl.String, NAME: pl.String})


def names_of(seen: pl.DataFrame) -> pl.DataFrame:
    """
    List the names of people who have several.

    Args:
        seen: A held frame of what was looked up, with ``@identified`` and ``@names``.

    Returns:
        As ``SAID``.
    """
    alone = pl.when(kind_of(pl.col(PROFILE)) == "braze_id").then(1).otherwise(_ALONE)
    people = seen.filter(pl.col(NAMES).list.len() > alone)
    return people.select(PROFILE, IDENTIFIED, pl.col(NAMES).alias(NAME)).explode(NAME)


def disputed(names: pl.DataFrame, held: pl.DataFrame, looked_up: pl.Series) -> pl.Series:
    """
    Choose the keys to look up again, together, as what is held of them is that of two people.

    Args:
        names: What *names_of* gave.
        held: The held frame of the names, with ``@identified``.
        looked_up: The keys that were looked up.

    Returns:
        Names that are held to mean others, or were taken for nobody's, and who is called so.
    """
    means = held.select(pl.col(PROFILE).alias(NAME), pl.col(IDENTIFIED).alias("means"))
    others = names.filter(~pl.col(NAME).is_in(looked_up.implode())).join(means, on=NAME)
    known = pl.col("means").is_not_null() & (pl.col("means") != UNCERTAIN)
    found = others.filter(known, pl.col("means") != pl.col(IDENTIFIED))
    keys = pl.concat([found[NAME], found[PROFILE].alias(NAME)]).unique().alias(PROFILE)
    return keys.to_frame().filter(kind_of(pl.col(PROFILE)) != "external_id").to_series().sort()


def without_rivals(rows: pl.DataFrame, user: pl.Series) -> pl.DataFrame:
    """
    Let nobody know whom keys mean of which several would stand for one person: a look-up tells.

    Args:
        rows: A held frame with ``@identified``, of exported users.
        user: Which of them each row is about.
    """
    own = pl.col(IDENTIFIED) == json_string(pl.col(PROFILE))
    several = own & (own.sum().over(user) > 1)
    return rows.with_columns(
        pl.when(several).then(pl.lit(UNCERTAIN)).otherwise(IDENTIFIED).alias(IDENTIFIED)
    )


def joined(names: pl.DataFrame) -> pl.DataFrame:
    """
    Let one key stand for a person for whom several would.

    Who has no external id and no alias may have an address and a number, of which each stands for
    who has it, as long as it is not known that both are one person's.

    Args:
        names: What *names_of* gave; of a key that was looked up twice, the last counts.

    Returns:
        ``@profile`` and ``@linked``, of the keys that do not stand for the person.
    """
    each = names.filter(kind_of(pl.col(NAME)) == "braze_id")
    last = each.unique(PROFILE, keep="last", maintain_order=True)
    own = last.filter(pl.col(IDENTIFIED) == json_string(pl.col(PROFILE)))
    place = kind_of(pl.col(PROFILE)).replace_strict(_STANDS, range(len(_STANDS)))
    first = pl.col(PROFILE).sort_by(place, PROFILE).first().over(NAME)
    people = own.select(PROFILE, first.alias(LINKED))
    return people.filter(pl.col(PROFILE) != pl.col(LINKED))
