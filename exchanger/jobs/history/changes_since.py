"""Which fields later runs have changed: what comes late must not undo what is newer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from exchanger.errors import StateMissing
from exchanger.jobs.history.changed_rows import changed_rows, changed_values, unrecorded_runs
from exchanger.jobs.history.other_keys import KEY, other_keys, told_of_each
from exchanger.profiles.frames.columns import PROFILE
from exchanger.state.changes import CHANGES, TAKEN, long_rows, month_of, months_between

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

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


@dataclass(frozen=True)
class LaterRun:
    """
    What is kept of the document of a run.

    Args:
        job: Its job.
        order_by: The column by which its rows were ordered; empty if by none.
        takes_back: The run that it took back; 0 if it took none back.
        merges: How it merged each field.
        answered: When its last answer came; None if none did.
        changed: Whether it may have changed values.
    """

    job: str
    order_by: str
    takes_back: int
    merges: tuple[tuple[str, str], ...]
    answered: datetime | None
    changed: bool

    @staticmethod
    def of(run: RunDocument) -> LaterRun:
        """Choose what is kept of a document."""
        return LaterRun(
            job=run.job,
            order_by=run.order_by,
            takes_back=run.takes_back,
            merges=tuple((name, told["merge"]) for name, told in run.fields.items()),
            answered=datetime.fromisoformat(run.acked_at) if run.acked_at else None,
            changed=changed_values(run),
        )


class LaterRuns:
    """
    The runs of a connection after one, of whichever job.

    Of their documents each is read once at most, however many profiles are asked about: there may
    be thousands.

    Args:
        call: The job.
        since: The run.
    """

    def __init__(self, call: ImportContext, since: int) -> None:
        self._state = call.state
        self._since = since
        self._kept: dict[int, LaterRun] = {}
        newest = call.state.runs.newest()
        self._last = newest.document.seq if newest else since
        self.unrecorded = unrecorded_runs(call.state, since, self._document)
        """Those whose plans alone say what they changed."""
        self._months = self._within(call.context.bucket.now())

    def of(self, seq: int) -> LaterRun:
        """Return what is kept of a run."""
        if seq not in self._kept:
            self._document(seq)
        return self._kept[seq]

    def recorded(self, profiles: pl.Series) -> Iterator[pl.DataFrame]:
        """
        Read what they did to some profiles, as far as the table of changes has it.

        Args:
            profiles: Only these.

        Yields:
            ``CHANGES``, a frame for each month.

        Raises:
            StateMissing: What later runs changed is not kept any more.
        """
        for month in [*self._months]:
            rows = self._state.changes.of_profiles(profiles, month=month, after=self._since)
            if rows is not None:
                yield rows
            elif self._changed_in(month):  # A rule of the bucket may have removed the table.
                raise StateMissing(self._state.names.changes(month))
            else:
                self._months.remove(month)

    def _document(self, seq: int) -> RunDocument:
        run = self._state.runs.read(seq).document
        self._kept[seq] = LaterRun.of(run)
        return run

    def _within(self, now: datetime) -> list[str]:
        """List the months in which they may have ended."""
        ends = (self.of(seq).answered for seq in range(self._since, 0, -1))
        at = next(filter(None, ends), None)
        if at is None:  # No run before was ever answered.
            return self._state.changes.months()
        last = now + _APART
        after = month_of(last.replace(day=28) + timedelta(days=4))
        return months_between(month_of(at - _APART), after)

    def _changed_in(self, month: str) -> bool:
        """Return whether any that is recorded has changed anything in a month."""
        unrecorded = {run.seq for run in self.unrecorded}
        for seq in range(self._last, self._since, -1):
            run = self.of(seq)
            if run.answered is None:
                continue
            if month_of(run.answered + _APART) < month:
                return False  # Earlier ones ended before it as well.
            if run.changed and seq not in unrecorded and month_of(run.answered) == month:
                return True
        return False


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
    runs = LaterRuns(call, since)
    call.context.progress.step("looking at later runs", 1 + len(runs.unrecorded))
    others = other_keys(call.state.held, profiles)
    keys = pl.concat([profiles, others[KEY]]).unique()
    found = [pl.DataFrame(schema=CHANGES), *runs.recorded(keys)]
    call.context.progress.advance(1)
    for run in runs.unrecorded:
        found.append(planned_changes(call.context, call.state, run, keys))
        call.context.progress.advance(1)
    changes = told_of_each(pl.concat(found), others).sort("seq", maintain_order=True)
    asked = pl.col(PROFILE).is_in(profiles.unique().implode())
    changes = changes.filter(asked, ~pl.col("seq").is_in([*leaving_out]))
    if accepted:
        changes = changes.filter(pl.col("outcome").is_in(TAKEN))
    by_field = _with_order(call, runs, changes).group_by(PROFILE, "field", maintain_order=True)
    return by_field.agg(pl.col("before").first(), pl.col("in_order").all(), pl.col("own").any())


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


def _with_order(call: ImportContext, runs: LaterRuns, changes: pl.DataFrame) -> pl.DataFrame:
    order = call.job.source.order_by
    told = {seq: runs.of(seq) for seq in changes["seq"].unique()}
    ordered = [
        seq
        for seq, run in told.items()
        if run.order_by and (run.job, run.order_by) == (call.name, order)
    ]
    own = [seq for seq, run in told.items() if run.job == call.name]
    return changes.with_columns(
        pl.col("seq").is_in(ordered).alias("in_order"), pl.col("seq").is_in(own).alias("own")
    )
