"""
Decides what a run will send: from rows as given to an outbox, and to counts that add up.

Everything that decides is in ``profiles``; this is the order in which it is asked, and the one
place that looks up what is unknown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl
import structlog

from exchanger.jobs.baseline import learn_from_segment
from exchanger.jobs.contributions import as_gifts, corrected, with_already
from exchanger.jobs.late_files import rows_in_order
from exchanger.jobs.lookup import look_up_and_keep, overlay, say_if_slow, wait_until_shown
from exchanger.jobs.unmergeable import rejected_by_plan
from exchanger.profiles.columns import (
    BEFORE,
    EXISTS,
    FILE,
    KNOWN,
    POINTS,
    PROFILE,
    ROW,
    ROWS,
    SENT,
    SURE,
    WANTED,
)
from exchanger.profiles.folding import fold, gifts, superseded
from exchanger.profiles.payloads import objects
from exchanger.profiles.reconcile import Merged, merge, needs_lookup
from exchanger.profiles.rules import NEEDS_HELD

if TYPE_CHECKING:
    from exchanger.jobs.call import ImportCall
    from exchanger.jobs.reading import Reading
    from exchanger.jobs.report import RunReport
    from exchanger.profiles.rules import Rule

log = structlog.get_logger()


@dataclass(frozen=True)
class Plan:
    """
    What a run will do, before anything of it counts.

    Args:
        outbox: One row per object, as in docs/architecture.md; ``@rows`` counts the rows of the
            profile that are not superseded.
        gifts: What each file gives to summed and added fields of profiles that can be merged.
        rejected: Rows that go to quarantine, in its shape.
        orders: How far the run takes each field in the order of ``order_by``, once accepted.
        rules: What was done to each field.
        lookups: Profiles that were looked up.
    """

    outbox: pl.DataFrame
    gifts: pl.DataFrame
    rejected: pl.DataFrame
    orders: pl.DataFrame
    rules: list[Rule]
    lookups: int

    def expect_all_accepted(self, report: RunReport) -> None:
        """Complete a report as if Braze accepted every object, for ``plan``."""
        report.rows_applied = int(self.outbox[ROWS].sum())
        report.profiles_updated = int(self.outbox[KNOWN].sum())
        report.profiles_new = self.outbox.height - report.profiles_updated
        report.data_points = int(self.outbox[POINTS].sum())
        fields = [name for name in self.outbox.columns if name.startswith(WANTED)]
        report.fields_changed = sum(self.outbox[name].count() for name in fields)
        report.check()


def make_plan(call: ImportCall, reading: Reading, report: RunReport) -> Plan:
    """
    Plan a run over the rows that were read.

    Args:
        call: The job; held values are read, and Braze is asked for what is unknown.
        reading: Rows, rules and files.
        report: Its counts are filled in, but for what only Braze's answers tell.

    Raises:
        BrazeError: A look-up failed.
    """
    rules = list(reading.rules.values())
    ordered = rows_in_order(call, reading, rules)
    given = ordered.given
    taken_back = reading.taken_back()
    folded = corrected(fold(given, rules), taken_back, rules)
    known = _held(call, folded[PROFILE], rules)
    held, lookups = _complete(call, folded, known, rules, report)
    merged = merge(folded, held, rules, assume_empty=call.job.assumes_empty)
    accepted = folded.select(PROFILE, ROWS).join(merged.rejected, on=PROFILE, how="anti")
    rows = _effective_rows(given, accepted, rules)
    present = _present(call, merged.wanted, held)
    outbox = _outbox(call, present, known, held, rows)
    _count(report, reading, folded, rows, merged)
    _count_idle(call, report, rows, held, outbox)
    return Plan(
        outbox=outbox,
        gifts=with_already(
            _gifts(given, taken_back, rules, rows, _absent(call, held)), reading.already
        ),
        rejected=rejected_by_plan(reading, given, taken_back, merged.rejected),
        orders=ordered.orders(rules, _present(call, rows, held), outbox),
        rules=rules,
        lookups=lookups,
    )


def _held(call: ImportCall, profiles: pl.Series, rules: list[Rule]) -> pl.DataFrame:
    """
    Read what is held.

    A job that creates no profiles waits for somebody else to create them, so to such a job an
    absence seen in the past is unknown. What is older than ``max_age`` is unknown as well, where a
    strategy needs it; but a value that was delivered within the grace is what Braze has, whatever
    it shows.
    """
    names = [rule.name for rule in rules]
    sent = [rule.name for rule in rules if rule.config.on_drift != "overwrite"]
    if call.job.max_age is None:
        held = call.state.held.of(profiles, names, sent=sent)
    else:
        oldest = max(call.job.max_age, timedelta(seconds=call.world.grace))
        needed = [rule.name for rule in rules if rule.merge in NEEDS_HELD]
        since = call.world.clock.now() - oldest
        held = call.state.held.of(profiles, names, since=since, fresh=needed, sent=sent)
        # Whose absence is too old to be believed was in effect never seen.
        held = held.filter(pl.col(EXISTS).is_not_null())
    return held if call.job.create_missing else held.filter(pl.col(EXISTS).fill_null(value=True))


def _complete(
    call: ImportCall,
    folded: pl.DataFrame,
    known: pl.DataFrame,
    rules: list[Rule],
    report: RunReport,
) -> tuple[pl.DataFrame, int]:
    """Look up what a strategy needs and nobody knows (law 10)."""
    assumes = call.job.assumes_empty
    needed = needs_lookup(folded, known, rules, assume_empty=assumes)
    if assumes:
        assumed = needs_lookup(folded, known, rules)[PROFILE].n_unique()
        assumed -= needed[PROFILE].n_unique()
        report.notes.append(f"{assumed:,} profiles never seen were taken for empty.")
    if needed.is_empty():
        return known, 0
    if call.record and (learnt := learn_from_segment(call, needed, rules)):
        report.notes.append(learnt)
        known = _held(call, folded[PROFILE], rules)
        needed = needs_lookup(folded, known, rules)
        if needed.is_empty():
            return known, 0
    report.notes += say_if_slow(needed[PROFILE].n_unique(), call.world.lookup_limit)

    _wait_until_shown(call, known, report)
    seen = look_up_and_keep(call, needed)
    return overlay(known, seen), seen.height


def _wait_until_shown(call: ImportCall, known: pl.DataFrame, report: RunReport) -> None:
    """
    Wait before looking up what became uncertain: it may have changed so lately.

    Only values that a run has left uncertain need it. Whatever else is unknown was not sent by us.
    """
    texts = pl.col(pl.String).exclude(PROFILE, f"^{re.escape(SENT)}.*$")
    uncertain = pl.any_horizontal(pl.lit(value=False), texts == "?")
    last = (report.seq or 1) - 1
    if call.record and last and known.select(uncertain.any()).item():
        wait_until_shown(call, last)


def _effective_rows(given: pl.DataFrame, accepted: pl.DataFrame, rules: list[Rule]) -> pl.DataFrame:
    """Count, for each accepted profile, its rows and those that later rows superseded."""
    overridden = superseded(given, rules)
    if overridden.is_empty():
        return accepted.select(PROFILE, pl.lit(0, pl.UInt32).alias("gone"), ROWS)
    gone = (
        overridden.join(given.select(FILE, ROW, PROFILE), on=[FILE, ROW])
        .group_by(PROFILE)
        .agg(pl.len().alias("gone"))
    )
    return (
        accepted.select(PROFILE, ROWS)
        .join(gone, on=PROFILE, how="left")
        .select(
            PROFILE,
            pl.col("gone").fill_null(0).cast(pl.UInt32),
            (pl.col(ROWS) - pl.col("gone").fill_null(0)).cast(pl.UInt32).alias(ROWS),
        )
    )


def _absent(call: ImportCall, held: pl.DataFrame) -> pl.Series:
    """Name profiles that Braze does not have and that the job may not create."""
    gone = held.filter(~pl.col(EXISTS).fill_null(value=True))[PROFILE]
    return gone.clear() if call.job.create_missing else gone


def _present(call: ImportCall, rows: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    absent = _absent(call, held)
    return rows if absent.is_empty() else rows.filter(~_among(absent))


def _outbox(
    call: ImportCall,
    changes: pl.DataFrame,
    known: pl.DataFrame,
    held: pl.DataFrame,
    rows: pl.DataFrame,
) -> pl.DataFrame:
    """
    Render the objects, and put beside each what settling needs.

    ``@known`` is about us before this run, so a look-up of this run does not make a profile known.
    ``@sure`` is false where Braze may skip the object for want of a profile.
    """
    ours = known.filter(pl.col(EXISTS).fill_null(value=True))[PROFILE]
    seen = held.filter(pl.col(EXISTS).fill_null(value=False))[PROFILE]
    named = changes.with_columns(
        _among(ours).alias(KNOWN),
        (pl.lit(value=True) if call.job.create_missing else _among(seen)).alias(SURE),
    )
    sendable = _with_rows(named, rows)
    rendered = objects(sendable, update_only=not call.job.create_missing)
    kept = sendable.select(
        FILE, ROW, ROWS, KNOWN, SURE, pl.col(f"^({re.escape(BEFORE)}|{re.escape(WANTED)}).*$")
    )
    return pl.concat([rendered, kept], how="horizontal")


def _with_rows(changes: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Put ``@rows`` beside each change."""
    if changes[PROFILE].equals(rows[PROFILE]):
        # Nothing is held of a first load, so everything changes; a join would copy all of it.
        return changes.with_columns(rows[ROWS])
    return changes.join(rows.select(PROFILE, ROWS), on=PROFILE, maintain_order="left")


