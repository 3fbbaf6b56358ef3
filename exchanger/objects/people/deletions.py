"""
Deletions: every profile that has an identifier goes, and that for good (braze-api.md 9.1).

Each is named by its ``braze_id``, which nobody else gets: so a request that is sent again hits
nobody who came by the address, number or external id meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from exchanger.braze.endpoints import DELETIONS
from exchanger.objects.people.calls import EachCall
from exchanger.objects.people.obstacles import CALL, SO
from exchanger.profiles.frames.columns import OTHER, PROFILE
from exchanger.profiles.spelling.json_values import json_string
from exchanger.profiles.spelling.profile_key import kind_of, value_of

if TYPE_CHECKING:
    from exchanger.config.models import ImportJob


def _judged(job: ImportJob) -> pl.Expr:
    there = pl.col("a.ids").list.len() > 0
    # Who left a snapshot is whom its job knew: not who is found by an id that has ended for them.
    primary = pl.col("a.whos").list.contains(pl.col(PROFILE)) | pl.lit(job.create_missing)
    other = kind_of(pl.col(PROFILE)) != "external_id"
    return (
        pl.when(~there)
        .then(pl.lit(SO))
        .when(primary | other)
        .then(pl.lit(CALL))
        .otherwise(pl.lit("not_primary"))
    )


DELETION = EachCall(
    endpoint=lambda _job: pl.lit(DELETIONS.name),
    other=lambda _job: pl.lit(None, pl.String),
    judged=_judged,
    spelled=lambda _job: json_string(value_of(pl.col(OTHER))),
    done=lambda: ~pl.col("a.ids").list.contains(value_of(pl.col(OTHER))),
    once=(),
    each_profile=True,
    gone=True,
)
"""The end of whom each row means."""
