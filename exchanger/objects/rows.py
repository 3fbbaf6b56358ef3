"""
What becomes of rows that are objects of their own: sent once each, or told why not.

Frames in, frames out. A row is named by its ``row_id``, if the job has one: of several rows of one
id the first is taken, and one that was taken up before is repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from exchanger.profiles.frames.columns import (
    ENDPOINT,
    FILE,
    ITEM,
    OBJECT,
    POINTS,
    PROFILE,
    ROW,
    ROW_ID,
    ROWS,
)
from exchanger.profiles.frames.slices import all_differ
from exchanger.profiles.planning.part import PartPlan, Tally
from exchanger.profiles.planning.payloads import creation
from exchanger.profiles.spelling.profile_key import are_external_ids, identifier_member
from exchanger.profiles.validation.messages import Place, no_rejections, rejections_of

if TYPE_CHECKING:
    from exchanger.braze.endpoints import Endpoint
    from exchanger.config.models import OnUnknown
    from exchanger.objects.parts import Fault
    from exchanger.profiles.frames.rules import Rule


@dataclass(frozen=True)
class EachRow:
    """
    Each row is an object of its own, whatever is held of its profile.

    Args:
        endpoints: Where it is sent, by what happens to objects in doubt.
        members: The members of an object beside who it is about; given the rules.
        points: Data points of each row.
    """

    endpoints: Mapping[OnUnknown, Endpoint]
    members: Callable[[Sequence[Rule]], list[pl.Expr]]
    points: Callable[[Sequence[Rule]], pl.Expr]


class RowsInput(NamedTuple):
    """
    Some rows of a run, and what is known of them.

    Args:
        given: In the shape of ``typed_rows.cast_rows``; with ``@row_id`` if the job has one.
        taken: The ids among them that were taken up before.
        ready: Objects that are given again as they were: ``@profile @object @endpoint @points
            @file @row``, and ``@row_id`` likewise.
        repeated: Further ones that need not be given again.
    """

    given: pl.DataFrame
    taken: pl.Series
    ready: pl.DataFrame | None = None
    repeated: int = 0


@dataclass(frozen=True)
class RowOptions:
    """
    What holds for all rows of a run.

    Args:
        making: What they become.
        rules: The parts of an object.
        endpoint: What outboxes call the endpoint.
        create_missing: Profiles that Braze does not have are created.
        shown: So many objects of a part are spelled, as nobody sees the others; None for all.
    """

    making: EachRow
    rules: Sequence[Rule]
    endpoint: str
    create_missing: bool
    shown: int | None = None


def judged_rows(
    given: pl.DataFrame, faults: Sequence[Fault], rules: Mapping[str, Rule]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """
    Part rows into those that Braze would take and those it would not, or would take otherwise.

    Args:
        given: Typed rows.
        faults: What can be wrong with an object of theirs.
        rules: The parts of an object, by name.

    Returns:
        The rows that are fine, and the rejected ones as ``messages.REJECTED``.
    """
    if not faults:
        return given, no_rejections()
    flags = given.select(
        fault.at.fill_null(value=False).alias(str(i)) for i, fault in enumerate(faults)
    )
    bad = flags.select(pl.any_horizontal(pl.lit(value=False), pl.all())).to_series()
    if not bad.any():
        return given, no_rejections()
    found = []
    for fault, column in zip(faults, flags.iter_columns(), strict=True):
        rows = given.filter(column)
        if rows.height:
            rule = rules.get(fault.part)
            value = rows[fault.part] if rule is not None else pl.Series([None], dtype=pl.String)
            why = pl.lit(fault.reason).alias("reason")
            cells = rows.select(FILE, ROW, value.alias("value"), why)
            name = rule.column if rule is not None and rule.column else fault.part
            place = Place(fault.part, name)
            found.append(rejections_of(cells, place))
    every = pl.concat(found).unique([FILE, ROW, "field"], keep="first", maintain_order=True)
    return given.filter(~bad), every.sort(FILE, ROW, maintain_order=True)


def plan_rows(part: RowsInput, terms: RowOptions) -> PartPlan:
    """Decide which rows are sent, and spell their objects."""
    rows = in_file_order(part.given)
    first = rows
    if ROW_ID in rows.columns:
        new = pl.lit(value=True)
        if not all_differ(rows[ROW_ID]):  # Mostly they do, as a quick look at hashes tells.
            new = pl.col(ROW_ID).is_first_distinct()
        if not part.taken.is_empty():
            new &= ~pl.col(ROW_ID).is_in(part.taken.implode())
        first = rows.filter(new)
    return PartPlan(
        outbox=numbered(spelled(first, terms), part.ready),
        contributions=None,
        rejected=None,
        tally=Tally(rows_repeated=rows.height - first.height + part.repeated),
    )


def in_file_order(rows: pl.DataFrame) -> pl.DataFrame:
    """Bring rows into the order of files and of rows in them, in which they mostly are."""
    place = pl.col(FILE).cast(pl.UInt64) * (1 << 32) + pl.col(ROW)
    if rows.select(place).to_series().is_sorted():
        return rows
    return rows.sort(FILE, ROW)


def numbered(outbox: pl.DataFrame, ready: pl.DataFrame | None) -> pl.DataFrame:
    """Number the objects of a part, after which come those that are given again."""
    if ready is not None:
        # The job may name its rows since then, or no longer.
        named = [name for name in outbox.columns if name in ready.columns]
        outbox = pl.concat([outbox, ready.select(named)], how="diagonal")
    return outbox.with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias(ITEM))


def spelled(rows: pl.DataFrame, terms: RowOptions) -> pl.DataFrame:
    """
    Spell each row as one object.

    Returns:
        In the same order: ``@item`` (UInt32, null), ``@profile``, ``@endpoint``, ``@object`` (JSON
        text, null where nobody sees it), ``@points`` and ``@rows`` (UInt32), ``@file``, ``@row``,
        and ``@row_id`` if given.
    """
    shown = rows.head(rows.height if terms.shown is None else terms.shown)
    keys = shown[PROFILE]
    plain = are_external_ids(keys)
    rendered = pl.concat_str(
        pl.lit("{"),
        identifier_member(keys, plain=plain),
        *creation(update_only=not terms.create_missing, plain=plain),
        *terms.making.members(terms.rules),
        pl.lit("}"),
        ignore_nulls=True,
    )
    named = [ROW_ID] if ROW_ID in rows.columns else []
    objects = shown.select(rendered.alias(OBJECT)).to_series()
    return rows.with_columns(objects.extend_constant(None, rows.height - shown.height)).select(
        pl.lit(None, pl.UInt32).alias(ITEM),
        PROFILE,
        pl.lit(terms.endpoint).alias(ENDPOINT),
        OBJECT,
        terms.making.points(terms.rules).cast(pl.UInt32).alias(POINTS),
        FILE,
        ROW,
        pl.lit(1, pl.UInt32).alias(ROWS),
        *named,
    )
