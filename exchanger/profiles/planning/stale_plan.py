"""
Planned changes that were not sent for a long time, beside what Braze has by now.

A field that Braze has as wanted needs nothing more, and one that it has as before is sent as
planned. Anything else was changed by somebody else, and follows ``on_drift``; but nobody who is
unsubscribed by now is subscribed by it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl

from exchanger.profiles.frames.columns import (
    BEFORE,
    EXISTS,
    ITEM,
    MERGED,
    OBJECT,
    POINTS,
    PROFILE,
    WANTED,
    before,
    send,
    wanted,
)
from exchanger.profiles.frames.filled import filled
from exchanger.profiles.merging.consent import resubscribes_by_now
from exchanger.profiles.merging.drift import differs
from exchanger.profiles.nested.cells import applied
from exchanger.profiles.spelling.data_points import field_points
from exchanger.profiles.spelling.json_values import spell_json

_SEEN = "@now:"


@dataclass(frozen=True)
class Review:
    """
    What is to become of rows of an outbox.

    Args:
        outbox: The rows; fields that are left as they are in Braze are taken out.
        done: ``@item`` of those that need not be sent, as Braze has all that they say.
        emptied: ``@item`` of those that need not be sent without the fields that are taken out.
        withheld: ``@item`` and ``reason`` of those that a person has to look at.
        kept: How many fields were taken out.
        renewed: How many fields have another wanted value: where Braze merges what is sent in
            parts into what it has by now.
    """

    outbox: pl.DataFrame
    done: pl.Series
    emptied: pl.Series
    withheld: pl.DataFrame
    kept: int
    renewed: int = 0


def planned_fields(rows: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Name the fields that rows of an outbox change, of some: ``@profile`` and ``field``."""
    nothing = pl.DataFrame(schema={PROFILE: pl.String, "field": pl.String})
    changed = (
        rows.filter(pl.col(wanted(name)).is_not_null()).select(PROFILE, pl.lit(name).alias("field"))
        for name in names
    )
    return pl.concat([nothing, *changed])


def review_stale_plan(
    rows: pl.DataFrame, seen: pl.DataFrame, fields: Mapping[str, Mapping[str, Any]]
) -> Review:
    """
    Decide about planned rows that nobody has tried to send yet.

    Args:
        rows: Of the outbox.
        seen: The held frame of a look at Braze, for their profiles.
        fields: Of each field ``on_drift``, ``ordered``, ``guarded`` and ``type``, as the run was
            planned.
    """
    names = [name.removeprefix(WANTED) for name in rows.columns if name.startswith(WANTED)]
    looks = [name for name in names if name in seen.columns]
    beside = rows.join(
        seen.select(PROFILE, EXISTS, *(pl.col(name).alias(_SEEN + name) for name in looks)),
        on=PROFILE,
        how="left",
        maintain_order="left",
    ).with_columns(
        # A profile that is gone is created anew, as the plan would have it.
        pl.when(EXISTS).then(pl.col(_SEEN + name)).alias(_SEEN + name)
        for name in looks
    )
    beside, renewed = _renewed(beside, looks, fields)
    drifted = {name: _drifted(name, fields) for name in looks}
    left = {name: by for name, by in drifted.items() if _policy(fields, name) == "keep"}
    for name in looks:
        if fields.get(name, {}).get("guarded"):
            unasked = resubscribes_by_now(name, pl.col(wanted(name)), pl.col(_SEEN + name))
            left[name] = left.get(name, pl.lit(value=False)) | unasked
    barred = {name: by for name, by in drifted.items() if _policy(fields, name) == "quarantine"}
    missing = [
        pl.col(wanted(name)).is_not_null()
        & ~(_as_wanted(name, fields) if name in looks else pl.lit(value=False))
        & ~left.get(name, pl.lit(value=False))
        for name in names
    ]
    told = beside.with_columns(
        pl.coalesce(None, *(pl.when(by).then(_reason(name)) for name, by in barred.items()))
        .cast(pl.String)
        .alias("reason"),
        pl.any_horizontal(pl.lit(value=False), *missing).alias("missing"),
        *(by.alias(f"@left:{name}") for name, by in left.items()),
    )
    withheld = told.filter(pl.col("reason").is_not_null())
    fine = told.filter(pl.col("reason").is_null())
    marks = [f"@left:{name}" for name in left]
    lighter = pl.any_horizontal(pl.lit(value=False), *marks)
    idle = fine.filter(~pl.col("missing"))
    return Review(
        outbox=without_left(told, list(left)).select(rows.columns),
        done=idle.filter(~lighter)[ITEM],
        emptied=idle.filter(lighter)[ITEM],
        withheld=withheld.select(ITEM, "reason"),
        kept=int(fine.select(pl.sum_horizontal(pl.lit(0), *marks).sum()).item()),
        renewed=renewed,
    )


