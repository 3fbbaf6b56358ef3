"""Which fields later runs have changed: what comes late must not undo what is newer."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from exchanger.errors import StateMissing
from exchanger.jobs.history.changed_rows import changed_rows, changed_values, unrecorded_runs
from exchanger.jobs.history.other_keys import KEY, other_keys, told_of_each
from exchanger.profiles.frames.columns import PROFILE
from exchanger.state.changes import CHANGES, TAKEN, long_rows, month_of, months_between

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from exchanger.jobs.runtime.context import JobContext
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.state.runs.log import RunDocument
    from exchanger.state.store import ConnectionState

LATER = pl.Schema(
    {
        PROFILE: pl.String,
        "field": pl.String,
        "before": pl.String,
        "in_order": pl.Boolean,
        "own": pl.Boolean,
    }
)
"""
One row for each field of a profile that was changed: its value before the first change, and whether
all that changed it were runs of the same job, in the order of the column that it has now, and
whether any was a run of that job.
"""
_APART = timedelta(days=1)
"""More than two hosts may differ in what they take for the time of the bucket."""


def later_changes(
    call: ImportContext,
    since: int,
    profiles: pl.Series,
    *,
    leaving_out: Collection[int] = (),
    accepted: bool = True,
) -> pl.DataFrame:
    """
    Find what runs after a run changed, by whichever key they named a person.

    Args:
        call: The job; runs of every job of its connection count.
        since: The run.
        profiles: Only of these.
        leaving_out: Runs that do not count.
        accepted: Only what Braze accepted; otherwise all that was planned.

    Returns:
        ``LATER``; ``before`` is null where the value before was unknown.

    Raises:
        StateMissing: What later runs changed is not kept any more.
    """
    later = unrecorded_runs(call.state, since)
    call.context.progress.step("looking at later runs", 1 + len(later))
    others = other_keys(call.state.held, profiles)
    keys = pl.concat([profiles, others[KEY]]).unique()
    found = [pl.DataFrame(schema=CHANGES), *recorded_changes(call, since, keys, later)]
    call.context.progress.advance(1)
    for run in later:
        found.append(planned_changes(call.context, call.state, run, keys))
        call.context.progress.advance(1)
    changes = told_of_each(pl.concat(found), others).sort("seq", maintain_order=True)
    asked = pl.col(PROFILE).is_in(profiles.unique().implode())
    changes = changes.filter(asked, ~pl.col("seq").is_in([*leaving_out]))
    if accepted:
        changes = changes.filter(pl.col("outcome").is_in(TAKEN))
    by_field = _with_order(call, changes).group_by(PROFILE, "field", maintain_order=True)
    return by_field.agg(pl.col("before").first(), pl.col("in_order").all(), pl.col("own").any())


def recorded_changes(
    call: ImportContext, since: int, profiles: pl.Series, unrecorded: Iterable[RunDocument]
) -> Iterator[pl.DataFrame]:
    """
    Read what runs after a run did to some profiles, as far as the table of changes has it.

    Args:
        call: The job; runs of every job of its connection count.
        since: The run.
        profiles: Only these.
        unrecorded: Later runs that it does not have.

    Yields:
        ``CHANGES``, a frame for each month.

    Raises:
        StateMissing: What later runs changed is not kept any more.
    """
    others = {run.seq for run in unrecorded}
    for month in _months(call, since):
        rows = call.state.changes.of_profiles(profiles, month=month, after=since)
        if rows is None:
            _demand_none(call, since, month, others)
        else:
            yield rows


def planned_changes(
    context: JobContext, state: ConnectionState, run: RunDocument, profiles: pl.Series
) -> pl.DataFrame:
    """
    Read what a run did to some profiles, from its plan and its answers: ``CHANGES``.

    Raises:
        StateMissing: They are not kept any more.
    """
    theirs = pl.col(PROFILE).is_in(profiles.unique().implode())
    parts = (part.filter(theirs) for part in changed_rows(context, state, run))
    near = [pl.DataFrame(schema=CHANGES), *(long_rows(part, run.seq) for part in parts)]
    return pl.concat(near).sort(PROFILE, "field")


def _months(call: ImportContext, since: int) -> list[str]:
    """List the months in which runs after a run may have ended."""
    ends = (call.state.runs.read(seq).document.acked_at for seq in range(since, 0, -1))
    at = next(filter(None, ends), "")
    if not at:  # No run before it was ever answered.
        return call.state.changes.months()
    begin = month_of(datetime.fromisoformat(at) - _APART)
    last = call.context.bucket.now() + _APART
    after = month_of(last.replace(day=28) + timedelta(days=4))
    return months_between(begin, after)


def _with_order(call: ImportContext, changes: pl.DataFrame) -> pl.DataFrame:
    order = call.job.source.order_by
    runs = {seq: call.state.runs.read(seq).document for seq in changes["seq"].unique()}
    ordered = [
        seq
        for seq, run in runs.items()
        if run.order_by and (run.job, run.order_by) == (call.name, order)
    ]
    own = [seq for seq, run in runs.items() if run.job == call.name]
    return changes.with_columns(
        pl.col("seq").is_in(ordered).alias("in_order"), pl.col("seq").is_in(own).alias("own")
    )


def _demand_none(call: ImportContext, since: int, month: str, unrecorded: Collection[int]) -> None:
    """
    Check that no recorded run after a run has changed anything in a month without a table.

    Raises:
        StateMissing: One has: a rule of the bucket may have removed the table.
    """
    newest = call.state.runs.newest()
    last = newest.document.seq if newest else since
    for seq in range(since + 1, last + 1):
        run = call.state.runs.read(seq).document
        if seq in unrecorded or not changed_values(run):
            continue
        if month_of(datetime.fromisoformat(run.acked_at)) == month:
            raise StateMissing(call.state.names.changes(month))
