"""
Looks again before a plan is sent that has waited for long: others may have changed Braze since.

Only rows that nobody has tried to send are looked at. What was attempted is sent again as it was,
whatever Braze shows: a late request of ours may still change it. But nobody who unsubscribed since
is subscribed by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import structlog

from exchanger.files.scratch.frame_file import FrameWriter
from exchanger.files.scratch.spill import Scratch
from exchanger.jobs.history.shown import last_shown
from exchanger.jobs.observing.lookup import look_up
from exchanger.jobs.runtime.report import RunReport
from exchanger.notes import noted
from exchanger.profiles.frames.columns import ITEM, PROFILE, WANTED, is_shown, wanted
from exchanger.profiles.merging.consent import guarded_fields, may_subscribe
from exchanger.profiles.merging.drift import news, paired
from exchanger.profiles.planning.stale_plan import planned_fields, review_stale_plan
from exchanger.state.runs.log import new_nonce

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from exchanger.files.scratch.frame_file import FrameFile
    from exchanger.jobs.runtime.context import JobContext
    from exchanger.state.runs.acknowledgements import Acknowledgements
    from exchanger.state.runs.log import RunDocument, VersionedRun
    from exchanger.state.store import ConnectionState

log = structlog.get_logger()


def refresh_stale_plan(
    context: JobContext,
    state: ConnectionState,
    stored: VersionedRun,
    outbox: FrameFile,
    acks: Acknowledgements,
) -> tuple[VersionedRun, FrameFile]:
    """
    Bring an old plan in line with what Braze has by now, if it is older than ``max_plan_age``.

    May be done again at any time: what is decided is acknowledged, what is left to send is as it
    was planned.

    Args:
        context: The outside.
        state: What the bucket remembers.
        stored: The run, ``delivering``.
        outbox: Its outbox.
        acks: Its acknowledgements; those of what needs not, or must not, be sent are added.

    Returns:
        The run and its outbox, from which fields may have been taken out (``on_drift: keep``).

    Raises:
        BrazeError: A look-up failed.
        StorageChanged: Another process is ending the same run.
        Stopped: The process was asked to stop.
    """
    run = stored.document
    age = -1.0 if state.runs.made_here(run.seq) else _age(context, run)
    old = age > max(context.max_plan_age, context.grace)
    rows = _untouched(outbox, acks) if old else outbox.empty()
    if not rows.is_empty():
        stored, outbox = _reviewed(context, state, stored, outbox, acks, rows)
    if age <= context.grace:
        return stored, outbox
    return _with_consent(context, state, stored, outbox, acks)


def _with_consent(
    context: JobContext,
    state: ConnectionState,
    stored: VersionedRun,
    outbox: FrameFile,
    acks: Acknowledgements,
) -> tuple[VersionedRun, FrameFile]:
    """
    Leave out states by which somebody would be subscribed who unsubscribed since the plan was made.

    Of a run that goes on later than the grace, also what was attempted and not answered: if that
    took effect, nobody is unsubscribed whom it is about, or they are since.
    """
    run = stored.document
    guarded = [name for name in guarded_fields(run.fields) if wanted(name) in outbox.columns]
    if not guarded:
        return stored, outbox
    left = ~pl.col(ITEM).is_in(acks.read(acks.parts()).items.implode())
    rows = [part.filter(left & may_subscribe(guarded)) for part in outbox.frames()]
    few = pl.concat([outbox.empty(), *rows])
    if few.is_empty():
        return stored, outbox
    return _reviewed(context, state, stored, outbox, acks, few, guarded)


def _reviewed(  # noqa: PLR0913, PLR0917 - a run as *refresh_stale_plan* takes it, and some rows
    context: JobContext,
    state: ConnectionState,
    stored: VersionedRun,
    outbox: FrameFile,
    acks: Acknowledgements,
    rows: pl.DataFrame,
    guarded: Sequence[str] = (),
) -> tuple[VersionedRun, FrameFile]:
    """Review some rows; of guarded fields alone, if any are named."""
    run = stored.document
    seen = _look(context, state, rows, guarded)
    fields = {name: {"guarded": True} for name in guarded} or run.fields
    found = review_stale_plan(rows, seen, fields)
    # The lighter outbox is a new object, and so no old plan: all that it is not about comes first.
    acks.withhold(found.withheld)
    acks.write(found.done, [])
    if found.kept or found.renewed:
        outbox = _with(context, outbox, rows, found.outbox)
        report = RunReport.from_dict(run.report)
        report.fields_kept += found.kept
        if found.kept:
            report.facts.append(noted("values_kept_since_planned", values=found.kept))
        key = state.names.outbox(run.seq, new_nonce())
        checksum = context.bucket.upload(key, outbox.path).sha256
        lighter = {"outbox": key, "outbox_sha256": checksum, "report": report.to_dict()}
        stored = state.runs.change(stored, **lighter)
    acks.write(found.emptied, [])
    log.info(
        "plan.reviewed", rows=rows.height, done=found.done.len(), withheld=found.withheld.height
    )
    return stored, outbox


def _age(context: JobContext, run: RunDocument) -> float:
    """Return how many seconds ago, by S3's clock alone, the plan was written; -1 if unknown."""
    age = context.bucket.head(run.outbox).age
    return -1.0 if age is None else age.total_seconds()


def _untouched(outbox: FrameFile, acks: Acknowledgements) -> pl.DataFrame:
    answered = acks.read(acks.parts()).items
    touched = pl.concat([answered, *acks.begun().values()])
    left = ~pl.col(ITEM).is_in(touched.implode())
    return pl.concat([outbox.empty(), *(part.filter(left) for part in outbox.frames())])


def _with(
    context: JobContext, outbox: FrameFile, rows: pl.DataFrame, instead: pl.DataFrame
) -> FrameFile:
    """Write the outbox anew with other rows in place of some."""
    with FrameWriter(Scratch(context.workdir).path()) as writer:
        writer.append(outbox.empty())
        for part in outbox.frames():
            kept = part.join(rows, on=ITEM, how="anti")
            new = instead.join(part, on=ITEM, how="semi").select(part.columns)
            writer.append(pl.concat([kept, new]).sort(ITEM))
        return writer.close()


def _look(
    context: JobContext, state: ConnectionState, rows: pl.DataFrame, some: Sequence[str] = ()
) -> pl.DataFrame:
    """Look up the fields of planned rows, or some, and keep what differs as an observation."""
    every = (name.removeprefix(WANTED) for name in rows.columns if name.startswith(WANTED))
    names = [*some] or [name for name in every if is_shown(name)]
    needed = planned_fields(rows, names)
    stamp = last_shown(context, state.runs)

    def keep(part: pl.DataFrame, asked_at: datetime) -> None:
        fields = part.columns[2:]
        held = state.held.history_of(part[PROFILE], fields)
        state.held.observe(news(paired(held, part, fields), fields), stamp=stamp, at=asked_at)

    return look_up(context, needed, keep)
