"""
Rows of a new version about profiles that may have been forgotten since an earlier version.

What the earlier version gave them is not known any more, so there is no difference to apply. They
are one in a thousand profiles, for only their slice is remembered.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from exchanger.profiles.frames.columns import FILE, ROW

if TYPE_CHECKING:
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.profiles.reading.typed_rows import Given
    from exchanger.state.inputs.file_ledger import LedgerSnapshot
    from exchanger.state.runs.log import ClaimedFile

_MESSAGE = (
    "Somebody was forgotten (exchanger forget) since an earlier version of this file, perhaps this "
    "profile, so nobody can tell the difference to it. Give the difference in a new file."
)


def maybe_forgotten(
    call: ImportContext, claim: ClaimedFile, applied: LedgerSnapshot
) -> pl.Expr | None:
    """
    Build a condition over ``@profile``: what a key counts for may have been forgotten.

    Args:
        call: The job.
        claim: A new version of a key, with the fields that it adds to.
        applied: The applied files.

    Returns:
        None if nobody was forgotten since.
    """
    given = (applied.given_under(claim.key, name, claim.sha256) for name in claim.sums)
    runs = [seq for found in given for seq, _ in found or ()]
    return call.state.forgotten.may_have_had(min(runs)) if runs else None


def without_forgotten(given: Given, doubtful: pl.Expr, position: int) -> Given:
    """Reject the rows of profiles that may have been forgotten."""
    rows = given.frame.filter(doubtful)
    rejected = rows.select(
        pl.lit(position, pl.UInt32).alias(FILE),
        ROW,
        pl.lit(None, pl.String).alias("field"),
        pl.lit(None, pl.String).alias("value"),
        pl.lit("cannot_tell").alias("reason"),
        pl.lit(_MESSAGE).alias("message"),
    ).select(given.rejected.columns)
    return replace(
        given,
        frame=given.frame.filter(~doubtful),
        rejected=pl.concat([given.rejected, rejected], how="vertical_relaxed"),
    )
