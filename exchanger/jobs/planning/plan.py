"""
Decides what a run will send: from rows as given to an outbox, and to counts that add up.

Everything that decides is in ``profiles``; this is the order in which it is asked, one part of the
run after the other.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from exchanger.errors import InvalidRow
from exchanger.files.raw.table import in_portions
from exchanger.files.scratch.frame_file import FrameFile, FrameWriter
from exchanger.files.scratch.prefetch import prefetch
from exchanger.jobs.intake.contributions import with_already
from exchanger.jobs.intake.invalid import (
    demand_none_rejected,
    demand_valid,
    note_dropped,
    note_stop,
)
from exchanger.jobs.intake.unreadable import told
from exchanger.jobs.planning.exposure import content_of
from exchanger.jobs.planning.parts import MadeParts, parts_of
from exchanger.jobs.runtime.context import SilentProgress
from exchanger.jobs.runtime.executor import in_order, local_executor
from exchanger.jobs.runtime.one_moment import note_lost_values
from exchanger.jobs.runtime.report import FileReport
from exchanger.notes import Note, noted
from exchanger.profiles.frames.columns import FILE, ITEM, ROW
from exchanger.profiles.merging.folding import CONTRIBUTIONS_SCHEMA
from exchanger.profiles.planning.part import PartPlan, Tally
from exchanger.profiles.planning.undo import STAYS
from exchanger.state.runs.log import new_nonce
from exchanger.state.runs.quarantine import DROPPED, no_rows, quarantined, source_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exchanger.jobs.intake.batch import InputBatch
    from exchanger.jobs.observing.lookup import LookUps
    from exchanger.jobs.planning.parts import PlanParts
    from exchanger.jobs.runtime.import_context import ImportContext
    from exchanger.jobs.runtime.report import RunReport
    from exchanger.jobs.snapshots.comparison import Comparison, PlannedMembers
    from exchanger.outside.s3.growing import GrowingUpload
    from exchanger.profiles.frames.rules import Rule
    from exchanger.profiles.planning.spoken import Spoken
    from exchanger.state.runs.log import ClaimedFile


@dataclass(frozen=True)
class Plan:
    """
    What a run will do, before anything of it counts. Its frames are on this machine.

    Args:
        outbox: One row per object, as in docs/state.md; ``@rows`` counts the rows of the
            profile that are not superseded.
        contributions: What each file gives to summed and added fields of mergeable profiles.
        rejected: Rows that go to quarantine, in its shape.
        dropped: Values that were left out, in the same shape.
        event_order: How far it takes each field in the order of ``order_by``, once accepted; None
            without it.
        rules: What was done to each field.
        lookups: Who was looked up.
        spoken: What rows say of each field.
        files: Every file that the run claims, with its rejected rows counted.
        nonce: Names the plan's objects in the bucket.
        sending: The outbox on its way to the bucket; nothing was sent of it yet if it is small.
        content: A number that stands for all that is sent, if a person asks for it or has it.
        members: Whom the job will have, if it is one of snapshots.
    """

    outbox: FrameFile
    contributions: FrameFile
    rejected: FrameFile
    dropped: FrameFile
    event_order: FrameFile | None
    rules: list[Rule]
    lookups: LookUps
    spoken: Spoken
    files: tuple[ClaimedFile, ...]
    nonce: str
    sending: GrowingUpload
    content: int | None = None
    members: PlannedMembers | None = None

    @property
    def frames(self) -> tuple[FrameFile | None, ...]:
        """The outbox, contributions, rejected rows, values left out and orders."""
        return self.outbox, self.contributions, self.rejected, self.dropped, self.event_order

    @property
    def points_of_leavers(self) -> int:
        """What that costs at most which becomes of people who left, in a run of its own."""
        return 0 if self.members is None else self.members.points

    def give_up(self) -> None:
        """Take back what was sent of the outbox, and remove the frames."""
        self.sending.give_up()
        self.remove()

    def remove(self) -> None:
        """Remove the frames from this machine."""
        for frames in self.frames:
            if frames is not None:
                frames.remove()
        if self.members is not None:
            self.members.remove()


def planned(
    call: ImportContext, report: RunReport, batch: InputBatch, made: MadeParts = parts_of
) -> Plan:
    """
    Plan a run over what was read, and fill in its report.

    Args:
        call: The job; held values are read, and Braze is asked for what is unknown.
        report: Its counts are filled in, but for what only Braze's answers tell.
        batch: Rows, rules and files; its rows are forgotten on the way.
        made: Finds what it has to know, and what decides.

    Raises:
        BrazeError: A look-up failed.
        EngineError: Parts could not be planned where the configuration says.
        InvalidRow: A row cannot be used, and the job stops then.
        Stopped: The process was asked to stop; nothing was claimed.
    """
    demand_valid(call, batch)
    with made(call, batch, report) as parts:
        batch = parts.batch
        draft = _Draft(call, batch, report)
        try:
            draft.begin()
            _plan_parts(call, parts, draft)
            plan = draft.finished([*parts.rules], parts.lookups)
            if parts.compared is not None:
                plan = replace(plan, members=parts.compared.finished())
        except BaseException:
            draft.give_up()
            if parts.compared is not None:
                parts.compared.stop()
            raise
    try:
        demand_none_rejected(call, plan.rejected)
    except InvalidRow:
        plan.give_up()
        raise
    _count(report, batch, draft)
    if parts.compared is not None:
        _count_people(report, parts.compared)
    rows = _rejected_rows(plan)
    plan = replace(plan, files=tuple(_counted(file, rows) for file in plan.files))
    report.facts += note_dropped(plan.dropped, report.rows_warned) + note_stop(call, plan.rejected)
    report.facts += note_lost_values(call.state)
    report.files = [_told(file, planned=not call.record) for file in plan.files]
    report.files += told(batch.unreadable)
    report.facts += batch.notes
    return plan


def _plan_parts(call: ImportContext, parts: PlanParts, draft: _Draft) -> None:
    count = len(parts.batch.given)
    # A single part is planned in a moment, sooner than it would travel.
    alone = count == 1
    progress = SilentProgress() if alone else call.context.progress
    progress.step("planning", count)
    with (
        local_executor() if alone else call.context.engine() as engine,
        closing(parts.inputs if alone else prefetch(parts.inputs)) as coming,
    ):
        for number, planned in enumerate(in_order(engine, parts.decide, coming)):
            call.context.go_on()
            draft.add(planned)
            if parts.compared is not None and planned.taken is not None:
                parts.compared.add(number, planned.taken)
            progress.advance(1)


class _Draft:
    """A plan under construction, part after part, of which the outbox is sent as it grows."""

    def __init__(self, call: ImportContext, batch: InputBatch, report: RunReport) -> None:
        scratch = batch.scratch
        self._batch = batch
        self._nonce = new_nonce()
        key = call.state.names.outbox(report.seq or 1, self._nonce)
        self._sending = call.context.bucket.upload_growing(key)
        grown = self._sending.grown if call.record else None
        self._outbox = FrameWriter(scratch.path(), grown, stored=call.record)
        writers = (FrameWriter(scratch.path(), stored=call.record) for _ in range(4))
        self._contributions, self._rejected, self._dropped, self._event_order = writers
        self._ordered = False
        self.tally = Tally()
        self.stays = [pl.DataFrame(schema=STAYS)]
        # Only who plans, or runs what was planned before, compares by it.
        compared = call.options.saved if call.record else call.shown is None
        self._content = 0 if compared else None
        self.unreadable = 0
        self.warned = self.dropped = 0

    def begin(self) -> None:
        """Take what is known before any part is planned."""
        self._contributions.append(with_already(pl.DataFrame(schema=CONTRIBUTIONS_SCHEMA), []))
        self._rejected.append(no_rows())
        self._dropped.append(no_rows())
        self._add_unreadable()
        self._add_dropped()

    def add(self, part: PartPlan) -> None:
        """Take what becomes of some profiles; items are numbered through the run."""
        before = pl.lit(self._outbox.rows, pl.UInt32)
        self._outbox.append(part.outbox.with_columns(pl.col(ITEM) + before))
        if self._content is not None:
            self._content += content_of(part.outbox)
        if part.contributions is not None:
            self._contributions.append(with_already(part.contributions, []))
        if part.event_order is not None:
            self._ordered = True
            self._event_order.append(part.event_order)
        if part.rejected is not None:
            self._rejected.append(quarantined(part.rejected, self._batch.files, "rejected"))
        self.tally += part.tally
        if part.stays is not None:
            self.stays.append(part.stays)

    def finished(self, rules: list[Rule], lookups: LookUps) -> Plan:
        """Build the plan."""
        nothing = pl.DataFrame(schema=CONTRIBUTIONS_SCHEMA)
        self._contributions.append(with_already(nothing, self._batch.already))
        return Plan(
            outbox=self._outbox.close(),
            contributions=self._contributions.close(),
            rejected=self._rejected.close(),
            dropped=self._dropped.close(),
            event_order=self._event_order.close() if self._ordered else None,
            rules=rules,
            lookups=lookups,
            spoken=self.tally.spoken,
            files=self._batch.files,
            nonce=self._nonce,
            sending=self._sending,
            content=self._content,
        )

    def give_up(self) -> None:
        """Take back what was sent of the outbox, and leave nothing open."""
        others = (self._contributions, self._rejected, self._dropped, self._event_order)
        for writer in (self._outbox, *others):
            writer.stop()
        self._sending.give_up()

    def _add_unreadable(self) -> None:
        """Take the rows that could not be read; those of files that are rejected do not count."""
        files = self._batch.files
        applied = [i for i, file in enumerate(files) if file.outcome != "rejected"]
        rows = [pl.DataFrame(schema={FILE: pl.UInt32, ROW: pl.UInt32})]
        for frame in in_portions(self._batch.rejected.frames(), self._batch.scratch.bounds.rows):
            self._rejected.append(quarantined(frame, files, "rejected"))
            single = frame.filter(pl.col(FILE).is_in(applied)).select(FILE, ROW).drop_nulls(ROW)
            rows.append(single.unique())
        self._batch.rejected.clear()
        self.unreadable = pl.concat(rows).n_unique()

    def _add_dropped(self) -> None:
        """Take the values that are left out."""
        spill = self._batch.dropped
        for frame in in_portions(spill.frames(), self._batch.scratch.bounds.rows):
            self._dropped.append(quarantined(frame, self._batch.files, DROPPED))
        places = [frame.unique() for frame in spill.frames([FILE, ROW])]
        self.warned = pl.concat(places).n_unique() if places else 0
        self.dropped = spill.rows
        spill.clear()


def _count(report: RunReport, batch: InputBatch, draft: _Draft) -> None:
    """Fill in what is known before anything is sent."""
    tally = draft.tally
    report.by_field = {
        name: {"sent": 0, "whole_rows": points} for name, points in tally.spoken.points.items()
    }
    report.rows_read = batch.rows
    report.rows_rejected = draft.unreadable + tally.rows_rejected
    report.rows_warned = draft.warned
    report.values_dropped = draft.dropped
    report.rows_superseded = tally.rows_superseded + batch.superseded
    report.rows_skipped = tally.rows_skipped + batch.shut_out
    report.rows_unchanged = tally.rows_unchanged
    report.rows_repeated = tally.rows_repeated + batch.repeated
    report.profiles_named = tally.profiles_named
    report.profiles_skipped = tally.profiles_skipped
    report.profiles_unchanged = tally.profiles_unchanged
    report.facts += _note_what_stays(pl.concat(draft.stays))
    if tally.type_changes:
        report.facts.append(noted("types_replaced", values=tally.type_changes))
    if tally.members_dropped:
        report.facts.append(noted("members_dropped", members=tally.members_dropped))
    report.fields_kept = tally.fields_kept
    if tally.fields_kept:
        report.facts.append(noted("values_kept", values=tally.fields_kept))
    if shut_out := tally.rows_shut_out + batch.shut_out:
        report.facts.append(noted("rows_shut_out", rows=shut_out))
    report.fields_withheld = tally.fields_withheld
    if tally.fields_withheld:
        skipped = tally.rows_without_consent
        report.facts.append(noted("consent_missing", values=tally.fields_withheld, rows=skipped))


def _note_what_stays(stays: pl.DataFrame) -> list[Note]:
    """Note of each field, of a run that is taken back, how many values stay and why."""
    by_reason = stays.group_by("field", "why").agg(
        pl.col("values").sum(), pl.col("run").drop_nulls().unique().sort().alias("runs")
    )
    told = by_reason.sort("field", "why").iter_rows(named=True)
    return [
        noted(
            "value_stays",
            field=row["field"],
            values=row["values"],
            why=row["why"],
            runs=row["runs"],
        )
        for row in told
    ]


def _count_people(report: RunReport, compared: Comparison) -> None:
    """Fill in who is missing in a snapshot."""
    report.facts += compared.notes
    report.members_before, report.leavers = compared.before, compared.leavers


def _rejected_rows(plan: Plan) -> dict[tuple[str, str], int]:
    """Count the rejected rows of each file, by its key and by what its row ids begin with."""
    source = pl.col("row_id").str.replace(r"/\d+$", "").alias("source")
    parts = [plan.rejected.empty(), *plan.rejected.frames(["row_id", "file", "row"])]
    places = (part.drop_nulls("row").select("file", source, "row").unique() for part in parts)
    counts = pl.concat(places).unique().group_by("file", "source").len()
    return {(file, source): rows for file, source, rows in counts.iter_rows()}


def _counted(file: ClaimedFile, rejected: Mapping[tuple[str, str], int]) -> ClaimedFile:
    if file.outcome == "rejected":
        return file
    return replace(file, rejected=rejected.get((file.key, source_of(file)), 0))


def _told(file: ClaimedFile, *, planned: bool) -> FileReport:
    """Report a file of which no row was taken as what it is to people: rejected."""
    if file.outcome == "corrected" and not file.rows:
        return FileReport(file.key, "rejected", facts=file.facts)
    if file.outcome == "applied" and 0 < file.rows == file.rejected:
        note = noted("no_row_taken", rows=file.rows, planned=planned)
        return FileReport(file.key, "rejected", file.rows, facts=(note,))
    return FileReport(file.key, file.outcome, file.rows, file.note, file.facts)
