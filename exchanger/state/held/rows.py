"""
Rows of the table of held values: how they are stamped, and which of them counts.

All of it is polars, over lazy frames of the table's own columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import polars_hash as plh

from exchanger.profiles.frames.columns import EXISTS, PROFILE
from exchanger.profiles.frames.slices import all_differ, slice_of
from exchanger.state.names import table_column

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

PLACES = 2**32
"""Places that ``place_of`` gives."""

_META = ("slice", "profile", "exists", "stamp", "observed", "at")
_ORDER = ("stamp", "observed", "at")
_WHEN = "when:"
_SENT = "sent:"
_SAME = "="
_NEVER = "-"
_TIME = pl.Datetime("us", "UTC")


def place_of(profile: str, seed: int) -> pl.Expr:
    """Place a profile at random between 0 and ``PLACES``, always alike for the same seed."""
    digest = plh.concat_str(pl.lit(f"{seed}:"), profile).nchash.xxhash64()
    return digest % PLACES


def held_column(field: str) -> str:
    """Name the column of an attribute, also of one that is called like a column of ours."""
    column = table_column(field)
    return f"%{ord(column[0]):02x}{column[1:]}" if column in _META else column


def value_columns(columns: Iterable[str]) -> list[str]:
    """Choose, of the table's columns, those that hold values of attributes."""
    return [name for name in columns if name not in _META and not name.startswith((_WHEN, _SENT))]


def stamped(rows: pl.DataFrame, *, stamp: int, observed: bool, at: datetime) -> pl.DataFrame:
    """
    Build rows of the table.

    Args:
        rows: ``@profile``, ``@exists`` and canonical columns by the attributes' own names.
        stamp: The run whose values they are known to include.
        observed: They were seen, rather than delivered.
        at: When.

    Returns:
        The table's columns, sorted by slice.
    """
    fields = [name for name in rows.columns if name not in (PROFILE, EXISTS)]
    return (
        rows.select(
            slice_of(PROFILE).alias("slice"),
            pl.col(PROFILE).alias("profile"),
            pl.col(EXISTS).alias("exists"),
            pl.lit(stamp, pl.Int64).alias("stamp"),
            pl.lit(observed, pl.Boolean).alias("observed"),
            pl.lit(at).cast(_TIME).alias("at"),
            *(pl.col(name).alias(held_column(name)) for name in fields),
        )
        .select(*_META, *(held_column(name) for name in fields))
        .sort("slice", maintain_order=True)
    )


