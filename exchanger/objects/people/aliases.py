"""Aliases: further names of a person, and other names in the place of some (braze-api.md 9.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from exchanger.braze.endpoints import ALIAS_UPDATES, ALIASES
from exchanger.braze.identifiers import LONGEST
from exchanger.objects.parts import Fault
from exchanger.objects.people.calls import EachCall
from exchanger.objects.people.obstacles import CALL, SO
from exchanger.profiles.frames.columns import OTHER, PROFILE
from exchanger.profiles.spelling.json_values import json_string
from exchanger.profiles.spelling.profile_key import profile_key, without_name

if TYPE_CHECKING:
    from datetime import datetime

    from exchanger.config.models import ImportJob
    from exchanger.profiles.frames.rules import Rule


def alias_faults(rules: Sequence[Rule], _now: datetime) -> list[Fault]:
    """Name what no alias can be made of."""
    parts = [rule.name for rule in rules]
    empty = {"name": "no_alias_name", "label": "no_label"}
    return [
        *(Fault(part, reason, pl.col(part).is_null()) for part, reason in empty.items()),
        *(
            Fault(part, "long_alias", pl.col(part).str.len_bytes() > LONGEST["alias"])
            for part in parts
        ),
    ]


def _replaced(job: ImportJob) -> pl.Expr:
    """Return the name whose place the new one takes; null where there is none."""
    replaces = job.alias is not None and job.alias.replaces is not None
    return pl.col("replaces") if replaces else pl.lit(None, pl.String)


def _endpoint(job: ImportJob) -> pl.Expr:
    is_update = _replaced(job).is_not_null()
    return pl.when(is_update).then(pl.lit(ALIAS_UPDATES.name)).otherwise(pl.lit(ALIASES.name))


def _judged(job: ImportJob) -> pl.Expr:
    own, replaced = pl.col("a.aliases"), _replaced(job)
    old = profile_key("alias", replaced, pl.col("label"))
    labels = own.list.eval(without_name(pl.element()))
    return (
        pl.when(own.list.contains(pl.col(OTHER)))
        .then(pl.lit(SO))
        .when(pl.col("a.ids").list.len() == 0)
        .then(pl.lit("nobody"))
        .when(pl.col("b.ids").list.len() > 0)
        .then(pl.lit("alias_taken"))
        .when(replaced.is_not_null() & ~own.list.contains(old))
        .then(pl.lit("no_old_alias"))
        .when(replaced.is_null() & labels.list.contains(without_name(pl.col(OTHER))))
        .then(pl.lit("label_taken"))
        .otherwise(pl.lit(CALL))
    )


def _spelled(job: ImportJob) -> pl.Expr:
    label, name = json_string(pl.col("label")), json_string(pl.col("name"))
    added = pl.concat_str(
        pl.lit('{"external_id":'),
        json_string(pl.col(PROFILE)),
        pl.lit(',"alias_name":'),
        name,
        pl.lit(',"alias_label":'),
        label,
        pl.lit("}"),
    )
    updated = pl.concat_str(
        pl.lit('{"alias_label":'),
        label,
        pl.lit(',"old_alias_name":'),
        json_string(_replaced(job)),
        pl.lit(',"new_alias_name":'),
        name,
        pl.lit("}"),
    )
    return pl.coalesce(updated, added)


ALIAS = EachCall(
    endpoint=_endpoint,
    other=lambda _job: profile_key("alias", pl.col("name"), pl.col("label")),
    judged=_judged,
    spelled=_spelled,
    done=lambda: pl.col("a.aliases").list.contains(pl.col(OTHER)),
    once=(pl.col(PROFILE), without_name(pl.col(OTHER))),
    claims=True,
)
"""An alias of each row."""
