"""
Looks again before a plan is sent that has waited for long: others may have changed Braze since.

Only rows that nobody has tried to send are looked at. What was attempted is sent again as it was,
whatever Braze shows: a late request of ours may still change it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import structlog

from exchanger.files.scratch.frame_file import FrameWriter
from exchanger.files.scratch.spill import Scratch
from exchanger.jobs.history.shown import last_shown
from exchanger.jobs.observing.lookup import look_up
from exchanger.jobs.runtime.artifacts import replace_outbox
from exchanger.jobs.runtime.report import RunReport
from exchanger.notes import noted
from exchanger.profiles.frames.columns import ITEM, PROFILE, WANTED
from exchanger.profiles.merging.drift import news, paired
from exchanger.profiles.planning.stale_plan import review_stale_plan

if TYPE_CHECKING:
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
    is_new = state.runs.made_here(run.seq)
    rows = outbox.empty() if is_new or not _is_old(context, run) else _untouched(outbox, acks)
    if rows.is_empty():
        return stored, outbox
    seen = _look(context, state, rows)
    found = review_stale_plan(rows, seen, run.fields)
    # The lighter outbox is a new object, and so no old plan: all that it is not about comes first.
    acks.withhold(found.withheld)
    acks.write(found.done, [])
    if found.kept:
        outbox = _with(context, outbox, rows, found.outbox)
        report = RunReport.from_dict(run.report)
        report.fields_kept += found.kept
        report.facts.append(noted("values_kept_since_planned", values=found.kept))
        stored = replace_outbox(context, state, stored, outbox, report.to_dict())
    acks.write(found.emptied, [])
    log.info(
        "plan.reviewed", rows=rows.height, done=found.done.len(), withheld=found.withheld.height
    )
    return stored, outbox


def _is_old(context: JobContext, run: RunDocument) -> bool:
    """Return by S3's clock alone how long ago the plan was written."""
    age = context.bucket.head(run.outbox).age
    return age is not None and age.total_seconds() > max(context.max_plan_age, context.grace)


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


def _look(context: JobContext, state: ConnectionState, rows: pl.DataFrame) -> pl.DataFrame:
    """Look up the fields of planned rows, and keep what differs as an observation."""
    names = [name.removeprefix(WANTED) for name in rows.columns if name.startswith(WANTED)]
    needed = pl.concat(
        rows.filter(pl.col(WANTED + name).is_not_null()).select(
            PROFILE, pl.lit(name).alias("field")
        )
        for name in names
    )
    stamp = last_shown(context, state.runs)

    def keep(part: pl.DataFrame, asked_at: datetime) -> None:
        fields = part.columns[2:]
        held = state.held.history_of(part[PROFILE], fields)
        state.held.observe(news(paired(held, part, fields), fields), stamp=stamp, at=asked_at)

    return look_up(context, needed, keep)
