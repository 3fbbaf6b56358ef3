"""
What is held follows the person: a new external id has the values of the old one.

What else a call may have changed is unknown until it is seen again: of both profiles, and of all
keys that were known to mean them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from exchanger.braze.endpoints import (
    ALIAS_UPDATES,
    ALIASES,
    IDENTIFIES,
    MERGES,
    RENAMES,
    RENAMES_FOR_GOOD,
)
from exchanger.profiles.frames.columns import (
    ENDPOINT,
    EXISTS,
    IDENTIFIED,
    NAMES,
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
    # Renamed people keep what else names them.
    names = _all_names(others.filter(~pl.col(ENDPOINT).is_in(_RENAMED)))
    keys = pl.concat([people, links[PROFILE], names]).unique()
    known = held.of(keys, fields).filter(pl.col(PROFILE).is_in(keys.implode()))
    rows = _moved(known, renamed.join(others, on=[PROFILE, OTHER], how="semi"), fields)
    sure = calls.filter("sure")
    identified = sure.filter(pl.col(ENDPOINT).is_in(_IDENTIFIED))
    # An address may be that of others, too.
    by_alias = calls.filter(pl.col(ENDPOINT) == IDENTIFIES["alias"].name)
    # An alias may be that of whom its person was merged into.
    ids = pl.concat([sure[PROFILE], sure[WHO].alias(PROFILE)]).drop_nulls()
    left = external_ids_among(ids).to_frame().with_columns(now=pl.lit(value=False)).filter(gone)
    seen = pl.concat([identified[OTHER].alias(PROFILE), by_alias.filter("sure")[PROFILE]])
    there = seen.to_frame().with_columns(now=pl.lit(value=True))
    rows = _with(rows, EXISTS, pl.concat([left, there]))
    rows = _with(rows, IDENTIFIED, pl.concat([_doubted(known, names), _kept(calls, links)]))
    mean = by_alias.select(PROFILE, now=_meaning(pl.coalesce(OTHER_WHO, OTHER)))
    # An old id goes on to mean its person, and a snapshot that has the new one has not lost them.
    old = renamed.select(PROFILE, now=json_string(pl.col(OTHER)))
    return _with(rows, IDENTIFIED, pl.concat([mean, _relinked(renamed, links), old]))


def _all_names(calls: pl.DataFrame) -> pl.Series:
    """Name all keys of the people whom calls are about, as far as a look has shown them."""
    if NAMES not in calls.columns:
        return pl.Series(PROFILE, [], pl.String)
    return calls[NAMES].explode().drop_nulls().unique().alias(PROFILE)


def _doubted(known: pl.DataFrame, names: pl.Series) -> pl.DataFrame:
    """Let nobody know any more whom those keys mean of which anything is held."""
    theirs = known.filter(pl.col(PROFILE).is_in(names.implode()))
    return theirs.select(PROFILE, now=pl.lit(_UNKNOWN))


def _kept(calls: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    """Let keys of whom somebody was merged into go on to mean them."""
    into = calls.filter(pl.col(ENDPOINT).is_in([MERGES.name, *_IDENTIFIED]))
    people = pl.concat([into[OTHER], into[OTHER_WHO].alias(OTHER)]).drop_nulls()
    theirs = links.filter(pl.col("linked").is_in(people.implode()))
    return theirs.select(PROFILE, now=json_string(pl.col("linked")))


def _meaning(external_id: pl.Expr) -> pl.Expr:
    """Let a key mean a person, or nobody who is known, where a call may not have been done."""
    return pl.when("sure").then(json_string(external_id)).otherwise(pl.lit(_UNKNOWN))


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
    last = news.unique(PROFILE, keep="last", maintain_order=True)
    beside = rows.join(last, on=PROFILE, how="full", coalesce=True)
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
    # A person who was renamed may be named by the old id.
    return _with(there, IDENTIFIED, calls.select(new, now=_meaning(pl.coalesce(WHO, PROFILE))))


def _lost(fields: Sequence[str]) -> list[pl.Expr]:
    """Forget what is known of each field."""
    known = (pl.when(pl.col(name).is_not_null()) for name in fields)
    return [
        each.then(pl.lit(_UNKNOWN)).alias(name) for name, each in zip(fields, known, strict=True)
    ]