def in_order(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Sort rows so that of one profile the last that speaks of a field counts."""
    return rows.sort(*_ORDER)


def of_persons(rows: pl.LazyFrame, person: str) -> pl.LazyFrame:
    """
    Name in rows the persons that their keys mean.

    Of what was learnt at one moment, that of the person's own key counts. That nobody has another
    key, such as an old id, says nothing of the person.

    Args:
        rows: Rows of the table.
        person: The column with the person's own key.
    """
    other = pl.col("profile") != pl.col(person)
    return rows.with_columns(
        pl.col(person).alias("profile"),
        pl.when(~other | pl.col("exists")).then("exists").alias("exists"),
        pl.col("at") - pl.duration(microseconds=other.cast(pl.Int64)),
    ).drop(person)


def newest(column: str) -> pl.Expr:
    """Aggregate the rows of a profile, in order, to the newest value of a column."""
    return pl.col(column).drop_nulls().last()


def newest_time(column: str, present: Iterable[str]) -> pl.Expr:
    """
    Aggregate the rows of a profile, in order, to the time at which *newest* was learnt.

    Args:
        column: As for *newest*.
        present: All columns of the table.
    """
    return _time_of(column, present).filter(pl.col(column).is_not_null()).last()


def time_alone(column: str, present: Iterable[str]) -> pl.Expr:
    """Return what *newest_time* gives for a profile of one row."""
    return pl.when(pl.col(column).is_not_null()).then(_time_of(column, present))


def _time_of(column: str, present: Iterable[str]) -> pl.Expr:
    when = _WHEN + column
    return pl.coalesce(when, "at") if when in present else pl.col("at")


def columns_for(rows: pl.LazyFrame, wanted: Mapping[str, tuple[pl.Expr, pl.Expr]]) -> pl.LazyFrame:
    """Choose the columns that *newest_of_each* needs."""
    needed = {root for pair in wanted.values() for expr in pair for root in expr.meta.root_names()}
    return rows.select(sorted(needed | {"profile", *_ORDER}))


def newest_of_each(
    found: pl.DataFrame, wanted: Mapping[str, tuple[pl.Expr, pl.Expr]]
) -> pl.DataFrame:
    """
    Fold all rows of each profile into one.

    Grouping is dear and after folding most profiles have one row, so those go another way.

    Args:
        found: Rows of the table, *columns_for* at least.
        wanted: By name, the aggregation of a profile's rows, and what it is for a single row.

    Returns:
        ``@profile`` and the names of *wanted*, in one chunk, which is quicker to gather from.
    """
    alone = {name: single for name, (_, single) in wanted.items()}
    grouped = {name: several for name, (several, _) in wanted.items()}
    profile = pl.col("profile").alias(PROFILE)
    if all_differ(found["profile"]):
        return found.select(profile, **alone).rechunk()
    repeated = found["profile"].is_duplicated()
    several = in_order(found.lazy().filter(repeated)).group_by(profile).agg(**grouped)
    ones = found.lazy().filter(~repeated).select(profile, **alone)
    return pl.concat(pl.collect_all([ones, several])).rechunk()


def newest_sent(column: str, present: Iterable[str]) -> pl.Expr:
    """
    Aggregate the rows of a profile, in order, to the value of a column that was delivered last.

    Args:
        column: As for *newest*.
        present: All columns of the table.

    Returns:
        A canonical text; ``?`` if it is not certain what was delivered; null if nothing ever was.
    """
    return sent_alone(column, present).drop_nulls().last()


def sent_alone(column: str, present: Iterable[str]) -> pl.Expr:
    """Return what *newest_sent* gives for a profile of one row."""
    value, delivered = pl.col(column), pl.when(~pl.col("observed")).then(pl.col(column))
    if _SENT + column not in present:
        return delivered
    noted = pl.col(_SENT + column)
    sent = pl.when(noted == _SAME).then(value).when(noted != _NEVER).then(noted)
    return pl.when(noted.is_null()).then(delivered).otherwise(sent)


def folded(rows: pl.DataFrame) -> pl.DataFrame:
    """
    Fold all rows that a profile has into one.

    It holds the newest value of each field, and the stamp of the newest row. An older observation
    of another field counts for nothing then, which costs freshness, never exactness. Two things of
    single fields are kept, where they are not what the row itself says: ``when:FIELD``, the time
    of a value, and ``sent:FIELD``, what was delivered last: a text, ``=`` for the value itself, or
    ``-`` for nothing.

    Args:
        rows: Rows of the table, all that the profiles in it have.

    Returns:
        The table's columns and those of times and deliveries, sorted by slice.
    """
    columns = ["exists", *value_columns(rows.columns)]
    noted = [_WHEN + name for name in columns] + [_SENT + name for name in columns[1:]]
    names = [*_META, *columns[1:], *noted]
    # A row that is alone is what grouping would make of it, and grouping is dear.
    missing = [
        pl.lit(None, _TIME if name.startswith(_WHEN) else pl.String).alias(name)
        for name in noted
        if name not in rows.columns
    ]
    repeated = rows["profile"].is_duplicated()
    alone = rows.filter(~repeated).with_columns(missing).select(names)
    grouped = _grouped(rows.filter(repeated), columns).select(names)
    return pl.concat([alone, grouped]).sort("slice", maintain_order=True)


def _grouped(rows: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    present = rows.columns
    last = ("slice", "stamp", "observed", "at")
    return (
        in_order(rows.lazy())
        .group_by("profile")
        .agg(
            *(pl.col(name).last() for name in last),
            *(newest(name) for name in columns),
            *(newest_time(name, present).alias(_WHEN + name) for name in columns),
            *(newest_sent(name, present).alias(_SENT + name) for name in columns[1:]),
        )
        .with_columns(
            *(_unless_of_row(name) for name in columns), *(_noted(name) for name in columns[1:])
        )
        .collect()
    )


def _unless_of_row(column: str) -> pl.Expr:
    time = pl.col(_WHEN + column)
    return pl.when(time != pl.col("at")).then(time).alias(_WHEN + column)


def _noted(column: str) -> pl.Expr:
    """Note what was delivered last, unless it is what a row that is not folded would mean."""
    value, sent = pl.col(column), pl.col(_SENT + column)
    seen = pl.when(sent == value).then(pl.lit(_SAME)).otherwise(sent)
    delivered = (
        pl.when(sent.is_null() & value.is_not_null())
        .then(pl.lit(_NEVER))
        .when(sent.ne_missing(value))
        .then(sent)
    )
    return pl.when("observed").then(seen).otherwise(delivered).alias(_SENT + column)
