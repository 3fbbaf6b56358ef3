"""What runs changed, with all that is told of it: the strategy, the file, and what it gave."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from exchanger.braze.identifiers import SHARED
from exchanger.errors import StateMissing
from exchanger.jobs.history.changed_rows import (
    changed_rows,
    changed_values,
    is_recorded,
    unrecorded_runs,
)
from exchanger.jobs.history.changes_since import planned_changes
from exchanger.jobs.history.shown import sent_lately
from exchanger.profiles.frames.columns import FILE, PROFILE, ROW
from exchanger.profiles.spelling.profile_key import profile_key
from exchanger.state.changes import CHANGES, long_rows, month_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exchanger.jobs.runtime.context import JobContext
    from exchanger.state.runs.log import RunDocument
    from exchanger.state.store import ConnectionState

TOLD = pl.Schema(
    {
        "seq": pl.Int64,
        "job": pl.String,
        "profile": pl.String,
        "field": pl.String,
        "strategy": pl.String,
        "before": pl.String,
        "given": pl.String,
        "wanted": pl.String,
        "outcome": pl.String,
        "file": pl.String,
        "row": pl.UInt32,
    }
)
"""
One row for each field of a profile that a run meant to change. ``row`` is the last row of the
profile in ``file``. ``given`` is null where what was given is not the value itself (``sum``,
``add``, ``remove``): ``settled_contributions`` of the run has it, file by file.
"""
_GIVES_THE_VALUE = ("set", "set_if_empty", "clear", "highest", "lowest")
"""Strategies by which a changed field has what was given."""


def changes_of_run(
    context: JobContext, state: ConnectionState, run: RunDocument
) -> Iterator[pl.DataFrame]:
    """
    Read what an ended run changed or meant to, some profiles at a time.

    Yields:
        ``TOLD``; nothing of a run that changed nothing, or whose changes are not kept any more.

    Raises:
        StateMissing: They are not recorded, and a rule of the bucket removed its plan.
    """
    if not changed_values(run):
        return
    if is_recorded(state, run):
        at = datetime.fromisoformat(run.acked_at)
        parts = state.changes.of_run(run.seq, at=at, objects=run.objects)
    elif run.seq <= state.swept.load().recorded:
        parts = iter(())
    else:
        parts = (long_rows(part, run.seq) for part in changed_rows(context, state, run))
    for part in parts:
        yield _told(run, part)


def just_given(context: JobContext, state: ConnectionState, last: int, keys: pl.Series) -> bool:
    """
    Check whether runs gave somebody an address or number that Braze may not show as theirs yet.

    Args:
        context: The outside.
        state: What the bucket remembers.
        last: The last of the runs.
        keys: Of addresses and numbers.

    Raises:
        StateMissing: A rule of the bucket removed the plan of such a run.
    """
    text = pl.col("wanted").str.json_decode(pl.String).str.to_lowercase()
    plain = {"email": text.str.strip_chars(), "phone": text.str.replace_all("[^+0-9]", "")}
    is_one = [
        (pl.col("field") == name) & profile_key(name, plain[name]).is_in(keys.implode())
        for name in SHARED
    ]
    return any(
        part.select(pl.any_horizontal(is_one).any()).item()
        for run in sent_lately(context, state.runs, last)
        if SHARED & {*run.fields}
        for part in changes_of_run(context, state, run)
    )


class KnownChanges(NamedTuple):
    """
    What runs changed of some profiles, as far as anybody knows.

    Args:
        rows: ``TOLD``, in the order of the runs.
        gone: The runs of which nobody knows any more what they changed.
    """

    rows: pl.DataFrame
    gone: list[int]


def changes_of_profiles(
    context: JobContext, state: ConnectionState, profiles: pl.Series
) -> KnownChanges:
    """
    Read what all runs changed of some profiles, or meant to, in the order of the runs.

    Args:
        context: The connection.
        state: What the bucket remembers of it.
        profiles: Their keys, String.

    Returns:
        Those of as many months as are kept.
    """
    later = unrecorded_runs(state, 0)
    months = (state.changes.of_profiles(profiles, month=month) for month in state.changes.months())
    found = [pl.DataFrame(schema=CHANGES), *(rows for rows in months if rows is not None)]
    # A sweep may have recorded them since they were listed.
    recorded = {*pl.concat(found)["seq"]}
    gone: list[int] = []
    for run in later:
        if run.seq in recorded:
            continue
        rows = _by_plan(context, state, run, profiles)
        if rows is None:
            gone.append(run.seq)
        else:
            found.append(rows)
    changes = pl.concat(found)
    parts = [
        _told(state.runs.read(seq).document, changes.filter(pl.col("seq") == seq))
        for seq in changes["seq"].unique().sort()
    ]
    return KnownChanges(pl.concat([pl.DataFrame(schema=TOLD), *parts]), gone)


def _by_plan(
    context: JobContext, state: ConnectionState, run: RunDocument, profiles: pl.Series
) -> pl.DataFrame | None:
    """
    Read what a run did from its plan, or where that is gone by now, from what was recorded first.

    Returns:
        ``CHANGES``; None if it is not kept any more.
    """
    try:
        return planned_changes(context, state, run, profiles)
    except StateMissing:
        if not is_recorded(state, run):
            return None
    month = month_of(datetime.fromisoformat(run.acked_at))
    rows = state.changes.of_profiles(profiles, month=month, after=run.seq - 1)
    return None if rows is None else rows.filter(pl.col("seq") == run.seq)


def _told(run: RunDocument, changes: pl.DataFrame) -> pl.DataFrame:
    keys = pl.Series("file", [file.key for file in run.files], pl.String)
    merges = {name: told["merge"] for name, told in run.fields.items()}
    strategy = pl.col("field").replace_strict(merges, default=None, return_dtype=pl.String)
    return changes.with_columns(
        pl.lit(run.job).alias("job"),
        pl.col(PROFILE).alias("profile"),
        strategy.alias("strategy"),
        pl.when(strategy.is_in(_GIVES_THE_VALUE)).then("wanted").alias("given"),
        pl.lit(keys).gather(pl.col(FILE)).alias("file"),
        pl.col(ROW).alias("row"),
    ).select(TOLD.names())
