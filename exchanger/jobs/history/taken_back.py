"""What has to be known of a run before it is taken back, parted by profile: of any size."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from exchanger.jobs.history.changes import changes_of_run
from exchanger.jobs.runtime.artifacts import fetched
from exchanger.jobs.runtime.partitioned_rows import PartitionedRows
from exchanger.profiles.frames.columns import FILE, PROFILE
from exchanger.profiles.merging.folding import CONTRIBUTIONS_SCHEMA
from exchanger.profiles.merging.taking_back import CHANGED, LATER
from exchanger.state.changes import ACCEPTED, IN_DOUBT, UNSEEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from exchanger.files.scratch.spill import Scratch
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.state.runs.log import ClaimedFile, RunDocument


@dataclass(frozen=True)
class TakenBack:
    """
    A run, and what came after it.

    Args:
        run: The run.
        ours: What it changed, as ``CHANGED``.
        later: What later runs changed of the same fields and profiles, as ``LATER``.
        gave: What its files gave to sums, as contributions of *files*.
        files: The files that gave anything to them, as they are claimed by who takes it back.
        profiles: How many profiles it changed, or may have.
        fields: The fields that it changed, or may have, as the run merged them.
    """

    run: RunDocument
    ours: PartitionedRows
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
    count = scratch.bounds.shares(run.objects, 2 * len(run.fields))
    ours = PartitionedRows(scratch, count, pl.DataFrame(schema=CHANGED))
    hashes, fields = [pl.Series([], dtype=pl.UInt64)], set[str]()
    for part in changes_of_run(call.context, call.state, run):
        changed = _changed(part)
        ours.add(changed)
        happened = changed.filter(pl.col("accepted") | pl.col("doubt"))
        hashes.append(happened[PROFILE].unique().hash())
        fields.update(happened["field"].unique())
    known = pl.concat(hashes).unique().sort()
    later = PartitionedRows(scratch, count, pl.DataFrame(schema=LATER))
    call.context.progress.step("looking at later runs", max(last - run.seq, 0))
    for seq in range(run.seq + 1, last + 1):
        call.context.go_on()
        for rows in _later(call, seq, run, known):
            later.add(rows)
        call.context.progress.advance(1)
    gave = PartitionedRows(scratch, count, pl.DataFrame(schema=CONTRIBUTIONS_SCHEMA))
    files = _given(call, run, gave)
    merged = {name: told for name, told in run.fields.items() if name in fields}
    return TakenBack(run, ours, later, gave, files, known.len(), merged)


def _changed(part: pl.DataFrame) -> pl.DataFrame:
    outcome = pl.col("outcome")
    return part.select(
        pl.col("profile").alias(PROFILE),
        "field",
        "before",
        "wanted",
        (outcome == ACCEPTED).alias("accepted"),
        outcome.is_in([IN_DOUBT, UNSEEN]).alias("doubt"),
    )


def _later(
    call: ImportContext, seq: int, run: RunDocument, known: pl.Series
) -> Iterator[pl.DataFrame]:
    """Read what a later run did to the same fields of the same profiles."""
    document = call.state.runs.read(seq).document
    if known.is_empty() or not document.fields.keys() & run.fields.keys():
        return
    for part in changes_of_run(call.context, call.state, document):
        near = part.filter(pl.col("field").is_in([*run.fields]), _among(part["profile"], known))
        takes_back = pl.lit(document.takes_back, pl.Int64).alias("takes_back")
        yield _changed(near).with_columns(near["seq"], near["strategy"], takes_back)


def _among(profiles: pl.Series, known: pl.Series) -> pl.Series:
    """Return which profiles are among the sorted hashes of some: once in millions one is not."""
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
            gave.add(theirs.with_columns(place.alias(FILE)).select(CONTRIBUTIONS_SCHEMA.names()))
    return tuple(
        replace(file, outcome="undone", rows=0, rejected=0, refused=0, note="", facts=(), row=0)
        for file in first.values()
    )
