"""Renames: another external id for a person (braze-api.md 9.6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from exchanger.braze.endpoints import REMOVALS, RENAMES, RENAMES_FOR_GOOD
from exchanger.objects.parts import Fault
from exchanger.objects.people.calls import EachCall
from exchanger.objects.people.obstacles import CALL, SO
from exchanger.profiles.frames.columns import ENDPOINT, MEANT, OTHER, PROFILE
from exchanger.profiles.spelling.json_values import json_string

if TYPE_CHECKING:
    from datetime import datetime

    from exchanger.config.models import ImportJob
    from exchanger.profiles.frames.rules import Rule

_IS_THERE = pl.col("a.ids").list.len() > 0
_IS_TAKEN = pl.col("b.ids").list.len() > 0
_SAME = _IS_THERE & (pl.col("a.ids") == pl.col("b.ids"))


def rename_faults(_rules: Sequence[Rule], _now: datetime) -> list[Fault]:
    """Name what no rename can be made of."""
    return [
        Fault("to", "no_new_id", pl.col("to").is_null()),
        Fault("to", "same_id", pl.col("to") == pl.col(PROFILE)),
    ]


def _endpoint(job: ImportJob) -> pl.Expr:
    if job.rename is None or not job.rename.remove_old:
        return pl.lit(RENAMES.name)
    # What was renamed before only lacks that the old id ends; the looks are not there yet.
    return pl.lit(RENAMES_FOR_GOOD.name)


def _judged(job: ImportJob) -> pl.Expr:
    for_good = job.rename is not None and job.rename.remove_old
    primary = pl.col("a.whos").list.first() == pl.col(PROFILE)
    return (
        pl.when(_SAME & (pl.col("a.whos").list.first() == pl.col(OTHER)))
        .then(pl.lit(CALL if for_good else SO))
        .when(_IS_TAKEN & ~_IS_THERE & pl.lit(for_good))
        .then(pl.lit(SO))
        .when(~_IS_THERE)
        .then(pl.lit("nobody"))
        .when(_IS_TAKEN)
        .then(pl.lit("id_taken"))
        .when(~primary.fill_null(value=False))
        .then(pl.lit("not_primary"))
        .otherwise(pl.lit(CALL))
    )


def _spelled(_job: ImportJob) -> pl.Expr:
    return pl.concat_str(
        pl.lit('{"current_external_id":'),
        json_string(pl.col(PROFILE)),
        pl.lit(',"new_external_id":'),
        json_string(pl.col(OTHER)),
        pl.lit("}"),
    )


def _done() -> pl.Expr:
    """Return whether whom the old id meant has the new one; of a removal, that nobody has it."""
    ended = pl.col("a.ids").list.len() == 0
    renamed = pl.col("b.ids").list.sort().list.join(",") == pl.col(MEANT)
    return pl.when(pl.col(ENDPOINT) == REMOVALS.name).then(ended).otherwise(renamed)


RENAME = EachCall(
    endpoint=_endpoint,
    other=lambda _job: pl.col("to"),
    judged=_judged,
    spelled=_spelled,
    done=_done,
    looked_at=(OTHER,),
    claims=True,
)
"""A rename of each row."""
