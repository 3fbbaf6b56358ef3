"""Which fields later runs have changed: what comes late must not undo what is newer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from exchanger.jobs.acknowledgements import Acknowledgements
from exchanger.jobs.runfiles import load
from exchanger.profiles.columns import ITEM, PROFILE, before, wanted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exchanger.jobs.call import ImportCall
    from exchanger.state.runs import RunDocument

LATER = pl.Schema({PROFILE: pl.String, "field": pl.String, "before": pl.String})
"""One row for each field of a profile that was changed: its value before the first change."""


def later_changes(
    call: ImportCall, since: int, profiles: pl.Series, *, leaving_out: Iterable[int] = ()
) -> pl.DataFrame:
    """
    Find what runs after a run changed.

    Args:
        call: The job; runs of every job of its connection count.
        since: The run.
        profiles: Only these.
        leaving_out: Runs that do not count.

    Returns:
        ``LATER``; ``before`` is null where the value before was unknown.
    """
    newest = call.state.runs.newest()
    last = newest.document.seq if newest else since
    found = [pl.DataFrame(schema=LATER)]
    call.world.progress.step("looking at later runs", last - since)
    for seq in range(since + 1, last + 1):
        run = call.state.runs.read(seq).document
        if run.outbox and seq not in leaving_out:
            found += _changes(call, run, profiles)
        call.world.progress.advance(1)
    return pl.concat(found).unique([PROFILE, "field"], keep="first", maintain_order=True)


def _changes(call: ImportCall, run: RunDocument, profiles: pl.Series) -> list[pl.DataFrame]:
    outbox = load(call.world, run.outbox, run.outbox_sha256)
    named = outbox.filter(pl.col(PROFILE).is_in(profiles.implode()))
    if named.is_empty():
        return []
    acks = Acknowledgements(call.world.bucket, call.state.names, run.seq).read(run.ack_parts)
    accepted = named.join(acks.filter(pl.col("outcome") == "ok"), on=ITEM, how="semi")
    return [
        accepted.filter(pl.col(wanted(name)).is_not_null()).select(
            PROFILE, pl.lit(name).alias("field"), pl.col(before(name)).alias("before")
        )
        for name in run.fields
        if wanted(name) in accepted.columns
    ]
