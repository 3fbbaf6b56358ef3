"""
The story of a rebuild: held values made anew from an export of a segment.

What the export shows counts from the last run that it is known to include, as for any observation:
a value that a run delivered later, or so shortly before that Braze may not show it yet, stays. So
does what the export says nothing of: it is still the newest that is known.

Safe to stop anywhere and to start again: nothing is recorded before everything is read, and it is
recorded at once. The next call waits for the same export.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl
import structlog

from exchanger.braze.attributes import NOT_EXPORTED
from exchanger.config.models import Baseline
from exchanger.errors import SegmentUnnamed
from exchanger.files.scratch.spill import Scratch
from exchanger.jobs.lifecycle.exclusive import with_lease
from exchanger.jobs.lifecycle.finish import drain
from exchanger.jobs.lifecycle.maintenance import maintain
from exchanger.jobs.observing.comparison import FieldComparison
from exchanger.jobs.runtime.recognition import establish
from exchanger.jobs.segments.users import SegmentUsers, Told, baseline_segment, sought_keys
from exchanger.notes import Note, noted
from exchanger.profiles.frames.columns import EXISTS, IDENTIFIED, PROFILE, STAMP
from exchanger.profiles.merging.drift import paired
from exchanger.profiles.spelling.profile_key import external_ids_among, kind_of
from exchanger.profiles.spelling.same_person import IS_LINKED, doubted, with_identities
from exchanger.state.runs.log import ENDED
from exchanger.state.store import ConnectionState, open_state

if TYPE_CHECKING:
    from exchanger.config.models import ImportJob
    from exchanger.jobs.runtime.context import JobContext

log = structlog.get_logger()


@dataclass
class RebuildReport:
    """
    What an export taught.

    ``profiles`` were in the export. Of these ``fresh`` were sent so lately that the export may not
    show it, so they stay as they are held; the others are compared, field by field. Of those held
    and not in the export, ``absent`` do not exist, as it was declared complete, and ``unseen``
    stay as they are held. Of addresses and numbers by which anything is held, some are
    ``ambiguous``, as several profiles have them, which is remembered, and some ``unclear``: of
    these the export does not tell whose they are, so they stay, too. Who has an external id, as the
    export shows, is counted by that alone.
    """

    job: str
    segment: str
    asked_at: datetime
    fields: list[FieldComparison]
    profiles: int = 0
    fresh: int = 0
    absent: int = 0
    unseen: int = 0
    ambiguous: int = 0
    unclear: int = 0
    notes: list[str] = field(default_factory=list)
    facts: list[Note] = field(default_factory=list)


def source_of(name: str, job: ImportJob, segment: str | None, *, complete: bool) -> Baseline:
    """
    Choose the segment to learn from.

    Args:
        name: The job.
        job: The job.
        segment: The name or id of a segment; that of the job's baseline if None.
        complete: Who is not in it does not exist in Braze.

    Raises:
        SegmentUnnamed: There is none.
    """
    known = baseline_segment(job)
    if segment is not None:
        named = known or Baseline()
        return named.model_copy(update={"segment": segment, "complete": complete})
    if known is None:
        raise SegmentUnnamed(name)
    return known.model_copy(update={"complete": complete or known.complete})


def rebuild(
    context: JobContext, name: str, job: ImportJob, source: Baseline, wait: float
) -> RebuildReport:
    """
    Rebuild the held values of a connection.

    What an earlier process left unfinished is finished first (law 2).

    Args:
        context: The connection.
        name: A job of it.
        job: The job; its fields are asked for besides all that anything was ever known of.
        source: The segment.
        wait: Seconds to wait for another process that writes to the same connection.

    Raises:
        JobBusy: Another process writes to this connection, and did not end while we waited.
        SegmentMissing: No such segment, or several.
        ExportEmpty: No user came in the export, so it was not believed.
        ExportIncomplete: Braze did not complete the export in time; the next call waits for it.
        FileRejected: The export is damaged; the next call asks anew.
        Stopped: The process was asked to stop; nothing was recorded.
        BrazeError: Braze refused, or did not answer.
        StorageError: S3 refused or did not answer.
    """
    state = open_state(context.bucket, context.state_prefix)

    def act(held: JobContext) -> RebuildReport:
        establish(held, state)
        facts = _drained(held, state)
        own = {*job.fields} & {*job.cells}  # Fields of items are no attributes.
        # What begins with a sign is no attribute, and in no export.
        attributes = {name for name in state.held.fields() if not name.startswith("@")}
        names = sorted((attributes | own) - NOT_EXPORTED)
        sought = sought_keys(held, state)
        users = SegmentUsers.exported(held, state, source, f"{name}@rebuild", names, sought)
        fields = [FieldComparison(one) for one in names]
        report = RebuildReport(name, users.segment, users.asked_at, fields, facts=facts)
        # All of it is read before any is written, as no table can be opened meanwhile.
        learnt = Scratch(held.workdir, held.bounds).spill()
        for frame in _compared(state, users, report):
            learnt.add(frame)
        state.held.observe_all(learnt.frames(), stamp=users.stamp, at=users.asked_at)
        learnt.clear()
        users.done()
        maintain(held, state)
        return report

    report = with_lease(context, state, name, wait, act)
    log.info("rebuild.done", profiles=report.profiles, fields=len(report.fields))
    return report


def _drained(context: JobContext, state: ConnectionState) -> list[Note]:
    notes: list[Note] = []
    while (newest := state.runs.newest()) is not None and newest.document.state not in ENDED:
        notes += [
            noted("run_finished", run_id=report.run_id, job=report.job)
            for report in drain(context, state)
        ]
        context.go_on()
    return notes


def _compared(
    state: ConnectionState, users: SegmentUsers, report: RebuildReport
) -> Iterator[pl.DataFrame]:
    """Yield what is to be recorded, and count on the way how it differs from what is held."""
    names = [one.field for one in report.fields]
    newest = state.runs.newest()
    last = newest.document.seq if newest else 0
    for first, end in state.held.slices():
        users.context.go_on()
        held = state.held.between(first, end, [*names, IDENTIFIED])
        ids = external_ids_among(held[PROFILE])
        others = held[PROFILE].filter(~held[PROFILE].is_in(ids.implode()))
        told = users.told(first, end, others, last=last)
        yield _learnt(held, users.between(first, end), told, users, report)


def _learnt(
    held: pl.DataFrame,
    seen: pl.DataFrame,
    told: Told,
    users: SegmentUsers,
    report: RebuildReport,
) -> pl.DataFrame:
    """Count how what an export shows of some profiles differs, and build what is recorded of it."""
    names = [one.field for one in report.fields]
    late = (pl.col(STAMP) > users.stamp).fill_null(value=False)
    ones = told.seen.filter(~_counted_elsewhere(told.seen, users))
    counted = pl.concat([seen, ones.select(seen.columns)])
    pairs = paired(held, counted, names)
    settled = pairs.filter(~late)
    for one in report.fields:
        one.add(settled, pl.col(one.field), ordered=True)
    there = held.filter(pl.col(EXISTS).fill_null(value=True))
    several = there.filter(pl.col(PROFILE).is_in(told.several.implode()))
    known = pl.concat([seen[PROFILE], told.seen[PROFILE], told.several, told.unclear])
    missing = there.filter(~pl.col(PROFILE).is_in(known.implode()))
    # Who is not in a complete export does not exist, by whatever key.
    is_absent = pl.col(PROFILE).is_in(told.absent.implode())
    is_absent |= (kind_of(pl.col(PROFILE)) == "external_id") & users.complete
    gone = missing.filter(~late & is_absent)
    report.profiles += pairs.height
    report.fresh += pairs.height - settled.height
    report.ambiguous += several.height
    report.unclear += there.filter(~IS_LINKED, pl.col(PROFILE).is_in(told.unclear.implode())).height
    report.absent += gone.filter(~IS_LINKED).height
    report.unseen += missing.filter(~IS_LINKED).height - gone.filter(~IS_LINKED).height
    others = (with_identities(told.seen), doubted(several, names))
    frames = [seen, users.absent(gone[PROFILE]), *(some for some in others if some.height)]
    return pl.concat(frames, how="diagonal")


def _counted_elsewhere(seen: pl.DataFrame, users: SegmentUsers) -> pl.Series:
    """Return which keys mean people whom the export tells by the key that stands for them, too."""
    person = pl.when(IS_LINKED).then(IDENTIFIED).str.json_decode(pl.String)
    people = seen.select(person.alias(PROFILE), is_external=kind_of(person) == "external_id")
    told = people["is_external"] | users.sought.has(people[PROFILE])
    return people[PROFILE].is_not_null() & told
