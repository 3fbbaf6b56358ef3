"""
Under which other keys people were known: a run may have named them by one of those.

Whom a key means is what was held last of it; which keys mean a person is all that was ever held.
So of a key that has moved on, both people are told what was done by it: nothing newer is missed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from exchanger.profiles.frames.columns import IDENTIFIED, PROFILE
from exchanger.profiles.spelling.same_person import LINKED, linked, links_of
from exchanger.state.held.reading import newest_said

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchanger.state.held.table import HeldValues

KEY = "@key"
"""String: another key of the person that ``@profile`` means."""
_NOBODY = pl.DataFrame(schema={PROFILE: pl.String, LINKED: pl.String})


def owners_of(held: HeldValues, keys: pl.Series) -> pl.DataFrame:
    """
    Read to which external ids keys belong, for ``same_person.linked``; of others there is no row.

    An old external id belongs to the one that it was renamed to.
    """
    if keys.is_empty() or IDENTIFIED not in held.fields():
        return _NOBODY
    found = links_of(held.of(keys, [IDENTIFIED])).drop_nulls(LINKED)
    return found.filter(pl.col(PROFILE) != pl.col(LINKED))


def other_keys(held: HeldValues, profiles: pl.Series) -> pl.DataFrame:
    """
    Read the other keys of the people that some keys mean.

    Returns:
        ``@profile``, as it was asked for, and ``@key``; none of whom is known by one key alone.
    """
    asked = profiles.unique().to_frame(PROFILE)
    owners = owners_of(held, asked[PROFILE])
    people = linked(asked.with_columns(pl.col(PROFILE).alias("asked")), owners)
    theirs = held.links_to(people[PROFILE].unique()).select(
        pl.col("linked").alias(PROFILE), pl.col(PROFILE).alias(KEY)
    )
    pairs = [
        people.select(pl.col("asked").alias(PROFILE), pl.col(PROFILE).alias(KEY)),
        people.join(theirs, on=PROFILE).select(pl.col("asked").alias(PROFILE), KEY),
    ]
    return pl.concat(pairs).filter(pl.col(PROFILE) != pl.col(KEY)).unique()


def told_of_each(changes: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """
    Count what was done by other keys of people for the keys that were asked for, too.

    Args:
        changes: Rows with ``@profile``, which keep their order.
        others: As *other_keys* gave it.
    """
    if others.is_empty():
        return changes
    own = others.select(pl.col(PROFILE).alias("asked"), pl.col(KEY).alias(PROFILE))
    more = changes.join(own, on=PROFILE, maintain_order="left")
    meant = more.with_columns(pl.col("asked").alias(PROFILE)).select(changes.columns)
    return pl.concat([changes, meant])


def said_by_others(held: HeldValues, others: pl.DataFrame, fields: Sequence[str]) -> pl.DataFrame:
    """
    Read all that is held of people by keys other than their own, as ``HeldValues.said_of`` does.

    Args:
        held: Where it is held.
        others: As *other_keys* gave it of the keys that people have now.
        fields: Attributes.
    """
    # A key that has moved on tells of another person by now.
    now = owners_of(held, others[KEY].unique())
    meant = others.select(pl.col(KEY).alias(PROFILE), pl.col(PROFILE).alias(LINKED))
    return held.said_of(meant.join(now, on=[PROFILE, LINKED], how="semi"), fields)


def held_of_people(
    held: HeldValues, people: pl.Series, said: pl.DataFrame, fields: Sequence[str]
) -> pl.DataFrame:
    """
    Read what is held of people, as ``HeldValues.of`` does: the newest, by whichever key.

    Args:
        held: Where it is held.
        people: The keys that they have now.
        said: What *said_by_others* gave of them.
        fields: Attributes.
    """
    if said.is_empty():
        return held.of(people, fields)
    own = people.unique().alias(PROFILE).to_frame().with_columns(pl.col(PROFILE).alias(LINKED))
    return newest_said(pl.concat([held.said_of(own, fields), said], how="diagonal"), fields)
