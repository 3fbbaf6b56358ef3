"""What is held, per field: what the newest row says that speaks of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from exchanger.profiles.frames.columns import EXISTS, PROFILE, STAMP, sent_column
from exchanger.profiles.frames.slices import slice_of
from exchanger.state.held.rows import (
    columns_for,
    held_column,
    newest,
    newest_of_each,
    newest_sent,
    newest_time,
    sent_alone,
    time_alone,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from datetime import datetime


def rows_of(rows: pl.LazyFrame, profiles: pl.Series, column: str = "profile") -> pl.LazyFrame:
    """Choose the rows of some profiles, or of what else a table is sorted by."""
    named = pl.LazyFrame({column: profiles.unique()}, schema={column: pl.String})
    return rows.filter(_near(profiles)).join(named, on=column, how="semi")


def rows_around(rows: pl.LazyFrame, profiles: pl.Series, column: str = "profile") -> pl.LazyFrame:
    """
    Choose the rows of some profiles, or of what else a table is sorted by: faster than *rows_of*.

    Profiles are told apart by their hash, which can be asked while a file is read. Once in millions
    of times a stranger has the hash of one of them, and its rows come along.
    """
    return rows.filter(_near(profiles), pl.col(column).hash().is_in(profiles.hash().implode()))


def _near(profiles: pl.Series) -> pl.Expr:
    """Leave out the slices beyond those of some profiles: the table is sorted by them."""
    slices = profiles.alias(PROFILE).to_frame().select(slice_of(PROFILE)).to_series()
    first, last = pl.lit(slices.min(), pl.Int32), pl.lit(slices.max(), pl.Int32)
    return pl.col("slice").is_between(first, last)


def about_fields(rows: pl.LazyFrame, fields: Sequence[str]) -> list[str]:
    """Name the columns that *newest_said* needs of some fields."""
    present = rows.collect_schema().names()
    return [*_MOMENT, *(name for name in map(held_column, fields) if name in present)]


def newest_said(rows: pl.DataFrame, fields: Sequence[str]) -> pl.DataFrame:
    """Take of people, per field, what the newest row says of those that ``said_of`` read."""
    return read_newest(pl.LazyFrame.collect, rows.lazy(), fields).drop(STAMP)


_MOMENT = ("profile", "exists", "stamp", "observed", "at")
"""Columns that say of whom a row speaks, and since when it is so."""
_TIME = "@time:"
_THEIRS = "@theirs"


def nothing(fields: Sequence[str], sent: Collection[str]) -> pl.DataFrame:
    """Build the frame of *read_newest* for a table that is not there yet."""
    texts = [*fields, *(sent_column(name) for name in fields if name in sent)]
    schema = {PROFILE: pl.String(), EXISTS: pl.Boolean(), STAMP: pl.Int64()}
    return pl.DataFrame(schema=schema | dict.fromkeys(texts, pl.String()))


def read_newest(  # noqa: PLR0913 - what HeldValues.of is told, and how to read
    collect: Callable[[pl.LazyFrame], pl.DataFrame],
    rows: pl.LazyFrame,
    fields: Sequence[str],
    *,
    since: datetime | None = None,
    fresh: Collection[str] = (),
    sent: Collection[str] = (),
    timed: bool = False,
) -> pl.DataFrame:
    """
    Take of some profiles, per field, what the newest row says.

    Args:
        collect: Carries out a query.
        rows: All the rows that the profiles have.
        fields: Attributes.
        since: As for ``HeldValues.of``, and so are *fresh* and *sent*.
        fresh: Some of *fields*.
        sent: Some of *fields*.
        timed: Also tell when each value was learnt.

    Returns:
        One row for each profile: ``@profile``, ``@exists``, ``@stamp`` (Int64, of the newest row),
        one canonical String column per field, ``@sent:NAME``, and ``@time:NAME`` if *timed*.
    """
    present = rows.collect_schema().names()
    columns = {EXISTS: "exists"} | {name: held_column(name) for name in fields}
    known = {name: column for name, column in columns.items() if column in present}
    dated = {} if since is None else {n: c for n, c in known.items() if n in (EXISTS, *fresh)}
    delivered = {sent_column(n): c for n, c in known.items() if n in sent}
    texts = [*fields, *(sent_column(name) for name in fields if name in sent)]
    times = {name: column for name, column in known.items() if timed and name != EXISTS}
    found = (PROFILE, EXISTS, STAMP, *known, *delivered)
    # What it is over all rows of a profile, and of one that has a single row.
    wanted = {name: (newest(column), pl.col(column)) for name, column in known.items()}
    wanted |= {
        _time(name): (newest_time(column, present), time_alone(column, present))
        for name, column in (dated | times).items()
    }
    wanted |= {
        name: (newest_sent(column, present), sent_alone(column, present))
        for name, column in delivered.items()
    }
    wanted[STAMP] = pl.col("stamp").last(), pl.col("stamp")
    return (
        newest_of_each(collect(columns_for(rows, wanted)), wanted)
        .with_columns(_unless_too_old(name, since) for name in dated)
        .select(
            *(
                pl.col(name) if name in found else pl.lit(None, pl.String).alias(name)
                for name in (PROFILE, EXISTS, STAMP, *texts)
            ),
            *(_time(name) for name in times),
        )
    )


def with_newer(
    known: pl.DataFrame, ours: pl.DataFrame, others: Iterable[pl.DataFrame]
) -> pl.DataFrame:
    """
    Take what other states of the same workspace have learnt later than we have.

    What two have learnt in the same second, and differently, is unknown.

    Args:
        known: What is known of profiles, of ours.
        ours: When we have learnt that: as *read_newest* gives it, *timed*.
        others: The same of each other state, with the fields that it speaks of.
    """
    times = [name for name in ours.columns if name.startswith(_TIME)]
    newest = known.join(ours.select(PROFILE, *times), PROFILE, how="left", maintain_order="left")
    for theirs in others:
        fields = [name.removeprefix(_TIME) for name in theirs.columns if name.startswith(_TIME)]
        new = [name for name in map(_time, fields) if name not in newest.columns]
        newest = newest.with_columns(pl.lit(None, theirs.schema[name]).alias(name) for name in new)
        later = theirs.select(PROFILE, EXISTS, *fields, *map(_time, fields))
        both = newest.join(later, PROFILE, how="left", suffix=_THEIRS, maintain_order="left")
        known_last = pl.any_horizontal(pl.lit(value=False), *map(_is_newer, fields))
        there = pl.when(known_last & pl.col(EXISTS + _THEIRS)).then(True).otherwise(EXISTS)
        settled = both.with_columns(
            there.alias(EXISTS), *(column for name in fields for column in _newer(name))
        )
        strangers = theirs.join(newest, on=PROFILE, how="anti")
        strangers = strangers.select(PROFILE, EXISTS, *fields, *map(_time, fields))
        newest = pl.concat([settled.select(newest.columns), strangers], how="diagonal")
    return newest.select(known.columns)


def _is_newer(name: str) -> pl.Expr:
    ours, theirs = pl.col(_time(name)), pl.col(_time(name) + _THEIRS)
    return theirs.is_not_null() & (ours.is_null() | (theirs > ours))


def _newer(name: str) -> tuple[pl.Expr, pl.Expr]:
    """Choose between two values of a field, and between their times."""
    ours, theirs = pl.col(_time(name)), pl.col(_time(name) + _THEIRS)
    value, other = pl.col(name), pl.col(name + _THEIRS)
    is_newer = _is_newer(name)
    is_unclear = (theirs == ours) & value.ne_missing(other)
    chosen = pl.when(is_newer).then(other).when(is_unclear).then(None).otherwise(value)
    return chosen.alias(name), pl.when(is_newer).then(theirs).otherwise(ours).alias(_time(name))


def _time(name: str) -> str:
    return f"{_TIME}{name}"


def _unless_too_old(name: str, since: datetime | None) -> pl.Expr:
    """Forget a value, or that a profile is absent, if it was learnt too long ago."""
    value = pl.col(name)
    stays = pl.col(_time(name)) >= since
    return pl.when(stays | value if name == EXISTS else stays).then(value).alias(name)
