"""
What Braze refused, in a form that can be given again: as given, not as it was to be sent.

The object beside the quarantine file has a row for each refused profile and file: ``@file``,
``@row``, ``@profile``, ``@uncertain`` (an attempt may have taken effect all the same) and, for each
field, ``given:NAME``, ``before:NAME`` and ``wanted:NAME``, all canonical JSON text. Under
``order_by``, fields of different ``@order`` have rows of their own. Rows are numbered through the
object, so that a row which is quarantined once more can be found again.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import polars as pl

from exchanger.config.models import NESTED, EntryField, FieldConfig, Match, Source
from exchanger.jobs.reading.cast import with_records
from exchanger.profiles.frames.columns import (
    FILE,
    ORDER,
    PROFILE,
    ROW,
    before,
    ordered,
    said,
    wanted,
)
from exchanger.profiles.frames.filled import filled
from exchanger.profiles.frames.raw_columns import RawColumns
from exchanger.profiles.frames.type_names import parse_type_name
from exchanger.profiles.merging.strategies import entry_goes
from exchanger.profiles.nested.cells import changed_parts
from exchanger.profiles.reading.mapping import settle_rules
from exchanger.profiles.reading.resolve import as_keys
from exchanger.profiles.reading.typed_rows import cast_rows
from exchanger.profiles.spelling.canonical_reader import members

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from exchanger.config.models import ImportJob
    from exchanger.profiles.frames.rules import Rule

GIVEN = "given:"
UNCERTAIN_ROW = "@uncertain"
_TURN = "@turn"
_COUNTED = ("sum", "add")


def refused_rows(
    refused: pl.DataFrame,
    contributions: pl.DataFrame,
    orders: pl.DataFrame,
    fields: Mapping[str, Mapping[str, Any]],
) -> pl.DataFrame:
    """
    Build the frame of what is still owed to refused profiles.

    Args:
        refused: Their rows of the outbox, with ``uncertain``.
        contributions: What each file gave to summed and added fields of them.
        orders: Where the rows that gave it stand in the order of ``order_by``.
        fields: How each field was merged, by name.

    Returns:
        As described above; empty if nothing was refused.
    """
    changed = [name for name in fields if wanted(name) in refused.columns]
    own = [_own(refused, orders, name, fields) for name in changed]
    counted = [
        contributions.filter(pl.col("field") == name)
        .join(refused, on=PROFILE, how="semi")
        .select(
            PROFILE,
            FILE,
            pl.int_range(pl.len()).over(PROFILE, FILE).alias(_TURN),
            pl.col("given").alias(GIVEN + name),
        )
        for name in fields
        if _merge(fields, name) == "counted"
    ]
    key = [PROFILE, FILE, _TURN, *([ORDER] if orders.height else [])]
    rows = (
        pl.concat([_nobody(refused, orders), *own, *counted], how="diagonal")
        .group_by(key)
        .agg(pl.all().drop_nulls().first())
        .sort(key)
    )
    given = [name for name in rows.columns if name.startswith(GIVEN)]
    speaking = rows.filter(pl.any_horizontal(pl.lit(value=False), pl.col(given).is_not_null()))
    # What was to change of somebody may have been sent in several objects.
    beside = refused.group_by(PROFILE).agg(
        pl.col("uncertain").any().alias(UNCERTAIN_ROW),
        *(pl.col(side(name)).drop_nulls().first() for name in changed for side in (before, wanted)),
    )
    return (
        speaking.drop(_TURN)
        .join(beside, on=PROFILE, how="left", maintain_order="left")
        .with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).alias(ROW))
    )


def _nobody(refused: pl.DataFrame, orders: pl.DataFrame) -> pl.DataFrame:
    """Build an empty frame of what names a row."""
    order = {ORDER: orders[ORDER].dtype} if orders.height else {}
    return pl.DataFrame(
        schema={PROFILE: pl.String(), FILE: refused[FILE].dtype, _TURN: pl.Int64(), **order}
    )


def _own(
    refused: pl.DataFrame,
    orders: pl.DataFrame,
    name: str,
    fields: Mapping[str, Mapping[str, Any]],
) -> pl.DataFrame:
    """Return what is owed to one field, with its order; nothing if the contributions tell it."""
    merge = _merge(fields, name)
    if merge == "counted":
        return refused.select(PROFILE).clear()
    given = _given(name, fields[name])
    if merge in ("remove", "entry"):
        given = _removed(name) if merge == "remove" else _entry(name)
    rows = refused.select(
        PROFILE, FILE, pl.lit(0, pl.Int64).alias(_TURN), given.alias(GIVEN + name)
    ).filter(pl.col(GIVEN + name).is_not_null())
    if ordered(name) not in orders.columns:
        return rows
    known = orders.filter(ordered(name)).select(PROFILE, ORDER)
    return rows.join(known, on=PROFILE, how="left", maintain_order="left")


def _merge(fields: Mapping[str, Mapping[str, Any]], name: str) -> str:
    merge = fields[name]["merge"]
    if fields[name].get("entry"):
        return "entry"
    if merge in _COUNTED:
        return "counted"
    return "remove" if merge == "remove" else "other"


def _given(name: str, told: Mapping[str, Any]) -> pl.Expr:
    """Of JSON merged in parts, what was to change; of all others, what was to be sent."""
    if told["merge"] not in NESTED or told.get("complete"):
        return pl.col(wanted(name))
    return _of_both(name, partial(changed_parts, key=told.get("key")))


def _of_both(name: str, made: Callable[[pl.Series, pl.Series], pl.Series]) -> pl.Expr:
    """Write what a field had before, and what it was to have, as texts."""
    had, has = before(name), wanted(name)
    return pl.struct(had, has).map_batches(
        lambda both: made(both.struct[had], both.struct[has]),
        return_dtype=pl.String,
        is_elementwise=True,
    )


def _removed(name: str) -> pl.Expr:
    """Of members to be removed, those that were there."""

    def gone(had: pl.Series, has: pl.Series) -> pl.Series:
        lists = pl.DataFrame({"had": members(had), "has": members(has)})
        left = pl.col("had").list.set_difference("has")
        text = pl.lit("[") + left.list.join(",") + pl.lit("]")
        return lists.select(pl.when(left.list.len() > 0).then(text)).to_series()

    return _of_both(name, gone)


def _entry(name: str) -> pl.Expr:
    """Return the entry that was to come, or to go."""

    def entry(had: pl.Series, has: pl.Series) -> pl.Series:
        lists = pl.DataFrame({"had": members(had), "has": members(has)})
        came = pl.col("has").list.set_difference("had").list.first()
        went = pl.col("had").list.set_difference("has").list.first()
        marked = pl.lit(entry_goes('"')) + went.str.slice(1)
        return lists.select(filled("[{}]", pl.coalesce(came, marked))).to_series()

    return _of_both(name, entry)


def as_order(orders: pl.Series, dtype: pl.DataType) -> pl.Series:
    """Bring orders to the type of today; of another kind than that, they tell nothing."""
    if orders.dtype == dtype or (orders.dtype.is_numeric() and dtype.is_numeric()):
        return orders.cast(dtype, strict=False)
    return pl.Series(ORDER, [None] * len(orders), dtype)


def read_refused(  # noqa: PLR0913 - what a file, its job and its run say
    owed: pl.DataFrame,
    job: ImportJob,
    position: int,
    *,
    fields: Mapping[str, Mapping[str, Any]],
    types: Mapping[str, str],
    key: str,
    order: pl.DataType | None = None,
) -> tuple[list[Rule], pl.DataFrame, pl.DataFrame]:
    """
    Cast what is owed by today's configuration, as if it came from a file.

    Args:
        owed: Some rows of what ``refused_rows`` made.
        job: The job as it is now; fields that it has no more are merged as they were.
        position: The position in the run of the file that gave these rows.
        fields: How each field was merged by the run that owes.
        types: The types of the job's columns, as kept by now.
        key: The file's key, for messages.
        order: What ``@order`` is now; None leaves it out.

    Returns:
        The rules, the given frame, and the rows that cannot be used (``batch.REJECTED``).

    Raises:
        FileRejected: The job and these values do not fit together any more.
    """
    names = [name for name in fields if GIVEN + name in owed.columns and owed[GIVEN + name].count()]
    configured = {name: _configured(job, name, fields[name], types) for name in names}
    as_file = job.model_copy(
        update={
            "match": (Match(external_id=PROFILE),),
            "source": _source(job.source),
            "fields": configured,
            "remaining_fields": (),
            # States of subscriptions, and of items, are given as fields by now.
            "object": "attributes",
            "subscription": None,
            "action": None,
            "audience": None,
            "state": None,
            "item_id": None,
            "catalog": None,
            # Every value was accepted before; one that is not by now stays owed.
            "on_invalid": "quarantine",
        }
    )
    cells = owed.select(ROW, PROFILE, *(pl.col(GIVEN + name).alias(name) for name in names))
    raw = RawColumns(cells, json_columns=frozenset(names), key=key)
    rules = settle_rules(as_file, raw, {}).rules
    raw = raw.at(position)
    given = cast_rows(raw, rules, as_file, named=as_keys(cells[PROFILE]))
    told = {rule.name: said(rule.name) for rule in rules if rule.merge == "clear"}
    spoken = owed.select(
        ROW, *(pl.col(GIVEN + name).is_not_null().alias(flag) for name, flag in told.items())
    )
    if order is not None:
        without = pl.Series(ORDER, [None] * owed.height, order)
        spoken = spoken.with_columns(as_order(owed.get_column(ORDER, default=without), order))
    frame = given.frame.drop(told.values()).join(spoken, on=ROW, how="left", maintain_order="left")
    return rules, frame, with_records(raw, given)


def _source(source: Source) -> Source:
    """Return where owed rows come from: they are values, whose identifiers were accepted."""
    return Source(prefix=source.prefix, timezone=source.timezone, placeholders="allow")


def _configured(
    job: ImportJob, name: str, was: Mapping[str, Any], types: Mapping[str, str]
) -> FieldConfig:
    """Take the field as it is configured now, at the type that its column has by now."""
    then = {option: was[option] for option in ("merge", "key", "complete") if option in was}
    given = EntryField(type="list") if was.get("entry") else FieldConfig(**then)
    today = job.cells.get(name, given)
    kept = types.get(today.from_ or name)
    if today.type is not None:
        named = {"type": today.type, "scale": today.scale}
    elif kept is not None and was["type"] not in ("list", "json"):
        parsed = parse_type_name(kept)
        named = {"type": parsed.type, "scale": parsed.scale}
    else:
        named = {"type": was["type"], "scale": was["scale"]}
    return today.model_copy(update={**named, "from_": None, "value": None, "split": None})
