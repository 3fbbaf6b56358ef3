"""
Learns what is unknown of many profiles from one segment export instead of many look-ups.

The export is the basis once: afterwards few unknown profiles are looked up, and only where that
would take minutes is the segment exported again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl
import structlog

from exchanger.config.models import Baseline
from exchanger.errors import FileRejected, Stopped
from exchanger.files.export_archives import Limits, read_batches
from exchanger.jobs.export_dataset import archives
from exchanger.jobs.export_pending import PendingDocument
from exchanger.jobs.export_publish import sweep
from exchanger.jobs.export_wait import (
    CompleteExport,
    ExportWait,
    StoppedWaitingError,
    find_segment,
)
from exchanger.jobs.lookup import WORTH_SAYING, lookup_seconds
from exchanger.jobs.report import new_run_id
from exchanger.profiles.columns import PROFILE
from exchanger.profiles.observations import held_form
from exchanger.profiles.observed_exports import fields_of_export, held_users
from exchanger.profiles.rules import NEEDS_HELD, Rule

if TYPE_CHECKING:
    from exchanger.jobs.call import ImportCall
    from exchanger.jobs.world import World
    from exchanger.profiles.exported import FieldsToExport

log = structlog.get_logger()


def learn_from_segment(call: ImportCall, wanted: pl.Series, rules: list[Rule]) -> str | None:
    """
    Record what an export of the job's segment shows, if the job names one and it is worth it.

    Args:
        call: The job.
        wanted: Profiles of which something is unknown, each once.
        rules: The fields of the job; those whose strategy needs a value are learnt.

    Returns:
        A sentence about it; None if nothing was done, so that everything has to be looked up.

    Raises:
        SegmentMissing: No such segment, or several.
        ExportIncomplete: Braze did not complete the export in time; the next run waits for it.
        FileRejected: The export is damaged; the next run asks anew.
        Stopped: The process was asked to stop; the next run waits for the same export.
    """
    baseline = call.job.baseline
    if not isinstance(baseline, Baseline) or baseline.segment is None:
        return None
    fields = sorted(rule.name for rule in rules if rule.merge in NEEDS_HELD)
    document = PendingDocument(call.world.bucket, call.world.state_prefix, call.name)
    if not _is_worth_it(call, document, fields, wanted.len()):
        return None
    try:
        export = asyncio.run(_exported(call, baseline, document, fields_of_export(fields)))
    except StoppedWaitingError as error:
        raise Stopped from error
    seen = _Seen(wanted)
    try:
        _observe(call, export, fields, seen)
    except FileRejected:
        document.save(export.pending.as_published())
        raise
    if baseline.complete:
        absent = held_form([], seen.absent(), fields)
        call.state.held.observe(absent, stamp=export.pending.stamp, at=export.pending.requested_at)
    sweep(call.world, export.pending)
    document.save(export.pending.as_published())
    log.info("baseline.learnt", segment=export.segment.name, profiles=seen.rows)
    return f"What Braze holds of {seen.rows:,} profiles was learnt from '{export.segment.name}'."


class _Seen:
    """Counts profiles as they go by, and remembers which of the wanted ones came."""

    def __init__(self, wanted: pl.Series) -> None:
        self.rows = 0
        self._wanted = wanted
        self._found = [wanted.clear()]

    def pass_on(self, frame: pl.DataFrame) -> pl.DataFrame:
        self.rows += frame.height
        self._found.append(frame[PROFILE].filter(frame[PROFILE].is_in(self._wanted.implode())))
        return frame

    def absent(self) -> list[str]:
        found = pl.concat(self._found)
        return self._wanted.filter(~self._wanted.is_in(found.implode())).sort().to_list()


def _is_worth_it(
    call: ImportCall, document: PendingDocument, fields: list[str], profiles: int
) -> bool:
    """Tell whether there was no such export yet, or look-ups would take minutes."""
    known = document.load()
    if known is None or not known.published or known.fields != fields_of_export(fields):
        return True
    return lookup_seconds(profiles, call.world.lookup_limit) >= WORTH_SAYING


async def _exported(
    call: ImportCall, baseline: Baseline, document: PendingDocument, fields: FieldsToExport
) -> CompleteExport:
    run_id = new_run_id(call.name, call.world.clock.now())
    async with call.world.braze() as braze:
        segment = find_segment(await braze.segments(), baseline.segment or "")
        runs = call.state.runs
        wait = ExportWait(call.world, braze, baseline.completion, document, runs)
        pending = await wait.requested(segment.id, fields, run_id, fresh=False)
        return await wait.complete(segment, pending)


def _observe(call: ImportCall, export: CompleteExport, fields: list[str], seen: _Seen) -> None:
    """Record everybody in an export: what is not needed now may be needed by the next file."""
    call.world.progress.step("reading the export", len(export.files) or 1)
    frames = map(seen.pass_on, _frames(call.world, export, fields))
    pending = export.pending
    call.state.held.observe_all(frames, stamp=pending.stamp, at=pending.requested_at)


def _frames(world: World, export: CompleteExport, fields: list[str]) -> Iterator[pl.DataFrame]:
    for key, path in archives(world, export):
        for lines in read_batches(path, key, Limits()):
            if world.stopping.is_set():
                raise Stopped
            yield held_users(lines, key, fields)
        path.unlink()
        world.progress.advance(1)
