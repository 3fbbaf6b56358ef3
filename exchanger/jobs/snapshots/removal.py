"""
What becomes of people who left a snapshot, as rows of a run of their own.

Such a run is one of events, of deletions, or of attributes that are cleared: so it is planned,
sent, settled and given again as any run of its kind. Which it is, the document of the run says in a
word: ``clear_fields``, ``delete``, or ``event:NAME``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl

from exchanger.braze.attributes import CONSENT
from exchanger.config.models import (
    ACTION,
    GOES,
    Action,
    Cell,
    Event,
    FieldConfig,
    Guards,
    LeaverEvent,
    Match,
    Source,
)
from exchanger.files.scratch.spill import Scratch
from exchanger.jobs.intake.batch import BatchDraft
from exchanger.jobs.runtime.artifacts import fetched
from exchanger.notes import noted
from exchanger.profiles.frames.columns import COHORT, PROFILE, ROW
from exchanger.profiles.frames.raw_columns import RawColumns
from exchanger.profiles.reading.mapping import settle_rules
from exchanger.profiles.reading.resolve import as_keys
from exchanger.profiles.reading.typed_rows import cast_rows
from exchanger.state.inputs.column_types import KeptColumns
from exchanger.state.runs.log import ClaimedFile

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from exchanger.config.models import ImportJob
    from exchanger.files.scratch.frame_file import FrameFile
    from exchanger.jobs.intake.batch import InputBatch
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.notes import Note
    from exchanger.state.runs.log import RunDocument

_EVENT = "event:"
_GOES = "goes"
"""What an audience does with who left: as if a row said that they go."""


def removal_of(job: ImportJob) -> str:
    """Return what a job does with people who left, in a word; empty if it does nothing."""
    if job.audience is not None:
        return _GOES
    does = job.source.on_removed
    if isinstance(does, LeaverEvent):
        return _EVENT + does.event
    return "" if does == "ignore" else does


def removing(job: ImportJob, removal: str, fields: Mapping[str, Mapping[str, Any]]) -> ImportJob:
    """
    Return the job whose rows are people who left.

    Args:
        job: The job of snapshots.
        removal: What it does with them.
        fields: Of attributes that are cleared: how each was merged, and as what.
    """
    plain: dict[str, Any] = {
        "source": Source(prefix=job.source.prefix),
        "create_missing": False,
        "fields": {},
        "remaining_fields": (),
        "only_if": {},
        "baseline": "lookup",
    }
    plain |= {"guards": Guards(max_deletes=job.guards.max_deletes)}
    if removal == _GOES:
        action = Action.model_validate({"from": ACTION, "remove": [GOES]})
        return job.model_copy(update=plain | {"action": action})
    if removal == "delete":
        return job.model_copy(update=plain | {"object": "deletions"})
    if removal.startswith(_EVENT):
        name = Cell(value=removal.removeprefix(_EVENT))
        event = Event(name=name, time=Cell.model_validate({"from": "time"}))
        return job.model_copy(update=plain | {"object": "events", "event": event})
    cleared = {
        name: FieldConfig(merge="clear", type=was["type"], scale=was["scale"])
        for name, was in fields.items()
        if name not in CONSENT
    }
    return job.model_copy(update=plain | {"fields": cleared})


def about_the_same(call: ImportContext, run: RunDocument) -> ImportContext:
    """Return a call whose job makes of rows what a run made of them: perhaps of who left."""
    if not run.removal:
        return call
    return replace(call, job=removing(call.job, run.removal, run.fields))


def there_again(call: ImportContext, run: RunDocument, people: pl.Series) -> pl.Series:
    """
    Return who is a member by now, of people who had left, and would lose something by it.

    An event tells what happened, so it is of everybody.
    """
    back = people.head(0)
    known = call.state.members.of(call.name) if run.removal and not people.is_empty() else None
    if known is None or run.removal.startswith(_EVENT):
        return back
    for key in known.keys:
        with fetched(call.context, key) as members:
            for frame in members.frames([PROFILE]):
                back = pl.concat([back, people.filter(people.is_in(frame[PROFILE].implode()))])
    return back


def points_of_removal(removal: str, fields: Collection[str]) -> int:
    """Return what it costs at most, in data points, to do with one person what a job says."""
    if removal == "delete" or not removal:
        return 0
    billed = [name for name in fields if name not in CONSENT and not name.startswith(COHORT)]
    if fields and all(name.startswith(COHORT) for name in fields):
        return 0
    return 1 if removal.startswith(_EVENT) else max(len(billed), 1)


def note_on_removal(removal: str, people: int) -> list[Note]:
    """Note what becomes of so many people."""
    if not removal or not people or removal == _GOES:
        return []
    if removal == "delete":
        return [noted("leavers_deleted", people=people)]
    if removal.startswith(_EVENT):
        name = removal.removeprefix(_EVENT)
        return [noted("leavers_get_event", people=people, event=name)]
    return [noted("leavers_cleared", people=people)]


def leaver_rows(call: ImportContext, run: RunDocument) -> InputBatch:
    """
    Read the people who left by the snapshot that a run read, as rows.

    Args:
        call: The job as *removing* gives it.
        run: The run.

    Raises:
        StateMissing: They are not kept any more.
    """
    scratch = Scratch(call.context.workdir, call.context.bounds)
    draft = BatchDraft(scratch, PROFILE, KeptColumns())
    snapshot = next(file for file in run.files if file.outcome == "applied")
    with fetched(call.context, run.left) as left:
        draft.part(scratch.bounds.shares(left.rows, len(call.job.cells) + 1))
        for keys in _numbered(left):
            raw = _cells(call, keys)
            rules = settle_rules(_by_key(call.job), raw, {}).rules
            given = cast_rows(raw.at(0), rules, _by_key(call.job), named=as_keys(keys[PROFILE]))
            frame, parts = given.frame, {rule.name: rule for rule in rules}
            if call.kind.shaped is not None:
                frame, rules, _ = call.kind.shaped(frame, parts, call.job)
            draft.give(frame)
            draft.rules = {rule.name: rule for rule in rules}
        draft.rows = left.rows
    note = noted("leavers_of_run", run=run.seq, people=draft.rows)
    claim = ClaimedFile(snapshot.key, snapshot.etag, "", "left", draft.rows, facts=(note,))
    draft.files.append(claim)
    return replace(draft.made(0), leavers_of=run.seq, removal=run.on_removed)


def _numbered(left: FrameFile) -> Iterator[pl.DataFrame]:
    row = 1
    for frame in left.frames():
        yield frame.with_row_index(ROW, row)
        row += frame.height


def _cells(call: ImportContext, keys: pl.DataFrame) -> RawColumns:
    """
    Build the cells of a file of these people: a time for events, nothing for attributes.

    Of an audience, what they do: they go.
    """
    nothing = pl.lit(None if call.job.action is None else GOES, pl.String)
    cells = [
        pl.lit(call.context.clock.now().isoformat()).alias("time")
        if call.job.event is not None
        else nothing.alias(name)
        for name in call.job.cells
        if call.job.event is None or name == "time"
    ]
    return RawColumns(keys.select(pl.col(ROW).cast(pl.UInt32), PROFILE, *cells))


def _by_key(job: ImportJob) -> ImportJob:
    """Return the job as one of rows that have keys already."""
    source = Source(prefix=job.source.prefix, placeholders="allow")
    return job.model_copy(update={"match": (Match(external_id=PROFILE),), "source": source})
