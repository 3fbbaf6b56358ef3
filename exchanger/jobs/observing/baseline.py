"""
Learns what is unknown of many profiles from one segment export instead of many look-ups.

The export is the basis once: afterwards few unknown profiles are looked up, and only where that
would take minutes is the segment exported again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import structlog

from exchanger.errors import FileRejected
from exchanger.jobs.observing.lookup import WORTH_SAYING, lookup_seconds
from exchanger.jobs.segments.empty import without_users
from exchanger.jobs.segments.pending import PendingDocument
from exchanger.jobs.segments.publish import sweep
from exchanger.jobs.segments.users import baseline_segment, export_segment, held_frames
from exchanger.notes import Note, noted
from exchanger.profiles.exported.held_rows import fields_of_export, held_form
from exchanger.profiles.frames.columns import PROFILE
from exchanger.profiles.frames.rules import Rule
from exchanger.profiles.spelling.profile_key import external_ids_among

if TYPE_CHECKING:
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.jobs.segments.wait import CompleteExport

log = structlog.get_logger()


def learn_from_segment(call: ImportContext, wanted: pl.Series, rules: list[Rule]) -> Note | None:
    """
    Record what an export of the job's segment shows, if the job names one and it is worth it.

    Args:
        call: The job.
        wanted: Profiles of which something is unknown, each once.
        rules: The fields of the job; those whose strategy needs a value are learnt.

    Returns:
        What is noted of it; None if nothing was done, so that everything has to be looked up.

    Raises:
        SegmentMissing: No such segment, or several.
        ExportIncomplete: Braze did not complete the export in time; the next run waits for it.
        FileRejected: The export is damaged; the next run asks anew.
        Stopped: The process was asked to stop; the next run waits for the same export.
    """
    baseline = baseline_segment(call.job)
    if baseline is None:
        return None
    # Who is named otherwise may be in the segment all the same, so of them it tells nothing.
    wanted = external_ids_among(wanted)
    fields = sorted(rule.name for rule in rules if rule.needs_held)
    document = PendingDocument(call.context.bucket, call.state.names, call.name)
    if not _is_worth_it(call, document, fields, wanted.len()):
        return None
    asked = fields_of_export(fields)
    export = export_segment(call.context, call.state, baseline, document, asked)
    seen = _Seen(wanted)
    try:
        _observe(call, export, fields, seen)
    except FileRejected:
        document.save(export.pending.as_published())
        raise
    if baseline.complete and seen.rows:
        absent = held_form({}, seen.absent(), fields)
        call.state.held.observe(absent, stamp=export.pending.stamp, at=export.pending.asked_at)
    used = export.pending.as_used(raw=baseline.raw)
    document.save(used)
    sweep(call.context, used)
    log.info("baseline.learnt", segment=export.segment.name, profiles=seen.rows)
    if not seen.rows:
        # It may have gone elsewhere, so it proves of nobody that they do not exist (law 10).
        nobody = without_users(call.context, export, may_be_allowed=False)
        return noted(
            "nothing_learnt",
            segment=nobody.segment,
            folder=nobody.folder,
            files=nobody.files,
            estimate=nobody.estimate,
            unknown_because=nobody.unknown_because,
        )
    return noted("learnt_from_segment", segment=export.segment.name, profiles=seen.rows)


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
    call: ImportContext, document: PendingDocument, fields: list[str], profiles: int
) -> bool:
    """Return whether there was no such export yet, or look-ups would take minutes."""
    known = document.load()
    if known is None or not known.published or known.fields != fields_of_export(fields):
        return True
    return lookup_seconds(profiles, call.context.lookup_limit) >= WORTH_SAYING


def _observe(call: ImportContext, export: CompleteExport, fields: list[str], seen: _Seen) -> None:
    """Record everybody in an export: what is not needed now may be needed by the next file."""
    frames = map(seen.pass_on, held_frames(call.context, export, fields))
    pending = export.pending
    call.state.held.observe_all(frames, stamp=pending.stamp, at=pending.asked_at)
