"""What has to be known of a run before it is taken back, parted by profile: of any size."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from exchanger.jobs.history.changed_rows import changed_rows
from exchanger.jobs.history.changes import changes_of_run
from exchanger.jobs.history.changes_since import LaterRuns
from exchanger.jobs.history.other_keys import (
    KEY,
    other_keys,
    owners_of,
    said_by_others,
    told_of_each,
)
from exchanger.jobs.runtime.artifacts import fetched
from exchanger.jobs.runtime.partitioned_rows import PartitionedRows
from exchanger.profiles.frames.columns import FILE, PROFILE
from exchanger.profiles.frames.slices import slice_of
from exchanger.profiles.merging.folding import CONTRIBUTIONS_SCHEMA
from exchanger.profiles.merging.taking_back import CHANGED, LATER
from exchanger.profiles.spelling.same_person import linked
from exchanger.state.changes import ACCEPTED, IN_DOUBT, UNSEEN, long_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from exchanger.files.scratch.spill import Scratch
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.state.runs.log import ClaimedFile, RunDocument


_NOTHING_SAID = pl.DataFrame(schema={"profile": pl.String})
_CELLS = 6
"""Cells that a field of a profile takes while it is decided about."""


@dataclass(frozen=True)
class TakenBack:
    """
    A run, and what came after it: each person by the external id that they have now, if any.

    Args:
        run: The run.
        ours: What it changed, as ``CHANGED``.
        said: All that is held of the same people by other keys, as ``HeldValues.said_of`` reads it.
        later: What later runs changed of the same fields and people, as ``LATER``.
        gave: What its files gave to sums, as contributions of *files*.
        files: The files that gave anything to them, as they are claimed by who takes it back.
        profiles: How many profiles it changed, or may have.
        fields: The fields that it changed, or may have, as the run merged them.
    """

    run: RunDocument
    ours: PartitionedRows
    said: PartitionedRows
    later: PartitionedRows
    gave: PartitionedRows
    files: tuple[ClaimedFile, ...]
    profiles: int
    fields: Mapping[str, Mapping[str, Any]]


def to_take_back(call: ImportContext, scratch: Scratch, run: RunDocument, last: int) -> TakenBack:
    """
    Read what a run changed, and what later runs did to that.

    Args:
        call: The job.
        scratch: Where it is kept.
        run: The run.
        last: The last run that counts.

    Raises:
        StateMissing: Something of it is not kept any more.
    """
    count = scratch.bounds.shares(run.objects, _CELLS * len(run.fields))
    ours = PartitionedRows(scratch, count, pl.DataFrame(schema=CHANGED))
    hashes, fields = [pl.Series([], dtype=pl.UInt64)], set[str]()
    for part in changes_of_run(call.context, call.state, run):
        changed = _of_people(call, part.rename({"profile": PROFILE}).select(_CHANGED))
        ours.add(changed)
        happened = changed.filter(pl.col("accepted") | pl.col("doubt"))
        hashes.append(happened[PROFILE].unique().hash())
        fields.update(happened["field"].unique())
    asked = PartitionedRows(scratch, count, pl.DataFrame(schema={PROFILE: pl.String}))
    others = pl.concat(_asked(call, ours.profiles(number), asked) for number in range(len(ours)))
    later = PartitionedRows(scratch, count, pl.DataFrame(schema=LATER))
    runs = LaterRuns(call, run.seq)
    for changes in _since(call, runs, asked):
        theirs = changes.filter(pl.col("field").is_in([*fields]), pl.col("seq") <= last)
        later.add(_with_runs(runs, told_of_each(theirs, others)))
    gave = PartitionedRows(scratch, count, pl.DataFrame(schema=CONTRIBUTIONS_SCHEMA))
    files = _given(call, run, gave)
    merged = {name: told for name, told in run.fields.items() if name in fields}
    profiles = pl.concat(hashes).n_unique()
    said = _said(call, others, PartitionedRows(scratch, count, _NOTHING_SAID, "profile"), [*merged])
    return TakenBack(run, ours, said, later, gave, files, profiles, merged)


def _of_people(call: ImportContext, rows: pl.DataFrame) -> pl.DataFrame:
    """Name people by the external ids that they have now; not all had them in the run."""
    return linked(rows, owners_of(call.state.held, rows[PROFILE].unique()))


def _asked(call: ImportContext, keys: pl.Series, asked: PartitionedRows) -> pl.DataFrame:
    """Find the other keys of people, and ask for what was done by any of them."""
    others = other_keys(call.state.held, keys)
    asked.add(pl.concat([keys, others[KEY].alias(PROFILE)]).unique().to_frame())
    return others


def _said(
    call: ImportContext, others: pl.DataFrame, said: PartitionedRows, fields: Sequence[str]
) -> PartitionedRows:
    """Read what is held by other keys, by ranges of their own slices: each of it once."""
    ordered = others.sort(slice_of(KEY))
    for part in ordered.iter_slices(-(-max(others.height, 1) // len(said))):
        call.context.go_on()
        said.add(said_by_others(call.state.held, part, fields))
    return said


def _since(call: ImportContext, runs: LaterRuns, asked: PartitionedRows) -> Iterator[pl.DataFrame]:
    """
    Read what later runs did by some keys: ``CHANGES``, and perhaps by a few others.

    The table of changes is read by ranges of slices; a plan that is not in it yet, once.
    """
    later = runs.unrecorded
    call.context.progress.step("looking at later runs", len(asked) + len(later))
    hashes = [pl.Series([], dtype=pl.UInt64)]
    for number in range(len(asked)):
        call.context.go_on()
        keys = asked.profiles(number).unique()
        hashes.append(keys.hash())
        if not keys.is_empty():
            yield from runs.recorded(keys)
        call.context.progress.advance(1)
    known = pl.concat(hashes).unique().sort()
    for each in later:
        call.context.go_on()
        for part in changed_rows(call.context, call.state, each):
            yield long_rows(part.filter(_among(part[PROFILE], known)), each.seq)
        call.context.progress.advance(1)


def _with_runs(runs: LaterRuns, changes: pl.DataFrame) -> pl.DataFrame:
    """Put beside changes what their runs know: ``LATER``."""
    told = [
        (seq, name, merge, run.takes_back)
        for seq, run in ((seq, runs.of(seq)) for seq in changes["seq"].unique())
        for name, merge in run.merges
    ]
    beside = pl.DataFrame(
        told,
        schema={"seq": pl.Int64, "field": pl.String, "strategy": pl.String, "takes_back": pl.Int64},
        orient="row",
    )
    joined = changes.join(beside, on=["seq", "field"], how="left", maintain_order="left")
    return joined.select(*_CHANGED, "seq", "strategy", "takes_back")


_CHANGED = (
    PROFILE,
    "field",
    "before",
    "wanted",
    (pl.col("outcome") == ACCEPTED).alias("accepted"),
    pl.col("outcome").is_in([IN_DOUBT, UNSEEN]).alias("doubt"),
)
"""What a change is here, of what is read of it."""


def _among(profiles: pl.Series, known: pl.Series) -> pl.Series:
    """Return which profiles are among the sorted hashes of some: once in millions one is not."""
    if known.is_empty():
        return pl.Series([False] * profiles.len(), dtype=pl.Boolean)
    hashes = profiles.hash()
    places = known.search_sorted(hashes).clip(upper_bound=known.len() - 1)
    return known.gather(places) == hashes


def _given(call: ImportContext, run: RunDocument, gave: PartitionedRows) -> tuple[ClaimedFile, ...]:
    """Read what the files of a run gave to sums; returns those that did, as they are claimed."""
    sums = [name for name, told in run.fields.items() if told["merge"] == "sum"]
    if not sums or not run.settled_contributions:
        return ()
    with fetched(call.context, run.settled_contributions) as frames:
        # Whoever gave nothing is not named: of what was rejected in full, nothing counts.
        keys = {key for frame in frames.frames(["key"]) for key in frame["key"].unique()}
        first = {file.key: file for file in reversed(run.files) if file.key in keys}
        places = {key: place for place, key in enumerate(first)}
        for frame in frames.frames():
            theirs = frame.filter(pl.col("field").is_in(sums), pl.col("key").is_in([*places]))
            place = pl.col("key").replace_strict(places, default=None, return_dtype=pl.UInt32)
            placed = theirs.with_columns(place.alias(FILE)).select(CONTRIBUTIONS_SCHEMA.names())
            gave.add(_of_people(call, placed))
    return tuple(
        replace(file, outcome="undone", rows=0, rejected=0, refused=0, note="", facts=(), row=0)
        for file in first.values()
    )