def _renewed(
    beside: pl.DataFrame, names: list[str], fields: Mapping[str, Mapping[str, Any]]
) -> tuple[pl.DataFrame, int]:
    """Bring what merging comes to in line with what Braze has by now, where it is not left."""
    if MERGED not in beside.columns:
        return beside, 0
    count = 0
    for name in names:
        if fields.get(name, {}).get("type") != "json" or _policy(fields, name) != "overwrite":
            continue
        sent = send(name) if send(name) in beside.columns else wanted(name)
        moved = beside.select(_drifted(name, fields) & pl.col(MERGED)).to_series()
        # Few rows: what somebody else changed in the field of a plan that nobody sent for days.
        cells = beside.filter(moved).select(_SEEN + name, sent)
        after = [applied(now, part) for now, part in cells.iter_rows()]
        places = moved.arg_true()
        beside = beside.with_columns(
            beside[wanted(name)].scatter(places, after),
            beside[before(name)].scatter(places, cells[_SEEN + name]),
        )
        count += len(after)
    return beside, count


def _policy(fields: Mapping[str, Mapping[str, Any]], name: str) -> str:
    return str(fields.get(name, {}).get("on_drift", "overwrite"))


def _as_wanted(name: str, fields: Mapping[str, Mapping[str, Any]]) -> pl.Expr:
    now = pl.col(_SEEN + name)
    ordered = bool(fields.get(name, {}).get("ordered", False))
    return now.is_not_null() & ~differs(pl.col(wanted(name)), now, ordered=ordered)


def _drifted(name: str, fields: Mapping[str, Mapping[str, Any]]) -> pl.Expr:
    """Return where Braze has neither what is wanted nor what it had before, if that was known."""
    now = pl.col(_SEEN + name)
    ordered = bool(fields.get(name, {}).get("ordered", False))
    changes = pl.col(wanted(name)).is_not_null()
    return (
        changes
        & differs(pl.col(wanted(name)), now, ordered=ordered)
        & differs(pl.col(before(name)), now, ordered=ordered)
    )


def _reason(name: str) -> pl.Expr:
    return filled(
        "Somebody else changed {} in Braze to {} before this was sent, and it is not written over "
        "('on_drift: quarantine'). To write over it: set 'on_drift: overwrite' and retry.",
        pl.lit(name),
        pl.col(_SEEN + name),
    )


def without_left(told: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """
    Take fields out of the objects of an outbox, and out of what they come to.

    Args:
        told: Rows of an outbox; ``@left:NAME`` (Boolean) says of which a field is left out.
        names: The fields.
    """
    if not names:
        return told
    marks = [pl.col(f"@left:{name}") for name in names]
    # Few rows: what somebody else changed in the field of a plan that nobody sent for days.
    some = told.filter(pl.any_horizontal(*marks))
    objects = [
        _without(text, [name for name, left in zip(names, flags, strict=True) if left])
        for text, *flags in some.select(OBJECT, *marks).iter_rows()
    ]
    saved = [
        pl.when(f"@left:{name}").then(field_points(name, pl.col(sent))).otherwise(0)
        for name in names
        for sent in [send(name) if send(name) in told.columns else wanted(name)]
    ]
    changed = some.with_columns(
        pl.Series(OBJECT, objects, dtype=pl.String),
        (pl.col(POINTS).cast(pl.Int64) - pl.sum_horizontal(*saved)).cast(pl.UInt32).alias(POINTS),
    ).with_columns(
        pl.when(~pl.col(f"@left:{name}")).then(pl.col(side + name)).alias(side + name)
        for name in names
        for side in (BEFORE, WANTED)
    )
    return told.update(
        changed.select(ITEM, OBJECT, POINTS, *(s + n for n in names for s in (BEFORE, WANTED))),
        on=ITEM,
        include_nulls=True,
    )


def _without(text: str, names: list[str]) -> str:
    content = json.loads(text, parse_float=Decimal)
    # Null clears a field, so it stays.
    members = (
        f"{spell_json(key)}:{spell_json(value)}"
        for key, value in content.items()
        if key not in names
    )
    return f"{{{','.join(members)}}}"
