"""Identify: an external id for who is known by another identifier (braze-api.md 9.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from exchanger.braze.endpoints import IDENTIFIES
from exchanger.objects.parts import Fault
from exchanger.objects.people.calls import EachCall
from exchanger.objects.people.obstacles import CALL, SO
from exchanger.profiles.frames.columns import MEANT, OTHER, PROFILE
from exchanger.profiles.spelling.json_values import json_string, spell_json
from exchanger.profiles.spelling.profile_key import identifier_of, kind_of, without_name

if TYPE_CHECKING:
    from datetime import datetime

    from exchanger.config.models import ImportJob
    from exchanger.profiles.frames.rules import Rule

_KIND = kind_of(pl.col(PROFILE))


def identify_faults(_rules: Sequence[Rule], _now: datetime) -> list[Fault]:
    """Name what nobody can be identified with."""
    return [Fault("external_id", "no_new_id", pl.col("external_id").is_null())]


def _judged(_job: ImportJob) -> pl.Expr:
    ids, target = pl.col("a.ids"), pl.col("b.ids")
    alone, who = ids.list.len() == 1, pl.col("a.whos").list.first()
    labels = pl.col("b.aliases").list.eval(without_name(pl.element()))
    is_alias = _KIND == "alias"
    has_label = is_alias & labels.list.contains(without_name(pl.col(PROFILE)))
    is_other = who.is_not_null() & (is_alias | (target.list.len() == 0))
    return (
        pl.when(ids.list.len() == 0)
        .then(pl.lit("nobody"))
        .when(alone & (who == pl.col(OTHER)))
        .then(pl.lit(SO))
        .when(ids.list.set_intersection(target).list.len() > 0)
        .then(pl.lit("target_itself"))
        .when(has_label)
        .then(pl.lit("label_of_target"))
        .when(alone & is_other)
        .then(pl.lit("identified"))
        .otherwise(pl.lit(CALL))
    )


def _spelled(job: ImportJob) -> pl.Expr:
    words = job.identify.prioritization if job.identify is not None else ()
    chosen = f',"prioritization":{spell_json(list(words))}'
    return pl.concat_str(
        pl.lit("{"),
        identifier_of(pl.col(PROFILE)),
        pl.lit(',"external_id":'),
        json_string(pl.col(OTHER)),
        pl.when(_KIND == "alias").then(pl.lit("")).otherwise(pl.lit(chosen)),
        pl.lit("}"),
    )


def _done() -> pl.Expr:
    """Return whether one who had the identifier has the id, or is somebody else's part by now."""
    left = pl.col(MEANT).str.split(",").list.set_difference("a.ids")
    return pl.col("a.whos").list.contains(pl.col(OTHER)) | (left.list.len() > 0)


IDENTIFY = EachCall(
    endpoint=lambda _job: _KIND.replace_strict(
        {kind: endpoint.name for kind, endpoint in IDENTIFIES.items()}, return_dtype=pl.String
    ),
    other=lambda _job: pl.col("external_id"),
    judged=_judged,
    spelled=_spelled,
    done=_done,
)
"""An external id for who is meant by each row."""