def _among(profiles: pl.Series) -> pl.Expr:
    if profiles.is_empty():
        return pl.lit(value=False)
    return pl.col(PROFILE).is_in(profiles.implode())


def _gifts(
    given: pl.DataFrame,
    taken_back: pl.DataFrame,
    rules: list[Rule],
    rows: pl.DataFrame,
    absent: pl.Series,
) -> pl.DataFrame:
    """Tell what counts as given once Braze has accepted it."""
    every = pl.concat([gifts(given, rules), as_gifts(taken_back, rules)])
    accepted = every.join(rows, on=PROFILE, how="semi", maintain_order="left")
    return accepted.filter(~pl.col(PROFILE).is_in(absent.implode()))


def _count(
    report: RunReport,
    reading: Reading,
    folded: pl.DataFrame,
    rows: pl.DataFrame,
    merged: Merged,
) -> None:
    """Fill in what is known before anything is sent."""
    applied = [i for i, file in enumerate(reading.files) if file.outcome != "rejected"]
    unreadable = reading.rejected_rows().filter(pl.col(FILE).is_in(applied))
    unmergeable = folded.join(merged.rejected, on=PROFILE, how="semi")
    report.rows_read = reading.rows
    report.rows_rejected = unreadable.n_unique([FILE, ROW]) + int(unmergeable[ROWS].sum())
    report.rows_superseded = int(rows["gone"].sum()) + reading.superseded
    report.profiles_named = rows.height
    if merged.counts.type_changes:
        report.notes.append(
            f"{merged.counts.type_changes:,} values replace a value of another type in Braze."
        )
    if merged.counts.members_dropped:
        report.notes.append(
            f"{merged.counts.members_dropped:,} members of lists were dropped, as the lists were "
            "longer than allowed."
        )
    report.fields_kept = merged.counts.fields_kept
    if report.fields_kept:
        report.notes.append(
            f"{report.fields_kept:,} values were left as somebody else had set them in Braze."
        )


def _count_idle(
    call: ImportCall,
    report: RunReport,
    rows: pl.DataFrame,
    held: pl.DataFrame,
    outbox: pl.DataFrame,
) -> None:
    """Count the profiles that get nothing: skipped for want of a profile, or unchanged."""
    idle = rows.join(outbox.select(PROFILE), on=PROFILE, how="anti")
    absent = _among(_absent(call, held))
    skipped, unchanged = idle.filter(absent), idle.filter(~absent)
    report.rows_skipped = int(skipped[ROWS].sum())
    report.profiles_skipped = skipped.height
    report.rows_unchanged = int(unchanged[ROWS].sum())
    report.profiles_unchanged = unchanged.height
