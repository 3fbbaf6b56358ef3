"""
What a run changed, as its plan and Braze's answers say it: read as long as both are kept.

Before they go, ``record_changes`` puts it into the table of changes, which then stands for them. So
a run pays nothing for what is hardly ever asked for, and the table takes many runs in one go.
"""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

import polars as pl
import structlog

from exchanger.errors import StateMissing
from exchanger.files.scratch.budget import MemoryBudget
from exchanger.jobs.runtime.artifacts import fetched
from exchanger.profiles.frames.columns import BEFORE, FILE, ITEM, PROFILE, ROW, SURE, WANTED
from exchanger.state.changes import ACCEPTED, DROPPED, IN_DOUBT, UNSEEN, month_of
from exchanger.state.runs.acknowledgements import NOT_TAKEN, Acknowledgements, is_doubtful
from exchanger.state.runs.log import ENDED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from exchanger.jobs.runtime.context import JobContext
    from exchanger.state.runs.log import RunDocument
    from exchanger.state.store import ConnectionState

log = structlog.get_logger()

RUNS_AT_ONCE = 500
"""Most runs that are recorded at once; the next time goes on from there."""
_AT_ONCE = MemoryBudget(rows=65_536, size=32 << 20)
"""Objects whose changes are worked on at once."""


def changed_values(run: RunDocument) -> bool:
    """Return whether an ended run was answered, so that it may have changed values."""
    ended = run.state in ENDED and bool(run.acked_at)
    return ended and run.kind.holds_values and run.objects > 0


def is_recorded(state: ConnectionState, run: RunDocument) -> bool:
    """
    Return whether the table of changes has what a run changed.

    The table's own word counts: the mark may be older, of a process that stood still.
    """
    month = month_of(datetime.fromisoformat(run.acked_at))
    return run.seq <= state.changes.recorded(month)


def unrecorded_runs(
    state: ConnectionState, after: int, read: Callable[[int], RunDocument] | None = None
) -> list[RunDocument]:
    """
    Read the runs after a run whose plans alone say what they changed, in order.

    Args:
        state: What the bucket remembers.
        after: The run.
        read: Reads the document of a run, if not from the bucket.
    """
    newest = state.runs.newest()
    last = newest.document.seq if newest else 0
    first = max(after, state.swept.load().recorded) + 1
    document = read or (lambda seq: state.runs.read(seq).document)
    runs = (document(seq) for seq in range(first, last + 1))
    return [run for run in runs if changed_values(run) and not is_recorded(state, run)]


def changed_rows(
    context: JobContext, state: ConnectionState, run: RunDocument
) -> Iterator[pl.DataFrame]:
    """
    Read what an answered run did to each of its profiles, from its plan and its answers.

    Yields:
        As ``Changes.record`` takes them, in the order of the outbox.

    Raises:
        StateMissing: They are not kept any more.
    """
    answers = Acknowledgements(context.bucket, state.names, run.seq).read(run.ack_parts)
    # Whom somebody asked to forget is in neither any more, so its checksum is another by then.
    with fetched(context, run.outbox) as outbox:
        sides = [name for name in outbox.columns if name.startswith((BEFORE, WANTED))]
        columns = [ITEM, PROFILE, FILE, ROW, SURE, *sides]
        most = min(each.rows_of(len(sides), outbox.row_size) for each in (_AT_ONCE, context.bounds))
        for part in outbox.frames(columns, rows=most):
            answered = answers.beside(part)
            yield answered.select(PROFILE, FILE, ROW, _outcome(run).alias("outcome"), *sides)


def record_changes(
    context: JobContext, state: ConnectionState, go_on: Callable[[], None], ended: int
) -> int:
    """
    Record what runs changed, if they are many, or if their plans are about to go.

    Where a rule of the bucket removed a plan before, it ends: what later runs changed is refused to
    whoever asks, rather than told in part.

    Args:
        context: The connection; its lease is ours.
        state: What the bucket remembers of it.
        go_on: Asked before every run; what it raises ends it. All up to then is recorded.
        ended: The last run that has ended.

    Returns:
        The last run up to which all is recorded.
    """
    mark = state.swept.load().recorded
    keep = context.retention
    planned = min(keep.outbox, keep.acknowledgements, keep.changes)
    old = state.runs.older_than(planned.total_seconds(), mark, ended)
    *_, last = (mark, *islice(old, RUNS_AT_ONCE))
    if ended - mark >= context.record_from:
        last = min(ended, mark + RUNS_AT_ONCE)
    for seq in range(mark + 1, last + 1):
        go_on()
        try:
            _record(context, state, state.runs.read(seq).document)
        except StateMissing as error:
            log.warning("changes.not_recorded", seq=seq, missing=error.key)
            if state.runs.age(seq) < keep.changes.total_seconds():
                return seq - 1
    return last


def _record(context: JobContext, state: ConnectionState, run: RunDocument) -> None:
    if changed_values(run):
        at = datetime.fromisoformat(run.acked_at)
        state.changes.record(lambda: changed_rows(context, state, run), seq=run.seq, at=at)


def _outcome(run: RunDocument) -> pl.Expr:
    outcome = pl.col("outcome")
    perhaps = (outcome == "unknown") | (outcome.is_in(NOT_TAKEN) & is_doubtful(run))
    return (
        pl.when((outcome == "ok") & pl.col(SURE))
        .then(pl.lit(ACCEPTED))
        .when(outcome == "ok")
        .then(pl.lit(UNSEEN))
        .when(perhaps)
        .then(pl.lit(IN_DOUBT))
        .otherwise(outcome.fill_null(DROPPED))
    )
