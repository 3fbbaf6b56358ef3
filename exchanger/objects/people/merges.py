"""Merges: two profiles of one person become one (braze-api.md 9.5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from exchanger.braze.endpoints import MERGES
from exchanger.objects.parts import Fault
from exchanger.objects.people.calls import EachCall
from exchanger.objects.people.obstacles import CALL, SO
from exchanger.profiles.frames.columns import MEANT, OTHER, PROFILE
from exchanger.profiles.spelling.profile_key import identifier_of, profile_key

if TYPE_CHECKING:
    from datetime import datetime

    from exchanger.config.models import ImportJob
    from exchanger.profiles.frames.rules import Rule

_IS_THERE = pl.col("a.ids").list.len() > 0
_KEEPS = pl.col("b.ids").list.len() > 0
_NOBODY = pl.lit([], pl.List(pl.String))


def merge_faults(rules: Sequence[Rule], _now: datetime) -> list[Fault]:
    """Name what no merge can be made of."""
    return [Fault(rule.name, "nobody_kept", pl.col(rule.name).is_null()) for rule in rules]


def _kept(job: ImportJob) -> pl.Expr:
    by_alias = job.merge is not None and job.merge.keep.alias is not None
    return profile_key("alias", pl.col("keep"), pl.col("label")) if by_alias else pl.col("keep")


def _judged(_job: ImportJob) -> pl.Expr:
    return (
        pl.when(pl.col(PROFILE) == pl.col(OTHER))
        .then(pl.lit("same_person"))
        .when(~_KEEPS)
        .then(pl.lit("nobody_kept"))
        .when(~_IS_THERE)
        .then(pl.lit(SO))
        .when(pl.col("a.ids") == pl.col("b.ids"))
        .then(pl.lit(SO))
        .otherwise(pl.lit(CALL))
    )


def _spelled(_job: ImportJob) -> pl.Expr:
    return pl.concat_str(
        pl.lit('{"identifier_to_merge":{'),
        identifier_of(pl.col(PROFILE)),
        pl.lit('},"identifier_to_keep":{'),
        identifier_of(pl.col(OTHER)),
        pl.lit("}}"),
    )


def _done() -> pl.Expr:
    """Return whether whom the dropped identifier meant does not have it any more."""
    meant = pl.col(MEANT).str.split(",")
    return meant.list.set_intersection("a.ids") == _NOBODY


MERGE = EachCall(
    endpoint=lambda _job: pl.lit(MERGES.name),
    other=_kept,
    judged=_judged,
    spelled=_spelled,
    done=_done,
    gone=True,
)
"""A merge of each row."""
