"""
What is held follows the person: a new external id has the values of the old one.

What else a call may have changed is unknown until it is seen again: of both profiles, and of all
keys that were known to mean them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from exchanger.braze.endpoints import ALIAS_UPDATES, ALIASES, IDENTIFIES, RENAMES, RENAMES_FOR_GOOD
from exchanger.profiles.frames.columns import (
    ENDPOINT,
    EXISTS,
    IDENTIFIED,
    OBJECT,
    OTHER,
    OTHER_WHO,
    PROFILE,
    WHO,
)
from exchanger.profiles.spelling.json_values import json_string
from exchanger.profiles.spelling.profile_key import external_ids_among, with_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchanger.state.held.table import HeldValues

_UNKNOWN = "?"
_NAMES = [ALIASES.name, ALIAS_UPDATES.name]
_IDENTIFIED = [endpoint.name for endpoint in IDENTIFIES.values()]
_RENAMED = [RENAMES.name, RENAMES_FOR_GOOD.name]


def moved_rows(calls: pl.DataFrame, held: HeldValues, *, gone: bool) -> pl.DataFrame:
    """
    Build the held rows that calls bring.

    Args:
        calls: Rows of the outbox that were done, or may have been: with ``sure``.
        held: What is held so far.
        gone: Whether nobody has ``@profile`` afterwards.
    """
    fields = held.fields()
    named = calls.filter(pl.col(ENDPOINT).is_in(_NAMES))
    if named.height:
        return _named(named, held, fields)
    renamed = calls.filter(pl.col(ENDPOINT).is_in(_RENAMED) & pl.col("sure"))
    # Of who has the new id for longer nothing changes, but that the old one ends.
    longer = calls.filter(pl.col(ENDPOINT).is_in(_RENAMED) & pl.col(OTHER_WHO).is_not_null())
    others = calls.join(longer, on=[PROFILE, OTHER], how="anti")
    touched = [others[name] for name in (PROFILE, OTHER, WHO, OTHER_WHO)]
    people = pl.concat([*touched, longer[PROFILE]]).drop_nulls().unique().alias(PROFILE)
    links = held.links_to(people)
    keys = pl.concat([people, links[PROFILE]]).unique()
    known = held.of(keys, fields).filter(pl.col(PROFILE).is_in(keys.implode()))
    rows = _moved(known, renamed.join(others, on=[PROFILE, OTHER], how="semi"), fields)
    sure = calls.filter("sure")
    identified = sure.filter(pl.col(ENDPOINT).is_in(_IDENTIFIED))
    # An alias may be that of whom its person was merged into.
    ids = pl.concat([sure[PROFILE], sure[WHO].alias(PROFILE)]).drop_nulls()
    left = external_ids_among(ids).to_frame().with_columns(now=pl.lit(value=False)).filter(gone)
    there = identified.select(pl.col(OTHER).alias(PROFILE), now=pl.lit(value=True))
    rows = _with(rows, EXISTS, pl.concat([left, there]))
    # An address may be that of others, too.
    by_alias = identified.filter(pl.col(ENDPOINT) == IDENTIFIES["alias"].name)
    mean = by_alias.select(PROFILE, now=json_string(pl.col(OTHER)))
    # An old id goes on to mean its person, and a snapshot that has the new one has not lost them.
    old = renamed.select(PROFILE, now=json_string(pl.col(OTHER)))
    return _with(rows, IDENTIFIED, pl.concat([mean, _relinked(renamed, links), old]))


def _moved(known: pl.DataFrame, renamed: pl.DataFrame, fields: Sequence[str]) -> pl.DataFrame:
    """Forget all that is known, but give to new ids what is held of the old ones."""
    names = renamed.select(pl.col(PROFILE).alias("old"), pl.col(OTHER).alias(PROFILE))
    names = names.unique(PROFILE)
    before = known.rename({PROFILE: "old"}).join(names, on="old")
    beside = known.join(before, on=PROFILE, how="full", coalesce=True, suffix="@old")
    moved = [pl.col(f"{name}@old") if name != IDENTIFIED else pl.lit(None) for name in fields]
    return beside.select(
        PROFILE,
        pl.col(f"{EXISTS}@old").alias(EXISTS),
        *(
            pl.coalesce(new, none).alias(name)
            for name, new, none in zip(fields, moved, _lost(fields), strict=True)
        ),
    )


def _with(rows: pl.DataFrame, column: str, news: pl.DataFrame) -> pl.DataFrame:
    """Put what is known now, by ``@profile`` as ``now``, over what rows say in a column."""
    beside = rows.join(news.unique(PROFILE), on=PROFILE, how="full", coalesce=True)
    known = pl.coalesce("now", column) if column in rows.columns else pl.col("now")
    return beside.with_columns(known.alias(column)).drop("now")


def _relinked(renamed: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    """Let keys that meant an old id mean the new one."""
    names = renamed.select(pl.col(PROFILE).alias("linked"), OTHER).unique("linked")
    return links.join(names, on="linked").select(PROFILE, now=json_string(pl.col(OTHER)))


def _named(calls: pl.DataFrame, held: HeldValues, fields: Sequence[str]) -> pl.DataFrame:
    """Let new names mean their person, and names that were replaced nobody that is known."""
    replaced = pl.col(OBJECT).str.json_path_match("$.old_alias_name")
    old = calls.select(with_name(pl.col(OTHER), replaced).alias(PROFILE)).drop_nulls()
    keys = pl.concat([old[PROFILE], calls[OTHER].alias(PROFILE)]).unique()
    known = held.of(keys, fields).filter(pl.col(PROFILE).is_in(keys.implode()))
    lost = known.select(PROFILE, pl.lit(None, pl.Boolean).alias(EXISTS), *_lost(fields))
    sure = calls.filter("sure")
    new = pl.col(OTHER).alias(PROFILE)
    there = _with(lost, EXISTS, sure.select(new, now=pl.lit(value=True)))
    return _with(there, IDENTIFIED, sure.select(new, now=json_string(pl.col(PROFILE))))


def _lost(fields: Sequence[str]) -> list[pl.Expr]:
    """Forget what is known of each field."""
    known = (pl.when(pl.col(name).is_not_null()) for name in fields)
    return [
        each.then(pl.lit(_UNKNOWN)).alias(name) for name, each in zip(fields, known, strict=True)
    ]
