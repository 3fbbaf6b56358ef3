"""Which fields later runs have changed: what comes late must not undo what is newer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from exchanger.jobs.runtime.artifacts import fetched
from exchanger.profiles.frames.columns import ITEM, PROFILE, before, wanted
from exchanger.state.runs.acknowledgements import Acknowledgements

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.state.runs.log import RunDocument

LATER = pl.Schema(
    {PROFILE: pl.String, "field": pl.String, "before": pl.String, "in_order": pl.Boolean}
)
"""
One row for each field of a profile that was changed: its value before the first change, and whether
all that changed it were runs of the same job, in the order of the column that it has now.
"""


def later_changes(
    call: ImportContext,
    since: int,
    profiles: pl.Series,
    *,
    leaving_out: Iterable[int] = (),
    accepted: bool = True,
) -> pl.DataFrame:
    """
    Find what runs after a run changed.

    Args:
        call: The job; runs of every job of its connection count.
        since: The run.
        profiles: Only these.
        leaving_out: Runs that do not count.
        accepted: Only what Braze accepted; otherwise all that was planned.

    Returns:
        ``LATER``; ``before`` is null where the value before was unknown.
    """
    newest = call.state.runs.newest()
    last = newest.document.seq if newest else since
    found = [pl.DataFrame(schema=LATER)]
    call.context.progress.step("looking at later runs", last - since)
    for seq in range(since + 1, last + 1):
        run = call.state.runs.read(seq).document
        if run.outbox and seq not in leaving_out:
            found += _changes(call, run, profiles, accepted=accepted)
        call.context.progress.advance(1)
    by_field = pl.concat(found).group_by(PROFILE, "field", maintain_order=True)
    return by_field.agg(pl.col("before").first(), pl.col("in_order").all())


def _changes(
    call: ImportContext, run: RunDocument, profiles: pl.Series, *, accepted: bool
) -> list[pl.DataFrame]:
    sides = [side(name) for name in run.fields for side in (before, wanted)]
    # It has ended, and somebody may have been taken out of what it had planned.
    with fetched(call.context, run.outbox) as outbox:
        parts = [
            part.filter(pl.col(PROFILE).is_in(profiles.implode()))
            for part in outbox.frames([ITEM, PROFILE, *sides])
        ]
    if not any(part.height for part in parts):
        return []
    named = pl.concat(parts)
    if accepted:
        acks = Acknowledgements(call.context.bucket, call.state.names, run.seq).read(run.ack_parts)
        named = named.filter(pl.col(ITEM).is_in(acks.ok.implode()))
    in_order = run.order_by != "" and (run.job, run.order_by) == (
        call.name,
        call.job.source.order_by,
    )
    return [
        named.filter(pl.col(wanted(name)).is_not_null()).select(
            PROFILE,
            pl.lit(name).alias("field"),
            pl.col(before(name)).alias("before"),
            pl.lit(in_order).alias("in_order"),
        )
        for name in run.fields
        if wanted(name) in named.columns
    ]
