"""
What becomes of rows that are calls about people: aliases, identify, merge, rename, delete.

Braze answers that it has understood a call, also where nothing happens. So a look before shows
whether there is anything to do and what is in the way, and a look afterwards whether it was done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from exchanger.objects.people.obstacles import CALL, SO, obstacles
from exchanger.objects.rows import in_file_order, numbered
from exchanger.profiles.frames.columns import (
    ENDPOINT,
    FILE,
    ITEM,
    MEANT,
    NAMES,
    OBJECT,
    OTHER,
    OTHER_WHO,
    POINTS,
    PROFILE,
    ROW,
    ROWS,
    WHO,
)
from exchanger.profiles.planning.part import PartPlan, Tally
from exchanger.profiles.spelling.profile_key import profile_key

if TYPE_CHECKING:
    from exchanger.config.models import ImportJob

SEEN: Mapping[str, pl.DataType] = {
    "key": pl.String(),
    "ids": pl.List(pl.String()),
    "whos": pl.List(pl.String()),
    "aliases": pl.List(pl.String()),
    "names": pl.List(pl.String()),
}
"""
Who has an identifier: ``braze_id`` and external id (null without one) of each profile, the keys
of all their aliases, and these with all other keys but external ids.
"""
_VERDICT = "@verdict"
_FIRST = "@first"
_OUTBOX: Mapping[str, pl.DataType] = {
    ITEM: pl.UInt32(),
    PROFILE: pl.String(),
    ENDPOINT: pl.String(),
    OBJECT: pl.String(),
    POINTS: pl.UInt32(),
    FILE: pl.UInt32(),
    ROW: pl.UInt32(),
    ROWS: pl.UInt32(),
    OTHER: pl.String(),
    MEANT: pl.String(),
    WHO: pl.String(),
    OTHER_WHO: pl.String(),
    NAMES: pl.List(pl.String()),
}


@dataclass(frozen=True)
class EachCall:
    """
    Each row is a call about one or two people.

    The functions are about rows as typed, with ``@endpoint`` and ``@other`` and, as ``a.`` and
    ``b.``, what a look showed of ``@profile`` and ``@other``: the columns of ``SEEN``.

    Args:
        endpoint: Which endpoint takes each row.
        other: The key of the other identifier.
        judged: Whether a row is ``so`` already, a ``call``, or else what is in the way.
        spelled: The object of each call.
        done: Whether a look after a call, at *looked_at*, shows that it was done.
        looked_at: Columns of the keys that are looked at afterwards.
        once: What a run says one thing of: a second row of it that says otherwise is in the way of
            itself.
        claims: Whether one person alone can have the other identifier: the first row that gives it
            to somebody counts.
        each_profile: Whether each profile that has the identifier becomes an object of its own,
            which then is the other identifier.
        gone: Whether nobody has ``@profile`` afterwards.
    """

    endpoint: Callable[[ImportJob], pl.Expr]
    other: Callable[[ImportJob], pl.Expr]
    judged: Callable[[ImportJob], pl.Expr]
    spelled: Callable[[ImportJob], pl.Expr]
    done: Callable[[], pl.Expr]
    looked_at: tuple[str, ...] = (PROFILE,)
    once: tuple[pl.Expr, ...] = (pl.col(PROFILE),)
    claims: bool = False
    each_profile: bool = False
    gone: bool = False


class CallsInput(NamedTuple):
    """
    Some rows of a run, and what is known of the people in them.

    Args:
        given: In the shape of ``typed_rows.cast_rows``, with ``@other``.
        seen: Who has which identifier, as ``SEEN``.
        leaving: Keys that this run takes from their profiles, where no other may be kept for them.
        claimed: Who is the first to get what the run gives to several people: ``claims_of``.
        ready: Objects that are given again as they were.
    """

    given: pl.DataFrame
    seen: pl.DataFrame
    leaving: pl.Series
    claimed: pl.DataFrame
    ready: pl.DataFrame | None = None


@dataclass(frozen=True)
class CallOptions:
    """
    What holds for all rows of a run.

    Args:
        making: What they become.
        job: What says how.
    """

    making: EachCall
    job: ImportJob


def beside(rows: pl.DataFrame, seen: pl.DataFrame) -> pl.DataFrame:
    """Put what was seen of ``@profile`` and ``@other`` beside rows, as ``a.`` and ``b.``."""
    for key, mark in ((PROFILE, "a."), (OTHER, "b.")):
        named = seen.select(pl.all().name.prefix(mark))
        rows = rows.join(
            named, left_on=key, right_on=f"{mark}key", how="left", maintain_order="left"
        )
    return rows.with_columns(
        pl.col(f"{mark}.{name}").fill_null(pl.lit([], pl.List(pl.String)))
        for mark in "ab"
        for name in ("ids", "whos", "aliases", "names")
    )


def leaving(rows: pl.DataFrame) -> pl.Series:
    """Name the keys that rows take from their profiles for the sake of another one."""
    return rows.filter(pl.col(PROFILE) != pl.col(OTHER))[PROFILE].unique()


def claims_of(rows: pl.DataFrame) -> pl.DataFrame:
    """Find the identifiers that rows give to several people, and who is the first: ``@first``."""
    given = rows.sort(FILE, ROW).group_by(OTHER, maintain_order=True)
    first, several = pl.col(PROFILE).first().alias(_FIRST), pl.col(PROFILE).n_unique() > 1
    return given.agg(first, several.alias("several")).filter("several").select(OTHER, _FIRST)


def plan_calls(part: CallsInput, terms: CallOptions) -> PartPlan:
    """Decide which rows are sent, and spell their objects."""
    if part.given.is_empty():
        return _plan(pl.DataFrame(schema=_OUTBOX), part.ready)
    rows, verdict = judged_calls(part, terms), pl.col(_VERDICT)
    plan = _plan(_spelled(rows.filter(verdict == CALL), terms), part.ready)
    hindered = rows.filter(~verdict.is_in([CALL, SO]))
    return replace(
        plan,
        rejected=obstacles(hindered, verdict) if hindered.height else None,
        tally=Tally(
            rows_unchanged=rows.filter(verdict == SO).height, rows_rejected=hindered.height
        ),
    )


def _plan(outbox: pl.DataFrame, ready: pl.DataFrame | None) -> PartPlan:
    return PartPlan(numbered(outbox, ready), None, None, Tally())


def judged_calls(part: CallsInput, terms: CallOptions) -> pl.DataFrame:
    """Put a verdict beside each row: ``so``, ``call``, or what is in the way."""
    making = terms.making
    rows = in_file_order(part.given).with_columns(making.endpoint(terms.job).alias(ENDPOINT))
    rows = beside(rows, part.seen).with_columns(making.judged(terms.job).alias(_VERDICT))
    rows = rows.join(part.claimed, on=OTHER, how="left", maintain_order="left")
    is_call = pl.col(_VERDICT) == CALL
    said = pl.when(is_call).then(OTHER).drop_nulls().first()
    otherwise = pl.col(OTHER) != said.over(*making.once) if making.once else pl.lit(value=False)
    leaves = pl.col(OTHER).is_in(part.leaving.implode()).fill_null(value=False)
    return rows.with_columns(
        pl.when(is_call & otherwise)
        .then(pl.lit("said_otherwise"))
        .when(is_call & (pl.col(_FIRST) != pl.col(PROFILE)) & pl.lit(making.claims))
        .then(pl.lit("claimed"))
        .when(is_call & leaves)
        .then(pl.lit("leaves_itself"))
        .otherwise(_VERDICT)
        .alias(_VERDICT)
    )


def _spelled(rows: pl.DataFrame, terms: CallOptions) -> pl.DataFrame:
    """Spell each call once, however many rows say the same; the last of them stands for all."""
    if terms.making.each_profile:
        rows = rows.explode("a.ids", "a.whos").with_columns(
            profile_key("braze_id", pl.col("a.ids")).alias(OTHER),
            pl.concat_list("a.ids").alias("a.ids"),
            pl.concat_list("a.whos").alias("a.whos"),
        )
    rows = rows.with_columns(
        terms.making.spelled(terms.job).alias(OBJECT),
        pl.col("a.ids").list.sort().list.join(",").alias(MEANT),
        pl.col("a.whos").list.drop_nulls().list.first().alias(WHO),
        pl.col("b.whos").list.drop_nulls().list.first().alias(OTHER_WHO),
        pl.concat_list("a.names", "b.names").alias(NAMES),
    )
    names = (ENDPOINT, FILE, ROW, MEANT, WHO, OTHER_WHO, NAMES)
    calls = rows.group_by(PROFILE, OTHER, OBJECT, maintain_order=True).agg(
        *(pl.col(name).last() for name in names), pl.len().cast(pl.UInt32).alias(ROWS)
    )
    if terms.making.each_profile:
        once = pl.when(pl.int_range(pl.len()).over(PROFILE) == 0).then(ROWS).otherwise(0)
        calls = calls.with_columns(once.cast(pl.UInt32).alias(ROWS))
    nothing = {ITEM: pl.lit(None, pl.UInt32), POINTS: pl.lit(0, pl.UInt32)}
    return calls.with_columns(**nothing).select(*_OUTBOX)
